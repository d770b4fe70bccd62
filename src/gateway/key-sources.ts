import type { Config } from '../config/config.js';
import { createKeySource, type FetchNews, type KeySource } from '../hooks/verify-token/index.js';
import type { Clock } from '../model/clock.js';
import type { Log, Metrics } from '../model/telemetry.js';
import { fetchOf, isFetched, type FetchedKey } from './token-keys.js';

/** What key sets are fetched with. */
export interface KeySourcesDeps {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly clock: Clock;
  /** 0 to 1. */
  readonly random: () => number;
}

/** The key sets that are fetched. They outlive a reload when their entry stays the same. */
export interface KeySources {
  /** Begins with those of a config that are not there yet, and waits for their first fetch. Never rejects: a server may be away. */
  prepare(config: Config): Promise<void>;
  /** Those of a config, in its order. */
  of(config: Config): readonly KeySource[];
  /** Ends those that the config does not name. */
  keep(config: Config): void;
  /** Why no token at all can pass; undefined when one can, or when none is asked for. */
  notReady(config: Config): string | undefined;
  /** Ends all. */
  stop(): void;
}

/** Makes the place where fetched key sets are kept. */
export function createKeySources(deps: KeySourcesDeps): KeySources {
  const sources = new Map<string, KeySource>();
  const endAllBut = (named: ReadonlySet<string>): void => {
    for (const [key, source] of [...sources]) {
      if (named.has(key)) continue;
      source.stop();
      sources.delete(key);
      // Of two with one name, the one that goes takes only its own figure along.
      const isNamed = [...sources.values()].some(({ id }) => id === source.id);
      if (!isNamed) deps.metrics.gauge('key_set_keys', { key: source.id }, undefined);
    }
  };
  const of = (config: Config): readonly KeySource[] =>
    config.auth.keys.filter(isFetched).flatMap((key) => sources.get(keyOf(key)) ?? []);
  return {
    of,
    async prepare(config) {
      const fresh = config.auth.keys.filter(isFetched).filter((key) => !sources.has(keyOf(key)));
      for (const key of fresh) sources.set(keyOf(key), makeSource(key, deps));
      const fetches = fresh.map((key) => sources.get(keyOf(key))?.refresh() ?? Promise.resolve());
      await Promise.all(fetches);
    },
    keep: (config) => endAllBut(new Set(config.auth.keys.filter(isFetched).map(keyOf))),
    notReady(config) {
      if (!config.hooks.some(({ name }) => name === 'verify-token')) return undefined;
      if (config.auth.keys.some((key) => !isFetched(key)) || of(config).some(({ keys }) => keys.length > 0)) {
        return undefined;
      }
      return 'no key to check tokens with could be fetched';
    },
    stop: () => endAllBut(new Set()),
  };
}

function keyOf(key: FetchedKey): string {
  return JSON.stringify(key);
}

function makeSource(key: FetchedKey, { log, metrics, clock, random }: KeySourcesDeps): KeySource {
  const onFetch = ({ outcome, keys, leftOut, problem }: FetchNews): void => {
    metrics.count('key_set_fetches_total', { key: key.id, outcome });
    metrics.gauge('key_set_keys', { key: key.id }, keys);
    const level = outcome === 'same' ? 'debug' : outcome === 'changed' && keys > 0 ? 'info' : 'warn';
    log.write(level, 'keys.fetched', { key: key.id, outcome, keys, leftOut, problem });
  };
  return createKeySource({ ...fetchOf(key), clock, random, onFetch });
}
