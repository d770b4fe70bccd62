import type { CliIo } from './io.js';

/** The signals of a process that serves, and what is asked for in their place. */
export interface Signals {
  /** Calls with each signal that asks for the end, also those that came before; 1 is the first. */
  onStop(call: (count: number, signal: string) => void): void;
  /** Asks for the end as the first signal does; does nothing when that has been asked before. */
  ask(who: string): void;
  /** Calls with each wish for a reload; one that came before is answered now. */
  onReload(call: () => void): void;
  release(): void;
}

/** Listens from now on; what comes before anybody asks is kept. */
export function watchSignals(io: CliIo): Signals {
  const seen: string[] = [];
  let listener: ((count: number, signal: string) => void) | undefined;
  const reload: { isWanted: boolean; call: () => void } = {
    isWanted: false,
    call: () => {
      reload.isWanted = true;
    },
  };
  const releases = [
    ...(['SIGTERM', 'SIGINT'] as const).map((signal) =>
      io.onSignal(signal, () => {
        seen.push(signal);
        listener?.(seen.length, signal);
      }),
    ),
    io.onSignal('SIGHUP', () => reload.call()),
  ];
  return {
    onStop: (call) => {
      listener = call;
      seen.forEach((signal, index) => call(index + 1, signal));
    },
    ask: (who) => {
      if (seen.length > 0) return;
      seen.push(who);
      listener?.(1, who);
    },
    onReload: (call) => {
      reload.call = call;
      if (reload.isWanted) call();
    },
    release: () => releases.forEach((release) => release()),
  };
}
