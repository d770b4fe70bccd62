// The gateway, its origin and its viewer, each a process of its own.
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import jwt from 'jsonwebtoken';
import { freePort, Program, timeOfDay } from './programs.mjs';

const HOST = '127.0.0.1';
const MODULES = ['/usr/lib/nginx/modules', '/usr/lib64/nginx/modules', '/usr/share/nginx/modules'];
const rtmpModule = MODULES.map((folder) => `${folder}/ngx_rtmp_module.so`).find((path) => existsSync(path));
const secret = randomBytes(32).toString('hex');
const minted = new Set();

/** Whether nginx can be the origin here. */
export const hasNginx = rtmpModule !== undefined;

/** A token for live/room1; `claims` replace the usual ones. */
export function mint(claims) {
  const exp = Math.floor(Date.now() / 1000) + 600;
  const usual = { sub: 'interop', exp, 'red5-room': 'room1' };
  const token = jwt.sign({ ...usual, ...claims }, secret, { algorithm: 'HS256', noTimestamp: true });
  minted.add(token);
  return token;
}

/** How many of the tokens minted so far, or of their signatures, stand in a text. */
export const tokensIn = (text) => [...minted].filter((token) => text.includes(token.split('.')[2])).length;

/** A line of the log, JSON (`serve`) or text (`dev`), as fields and `atMs` since 1970; undefined for anything else. */
function readLine(line) {
  if (line.startsWith('{') && line.endsWith('}')) {
    const fields = JSON.parse(line);
    return { ...fields, atMs: Date.parse(fields.time) };
  }
  const [, time, level, event, rest] = /^(\d\d:\d\d:\d\d\.\d{3}) ([A-Z]+) +([a-z.-]+) ?(.*)/.exec(line) ?? [];
  if (time === undefined) return undefined;
  const pairs = [...rest.matchAll(/(\w+)=("(?:[^"\\]|\\.)*"|\S+)/g)];
  const fields = pairs.map(([, name, value]) => [name, value.startsWith('"') ? JSON.parse(value) : value]);
  return { ...Object.fromEntries(fields), level, event, atMs: timeOfDay(time) };
}

/** The log of `serve` or `dev`, line by line. */
class Gateway {
  /** The lines so far, of one event if it is named, that `fields` is part of. */
  lines(event, fields = {}) {
    return this.program.stdout
      .slice(0, this.program.stdout.lastIndexOf('\n'))
      .split('\n')
      .map(readLine)
      .filter((line) => line !== undefined && (event === undefined || line.event === event))
      .filter((line) => Object.entries(fields).every(([key, value]) => line[key] === value));
  }

  /** Waits for a line of that event with these fields; `afterMs` leaves out older ones. */
  logs(event, fields, timeoutMs, afterMs = 0) {
    const look = () => this.lines(event, fields).find(({ atMs }) => atMs >= afterMs);
    return this.program.until(`it logs ${event} ${JSON.stringify(fields)}`, timeoutMs, look);
  }
}

/** `portcullis serve` before one origin. `main`: the built program; `port`: that of a gateway that was stopped. */
export async function startGateway(main, folder, originPort, port = 0) {
  const gateway = new Gateway();
  const config = {
    listen: { rtmp: { host: HOST, port } },
    auth: { keys: [{ id: 'interop', secret: { env: 'INTEROP_SECRET' } }] },
    origins: [{ name: 'nginx', preset: 'nginx-rtmp', rtmp: `rtmp://${HOST}:${originPort}` }],
    limits: { drainTimeoutSeconds: 2 },
    log: { level: 'debug' },
  };
  const file = join(folder, 'gateway.yaml');
  writeFileSync(file, JSON.stringify(config, null, 2));
  gateway.program = new Program(process.execPath, [main, 'serve', '--config', file], {
    env: { INTEROP_SECRET: secret },
  });
  await gateway.logs('gateway.start', {}, 20_000);
  [{ port: gateway.port }] = gateway.lines('listener.open', { listener: 'rtmp' });
  gateway.server = `rtmp://${HOST}:${gateway.port}/live`;
  return gateway;
}

/** `portcullis dev`: the gateway, its embedded origin, and what to type into OBS, all as it prints them. */
export async function startDev(main) {
  const gateway = new Gateway();
  const args = [main, 'dev', '--rtmp-port', '0', '--rtsp-port', '0', '--admin-port', '0', '--log-level', 'debug'];
  gateway.program = new Program(process.execPath, args);
  const banner = await gateway.program.until(
    'the banner',
    30_000,
    ({ stdout }) => /Server +(\S+)\s+Stream Key +(\S+)\n[^]*?ffmpeg .*"(rtmp:[^"]+)"\n/.exec(stdout) ?? undefined,
  );
  [, gateway.server, gateway.key] = banner;
  gateway.viewerUrl = /ffplay .*"(rtmp:[^"]+)"/.exec(gateway.program.stdout)?.[1];
  /** The process id of the embedded origin for RTMP. */
  gateway.originPid = () => {
    const { pid } = gateway.program;
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
    const titleOf = (child) => readFileSync(`/proc/${child}/cmdline`, 'utf8').replaceAll('\0', '').trim();
    const found = children.find((child) => titleOf(child) === 'portcullis-origin');
    if (found === undefined) throw new Error('the embedded origin is no child of `portcullis dev`');
    return Number(found);
  };
  return gateway;
}

