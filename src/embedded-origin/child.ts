import { fork, type ChildProcess } from 'node:child_process';
import type { Clock } from '../model/clock.js';
import { GatewayError } from '../model/errors.js';
import type { Log } from '../model/telemetry.js';
import { asChildMessage, type FailureReason } from './messages.js';
import { createLineCutter, readOutputLine } from './output.js';

/** How long a child may take to listen. */
const START_TIMEOUT_MS = 20_000;
/** How long a child may take to leave before it is killed. */
const STOP_TIMEOUT_MS = 2000;

/** What a child needs of us. */
export interface ChildOptions {
  readonly log: Log;
  readonly clock: Clock;
  /** The program of the child. */
  readonly childFile: string;
  /** The optional package it needs, as `name@version`; for advice when it is not there. */
  readonly needs?: string;
}

const ADVICE: Readonly<Record<FailureReason, (needs: string) => string>> = {
  'package-missing': (needs) => `the package ${nameOf(needs)} is not installed; run: npm install ${needs}`,
  'package-strange': (needs) => `the package ${nameOf(needs)} is not the one expected; run: npm install ${needs}`,
  port: () => 'the origin could not listen on loopback',
};

function nameOf(needs: string): string {
  return needs.replace(/@[^@]*$/, '');
}

/** A child that listens. */
export interface Child {
  readonly process: ChildProcess;
  readonly port: number;
}

function failureOf({ needs = 'nothing' }: ChildOptions, reason: FailureReason, detail: string): GatewayError {
  return new GatewayError(`embedded-origin-${reason}`, 'gateway', `${ADVICE[reason](needs)} (${detail})`);
}

/**
 * Starts one child on `port` of loopback (0: any free one); resolves when it listens.
 * Rejects with GatewayError `embedded-origin-package-missing`, `-package-strange` or `-port`.
 */
export function startChild(options: ChildOptions, port: number): Promise<Child> {
  const { log, clock } = options;
  const { childFile: file } = options;
  // An empty environment: no secret of ours can reach the child.
  const child = fork(file, [String(port)], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'], execArgv: [], env: {} });
  for (const source of ['stdout', 'stderr'] as const) {
    const cut = createLineCutter((line) => {
      const { level, message } = readOutputLine(line, source);
      log.write(level, 'embedded-origin', { state: 'says', message });
    });
    child[source]?.setEncoding('utf8').on('data', (piece: string) => cut(piece));
  }
  const failure = (reason: FailureReason, detail: string) => failureOf(options, reason, detail);
  return new Promise((resolve, reject) => {
    const giveUp = (error: GatewayError) => {
      cancel();
      child.kill('SIGKILL');
      reject(error);
    };
    const cancel = clock.after(START_TIMEOUT_MS, () => giveUp(failure('port', 'it did not answer in time')));
    child.on('error', (error) => giveUp(failure('port', error.message)));
    child.on('exit', (code, signal) => giveUp(failure('port', `it ended with ${signal ?? `code ${code ?? '?'}`}`)));
    child.on('message', (value) => {
      const message = asChildMessage(value);
      if (message?.kind === 'failed') giveUp(failure(message.reason, message.detail));
      if (message?.kind !== 'listening') return;
      cancel();
      resolve({ process: child, port: message.port });
    });
  });
}

/** Whether the process is gone. */
export function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** Lets the child go, and kills it when it stays. Never rejects. */
export function endChild(child: ChildProcess, clock: Clock): Promise<void> {
  if (hasEnded(child)) return Promise.resolve();
  return new Promise((resolve) => {
    const cancel = clock.after(STOP_TIMEOUT_MS, () => child.kill('SIGKILL'));
    child.once('exit', () => {
      cancel();
      resolve();
    });
    if (child.connected) child.disconnect();
  });
}
