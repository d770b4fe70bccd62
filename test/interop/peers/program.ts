import { afterAll } from '@jest/globals';
import { spawn } from 'node:child_process';

/** How a program ended, and all it said. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProgramOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** The program is killed after this time; tests must not hang on a peer. */
  readonly timeoutMs?: number;
}

const DEFAULT_TIMEOUT_MS = 90_000;
const running = new Set<Program>();

/** A real process with its output. Whatever a test leaves running is killed after the last test of the file. */
export class Program {
  readonly ended: Promise<Ended>;
  readonly pid: number;
  /** When it was started, on the scale of `performance.now()`. */
  readonly startedMs = performance.now();
  #stdout = '';
  #stderr = '';
  #isOver = false;
  readonly #watchers = new Set<() => void>();
  readonly #kill: (signal: NodeJS.Signals) => void;

  constructor(
    readonly command: string,
    readonly args: readonly string[],
    options: ProgramOptions = {},
  ) {
    const child = spawn(command, [...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...options.env },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    this.pid = child.pid ?? -1;
    this.#kill = (signal) => child.kill(signal);
    running.add(this);
    const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
    child.stdout.setEncoding('utf8').on('data', (text: string) => this.#said(() => (this.#stdout += text)));
    child.stderr.setEncoding('utf8').on('data', (text: string) => this.#said(() => (this.#stderr += text)));
    this.ended = new Promise((resolve) => {
      const finish = (code: number | null, signal: NodeJS.Signals | null) => {
        clearTimeout(timer);
        running.delete(this);
        this.#said(() => (this.#isOver = true));
        resolve({ code, signal, stdout: this.#stdout, stderr: this.#stderr });
      };
      child.on('close', finish);
      child.on('error', (error) => {
        this.#stderr += error.message;
        finish(null, null);
      });
    });
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** All output, in no particular order between the two streams. */
  get output(): string {
    return this.#stdout + this.#stderr;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Waits until `look` finds something; rejects with the output when the program ends or the time is over first. */
  until<Found>(what: string, look: (program: Program) => Found | undefined, timeoutMs = 20_000): Promise<Found> {
    return new Promise((resolve, reject) => {
      const done = () => {
        clearTimeout(timer);
        this.#watchers.delete(check);
      };
      const giveUp = (why: string) => {
        done();
        reject(new Error(`${this.command}: ${why} while waiting for ${what}\n${this.output.slice(-4000)}`));
      };
      const check = () => {
        const found = look(this);
        if (found !== undefined) {
          done();
          resolve(found);
        } else if (this.#isOver) giveUp('it ended');
      };
      const timer = setTimeout(() => giveUp(`${timeoutMs} ms were over`), timeoutMs);
      this.#watchers.add(check);
      check();
    });
  }

  /** Waits for a text in the output. */
  says(pattern: RegExp, timeoutMs?: number): Promise<RegExpExecArray> {
    return this.until(String(pattern), () => pattern.exec(this.output) ?? undefined, timeoutMs);
  }

  send(signal: NodeJS.Signals): void {
    this.#kill(signal);
  }

  /** Asks it to end, kills it when it does not, and gives all it said. */
  async stop(signal: NodeJS.Signals = 'SIGTERM', graceMs = 5000): Promise<Ended> {
    this.#kill(signal);
    const timer = setTimeout(() => this.#kill('SIGKILL'), graceMs);
    const ended = await this.ended;
    clearTimeout(timer);
    return ended;
  }

  #said(note: () => void): void {
    note();
    for (const check of [...this.#watchers]) check();
  }
}

/** Starts a program. */
export function start(command: string, args: readonly string[], options?: ProgramOptions): Program {
  return new Program(command, args, options);
}

/** Runs a program to its end. */
export function run(command: string, args: readonly string[], options?: ProgramOptions): Promise<Ended> {
  return start(command, args, options).ended;
}

afterAll(async () => {
  await Promise.all([...running].map((program) => program.stop('SIGKILL')));
});
