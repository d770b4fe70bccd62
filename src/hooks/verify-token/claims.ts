import type { Identity } from '../../model/identity.js';
import { failed, passed, quote, skipped, span, type Finding } from './finding.js';
import { grantedSets, readGrants, type Profile } from './grants.js';
import type { JsonObject } from './strict-parse.js';

/** Longest `sub` or `jti`. UTF-16 units. */
export const MAX_TEXT_CLAIM = 512;

/** What the claims are held against. */
export interface ClaimPolicy {
  readonly profile: Profile;
  /** Exact, case-sensitive; empty: not checked. */
  readonly issuers: readonly string[];
  /** Exact, case-sensitive, one match is enough; empty: not checked. */
  readonly audiences: readonly string[];
  /** How far ahead `exp` may lie, seconds. */
  readonly maxTtlS: number;
  /** Forgiven difference of clocks for `exp`, `nbf` and the ceiling, seconds. */
  readonly leewayS: number;
}

/** One claim and how it is judged. `nowS` is seconds since 1970 with its fraction. */
export interface ClaimCheck {
  readonly name: string;
  readonly check: (claims: JsonObject, policy: ClaimPolicy, nowS: number) => Finding;
}

/** A NumericDate: finite, so that 1e999 is none. @see RFC 7519 §2 */
function dateOf(claims: JsonObject, name: string): number | undefined {
  const value = claims.get(name);
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

function checkExpiry(claims: JsonObject, policy: ClaimPolicy, nowS: number): Finding {
  const exp = dateOf(claims, 'exp');
  if (!claims.has('exp')) return failed('token-malformed', 'exp is missing');
  if (exp === undefined)
    return failed('token-malformed', `exp is no number of seconds but ${quote(claims.get('exp'))}`);
  if (nowS >= exp + policy.leewayS) return failed('token-expired', `exp passed ${span(nowS - exp)} ago`);
  return passed(`exp is ${span(exp - nowS)} ahead`);
}

function checkCeiling(claims: JsonObject, policy: ClaimPolicy, nowS: number): Finding {
  const exp = dateOf(claims, 'exp');
  if (exp === undefined) return skipped('no exp to measure');
  const beyondS = exp - nowS - policy.maxTtlS;
  if (beyondS > policy.leewayS) {
    return failed('token-ttl-exceeded', `exp lies ${span(beyondS)} beyond the ceiling of ${span(policy.maxTtlS)}`);
  }
  return passed(`exp is within the ceiling of ${span(policy.maxTtlS)}`);
}

function checkNotBefore(claims: JsonObject, policy: ClaimPolicy, nowS: number): Finding {
  if (!claims.has('nbf')) return skipped('no nbf');
  const nbf = dateOf(claims, 'nbf');
  if (nbf === undefined)
    return failed('token-malformed', `nbf is no number of seconds but ${quote(claims.get('nbf'))}`);
  if (nbf > nowS + policy.leewayS) return failed('token-not-yet-valid', `nbf is still ${span(nbf - nowS)} ahead`);
  return passed(`nbf passed ${span(nowS - nbf)} ago`);
}

/** The type only: an issuer's clock may run ahead, and Red5 Pro does not look at it at all. */
function checkIssuedAt(claims: JsonObject): Finding {
  if (!claims.has('iat')) return skipped('no iat');
  if (dateOf(claims, 'iat') === undefined) {
    return failed('token-malformed', `iat is no number of seconds but ${quote(claims.get('iat'))}`);
  }
  return passed('iat is a number');
}

function checkIssuer(claims: JsonObject, policy: ClaimPolicy): Finding {
  if (policy.issuers.length === 0) return skipped('no issuer is configured');
  const iss = claims.get('iss');
  const wanted = policy.issuers.map(quote).join(' or ');
  if (!claims.has('iss')) return failed('token-issuer', `iss is missing, ${wanted} is expected`);
  if (typeof iss === 'string' && policy.issuers.includes(iss)) return passed(`iss is ${quote(iss)}`);
  return failed('token-issuer', `iss is ${quote(iss)}, ${wanted} is expected`);
}

function checkAudience(claims: JsonObject, policy: ClaimPolicy): Finding {
  if (policy.audiences.length === 0) return skipped('no audience is configured');
  const aud = claims.get('aud');
  const wanted = policy.audiences.map(quote).join(' or ');
  if (!claims.has('aud')) return failed('token-audience', `aud is missing, ${wanted} is expected`);
  const named: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  const isOurs =
    named.every((entry) => typeof entry === 'string') && named.some((entry) => policy.audiences.includes(entry));
  if (isOurs) return passed('aud names this gateway');
  return failed('token-audience', `aud is ${quote(aud)}, ${wanted} is expected`);
}

/**
 * A text for log, metrics and headers. Absent and null are nothing; a whole number is taken as its digits, since issuers
 * put user numbers in `sub`; undefined is what must not travel further: too long, other types, control characters,
 * halves of surrogate pairs.
 */
function textOf(value: unknown): string | null | undefined {
  if (value === undefined || value === null) return null;
  if (typeof value === 'number') return Number.isSafeInteger(value) ? String(value) : undefined;
  const isFit =
    typeof value === 'string' && value.length <= MAX_TEXT_CLAIM && !/[\p{Cc}\p{Cs}\u2028\u2029]/u.test(value);
  return isFit ? value : undefined;
}

function checkTexts(claims: JsonObject): Finding {
  const unfit = ['sub', 'jti'].filter((name) => textOf(claims.get(name)) === undefined);
  if (unfit.length === 0) return passed('sub and jti are absent or plain texts');
  return failed('token-malformed', `${unfit.join(' and ')} is no plain text of at most ${MAX_TEXT_CLAIM} characters`);
}

/** Name of the claim that limits the bit rate of a publisher, kbit/s. */
export const MAX_KBPS_CLAIM = 'portcullis-max-kbps';

function checkBitRate(claims: JsonObject): Finding {
  const value = claims.get(MAX_KBPS_CLAIM);
  if (value === undefined) return skipped(`no ${MAX_KBPS_CLAIM}`);
  if (typeof value === 'number' && Number.isFinite(value) && value > 0) return passed(`at most ${value} kbit/s`);
  return failed('token-malformed', `${MAX_KBPS_CLAIM} is no number above 0 but ${quote(value)}`);
}

/** Every check of a claim that can refuse the token as a whole, in the order in which the first failure decides. */
export const CLAIM_CHECKS: readonly ClaimCheck[] = [
  { name: 'exp', check: checkExpiry },
  { name: 'ceiling', check: checkCeiling },
  { name: 'nbf', check: checkNotBefore },
  { name: 'iat', check: checkIssuedAt },
  { name: 'iss', check: checkIssuer },
  { name: 'aud', check: checkAudience },
  { name: 'sub, jti', check: checkTexts },
  { name: MAX_KBPS_CLAIM, check: checkBitRate },
];

/** The identity of claims that have passed `CLAIM_CHECKS`. */
export function readIdentity(claims: JsonObject, profile: Profile): Identity {
  const subject = textOf(claims.get('sub')) ?? null;
  const tokenId = textOf(claims.get('jti')) ?? null;
  const issuer = claims.get('iss');
  const issuedAtS = dateOf(claims, 'iat');
  const maxKbps = claims.get(MAX_KBPS_CLAIM);
  return {
    expiresAtS: Number(claims.get('exp')),
    ...(subject !== null && { subject }),
    ...(typeof issuer === 'string' && { issuer }),
    ...(tokenId !== null && { tokenId }),
    ...(issuedAtS !== undefined && { issuedAtS }),
    ...(typeof maxKbps === 'number' && { maxKbps }),
    ...grantedSets(readGrants(claims, profile)),
  };
}
