import type { Clock } from '../../src/model/clock.js';

/** A clock that stands still until the test moves it. */
export interface FakeClock extends Clock {
  /** Moves time on, calling every timer that falls due in order, also those set meanwhile. */
  advance(byMs: number): void;
  /** Moves wall time only, as an operator or NTP does; no timer fires. */
  jump(byMs: number): void;
  /** How many timers are set; 0 at the end of a test shows that nothing was left behind. */
  readonly pending: number;
}

interface Timer {
  readonly dueMs: number;
  readonly order: number;
  readonly call: () => void;
}

/** Makes a clock that shows `startMs` (milliseconds since 1970). */
export function fakeClock(startMs = 1_700_000_000_000): FakeClock {
  let monotonicMs = 0;
  let wallMs = startMs;
  let order = 0;
  const timers = new Set<Timer>();

  const nextDue = (untilMs: number): Timer | undefined => {
    let next: Timer | undefined;
    for (const timer of timers) {
      if (timer.dueMs > untilMs) continue;
      if (next === undefined || timer.dueMs < next.dueMs || (timer.dueMs === next.dueMs && timer.order < next.order)) {
        next = timer;
      }
    }
    return next;
  };
  const moveTo = (ms: number): void => {
    wallMs += ms - monotonicMs;
    monotonicMs = ms;
  };

  return {
    now: () => wallMs,
    after: (delayMs, call) => {
      // Like Node's: less than a millisecond is one, so a timer never fires inside the call that set it.
      const timer: Timer = { dueMs: monotonicMs + Math.max(1, delayMs), order: order++, call };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    advance: (byMs) => {
      const untilMs = monotonicMs + byMs;
      for (let timer = nextDue(untilMs); timer !== undefined; timer = nextDue(untilMs)) {
        timers.delete(timer);
        moveTo(timer.dueMs);
        timer.call();
      }
      moveTo(untilMs);
    },
    jump: (byMs) => {
      wallMs += byMs;
    },
    get pending() {
      return timers.size;
    },
  };
}
