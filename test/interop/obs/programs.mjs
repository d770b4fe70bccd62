// Processes of one run. Each is known by its id; those are ended, and no others.
import { spawn, spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const SETPRIV = '/usr/bin/setpriv';
const isRoot = process.getuid?.() === 0;
const idOf = (flag) => Number(spawnSync('id', [flag, 'nobody'], { encoding: 'utf8' }).stdout);
/** Whom OBS and its display run as when we are root; undefined when we are not. */
const nobody = isRoot ? { uid: idOf('-u'), gid: idOf('-g') } : undefined;
/** Ends the process if this one dies without a word. */
const leash = existsSync(SETPRIV) ? [SETPRIV, '--pdeathsig', 'KILL'] : [];
const running = new Set();

/** Whether a command can be started at all. */
export const isHere = (command, ...args) =>
  spawnSync(command, args, { stdio: 'ignore', timeout: 30_000 }).error === undefined;

/** The first line of what a command prints about its version. */
export function versionOf(command, ...args) {
  const { stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', timeout: 30_000 });
  return `${stdout ?? ''}${stderr ?? ''}`.trim().split('\n')[0] ?? '';
}

/** A folder that programs started `unprivileged` may write to. */
export function makeFolder(path, mode = 0o700) {
  mkdirSync(path, { recursive: true, mode });
  if (nobody !== undefined) chownSync(path, nobody.uid, nobody.gid);
  return path;
}

/** A port of 127.0.0.1 that was free a moment ago. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** Looks every 50 ms until `look` gives something else than undefined; `what` names it in the error. */
export async function until(what, timeoutMs, look) {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const found = look();
    if (found !== undefined) return found;
    if (performance.now() > end) throw new Error(`${timeoutMs / 1000} s were over: ${what}`);
    await sleep(50);
  }
}

/** Milliseconds since 1970 of a time of day (UTC) that has been within the last day. */
export function timeOfDay(text) {
  const atMs = Date.parse(`${new Date().toISOString().slice(0, 10)}T${text}Z`);
  return atMs > Date.now() + 60_000 ? atMs - 86_400_000 : atMs;
}

/** One program with its output. */
export class Program {
  stdout = '';
  stderr = '';
  isOver = false;
  #child;
  #ended;

  /** `options`: env (added to ours), bareEnv (instead of ours), cwd, unprivileged, onText. */
  constructor(command, args, options = {}) {
    const drop =
      nobody !== undefined && options.unprivileged === true
        ? [`--reuid=${nobody.uid}`, `--regid=${nobody.gid}`, '--clear-groups']
        : [];
    const [program, ...rest] = [...leash, ...drop, command, ...args.map(String)];
    this.command = command;
    this.#child = spawn(program, rest, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: options.bareEnv ?? { ...process.env, ...options.env },
      cwd: options.cwd,
    });
    running.add(this);
    for (const name of ['stdout', 'stderr'])
      this.#child[name].setEncoding('utf8').on('data', (text) => (this[name] += text));
    this.#ended = new Promise((resolve) => {
      const over = (code, signal) => {
        running.delete(this);
        this.isOver = true;
        resolve({ code, signal });
      };
      this.#child.on('close', over);
      this.#child.on('error', (error) => {
        this.stderr += error.message;
        over(null, null);
      });
    });
  }

  get pid() {
    return this.#child.pid;
  }

  /** Exit code and signal, when it is over. */
  get ended() {
    return this.#ended;
  }

  /** Waits for something in the output or elsewhere; a program that ended cannot say it any more. */
  until(what, timeoutMs, look) {
    return until(`${this.command}: ${what}`, timeoutMs, () => {
      const found = look(this);
      if (found === undefined && this.isOver)
        throw new Error(`${this.command} ended before ${what}\n${(this.stdout + this.stderr).slice(-3000)}`);
      return found;
    });
  }

  /** Sends the signal; SIGKILL follows when that does not end it. */
  async stop(signal = 'SIGTERM', graceMs = 5000) {
    if (this.isOver) return this.#ended;
    this.#child.kill(signal);
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), graceMs);
    const ended = await this.#ended;
    clearTimeout(timer);
    return ended;
  }
}

/** Ends everything that still runs but `except`. */
export const stopAll = (...except) =>
  Promise.all([...running].filter((each) => !except.includes(each)).map((program) => program.stop('SIGTERM', 3000)));
