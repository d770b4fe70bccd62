import type { Clock } from '../../model/clock.js';
import { createRecent } from './recent.js';

const MINUTE_MS = 60_000;

/** Token buckets, one for each key. */
export interface Rates {
  /** Takes one; false when none is left. `perMinute`, more than 0, may come at once; then they come back evenly. */
  take(key: string, perMinute: number): boolean;
}

interface Bucket {
  readonly left: number;
  readonly atMs: number;
}

/** Makes buckets for at most `max` keys; a key that is forgotten begins with a full one. */
export function createRates(clock: Pick<Clock, 'now'>, max: number): Rates {
  const buckets = createRecent<Bucket>(max);
  return {
    take(key, perMinute) {
      const atMs = clock.now();
      const before = buckets.get(key) ?? { left: perMinute, atMs };
      // A clock that is set back gives nothing and takes nothing.
      const back = (Math.max(0, atMs - before.atMs) * perMinute) / MINUTE_MS;
      const left = Math.min(perMinute, before.left + back);
      buckets.put(key, { left: left < 1 ? left : left - 1, atMs });
      return left >= 1;
    },
  };
}
