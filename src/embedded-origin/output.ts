import type { LogLevel } from '../model/telemetry.js';

/** Longest line of the child that is kept; the rest of it is dropped. */
const MAX_LINE_CHARS = 2000;
/** Longest message that goes into a log event. */
const MAX_MESSAGE_CHARS = 300;

/** node-media-server writes `[local time] [LEVEL] text`. */
const isItsLine = /^\[[^\]]*\] \[(TRACE|DEBUG|INFO|WARN|ERROR)\] (.*)$/;

/** One line of the child, fit for our log. */
export interface OutputLine {
  readonly level: LogLevel;
  readonly message: string;
}

/** Where the line came from. */
export type OutputSource = 'stdout' | 'stderr';

function clean(text: string): string {
  return (
    text
      // A query may hold what a client was let in with.
      .replace(/\?\S*/g, '?…')
      // eslint-disable-next-line no-control-regex -- control bytes of a peer must not reach a terminal
      .replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ')
      .slice(0, MAX_MESSAGE_CHARS)
  );
}

/**
 * Says how a line of the child goes into the log: its chatter is `debug`, its troubles are `warn`, since they are the
 * origin's and not ours. Queries and control characters are taken out.
 */
export function readOutputLine(line: string, source: OutputSource): OutputLine {
  const match = isItsLine.exec(line);
  const [, word, text] = match ?? [];
  const isTrouble = word === undefined ? source === 'stderr' : word === 'WARN' || word === 'ERROR';
  return { level: isTrouble ? 'warn' : 'debug', message: clean(text ?? line) };
}

/** Cuts text that comes in pieces into lines, without their ends; what is too long is cut off. */
export function createLineCutter(onLine: (line: string) => void): (piece: string) => void {
  let rest = '';
  return (piece) => {
    const lines = (rest + piece).split('\n');
    rest = (lines.pop() ?? '').slice(0, MAX_LINE_CHARS);
    for (const line of lines) {
      const text = line.replace(/\r$/, '').slice(0, MAX_LINE_CHARS);
      if (text !== '') onLine(text);
    }
  };
}
