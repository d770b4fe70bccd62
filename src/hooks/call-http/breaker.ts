import type { Clock } from '../../model/clock.js';

/** Whether a server is called at all. */
export interface Breaker {
  /** Whether a call may be made now; who is told yes reports how it went. */
  allows(): boolean;
  succeeded(): void;
  failed(): void;
}

/** When to leave a server alone, and for how long. */
export interface BreakerOptions {
  /** In a row; 0: never. */
  readonly failures: number;
  readonly openMs: number;
  readonly clock: Clock;
  readonly onChange?: (state: BreakerState) => void;
}

/** `closed`: all may call; `open`: nobody; `half-open`: one may try. */
export type BreakerState = 'closed' | 'open' | 'half-open';

/**
 * Makes a circuit breaker: after so many failures in a row nobody calls for `openMs`, then one call tries, and its fate is
 * that of all. Time is measured by a timer, so a clock that is set does not matter.
 */
export function createBreaker({ failures, openMs, clock, onChange }: BreakerOptions): Breaker {
  let state: BreakerState = 'closed';
  let inARow = 0;
  let isTrying = false;
  const become = (next: BreakerState): void => {
    state = next;
    inARow = 0;
    isTrying = false;
    onChange?.(next);
    if (next === 'open') clock.after(openMs, () => become('half-open'));
  };
  return {
    allows() {
      if (state !== 'half-open') return state === 'closed';
      if (isTrying) return false;
      isTrying = true;
      return true;
    },
    succeeded() {
      inARow = 0;
      if (state === 'half-open') become('closed');
    },
    failed() {
      if (failures === 0 || state === 'open') return;
      inARow += 1;
      if (state === 'half-open' || inARow >= failures) become('open');
    },
  };
}
