import type { Clock } from '../model/clock.js';

/** Ends of one moment that are carried out in one go; then the loop gets a turn. */
const SLICE = 250;

/** The wall clock is looked at again at least this often, since an operator may set it. */
const LOOK_AGAIN_MS = 30_000;

/** Calls things at given moments of the wall clock, with one timer for all. */
export interface Expiry {
  /** Calls once at `atMs` (since 1970), however far off; the function that comes back cancels. */
  add(atMs: number, call: () => void): () => void;
}

/** Makes an Expiry. Thousands that are due at one moment are called in slices, so that nothing else stalls. */
export function createExpiry(clock: Clock): Expiry {
  /** By moment, in no order: there are about as many as there are seconds in a token's life. */
  const moments = new Map<number, Set<() => void>>();
  let armedForMs = Infinity;
  let cancelTimer: () => void = () => undefined;

  const arm = (atMs: number): void => {
    cancelTimer();
    armedForMs = atMs;
    if (atMs === Infinity) return;
    cancelTimer = clock.after(Math.min(Math.max(atMs - clock.now(), 0), LOOK_AGAIN_MS), fire);
  };
  const fire = (): void => {
    try {
      callDue(moments, clock.now());
    } finally {
      let nextMs = Infinity;
      for (const atMs of moments.keys()) nextMs = Math.min(nextMs, atMs);
      arm(nextMs);
    }
  };
  const forget = (atMs: number, call: () => void): void => {
    const calls = moments.get(atMs);
    if (calls === undefined || !calls.delete(call) || calls.size > 0) return;
    moments.delete(atMs);
    if (moments.size === 0) arm(Infinity);
  };

  return {
    add(atMs, call) {
      // A wrapper of its own, so that one function may be added twice.
      const once = (): void => call();
      const calls = moments.get(atMs) ?? new Set();
      moments.set(atMs, calls.add(once));
      if (atMs < armedForMs) arm(atMs);
      return () => forget(atMs, once);
    },
  };
}

function callDue(moments: Map<number, Set<() => void>>, nowMs: number): void {
  let left = SLICE;
  for (const [atMs, calls] of moments) {
    if (atMs > nowMs) continue;
    for (const call of calls) {
      if (left-- === 0) return;
      calls.delete(call);
      call();
    }
    moments.delete(atMs);
  }
}
