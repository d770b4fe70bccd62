import type { Clock } from '../model/clock.js';
import { GatewayError, WireError } from '../model/errors.js';
import type { OriginLeg } from '../model/leg.js';
import { reject, REJECTIONS, type Rejection, type RejectionCode } from '../model/rejection.js';

/** An origin that still holds a name we let go of is asked again this often … */
const BUSY_RETRY_MS = 250;
/** … and for so long. */
const BUSY_RETRY_FOR_MS = 3_000;

/** How an origin is called for one session. */
export interface DialPlan<Leg extends OriginLeg> {
  readonly clock: Clock;
  /** For one attempt. */
  readonly timeoutMs: number;
  /** The session is over: give up. */
  readonly signal: AbortSignal;
  readonly dial: (signal: AbortSignal) => Promise<Leg>;
  /** Whether a name that is in use at the origin may be one that we have only just let go of. */
  readonly mayStillBeOurs: () => boolean;
  /** A leg that opened after we had given up. */
  readonly onLate: (leg: Leg) => void;
  readonly onRetry: (attempt: number) => void;
  /** An attempt has ended by its timeout. */
  readonly onSilent?: () => void;
}

/**
 * Opens the origin's leg, again for up to 3 seconds where the name is still held by our own stream of a moment ago.
 * Rejects with what `dial` said, or GatewayError `origin-unavailable` on timeout or when `signal` fires.
 */
export async function dialOrigin<Leg extends OriginLeg>(plan: DialPlan<Leg>): Promise<Leg> {
  const retry = { isOver: false };
  let cancel: (() => void) | undefined;
  try {
    for (let attempt = 1; ; attempt++) {
      try {
        return await dialOnce(plan);
      } catch (error) {
        const isBusy = error instanceof GatewayError && error.code === 'stream-busy';
        if (!isBusy || retry.isOver || plan.signal.aborted) throw error;
        // Asked once: the answer would change while we wait.
        if (cancel === undefined && !plan.mayStillBeOurs()) throw error;
        cancel ??= plan.clock.after(BUSY_RETRY_FOR_MS, () => (retry.isOver = true));
        plan.onRetry(attempt);
        if (!(await pause(plan.clock, BUSY_RETRY_MS, plan.signal))) throw error;
      }
    }
  } finally {
    cancel?.();
  }
}

function dialOnce<Leg extends OriginLeg>(plan: DialPlan<Leg>): Promise<Leg> {
  const { clock, timeoutMs, signal } = plan;
  return new Promise((done, fail) => {
    const abort = new AbortController();
    let isSettled = false;
    const settle = (): boolean => {
      if (isSettled) return false;
      isSettled = true;
      cancel();
      signal.removeEventListener('abort', onAbort);
      return true;
    };
    const giveUp = (why: string): void => {
      if (!settle()) return;
      const error = new GatewayError('origin-unavailable', 'origin', why);
      abort.abort(error);
      fail(error);
    };
    const onAbort = (): void => giveUp('the session ended');
    const cancel = clock.after(timeoutMs, () => {
      plan.onSilent?.();
      giveUp(`the origin did not answer within ${timeoutMs} ms`);
    });
    signal.addEventListener('abort', onAbort, { once: true });
    // In a function of its own, so that a dial that throws at once is a rejection too.
    const dialling = async (): Promise<Leg> => plan.dial(abort.signal);
    dialling().then(
      (leg) => {
        if (settle()) done(leg);
        else plan.onLate(leg);
      },
      (error: unknown) => {
        if (settle()) fail(asError(error));
      },
    );
    if (signal.aborted) onAbort();
  });
}

/** Resolves to false, at once, when `signal` fires meanwhile. */
function pause(clock: Clock, delayMs: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((done) => {
    const finish = (): void => {
      cancel();
      signal.removeEventListener('abort', finish);
      done(!signal.aborted);
    };
    const cancel = clock.after(delayMs, finish);
    signal.addEventListener('abort', finish, { once: true });
  });
}

/** What a failed dial means to the client. `isBug`: it was none of the errors a dial may end with. */
export function rejectionOf(error: unknown): { readonly rejection: Rejection; readonly isBug: boolean } {
  if (error instanceof GatewayError) {
    const code = isRejectionCode(error.code) ? error.code : 'origin-unavailable';
    return { rejection: reject(code, error.message), isBug: false };
  }
  if (error instanceof WireError) {
    return { rejection: reject('origin-unavailable', `the origin sent nonsense: ${error.message}`), isBug: false };
  }
  return { rejection: reject('origin-unavailable', 'the gateway failed to dial'), isBug: true };
}

function isRejectionCode(code: string): code is RejectionCode {
  return Object.hasOwn(REJECTIONS, code);
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error('dial rejected with something that is no Error');
}
