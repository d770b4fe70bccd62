import type { Clock } from '../../model/clock.js';
import type { Hook } from '../../model/hook.js';
import { reject } from '../../model/rejection.js';
import { judgeToken, type TokenPolicy } from './verify.js';

export { TOKEN_ALGORITHMS, type TokenAlgorithm } from './algorithms.js';
export type { Profile } from './grants.js';
export { createKeySet, type KeyNote, type KeySet, type KeySetResult, type KeySpec, type TokenKey } from './keys.js';
export type { SecretEncoding } from './secret-key.js';
export { judgeToken, type TokenPolicy, type TokenVerdict } from './verify.js';

/** What the hook needs. */
export interface VerifyTokenOptions {
  readonly policy: TokenPolicy;
  readonly clock: Clock;
}

/**
 * The hook that turns a token into an identity. At connect a missing token is a yes without identity, because an RTMP
 * client may bring it with the stream name and a connect opens nothing; elsewhere it is `token-missing`.
 * Other codes are those of `judgeToken`.
 */
export function verifyToken({ policy, clock }: VerifyTokenOptions): Hook {
  return {
    name: 'verify-token',
    actions: ['connect', 'publish', 'subscribe'],
    decide({ action, credential }) {
      if (credential !== undefined) {
        const verdict = judgeToken(credential.token, policy, clock.now());
        return verdict.ok ? { ok: true, identity: verdict.identity } : verdict;
      }
      if (action === 'connect') return { ok: true };
      return { ok: false, rejection: reject('token-missing', 'no token in any carrier') };
    },
  };
}
