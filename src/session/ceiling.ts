import type { Clock } from '../model/clock.js';

/** How often streams are measured. */
const MEASURE_MS = 1_000;
/** A stream may run ahead of its ceiling by so many seconds of it, as key frames and a start do. */
export const BURST_S = 5;

/** A stream that is measured. */
export interface Measured {
  /** Bytes of its client so far. */
  readonly clientBytes: () => number;
  /** kbit/s. */
  readonly maxKbps: number;
  /** It has been above for too long; `kbps` is what it sent lately. Called once. */
  readonly onOver: (kbps: number) => void;
}

/** Holds streams to their bit rate, with one timer for all. */
export interface Ceiling {
  /** The function that comes back ends the measuring; idempotent. */
  readonly watch: (measured: Measured) => () => void;
}

interface Bucket extends Measured {
  seenBytes: number;
  seenMs: number;
  /** Bytes that came beyond the ceiling and have not been made up for. */
  aheadBytes: number;
}

/**
 * Makes the ceiling: a bucket for each stream that runs full after 5 s at twice the rate, 50 s at 1.1 times, and never below it.
 */
export function createCeiling(clock: Clock, elapsedMs: () => number): Ceiling {
  const buckets = new Set<Bucket>();
  let cancel: (() => void) | undefined;
  const measure = (bucket: Bucket, nowMs: number): void => {
    const bytesPerS = bucket.maxKbps * 125;
    const passedS = (nowMs - bucket.seenMs) / 1000;
    const bytes = bucket.clientBytes() - bucket.seenBytes;
    bucket.seenBytes += bytes;
    bucket.seenMs = nowMs;
    bucket.aheadBytes = Math.max(0, bucket.aheadBytes + bytes - bytesPerS * passedS);
    if (bucket.aheadBytes <= bytesPerS * BURST_S || passedS <= 0) return;
    buckets.delete(bucket);
    bucket.onOver(Math.round(bytes / 125 / passedS));
  };
  const tick = (): void => {
    const nowMs = elapsedMs();
    for (const bucket of [...buckets]) measure(bucket, nowMs);
    cancel = buckets.size === 0 ? undefined : clock.after(MEASURE_MS, tick);
  };
  return {
    watch(measured) {
      const { clientBytes, maxKbps, onOver } = measured;
      const bucket = { clientBytes, maxKbps, onOver, seenBytes: clientBytes(), seenMs: elapsedMs(), aheadBytes: 0 };
      buckets.add(bucket);
      cancel ??= clock.after(MEASURE_MS, tick);
      return () => {
        buckets.delete(bucket);
        if (buckets.size > 0) return;
        cancel?.();
        cancel = undefined;
      };
    },
  };
}
