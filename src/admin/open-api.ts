import { object, oneOfWords, type JsonSchema } from './json-schema.js';
import { REFUSAL_REASONS } from './guard.js';
import { PROBLEMS, type ProblemCode } from './problem.js';
import type { Route } from './route.js';

/** Problems that every route can have. */
const EVERYWHERE: readonly ProblemCode[] = [...REFUSAL_REASONS, 'internal-error'];

/** The body of an error. */
export const PROBLEM_SCHEMA: JsonSchema = object({
  ...{ type: { type: 'string' }, code: oneOfWords(...Object.keys(PROBLEMS)), title: { type: 'string' } },
  ...{ status: { type: 'integer' }, 'detail?': { type: 'string' } },
});

/** The OpenAPI document of some routes. @see https://spec.openapis.org/oas/v3.1.1 */
export function openApiOf(routes: readonly Route[]): Readonly<Record<string, unknown>> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operationOf(route) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Portcullis admin API',
      version: '1',
      description:
        'Errors are application/problem+json with stable codes. Fields and routes may be added, never taken away.',
    },
    security: [{ bearer: [] }],
    paths,
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'listen.admin.token; none on loopback without one' },
      },
      schemas: { Problem: PROBLEM_SCHEMA },
    },
  };
}

function operationOf(route: Route): unknown {
  const inPath = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    ...{ name, in: 'path', required: true, schema: { type: 'string' } },
  }));
  const inQuery = Object.entries(route.query ?? {}).map(([name, { description, schema }]) => ({
    ...{ name, in: 'query', description, schema },
  }));
  return {
    summary: route.summary,
    ...(route.audit !== null && { 'x-audit-action': route.audit }),
    operationId: `${route.method.toLowerCase()}${route.path.replace(/\/api\/v1|[{}]/g, '').replace(/[/-]+(\w)/g, (_, one: string) => one.toUpperCase())}`,
    ...(inPath.length + inQuery.length > 0 && { parameters: [...inPath, ...inQuery] }),
    ...(route.body && { requestBody: { required: true, content: { 'application/json': { schema: route.body } } } }),
    responses: {
      [route.status]: { description: 'Done.', content: { 'application/json': { schema: route.answer } } },
      ...problemsOf(route),
    },
  };
}

function problemsOf({ problems, body, query }: Route): Readonly<Record<string, unknown>> {
  const all = [
    ...EVERYWHERE,
    ...problems,
    ...(body === undefined ? [] : (['body-type', 'body-malformed'] as const)),
    ...(query === undefined ? [] : (['query-malformed'] as const)),
  ];
  const byStatus = new Map<number, string[]>();
  for (const code of new Set(all)) {
    const { status } = PROBLEMS[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  const content = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => [status, { description: codes.join(', '), content }]),
  );
}
