import type { HttpResponse } from '../net/http-request.js';

/** Every error of the admin API: stable codes, each with its status and what it means. */
export const PROBLEMS = {
  'token-required': { status: 401, title: 'a token is required' },
  'token-wrong': { status: 401, title: 'the token is wrong' },
  'token-throttled': { status: 429, title: 'too many wrong tokens came from this address; wait' },
  'host-unknown': {
    status: 403,
    title: 'the Host header names another host; without a token only loopback is answered',
  },
  'origin-foreign': { status: 403, title: 'pages of other sites may not do this' },
  'not-found': { status: 404, title: 'there is nothing of that name' },
  'method-wrong': { status: 405, title: 'the method is not allowed here' },
  'body-type': { status: 415, title: 'the body must be application/json' },
  'body-malformed': { status: 400, title: 'the body is not as described' },
  'query-malformed': { status: 400, title: 'the query is not as described' },
  'request-malformed': { status: 400, title: 'the request is malformed' },
  'reload-refused': { status: 409, title: 'the new config cannot be used; the old one stays in force' },
  'mint-refused': { status: 409, title: 'the token cannot be made' },
  'list-full': { status: 409, title: 'the list is full' },
  'upgrade-required': { status: 426, title: 'this is a WebSocket' },
  'too-many': { status: 429, title: 'too many at once' },
  'internal-error': { status: 500, title: 'the gateway failed' },
} as const satisfies Record<string, { readonly status: number; readonly title: string }>;

/** One of the stable codes. */
export type ProblemCode = keyof typeof PROBLEMS;

/** An error as a value. */
export interface Problem {
  readonly problem: ProblemCode;
  readonly detail?: string | undefined;
}

/** Headers that every answer of this listener has. */
export const COMMON_HEADERS: readonly (readonly [string, string])[] = [
  ['Cache-Control', 'no-store'],
  ['X-Content-Type-Options', 'nosniff'],
  ['Cross-Origin-Resource-Policy', 'same-origin'],
  ['Referrer-Policy', 'no-referrer'],
];

/** The answer that tells of an error. @see RFC 9457 */
export function problemAnswer(
  { problem, detail }: Problem,
  headers: readonly (readonly [string, string])[] = [],
): HttpResponse {
  const { status, title } = PROBLEMS[problem];
  const body = { type: `urn:portcullis:admin:${problem}`, code: problem, title, status, ...(detail && { detail }) };
  return {
    status,
    headers: [...COMMON_HEADERS, ['Content-Type', 'application/problem+json'], ...headers],
    body: `${JSON.stringify(body)}\n`,
  };
}
