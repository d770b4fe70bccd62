import type { Clock } from '../model/clock.js';

/** How often one limit is looked at within its time. */
const LOOKS_PER_LIMIT = 10;
const MIN_INTERVAL_MS = 20;
const MAX_INTERVAL_MS = 1_000;

/** Something that is looked at now and then. */
export interface Watched {
  /** `elapsedMs` grows evenly, whatever the wall clock does. */
  check(elapsedMs: number): void;
}

/** One timer for all. */
export interface Watch {
  /** The function that comes back lets go; idempotent. */
  add(watched: Watched): () => void;
}

/**
 * Looks at everything added every tenth of the shortest of `limitsMs` (0 counts for none), between 20 ms and 1 s.
 * The timer runs while there is something to look at. A loop that was held up counts as no time at all,
 * so nobody is blamed for our own pause or for a clock that was set.
 */
export function createWatch(clock: Clock, limitsMs: readonly number[]): Watch {
  const shortestMs = Math.min(...limitsMs.filter((ms) => ms > 0));
  const intervalMs = Math.min(MAX_INTERVAL_MS, Math.max(MIN_INTERVAL_MS, Math.floor(shortestMs / LOOKS_PER_LIMIT)));
  const all = new Set<Watched>();
  let elapsedMs = 0;
  let cancel: (() => void) | undefined;

  const look = (): void => {
    elapsedMs += intervalMs;
    cancel = clock.after(intervalMs, look);
    for (const watched of all) watched.check(elapsedMs);
  };
  return {
    add(watched) {
      all.add(watched);
      // Its first look sets its marks, so that it is not blamed for the time before it came.
      watched.check(elapsedMs);
      cancel ??= clock.after(intervalMs, look);
      return () => {
        all.delete(watched);
        if (all.size > 0) return;
        cancel?.();
        cancel = undefined;
      };
    },
  };
}
