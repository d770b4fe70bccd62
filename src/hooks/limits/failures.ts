import type { Clock } from '../../model/clock.js';
import { createRecent } from './recent.js';

/** Failures are forgotten so long after the last one. */
export const FAILURE_MEMORY_MS = 600_000;
/** Who has failed too often is judged no more than once in this time, so that what was mended is found out. */
export const JUDGED_AGAIN_MS = 60_000;

/** Counts failures, one count for each key. */
export interface Failures {
  /** Whether it may be judged now; `max` failures, more than 0, make it wait. Saying yes to one that waits makes it wait anew. */
  mayTry(key: string, max: number): boolean;
  failed(key: string): void;
  forget(key: string): void;
  /** Whether nothing has failed lately, so that nobody need be asked about. */
  readonly isEmpty: boolean;
}

interface Record {
  readonly count: number;
  readonly failedAtMs: number;
  readonly triedAtMs: number;
}

/** Makes the count for at most `max` keys. Nobody is held up or remembered for longer because the clock was set. */
export function createFailures(clock: Pick<Clock, 'now'>, max: number): Failures {
  const records = createRecent<Record>(max);
  const isWithin = (sinceMs: number, spanMs: number, nowMs: number): boolean =>
    nowMs >= sinceMs && nowMs - sinceMs < spanMs;
  const recordOf = (key: string, nowMs: number): Record | undefined => {
    const record = records.get(key);
    if (record === undefined || isWithin(record.failedAtMs, FAILURE_MEMORY_MS, nowMs)) return record;
    records.forget(key);
    return undefined;
  };
  return {
    get isEmpty() {
      return records.size === 0;
    },
    mayTry(key, most) {
      const nowMs = clock.now();
      const record = recordOf(key, nowMs);
      if (record === undefined || record.count < most) return true;
      if (isWithin(record.triedAtMs, JUDGED_AGAIN_MS, nowMs)) return false;
      records.put(key, { ...record, triedAtMs: nowMs });
      return true;
    },
    failed(key) {
      const nowMs = clock.now();
      const count = (recordOf(key, nowMs)?.count ?? 0) + 1;
      records.put(key, { count, failedAtMs: nowMs, triedAtMs: nowMs });
    },
    forget: (key) => records.forget(key),
  };
}
