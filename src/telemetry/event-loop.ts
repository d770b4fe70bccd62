import type { Clock } from '../model/clock.js';

/** How often the loop is asked to be punctual; each time is a wake-up, so not often. */
const SAMPLE_MS = 500;

/** A longer delay is a clock that was set or a machine that slept. */
const MAX_LAG_S = 60;

/** Samples in one window; the worst of this window and the last is told. */
const SAMPLES_PER_WINDOW = 20;

/**
 * Measures how late timers come, and tells the longest delay of the last ten to twenty seconds, in seconds,
 * with each sample. The function that comes back ends it.
 */
export function watchEventLoop(clock: Clock, tell: (seconds: number) => void): () => void {
  let cancel: () => void = () => undefined;
  let samples = 0;
  let lastWorst = 0;
  let worst = 0;
  const sample = (dueMs: number): void => {
    const lagS = (clock.now() - dueMs) / 1000;
    if (lagS <= MAX_LAG_S) worst = Math.max(worst, lagS);
    samples += 1;
    tell(Math.max(lastWorst, worst));
    if (samples % SAMPLES_PER_WINDOW === 0) [lastWorst, worst] = [worst, 0];
    next();
  };
  const next = (): void => {
    const dueMs = clock.now() + SAMPLE_MS;
    cancel = clock.after(SAMPLE_MS, () => sample(dueMs));
  };
  next();
  return () => cancel();
}
