import type { HttpRequest } from '../net/http-request.js';
import type { PlainFields } from './feed.js';
import type { JsonSchema, ObjectSchema } from './json-schema.js';
import type { Problem, ProblemCode } from './problem.js';

/** What a route is asked with; checked against what it describes. */
export interface Asked {
  /** Parts of the path in braces, decoded. */
  readonly parts: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** What the body holds; undefined when the route takes none. */
  readonly body: unknown;
  readonly remoteAddress: HttpRequest['remoteAddress'];
}

/** A value that fits `answer`, with what the audit trail tells of it; or an error. */
export type Answered =
  | {
      readonly value: unknown;
      /** How many it has ended, changed or made. */
      readonly hit?: number;
      /** What has come of it besides; no secrets. */
      readonly came?: PlainFields;
    }
  | Problem;

/** What the audit trail calls what a route does. A closed list, for those who search it. */
export const AUDIT_ACTIONS = [
  ...(['kick', 'drain-origin', 'revoke', 'unrevoke', 'mint', 'why'] as const),
  ...(['read-config', 'reload', 'drain', 'ticket'] as const),
] as const;

/** One route with its description, which is its part of the OpenAPI document too. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** With parts in braces, e.g. `/api/v1/sessions/{id}`. */
  readonly path: string;
  readonly summary: string;
  /** What the audit trail calls it; null for what changes nothing and reveals no secret. */
  readonly audit: (typeof AUDIT_ACTIONS)[number] | null;
  /** At what it is aimed, for the audit trail; no secrets. */
  readonly aim?: (asked: Asked) => PlainFields;
  /** Names that may stand in the query, and what they mean. */
  readonly query?: Readonly<Record<string, { readonly description: string; readonly schema: JsonSchema }>>;
  readonly body?: ObjectSchema;
  readonly status: 200 | 201 | 202;
  readonly answer: JsonSchema;
  /** What it can say besides what every route can. */
  readonly problems: readonly ProblemCode[];
  readonly handle: (asked: Asked) => Answered | Promise<Answered>;
}

/** Most that one page of a list has. */
export const MAX_PAGE = 500;

/** `limit` and `offset` of lists. */
export const PAGING = {
  limit: { description: 'Most entries of the page.', schema: { type: 'integer', minimum: 1, maximum: MAX_PAGE } },
  offset: { description: 'Entries to pass over.', schema: { type: 'integer', minimum: 0, maximum: 1_000_000 } },
} as const;

/** One page of a list, and how long the list is. */
export function pageOf(
  list: readonly unknown[],
  query: URLSearchParams,
): { readonly total: number; readonly items: readonly unknown[] } {
  const offset = Number(query.get('offset') ?? 0);
  return { total: list.length, items: list.slice(offset, offset + Number(query.get('limit') ?? 100)) };
}
