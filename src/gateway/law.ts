import type { Config } from '../config/config.js';
import { createFarewell } from '../hooks/farewell.js';
import { createHooks, type HookDeps } from '../hooks/index.js';
import type { Limiter } from '../hooks/limits/index.js';
import { createPipeline, type PipelineOptions } from '../hooks/pipeline.js';
import { createKeySet, joinKeys } from '../hooks/verify-token/index.js';
import type { Clock } from '../model/clock.js';
import { GatewayError } from '../model/errors.js';
import type { Decide, Farewell, Hook } from '../model/hook.js';
import type { Log, Metrics } from '../model/telemetry.js';
import { isForeign, type ForeignHooks } from './foreign-hooks.js';
import type { KeySources } from './key-sources.js';
import type { LastingTokenMemory } from './token-memory.js';
import { claimPolicyOf, keySpecsOf } from './token-keys.js';

/** What the law is told with. */
export interface LawDeps {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly clock: Clock;
  /** Milliseconds of a clock that never jumps, with fractions. */
  readonly elapsedMs: () => number;
  /** Where the hooks of other people are, prepared for the config. */
  readonly foreignHooks: ForeignHooks;
  /** Where fetched keys are, prepared for the config. */
  readonly keySources: KeySources;
  /** Which tokens are revoked. */
  readonly memory: Pick<LastingTokenMemory, 'tokens'>;
  /** Who asked how often. */
  readonly limiter: Limiter;
  /** Addresses of proxies, behind which there are many. */
  readonly isShared: (address: string) => boolean;
}

/** The law of one config. */
export interface Law {
  readonly decide: Decide;
  /** Tells the hooks of a stream that is over. */
  readonly farewell: Farewell;
}

/** Builds the hooks of the config and joins them into the one function that decides. Throws GatewayError `config-keys`. */
export function createLaw(config: Config, deps: LawDeps): Law {
  const { log, metrics, clock, foreignHooks } = deps;
  const specs = config.hooks.map((entry) =>
    isForeign(entry) ? { hook: foreignHooks.hookOf(entry) } : { name: entry.name },
  );
  const hooks = createHooks(specs, hookDeps(config, deps));
  const onHookError = (hook: Hook, error: unknown): void => {
    metrics.count('hook_errors_total', { hook: hook.name });
    log.write('error', 'gateway.error', { hook: hook.name, error });
  };
  const onAsked: PipelineOptions['onAsked'] = (
    hook,
    { sessionId: session, transport, action },
    { decision, tookMs },
  ) => {
    if (!log.enabled('debug')) return;
    const code = decision.ok ? undefined : decision.rejection.code;
    const outcome = decision.ok ? 'yes' : 'no';
    const ms = Math.round(tookMs * 1000) / 1000;
    log.write('debug', 'hook.asked', { session, transport, action, hook: hook.name, outcome, code, ms });
  };
  const hookTimeoutMs = config.limits.hookTimeoutSeconds * 1000;
  return {
    decide: deps.limiter.guard(
      createPipeline(hooks, { clock, hookTimeoutMs, onHookError, onAsked, elapsedMs: deps.elapsedMs }),
      {
        ...config.limits,
        isShared: deps.isShared,
      },
    ),
    farewell: createFarewell(hooks, onHookError),
  };
}

function hookDeps(config: Config, { clock, keySources, memory }: LawDeps): HookDeps {
  const { auth } = config;
  const made = createKeySet(keySpecsOf(auth));
  if (!made.ok) {
    const faults = made.faults.map((fault) => `auth.keys (${fault.keyId}): ${fault.message}`);
    throw new GatewayError('config-keys', 'gateway', faults.join('\n'));
  }
  const sources = keySources.of(config);
  const { whyRevoked } = memory.tokens;
  const policy = { ...claimPolicyOf(auth), keys: joinKeys(made.keySet.keys, sources), whyRevoked };
  return { policy, clock, sources };
}
