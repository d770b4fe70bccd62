import { randomInt } from 'node:crypto';
import type { Config } from '../config/config.js';
import { createLimiter, type Limiter } from '../hooks/limits/index.js';
import type { Clock } from '../model/clock.js';
import type { Log, Metrics } from '../model/telemetry.js';
import { createPacer, type Pacer } from '../net/pacing.js';
import { createCertificateCare, type CertificateCare } from './certificates.js';
import { createForeignHooks, type ForeignHooks, type ImportModule } from './foreign-hooks.js';
import { createKeySources, type KeySources } from './key-sources.js';
import { createOriginCare, type OriginCare } from './origin-care.js';
import type { Tracing } from './tracing.js';
import { createTokenMemory, type LastingTokenMemory } from './token-memory.js';

/** What outlives every reload: memories, and what is looked after in the background. */
export interface Lasting {
  readonly pacer: Pacer;
  /** Which tokens are revoked or used up. */
  readonly memory: LastingTokenMemory;
  readonly foreignHooks: ForeignHooks;
  readonly keySources: KeySources;
  /** What is known of the origins. */
  readonly originCare: OriginCare;
  /** Who asked how often. */
  readonly limiter: Limiter;
  readonly certificates: CertificateCare;
  /**
   * Looks whether another config can be had; what comes back puts it in force. Rejects with GatewayError `config-hooks`,
   * `config-traces`, `config-revocations` or `certificate-unusable`, and nothing has changed.
   */
  prepare(config: Config): Promise<() => void>;
  /** Forgets what the config that holds does not name. */
  keep(config: Config): void;
  /** Looks after nothing any more. */
  stop(): void;
}

/** What it is made with. */
export interface LastingDeps {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly tracing: Tracing;
  readonly importModule?: ImportModule;
  readonly readFile?: (path: string) => Buffer;
}

/**
 * Makes it for the first config; origins are not asked after before `originCare.use`.
 * Rejects as `prepare` does; nothing is looked after then.
 */
export async function createLasting(config: Config, deps: LastingDeps): Promise<Lasting> {
  const made: { stop(): void }[] = [];
  const stopLater = <T extends { stop(): void }>(one: T): T => {
    made.push(one);
    return one;
  };
  const stop = (): void => {
    for (const one of made) one.stop();
  };
  try {
    const memory = stopLater(createTokenMemory(config, deps));
    const certificates = stopLater(createCertificateCare(config, deps));
    const keySources = stopLater(createKeySources({ ...deps, random: () => randomInt(1000) / 1000 }));
    const originCare = stopLater(createOriginCare(deps));
    const pacer = stopLater(createPacer(config.relay.paceMs));
    const { tracing } = deps;
    const foreignHooks = createForeignHooks({ ...deps, traceParentOf: (...asked) => tracing.traceParentOf(...asked) });
    const fetchAndLoad = (next: Config): Promise<unknown> =>
      Promise.all([foreignHooks.prepare(next), keySources.prepare(next)]);
    await fetchAndLoad(config);
    (await tracing.prepare(config))();
    return {
      ...{ pacer, memory, foreignHooks, keySources, originCare, certificates, limiter: createLimiter(deps.clock) },
      async prepare(next) {
        await fetchAndLoad(next);
        const trace = await tracing.prepare(next);
        const remember = memory.prepare(next);
        const show = certificates.prepare(next);
        return () => {
          remember();
          trace();
          show();
          originCare.use(next);
          pacer.usePaceMs(next.relay.paceMs);
        };
      },
      keep(held) {
        foreignHooks.keep(held);
        keySources.keep(held);
      },
      stop,
    };
  } catch (error) {
    stop();
    throw error;
  }
}
