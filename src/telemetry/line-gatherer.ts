import type { Clock } from '../model/clock.js';

/** Lines that are written together. */
export interface LineGatherer {
  /** Takes one line with its line end. */
  write(line: string): void;
  /** Writes what is held now; call it before the process ends. */
  flush(): void;
}

/** A writer that is late is none: this much is written at once, in characters. */
const MAX_HELD = 64 * 1024;

/**
 * Gathers lines for `forMs` before they are written, since a write of its own for each line is a good part of what a short
 * session costs (`docs/benchmarks.md`).
 */
export function gatherLines(write: (text: string) => void, clock: Clock, forMs: number): LineGatherer {
  let held = '';
  let cancel: (() => void) | undefined;
  const flush = (): void => {
    cancel?.();
    cancel = undefined;
    if (held === '') return;
    const text = held;
    held = '';
    write(text);
  };
  return {
    write(line) {
      held += line;
      if (held.length >= MAX_HELD) flush();
      else cancel ??= clock.after(forMs, flush);
    },
    flush,
  };
}
