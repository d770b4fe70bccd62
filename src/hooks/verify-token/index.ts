import type { Clock } from '../../model/clock.js';
import type { Decision } from '../../model/decision.js';
import type { Hook } from '../../model/hook.js';
import { reject } from '../../model/rejection.js';
import type { Secret } from '../../model/secret.js';
import type { KeySource } from './key-source.js';
import { parseToken } from './strict-parse.js';
import { judgeToken, type TokenPolicy } from './verify.js';

export { TOKEN_ALGORITHMS, type TokenAlgorithm } from './algorithms.js';
export type { Profile } from './grants.js';
export { createKeySource, fetchKeys, type FetchNews, type KeySource, type KeySourceOptions } from './key-source.js';
export {
  createKeySet,
  joinKeys,
  type KeyNote,
  type KeySet,
  type KeySetResult,
  type KeySpec,
  type TokenKey,
} from './keys.js';
export type { SecretEncoding } from './secret-key.js';
export { judgeToken, type TokenPolicy, type TokenVerdict } from './verify.js';

/** What the hook needs. */
export interface VerifyTokenOptions {
  readonly policy: TokenPolicy;
  readonly clock: Clock;
  /** Where keys of the policy come from that may be newer there than here. */
  readonly sources?: readonly KeySource[];
}

/**
 * The hook that turns a token into an identity. At connect a missing token is a yes without identity, because an RTMP
 * client may bring it with the stream name and a connect opens nothing; elsewhere it is `token-missing`.
 * Other codes are those of `judgeToken`, and `hook-failed` where the keys that a token may need could not be fetched.
 *
 * A token under a key that is here is judged at once. Only one that names another key waits, for one fetch at most, and not
 * at all when there was one just before.
 */
export function verifyToken({ policy, clock, sources = [] }: VerifyTokenOptions): Hook {
  const judge = (token: Secret): Decision => {
    const verdict = judgeToken(token, policy, clock.now());
    return verdict.ok ? { ok: true, identity: verdict.identity } : verdict;
  };
  return {
    name: 'verify-token',
    actions: ['connect', 'publish', 'subscribe'],
    decide({ action, credential }) {
      if (credential === undefined) {
        if (action === 'connect') return { ok: true };
        return { ok: false, rejection: reject('token-missing', 'no token in any carrier') };
      }
      const { token } = credential;
      const decision = judge(token);
      if (sources.length === 0 || !isForLackOfKeys(decision)) return decision;
      const asked = sourcesFor(token, policy, sources);
      const waits = asked.map((source) => source.refresh()).filter((wait) => wait !== undefined);
      if (waits.length === 0) return orUnavailable(decision, asked);
      return Promise.all(waits).then(() => orUnavailable(judge(token), asked));
    },
  };
}

/** Whether another key could make a yes of it. */
function isForLackOfKeys(decision: Decision): boolean {
  if (decision.ok) return false;
  return decision.rejection.code === 'token-signature' || decision.rejection.code === 'token-algorithm';
}

/** The sources that may have the key of a token: it names one that is not here, or names none and they have none yet. */
function sourcesFor(token: Secret, policy: TokenPolicy, sources: readonly KeySource[]): readonly KeySource[] {
  const parsed = parseToken(token.reveal());
  if (!parsed.ok) return [];
  const { header } = parsed.value;
  const kid = header.get('kid');
  if (typeof kid === 'string' && policy.keys.keys.some((key) => key.id === kid)) return [];
  return sources
    .filter(({ algorithms }) => algorithms.some((algorithm) => algorithm === header.get('alg')))
    .filter(({ problem }) => typeof kid === 'string' || problem !== undefined);
}

/** A no for want of keys that could not be fetched is our fault and no judgement of the token. */
function orUnavailable(decision: Decision, asked: readonly KeySource[]): Decision {
  const lacking = asked.find(({ problem }) => problem !== undefined);
  if (lacking?.problem === undefined || !isForLackOfKeys(decision)) return decision;
  return { ok: false, rejection: reject('hook-failed', `the key set ${lacking.id} is not there: ${lacking.problem}`) };
}
