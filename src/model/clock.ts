/** Time and timers as arguments, so that nothing in the rooms reads a global clock. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls once after `delayMs`; the function that comes back cancels. The timer does not keep the process alive. */
  after(delayMs: number, call: () => void): () => void;
}
