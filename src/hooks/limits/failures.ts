import type { Clock } from '../../model/clock.js';
import type { RejectionCode } from '../../model/rejection.js';
import { createRecent } from './recent.js';

/** Failures are forgotten so long after the last one. */
export const FAILURE_MEMORY_MS = 600_000;
/** Who has failed too often is judged no more than once in this time, so that what was mended is found out. */
export const JUDGED_AGAIN_MS = 60_000;

/** Counts failures, one count for each key. */
export interface Failures {
  /**
   * Undefined when it may be judged now; else the code that it failed with last. `max` failures, more than 0, make it wait;
   * letting one that waits be judged makes it wait anew.
   */
  waitsFor(key: string, max: number): RejectionCode | undefined;
  failed(key: string, code: RejectionCode): void;
  forget(key: string): void;
  /** Whether nothing has failed lately, so that nobody need be asked about. */
  readonly isEmpty: boolean;
}

interface Record {
  readonly count: number;
  readonly failedAtMs: number;
  readonly triedAtMs: number;
  readonly code: RejectionCode;
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
    waitsFor(key, most) {
      const nowMs = clock.now();
      const record = recordOf(key, nowMs);
      if (record === undefined || record.count < most) return undefined;
      if (isWithin(record.triedAtMs, JUDGED_AGAIN_MS, nowMs)) return record.code;
      records.put(key, { ...record, triedAtMs: nowMs });
      return undefined;
    },
    failed(key, code) {
      const nowMs = clock.now();
      const count = (recordOf(key, nowMs)?.count ?? 0) + 1;
      records.put(key, { count, failedAtMs: nowMs, triedAtMs: nowMs, code });
    },
    forget: (key) => records.forget(key),
  };
}
