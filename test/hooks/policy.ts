import { createKeySet, type KeySpec, type TokenPolicy } from '../../src/hooks/verify-token/index.js';
import { Secret } from '../../src/model/secret.js';
import { VECTOR_POLICY } from '../vectors/tokens.js';

/** Wednesday 2026-11-25, on a whole second. */
export const NOW_S = 1_795_600_000;

export const SECRET = 'a-secret-of-the-tests-with-enough-bytes-0123';

/** The key set of specs that must be right. */
export function keySetOf(specs: readonly KeySpec[]): TokenPolicy['keys'] {
  const result = createKeySet(specs);
  if (!result.ok) throw new Error(JSON.stringify(result.faults));
  return result.keySet;
}

/** One HS256 key, no issuer, an hour; with parts changed. */
export function makePolicy(changed: Partial<TokenPolicy> = {}): TokenPolicy {
  return {
    profile: 'red5',
    keys: keySetOf([{ id: 'main', algorithm: 'HS256', secret: new Secret(SECRET) }]),
    issuers: [],
    audiences: [],
    maxTtlS: 3600,
    leewayS: 0,
    ...changed,
  };
}

/** The policy under which the vectors are right. */
export function vectorPolicy(profile: TokenPolicy['profile'] = 'red5'): TokenPolicy {
  const { issuers, audiences, maxTtlMinutes, leewaySeconds } = VECTOR_POLICY;
  const keys = keySetOf(VECTOR_POLICY.keys());
  return { profile, keys, issuers, audiences, maxTtlS: maxTtlMinutes * 60, leewayS: leewaySeconds };
}
