/** A header of an answer. */
export type Header = readonly [name: string, value: string];

/** What the endpoints and sessions take in all. */
export const ALL_METHODS = 'GET, HEAD, OPTIONS, POST, PATCH, DELETE';

/**
 * Lets pages of any site read the answer: a token is shown by the page itself, never by its browser, so there is nothing
 * that a strange site could borrow. On every answer, also on a no.
 * @see Fetch §3.3
 */
export const CORS_HEADERS: readonly Header[] = [
  ['Access-Control-Allow-Origin', '*'],
  [
    'Access-Control-Expose-Headers',
    'Location, ETag, Link, Accept-Post, Accept-Patch, WWW-Authenticate, Retry-After, Access-Control-Allow-Methods',
  ],
  // Eyevinn's client reads from it whether it may trickle.
  ['Access-Control-Allow-Methods', ALL_METHODS],
];

/** What a preflight asks for beside that. `ETag` is sent as a request header by Eyevinn's client. */
export const PREFLIGHT_HEADERS: readonly Header[] = [
  ['Access-Control-Allow-Headers', 'Authorization, Content-Type, If-Match, ETag'],
  ['Access-Control-Max-Age', '7200'],
];
