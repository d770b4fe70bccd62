import jwt from 'jsonwebtoken';
import type { Identity } from '../../model/identity.js';
import { reject, type Rejection } from '../../model/rejection.js';
import type { Secret } from '../../model/secret.js';
import { CLAIM_CHECKS, readIdentity, type ClaimPolicy } from './claims.js';
import { cutSignature } from './algorithms.js';
import { failed, passed, skipped, type Finding } from './finding.js';
import { MAX_KEY_TRIALS, type KeySet, type TokenKey } from './keys.js';
import { checkHeader, parseToken, type JsonObject } from './strict-parse.js';

/** All that a token is held against. */
export interface TokenPolicy extends ClaimPolicy {
  readonly keys: KeySet;
  /** Why a token that is right in all else has been revoked; undefined when it has not. Default: none is. */
  readonly whyRevoked?: (identity: Identity) => string | undefined;
}

/** A verified identity, or the first reason why there is none. */
export type TokenVerdict =
  | { readonly ok: true; readonly identity: Identity; readonly claims: JsonObject }
  | { readonly ok: false; readonly rejection: Rejection };

/**
 * Whether the signature of a token holds under one key and that key's own algorithm. jsonwebtoken does the cryptography;
 * the dates are left to us, and the text must have been through `parseToken`.
 */
export function signatureHolds(text: string, key: Pick<TokenKey, 'algorithm' | 'material'>): boolean {
  try {
    jwt.verify(text, key.material, { algorithms: [key.algorithm], ignoreExpiration: true, ignoreNotBefore: true });
    return true;
  } catch {
    return false;
  }
}

/**
 * The keys a header lets us try: the one its `kid` names, else the first few of its algorithm (Red5 Pro has no `kid`,
 * and issuers set ones that the operator never heard of). None means the algorithm is wrong.
 */
function keysFor(header: JsonObject, keySet: KeySet): readonly TokenKey[] {
  const kid = header.get('kid');
  const named = keySet.keys.filter((key) => key.id === kid);
  return (named.length > 0 ? named : keySet.keys)
    .filter((key) => key.algorithm === header.get('alg'))
    .slice(0, MAX_KEY_TRIALS);
}

/** Checks that a key of the policy goes with the header at all. Code: `token-algorithm`. @see RFC 8725 §3.1 */
export function checkAlgorithm(header: JsonObject, keySet: KeySet): Finding {
  if (keysFor(header, keySet).length > 0) return passed(`alg is ${String(header.get('alg'))}, as a key has it`);
  const known = [...new Set(keySet.keys.map((key) => key.algorithm))].join(', ') || 'none';
  return failed('token-algorithm', `alg is not that of the key; algorithms of the keys: ${known}`);
}

/** Checks the signature with each key that may be tried. Code: `token-signature`. */
export function checkSignature(text: string, header: JsonObject, keySet: KeySet): Finding {
  const keys = keysFor(header, keySet);
  const key = keys.find((candidate) => signatureHolds(text, candidate));
  if (key !== undefined) return passed(`signed with key ${JSON.stringify(key.id)}`);
  const cut = cutSignature(header.get('alg'), text.split('.')[2] ?? '');
  const why =
    cut === undefined ? '' : `; ${cut.has} of its ${cut.needs} characters are there: the client has cut it off`;
  return failed('token-signature', `the signature fits none of ${keys.length} keys tried${why}`);
}

/** Checks that the token has not been revoked. Code: `token-revoked`. */
export function checkRevocation(identity: Identity, { whyRevoked }: Pick<TokenPolicy, 'whyRevoked'>): Finding {
  if (whyRevoked === undefined) return skipped('no revocations are known here');
  const why = whyRevoked(identity);
  return why === undefined ? passed('it is not revoked') : failed('token-revoked', why);
}

/**
 * Judges a token: shape, header, algorithm, signature, then the claims, then what has been revoked; the first failure is the verdict.
 * Pure: the same token, policy and time give the same verdict. `nowMs` is milliseconds since 1970.
 * Codes: `token-malformed`, `token-algorithm`, `token-signature`, `token-expired`, `token-ttl-exceeded`,
 * `token-not-yet-valid`, `token-issuer`, `token-audience`, `token-revoked`.
 *
 * @see RFC 7519 §7.2, RFC 8725 §3
 */
export function judgeToken(token: Secret, policy: TokenPolicy, nowMs: number): TokenVerdict {
  const text = token.reveal();
  const parsed = parseToken(text);
  if (!parsed.ok) return { ok: false, rejection: reject('token-malformed', parsed.text) };
  const { header, claims } = parsed.value;
  const rungs: readonly (() => Finding)[] = [
    () => checkHeader(header),
    () => checkAlgorithm(header, policy.keys),
    () => checkSignature(text, header, policy.keys),
    ...CLAIM_CHECKS.map((rung) => () => rung.check(claims, policy, nowMs / 1000)),
    () => checkRevocation(readIdentity(claims, policy.profile), policy),
  ];
  for (const rung of rungs) {
    const finding = rung();
    if (finding.outcome === 'failed') return { ok: false, rejection: reject(finding.code, finding.text) };
  }
  return { ok: true, identity: readIdentity(claims, policy.profile), claims };
}
