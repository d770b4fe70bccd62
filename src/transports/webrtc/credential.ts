import { WireError } from '../../model/errors.js';
import { reject, type Rejection } from '../../model/rejection.js';
import { Secret } from '../../model/secret.js';
import {
  looksLikeJwt,
  mergeCredentials,
  parameterNamesOf,
  partsOfQuery,
  type CredentialPart,
  type MergedCredentials,
} from '../../wire/credential-parts.js';
import { readPairs, type QueryPair } from '../../wire/query.js';

/** Where an HTTP request can say who sends it. */
export interface CredentialSource {
  readonly query: Secret | undefined;
  readonly authorization: readonly Secret[];
}

/** What a request shows, and what else stands in its query. */
export interface ReadCredentials {
  readonly merged: MergedCredentials;
  /** A token stood in the query: what is answered must not be kept by anybody. */
  readonly isInQuery: boolean;
  /** The whole query; may hold tokens. */
  readonly pairs: readonly QueryPair[];
  /** Names of the parameters, fit for a log. */
  readonly parameterNames: readonly string[];
}

/** What web clients send when their token is not set. */
const UNSET = new Set(['undefined', 'null']);

/**
 * Finds the token of a request: `Authorization: Bearer` in any case, and `token` of the query. A bearer that is the word
 * `undefined`, or no JWT while the query has a token, is a client's mistake and is not looked at. Other schemes are ignored.
 * @see RFC 6750 §2
 */
export function readCredentials(source: CredentialSource): ReadCredentials {
  const read = readQuery(source.query);
  const { pairs } = read;
  const inQuery = partsOfQuery(pairs, 'url-query');
  const isInQuery = inQuery.some(({ what }) => what === 'token');
  const bearers = source.authorization.flatMap((value) => bearerOf(value, isInQuery));
  const merged = read.rejection === undefined ? mergeCredentials(bearers, inQuery) : refused(read.rejection);
  return { merged, isInQuery, pairs, parameterNames: parameterNamesOf(pairs) };
}

function readQuery(query: Secret | undefined): {
  readonly pairs: readonly QueryPair[];
  readonly rejection?: Rejection;
} {
  try {
    return { pairs: readPairs(query?.reveal() ?? '') };
  } catch (error) {
    const why = error instanceof WireError ? error.message : 'the query cannot be read';
    return { pairs: [], rejection: reject('malformed-request', why) };
  }
}

function refused(rejection: Rejection): MergedCredentials {
  return { ok: false, rejection };
}

function bearerOf(header: Secret, isInQuery: boolean): readonly CredentialPart[] {
  const [, token = ''] = /^bearer +(.*?) *$/i.exec(header.reveal()) ?? [];
  if (token === '' || UNSET.has(token)) return [];
  if (isInQuery && !looksLikeJwt(token)) return [];
  return [{ what: 'token', carrier: 'bearer', value: new Secret(token) }];
}
