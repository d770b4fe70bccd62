import { WireError } from '../model/errors.js';

/** Pairs of one query; more is nobody's player. */
export const MAX_QUERY_PAIRS = 64;

/** How a query may be cut into pairs. */
export interface QueryOptions {
  /** `;` separates pairs too (Red5's RTSP clients). */
  readonly semicolons?: boolean;
}

/** A parameter: its name and its value, both percent-decoded once. Values may be tokens: wrap them before keeping them. */
export type QueryPair = readonly [name: string, value: string];

/** An address without its query, and the query's parameters in their order. */
export interface SplitQuery {
  readonly path: string;
  readonly pairs: readonly QueryPair[];
}

/**
 * Cuts an address at its first `?`, and what stands behind into parameters.
 *
 * A further `?` separates like `&` does (`?authmod=adobe?x` occurs). Before the first `?` both are plain characters. The length
 * is the caller's to bound. There is no form decoding: `+` stays. A name or value whose percent-encoding is broken stays as it is; a parameter without `=` is empty.
 * Throws WireError `query-too-many-pairs`.
 * @see RFC 3986 §3.4
 * @example splitQuery('live?token=a+b%2e').pairs // [['token', 'a+b.']]
 */
export function splitQuery(text: string, options: QueryOptions = {}): SplitQuery {
  const { path, query } = cutQuery(text);
  return { path, pairs: readPairs(query, options) };
}

/** Cuts an address at its first `?`, which belongs to neither part; without one the query is empty. */
export function cutQuery(text: string): { readonly path: string; readonly query: string } {
  const at = text.indexOf('?');
  return at < 0 ? { path: text, query: '' } : { path: text.slice(0, at), query: text.slice(at + 1) };
}

/** Reads the parameters of a query that was cut off already. Throws WireError `query-too-many-pairs`. */
export function readPairs(query: string, options: QueryOptions = {}): QueryPair[] {
  const pairs: QueryPair[] = [];
  for (const piece of query.split(options.semicolons === true ? /[&?;]/ : /[&?]/)) {
    if (piece === '') continue;
    if (pairs.length === MAX_QUERY_PAIRS) {
      throw new WireError('query-too-many-pairs', `at most ${MAX_QUERY_PAIRS} parameters`);
    }
    const equals = piece.indexOf('=');
    const name = equals < 0 ? piece : piece.slice(0, equals);
    pairs.push([decodeOnce(name), equals < 0 ? '' : decodeOnce(piece.slice(equals + 1))]);
  }
  return pairs;
}

function decodeOnce(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
