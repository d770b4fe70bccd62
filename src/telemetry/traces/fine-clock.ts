/** The wall clock is set anew when it and the even one are so far apart. */
const MAX_APART_MS = 500;

/**
 * Makes a clock that tells milliseconds since 1970 with fractions, and goes evenly unless the wall clock was set: spans that are
 * within one another by their times must be so in what is sent. `elapsedMs` never jumps.
 */
export function createFineClock(nowMs: () => number, elapsedMs: () => number): () => number {
  let offsetMs = nowMs() - elapsedMs();
  return () => {
    const wallMs = nowMs();
    const fineMs = elapsedMs() + offsetMs;
    if (Math.abs(wallMs - fineMs) <= MAX_APART_MS) return fineMs;
    offsetMs += wallMs - fineMs;
    return wallMs;
  };
}
