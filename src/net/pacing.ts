/** Shared by nobody: `Atomics.wait` on it is a sleep of the whole thread. */
const bell = new Int32Array(new SharedArrayBuffer(4));

/** Sleeps and turns of the loop, so that a test can stand in for both. */
export interface PacingLoop {
  /** Blocks the thread. */
  sleep(ms: number): void;
  /** Calls once, after the events that are ready now. It does not keep the process alive, nor the loop awake. */
  nextTurn(call: () => void): void;
}

const nodeLoop: PacingLoop = {
  sleep: (ms) => void Atomics.wait(bell, 0, 0, ms),
  nextTurn: (call) => void setImmediate(call).unref(),
};

/**
 * Lets established streams wait for each other, so that one wake-up serves many messages.
 * What `…Started` gives back says that it is over; idempotent.
 */
export interface Pacer {
  /** A client is being set up: no sleep until it is over. */
  setupStarted(): () => void;
  /** A stream is relayed: from now on it may be worth sleeping. */
  relayStarted(): () => void;
  /** Sleeps so long from now on. */
  usePaceMs(paceMs: number): void;
  /** Never sleeps again. */
  stop(): void;
}

/**
 * Makes the pacer. With `paceMs` above 0 the loop sleeps so long after each turn, while at least one stream is relayed
 * and none is being set up: about 0.7 of the CPU for a latency of up to `paceMs` (`test/bench`). 0 does nothing.
 * An accept waits up to `paceMs` too. With nothing to relay at the moment the loop blocks as always; there is no spinning.
 */
export function createPacer(firstPaceMs: number, loop: PacingLoop = nodeLoop): Pacer {
  let paceMs = firstPaceMs;
  let setups = 0;
  let relays = 0;
  let isScheduled = false;
  let isStopped = false;

  const maySleep = (): boolean => paceMs > 0 && !isStopped && setups === 0 && relays > 0;
  const turn = (): void => {
    isScheduled = false;
    if (!maySleep()) return;
    loop.sleep(paceMs);
    schedule();
  };
  const schedule = (): void => {
    if (isScheduled || !maySleep()) return;
    isScheduled = true;
    loop.nextTurn(turn);
  };
  const once = (over: () => void): (() => void) => {
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      over();
      schedule();
    };
  };

  return {
    setupStarted() {
      setups++;
      return once(() => setups--);
    },
    relayStarted() {
      relays++;
      schedule();
      return once(() => relays--);
    },
    usePaceMs(next) {
      paceMs = next;
      schedule();
    },
    stop() {
      isStopped = true;
    },
  };
}
