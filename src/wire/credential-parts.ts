import { reject, type Rejection } from '../model/rejection.js';
import type { Account, Carrier, Credential } from '../model/request.js';
import { Secret } from '../model/secret.js';
import type { QueryPair } from './query.js';

/** Characters of one token. */
export const MAX_TOKEN_LENGTH = 8192;
/** Names that may be told to a log, and the longest such name. */
const MAX_PARAMETER_NAMES = 16;
const PLAIN_NAME = /^[a-z0-9_-]{1,24}$/i;

/** One thing that was found where a client can show who it is. `reserved` is a word that only Red5's own servers may use. */
export type CredentialPart =
  | { readonly what: 'token'; readonly carrier: Carrier; readonly value: Secret }
  | { readonly what: 'password'; readonly carrier: Carrier; readonly value: Secret }
  | { readonly what: 'username'; readonly carrier: Carrier; readonly text: string }
  | { readonly what: 'reserved'; readonly carrier: Carrier };

/** What a parameter or argument is meant as. */
export type CredentialField = 'token' | 'username' | 'password';

/** What a client has shown in all, or why that cannot be taken. `account` is only there without a token. */
export type MergedCredentials =
  | { readonly ok: true; readonly credential?: Credential; readonly account?: Account }
  | { readonly ok: false; readonly rejection: Rejection };

const FIELDS: ReadonlyMap<string, CredentialField> = new Map([
  ['token', 'token'],
  ['jwt', 'token'],
  ['username', 'username'],
  ['user', 'username'],
  ['password', 'password'],
  ['pass', 'password'],
]);

/** Finds tokens (`token`, `jwt`), `username`/`user` and `password`/`pass` in a query; empty values count as absent. */
export function partsOfQuery(pairs: readonly QueryPair[], carrier: Carrier): CredentialPart[] {
  return pairs.flatMap(([name, value]): CredentialPart[] => {
    if (isReserved(name)) return [{ what: 'reserved', carrier }];
    const field = FIELDS.get(name);
    return field === undefined ? [] : credentialPart(field, carrier, value);
  });
}

/** One value as a part, none when it is empty. A token may say "Bearer " in front. */
export function credentialPart(field: CredentialField, carrier: Carrier, value: string): CredentialPart[] {
  const text = field === 'token' ? value.replace(/^bearer +/i, '') : value;
  if (text === '') return [];
  if (field !== 'username') return [{ what: field, carrier, value: new Secret(text) }];
  return [isReserved(text) ? { what: 'reserved', carrier } : { what: 'username', carrier, text }];
}

/**
 * Makes one credential of all parts that were found, in the order in which they were. The same token twice is one token; of
 * usernames and passwords the first counts. Without a token there is no credential, at most an account.
 *
 * Rejections: `token-conflict` (two different ones), `token-malformed` (over 8192 characters), `malformed-request` (the names
 * by which Red5's own servers come past their token check).
 */
export function mergeCredentials(
  first: readonly CredentialPart[],
  second: readonly CredentialPart[] = [],
): MergedCredentials {
  const parts = [...first, ...second];
  const reserved = parts.find((part) => part.what === 'reserved');
  if (reserved !== undefined) {
    return refused(
      'malformed-request',
      `the ${reserved.carrier} holds a username or parameter kept for Red5's own servers`,
    );
  }
  const tokens = parts.filter((part) => part.what === 'token');
  const long = tokens.find((part) => part.value.length > MAX_TOKEN_LENGTH);
  if (long !== undefined) {
    return refused(
      'token-malformed',
      `the token in ${long.carrier} has ${long.value.length} characters, at most ${MAX_TOKEN_LENGTH}`,
    );
  }
  const [token] = tokens;
  if (token === undefined) {
    const account = accountOf(parts);
    return { ok: true, ...(Object.keys(account).length === 0 ? {} : { account }) };
  }
  const other = tokens.find((part) => !part.value.equals(token.value));
  if (other !== undefined) {
    return refused('token-conflict', `the token in ${other.carrier} differs from the one in ${token.carrier}`);
  }
  return { ok: true, credential: { token: token.value, carrier: token.carrier, ...accountOf(parts) } };
}

/**
 * Names of parameters, for the log: each once, at most 16. A name that may be a value in the wrong place (a token without
 * `token=`) is told as `?`.
 */
export function parameterNamesOf(pairs: readonly QueryPair[]): string[] {
  const names = pairs.map(([name]) => (PLAIN_NAME.test(name) ? name : '?'));
  return [...new Set(names)].slice(0, MAX_PARAMETER_NAMES);
}

/** Whether a text is three base64url parts with dots between: it may be a JWT. */
export function looksLikeJwt(text: string): boolean {
  return /^[\w-]+\.[\w-]+\.[\w-]+$/.test(text);
}

/**
 * Whether a path holds what looks like a token or a parameter that may be secret: one that was put outside of the query. Such a path
 * must not be logged.
 */
export function holdsToken(path: string): boolean {
  return /(?:^|[/&])(?:token|jwt|password|pass)=|eyJ[\w-]+\.[\w-]+\./i.test(path);
}

/** Red5 lets these past its token check with a password of the cluster. */
function isReserved(word: string): boolean {
  return /^(?:restreamer$|cluster-restreamer)/i.test(word.trim());
}

function accountOf(parts: readonly CredentialPart[]): Account {
  const username = parts.find((part) => part.what === 'username')?.text;
  const password = parts.find((part) => part.what === 'password')?.value;
  return { ...(username === undefined ? {} : { username }), ...(password === undefined ? {} : { password }) };
}

function refused(code: Rejection['code'], detail: string): MergedCredentials {
  return { ok: false, rejection: reject(code, detail) };
}
