import type { Clock } from '../model/clock.js';
import type { Secret } from '../model/secret.js';

/** The signals that commands listen to. */
export type CliSignal = 'SIGTERM' | 'SIGINT' | 'SIGHUP';

/** The world as a command sees it, so that commands are tested without processes. */
export interface CliIo {
  /** What the command is asked for. Takes text as it is, line ends and all. */
  stdout(text: string): void;
  /** What went wrong, and hints. */
  stderr(text: string): void;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where relative paths start. */
  readonly cwd: string;
  /** Version of the package. */
  readonly version: string;
  readonly clock: Clock;
  /** Reads a whole file; throws the system's error. */
  readFile(path: string): Buffer;
  /** All of standard input, at most `maxBytes`; what lies beyond is cut off. */
  readStdin(maxBytes: number): Promise<Buffer>;
  /** Keeps these out of what is said of a crash, in place of those before. */
  hide(secrets: readonly Secret[]): void;
  /** Calls when the process ends, whatever ends it; only what is written at once is still written then. */
  onExit(call: () => void): void;
  /** Calls at each such signal, which then no longer ends the process; the function that comes back lets go of it. */
  onSignal(signal: CliSignal, call: () => void): () => void;
}

/** How a command ends. @see docs/architecture.md */
export const EXIT = {
  fine: 0,
  failed: 1,
  usage: 2,
  /** `EX_CONFIG` of sysexits.h. */
  badConfig: 78,
} as const;

/** A command: takes the arguments behind its name and gives the exit code. Never rejects. */
export type Command = (args: readonly string[], io: CliIo) => Promise<number>;
