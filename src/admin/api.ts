import type { HttpRequest, HttpResponse } from '../net/http-request.js';
import type { WriteAudit } from './audit.js';
import { faultIn } from './json-schema.js';
import { COMMON_HEADERS, problemAnswer, type Problem } from './problem.js';
import type { Answered, Asked, Route } from './route.js';

/** Most names in one query. */
const MAX_QUERY_NAMES = 16;

/** The methods of a path, and what stands in its braces; undefined when no route has it. */
export interface Found {
  readonly routes: readonly Route[];
  readonly parts: Readonly<Record<string, string>>;
}

/** Finds the routes of a path, as it was sent; a word in its own right wins over a part in braces. A part that cannot be decoded fits nothing. */
export function findRoutes(routes: readonly Route[], path: string): Found | undefined {
  const plainFirst = [...routes].sort((a, b) => Number(a.path.includes('{')) - Number(b.path.includes('{')));
  for (const route of plainFirst) {
    const parts = fit(route.path, path);
    if (parts !== undefined) return { routes: routes.filter((one) => one.path === route.path), parts };
  }
  return undefined;
}

function fit(template: string, path: string): Readonly<Record<string, string>> | undefined {
  const [wanted, given] = [template.split('/'), path.split('/')];
  if (wanted.length !== given.length) return undefined;
  const parts: Record<string, string> = {};
  for (const [index, segment] of wanted.entries()) {
    const shown = given[index] ?? '';
    const name = /^\{(\w+)\}$/.exec(segment)?.[1];
    if (name === undefined && segment !== shown) return undefined;
    if (name === undefined) continue;
    const text = decoded(shown);
    if (text === undefined || text === '') return undefined;
    parts[name] = text;
  }
  return parts;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/**
 * Answers a request for one of the routes of a path; what it is asked with is held against what the route describes. Whatever
 * came of it is told to the audit trail.
 */
export async function answerRoute(
  { routes, parts }: Found,
  request: HttpRequest,
  writeAudit: WriteAudit,
): Promise<HttpResponse> {
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  const route = routes.find((one) => one.method === method);
  if (route === undefined) {
    const allowed = routes.flatMap((one) => (one.method === 'GET' ? ['GET', 'HEAD'] : [one.method]));
    return problemAnswer({ problem: 'method-wrong' }, [['Allow', allowed.join(', ')]]);
  }
  const asked = readAsked(route, request, parts);
  if ('problem' in asked) {
    writeAudit(route, request, undefined, asked);
    return problemAnswer(asked);
  }
  let answered: Answered = { problem: 'internal-error' };
  try {
    answered = await route.handle(asked);
  } finally {
    writeAudit(route, request, asked, answered);
  }
  return 'problem' in answered ? problemAnswer(answered) : jsonAnswer(route.status, answered.value);
}

/** A value as the body of an answer. */
export function jsonAnswer(status: number, value: unknown): HttpResponse {
  return {
    status,
    headers: [...COMMON_HEADERS, ['Content-Type', 'application/json']],
    body: `${JSON.stringify(value)}\n`,
  };
}

function readAsked(route: Route, request: HttpRequest, parts: Found['parts']): Asked | Problem {
  const query = new URLSearchParams(request.query?.reveal() ?? '');
  const fault = queryFault(route, query);
  if (fault !== undefined) return { problem: 'query-malformed', detail: fault };
  const body = route.body === undefined ? undefined : readBody(route, request);
  if (isProblem(body)) return body;
  return { parts, query, body: body?.value, remoteAddress: request.remoteAddress };
}

function isProblem(value: { readonly value: unknown } | Problem | undefined): value is Problem {
  return value !== undefined && 'problem' in value;
}

function queryFault({ query: known = {} }: Route, query: URLSearchParams): string | undefined {
  const names = [...query.keys()];
  if (names.length > MAX_QUERY_NAMES || new Set(names).size !== names.length)
    return 'a name stands there twice, or there are too many';
  for (const [name, text] of query) {
    const schema = Object.hasOwn(known, name) ? known[name]?.schema : undefined;
    if (schema === undefined) return `known are ${Object.keys(known).join(', ') || 'none'}`;
    const isNumber = 'type' in schema && schema.type === 'integer';
    const fault = faultIn(schema, isNumber && /^\d{1,7}$/.test(text) ? Number(text) : text, name);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function readBody({ body: schema }: Route, { headers, body }: HttpRequest): { readonly value: unknown } | Problem {
  const type = headers.get('content-type')?.split(';')[0]?.trim().toLowerCase();
  // A form of another site cannot send this type without asking first.
  if (type !== 'application/json') return { problem: 'body-type' };
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    return { problem: 'body-malformed', detail: 'it is no JSON' };
  }
  const fault = schema && faultIn(schema, value);
  return fault === undefined ? { value } : { problem: 'body-malformed', detail: fault };
}
