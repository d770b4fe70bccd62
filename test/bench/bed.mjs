// The test bed of one measurement: the sink, one target, its load clients. It knows every process it started,
// and ends those, by process id, and no others.
import { randomInt } from 'node:crypto';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { processTree, sampleTrees } from './accounting.mjs';
import { Load } from './load.mjs';

const HOST = '127.0.0.1';
/** Below Linux's range for outgoing ports, which a churn would run into. */
const PORTS = { from: 20_000, to: 30_000 };
/** Ends the target if this process dies without a word (Linux's own tool; without it nothing is lost but that). */
const LEASH = existsSync('/usr/bin/setpriv') ? ['/usr/bin/setpriv', '--pdeathsig', 'TERM'] : [];

/** Where settle.cjs writes, in the folder that is the target's working directory. */
const YOUNG_FILE = 'young-generation-kb';
const CPUS = availableParallelism();
const TASKSET = '/usr/bin/taskset';
const CAN_PIN = CPUS > 1 && existsSync(TASKSET);

const canListen = (port) =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, HOST, () => server.close(() => resolve(true)));
  });

async function freePort() {
  for (;;) {
    const port = randomInt(PORTS.from, PORTS.to);
    if (await canListen(port)) return port;
  }
}

const canConnect = (port) =>
  new Promise((resolve) => {
    const socket = connect(port, HOST);
    const answer = (isUp) => {
      socket.destroy();
      resolve(isUp);
    };
    socket.once('connect', () => answer(true));
    socket.once('error', () => answer(false));
  });

/** One measurement's processes. `parts`: tool, clip, folder, tokens (file), secret, issuer. */
export class Bed {
  #parts;
  #loads = [];
  #child;
  #folder;
  #isNode = false;
  #name;
  #other;

  constructor(parts) {
    this.#parts = parts;
  }

  /** Starts a load client; `word` is rtmpload's first argument. */
  load(word, ...args) {
    const tokens = word === 'sink' ? [] : ['--tokens', this.#parts.tokens];
    const load = new Load(this.#parts.tool, [word, ...args, ...tokens], join(this.#parts.folder, 'load.log'));
    this.#loads.push(load);
    return load;
  }

  /** Starts the origin; the port it listens on comes back. With `serves` it plays the clip to whoever asks. */
  async sink(serves) {
    const port = await freePort();
    const load = this.load('sink', '--listen', port, '--max-s', 300, ...(serves ? ['--flv', this.#parts.clip] : []));
    await load.expect('ready', 5000);
    return { load, port };
  }

  /** Starts the target before `origin`; the port for clients comes back (direct: the origin's own). */
  async target(target, origin, idleS = 30) {
    this.#name = target.name;
    if (target.command === undefined) return origin;
    const listen = await freePort();
    this.#folder = join(this.#parts.folder, `${target.name}-${listen}`);
    this.#isNode = target.isNode === true;
    mkdirSync(this.#folder, { recursive: true });
    const { secret, issuer } = this.#parts;
    const { argv, env, files = {} } = target.command({ folder: this.#folder, listen, origin, secret, issuer, idleS });
    for (const [name, text] of Object.entries(files)) writeFileSync(join(this.#folder, name), text);
    const [program, ...args] = [...LEASH, ...argv];
    const log = openSync(join(this.#folder, 'out.log'), 'w');
    this.#child = spawn(program, args, {
      stdio: ['ignore', log, log],
      env: { ...process.env, ...env },
      cwd: this.#folder,
    });
    await this.#untilListening(listen);
    await sleep(700);
    return listen;
  }

  /** Starts another target beside this one, before the same origin; it ends with this bed or by its own `clear()`. */
  async beside(target, origin) {
    this.#other = new Bed(this.#parts);
    const port = await this.#other.target(target, origin);
    return { other: this.#other, port };
  }

  /** Keeps the target on one CPU, and that beside it on the next; `turn` moves both on by one. */
  pin(turn) {
    this.#other?.pin(turn + 1);
    if (!CAN_PIN || this.#child === undefined) return;
    for (const pid of processTree(this.#child.pid)) {
      spawnSync(TASKSET, ['-apc', String(turn % CPUS), String(pid)]);
    }
  }

  async #untilListening(port) {
    let isGone = false;
    this.#child.once('error', () => (isGone = true));
    this.#child.once('exit', () => (isGone = true));
    for (let tries = 0; tries < 200 && !isGone; tries += 1) {
      if (await canConnect(port)) return;
      await sleep(50);
    }
    const tail = readFileSync(join(this.#folder, 'out.log'), 'utf8').slice(-1500);
    throw new Error(`${this.#name} ${isGone ? 'ended' : 'does not listen'}: ${tail}`);
  }

  /** What the target costs now (zeros for direct). */
  sample() {
    return sampleTrees(this.#child === undefined ? [] : [this.#child.pid]);
  }

  /**
   * The target's own memory in KB when it has come to rest. A Node target collects its garbage, and its young generation is left
   * out: one for all connections, up to 32 MB, and V8 gives it back when it likes. Readings half a second apart
   * are taken until two differ by less than 0.5 %, for six seconds at most.
   */
  async settledKb() {
    if (this.#child === undefined) return 0;
    let last = 0;
    for (let tries = 0; tries < 12; tries += 1) {
      if (this.#isNode) this.#child.kill('SIGUSR2');
      await sleep(500);
      const ownKb = this.sample().ownKb - this.#youngKb();
      if (Math.abs(ownKb - last) < 0.005 * ownKb) return ownKb;
      last = ownKb;
    }
    return last;
  }

  #youngKb() {
    return this.#isNode ? Number(readFileSync(join(this.#folder, YOUNG_FILE), 'utf8')) : 0;
  }

  /** Ends everything in order: clients first, then the target. */
  async clear() {
    await this.#other?.clear();
    for (const load of this.#loads.reverse()) await load.quit();
    const child = this.#child;
    this.#child = undefined;
    if (child?.pid === undefined) return;
    const isOver = () => child.exitCode !== null || child.signalCode !== null;
    const family = processTree(child.pid);
    if (!isOver()) child.kill('SIGTERM');
    for (let tries = 0; tries < 60 && !isOver(); tries += 1) await sleep(100);
    if (!isOver()) child.kill('SIGKILL');
    endPids(family.slice(1));
  }

  /** Ends everything at once, for Ctrl-C: half a second for the target to take its own children along. */
  async kill() {
    await this.#other?.kill();
    for (const load of this.#loads) load.kill();
    const child = this.#child;
    if (child?.pid === undefined) return;
    const family = processTree(child.pid);
    child.kill('SIGTERM');
    await sleep(500);
    endPids(family);
    await sleep(100);
  }
}

const endPids = (pids) => {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // already gone
    }
  }
};
