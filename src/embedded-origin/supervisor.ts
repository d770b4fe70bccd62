import type { ChildProcess } from 'node:child_process';
import { endChild, hasEnded, startChild, type Child, type ChildOptions } from './child.js';

/** Wait before the first restart; doubles with each crash up to the longest. */
const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 10_000;
/** A child that lived this long starts the row of waits anew. */
const STEADY_MS = 30_000;

/** What one part of the embedded origin needs. */
export interface SupervisedOptions extends ChildOptions {
  /** After a crash, when it listens again. */
  readonly onRestart?: () => void;
}

/** A child that is kept alive. */
export interface Supervised {
  /** The same after every restart. */
  readonly port: number;
  /** Ends the child for good; idempotent, never rejects. */
  stop(): Promise<void>;
}

/** Keeps one child alive: a crash is logged, and a new child takes the same port after a growing wait. */
class Supervisor implements Supervised {
  readonly port: number;
  #child: ChildProcess;
  #startedMs: number;
  #retryMs = FIRST_RETRY_MS;
  #cancelRetry: (() => void) | undefined;
  #restarting: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(
    private readonly options: SupervisedOptions,
    first: Child,
  ) {
    this.port = first.port;
    this.#child = first.process;
    this.#startedMs = options.clock.now();
    this.#watch(first.process);
  }

  #watch(child: ChildProcess): void {
    this.#child = child;
    this.#startedMs = this.options.clock.now();
    if (hasEnded(child)) this.#onCrash(child);
    else child.once('exit', () => this.#onCrash(child));
  }

  #onCrash(child: ChildProcess): void {
    if (this.#isStopped) return;
    const { log, clock } = this.options;
    if (clock.now() - this.#startedMs >= STEADY_MS) this.#retryMs = FIRST_RETRY_MS;
    const fields = { state: 'crashed', exitCode: child.exitCode, signal: child.signalCode, retryMs: this.#retryMs };
    log.write('warn', 'embedded-origin', fields);
    this.#retryLater();
  }

  #retryLater(): void {
    const waitMs = this.#retryMs;
    this.#retryMs = Math.min(waitMs * 2, LONGEST_RETRY_MS);
    this.#cancelRetry = this.options.clock.after(waitMs, () => {
      this.#restarting = this.#restart();
    });
  }

  async #restart(): Promise<void> {
    const { log, clock, onRestart } = this.options;
    try {
      const next = await startChild(this.options, this.port);
      if (this.#isStopped) {
        await endChild(next.process, clock);
        return;
      }
      log.write('info', 'embedded-origin', { state: 'restarted', port: next.port });
      this.#watch(next.process);
      onRestart?.();
    } catch (error) {
      if (this.#isStopped) return;
      const reason = error instanceof Error ? error.message : 'unknown';
      log.write('error', 'embedded-origin', { state: 'not restarted', reason, retryMs: this.#retryMs });
      this.#retryLater();
    }
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancelRetry?.();
    await this.#restarting;
    await endChild(this.#child, this.options.clock);
  }
}

/**
 * Starts a child on a free port of 127.0.0.1 and keeps it alive.
 * Rejects with GatewayError `embedded-origin-package-missing`, `-package-strange` or `-port`.
 */
export async function supervise(options: SupervisedOptions): Promise<Supervised> {
  const first = await startChild(options, 0);
  options.log.write('info', 'embedded-origin', { state: 'listening', port: first.port });
  return new Supervisor(options, first);
}
