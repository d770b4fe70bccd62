import type { Clock } from '../model/clock.js';

/** Longest delay that `setTimeout` takes, in milliseconds; a longer one would fire at once. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/**
 * The clock of the machine. Its timers do not keep the process alive.
 * A delay longer than 24.8 days is shortened to that: who needs more looks at `now()` and asks again.
 */
export const systemClock: Clock = {
  now: () => Date.now(),
  after: (delayMs, call) => {
    const timer = setTimeout(call, Math.min(Math.max(delayMs, 0), MAX_DELAY_MS));
    timer.unref();
    return () => clearTimeout(timer);
  },
};