/** nginx with its RTMP module. Started again on the same port, it is the same origin that has come back. */
export class Nginx {
  #home;
  #program;

  constructor(home) {
    this.#home = home;
    mkdirSync(home, { recursive: true });
  }

  async start() {
    this.port ??= await freePort();
    const config = join(this.#home, 'nginx.conf');
    const user = process.getuid?.() === 0 ? 'user root;' : '';
    writeFileSync(
      config,
      `load_module ${rtmpModule}; daemon off; master_process off; ${user} pid ${this.#home}/nginx.pid;
error_log stderr notice; events { worker_connections 64; }
rtmp { access_log ${this.#home}/access.log; server { listen ${HOST}:${this.port}; chunk_size 4096;
  application live { live on; drop_idle_publisher 10s; } } }\n`,
    );
    this.#program = new Program('nginx', ['-e', 'stderr', '-p', this.#home, '-c', config]);
    await this.#program.until('its first words', 10_000, ({ stderr }) => /OS: /.exec(stderr) ?? undefined);
  }

  get pid() {
    return this.#program.pid;
  }

  /** Ends it at once, without a goodbye. */
  kill() {
    return this.#program.stop('SIGKILL');
  }

  /** Everything it wrote about what it was shown. */
  said() {
    const access = join(this.#home, 'access.log');
    return `${this.#program?.stderr ?? ''}${existsSync(access) ? readFileSync(access, 'utf8') : ''}`;
  }
}

/**
 * Plays with ffmpeg, decoding every frame, for `seconds` of media or until `timeoutMs`.
 * Gives frames, the media seconds they span, whether their times only grow, their size and how long the first one took.
 */
export async function play(url, seconds, timeoutMs) {
  const head = ['-nostdin', '-hide_banner', '-v', 'error', '-rw_timeout', '10000000', '-i', url];
  const tail = ['-map', '0:v', '-fps_mode', 'passthrough', '-t', seconds, '-flush_packets', '1', '-f', 'framecrc', '-'];
  const startedMs = performance.now();
  const program = new Program('ffmpeg', [...head, ...tail]);
  const timer = setTimeout(() => program.stop('SIGKILL'), timeoutMs);
  const first = await program
    .until('a frame', timeoutMs, ({ stdout }) => /^0,/m.exec(stdout) ?? undefined)
    .then(
      () => performance.now() - startedMs,
      () => undefined,
    );
  const { code } = await program.ended;
  clearTimeout(timer);
  const [, above = 1, below = 1] = /#tb 0: (\d+)\/(\d+)/.exec(program.stdout) ?? [];
  const times = [...program.stdout.matchAll(/^0, +(-?\d+),/gm)].map(([, pts]) => (Number(pts) * above) / below);
  return {
    code,
    frames: times.length,
    spanS: times.length > 1 ? times.at(-1) - times[0] : 0,
    isMonotonic: times.every((time, at) => at === 0 || time > times[at - 1]),
    size: /#dimensions 0: (\S+)/.exec(program.stdout)?.[1],
    firstFrameMs: first,
    words: program.stderr.trim(),
  };
}

/** Publishes a test picture with ffmpeg until it is stopped. */
export function publish(url) {
  const source = ['-re', '-f', 'lavfi', '-i', 'testsrc=size=320x180:rate=10', '-c:v', 'libx264'];
  const args = [...source, '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-g', '10', '-f', 'flv', url];
  return new Program('ffmpeg', ['-nostdin', '-hide_banner', '-v', 'error', ...args]);
}

/** The checkout that this script lies in. */
export const root = resolve(import.meta.dirname, '../../..');
