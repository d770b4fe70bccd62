import { createSecretKey, randomBytes } from 'node:crypto';
import type { Config } from '../config/config.js';
import { loadConfig } from '../config/load.js';
import { startEmbeddedOrigin, WEBRTC_PACKAGE, type EmbeddedOrigin } from '../embedded-origin/index.js';
import { startGateway, type Gateway } from '../gateway.js';
import { mintToken } from '../hooks/verify-token/mint.js';
import { GatewayError } from '../model/errors.js';
import type { Role } from '../model/identity.js';
import { Secret } from '../model/secret.js';
import type { Log } from '../model/telemetry.js';
import { probeTcpPort } from '../net/port-probe.js';
import { TRANSPORT_NAMES } from '../model/transport.js';
import { createLog } from '../telemetry/log.js';
import { createMetrics } from '../telemetry/metrics.js';
import { parseArguments } from './arguments.js';
import { devBanner } from './dev-banner.js';
import { DEV_FLAGS } from './flags.js';
import { usageLine } from './help.js';
import { EXIT, type CliIo } from './io.js';
import { checkKeys } from './key-specs.js';

const HOST = '127.0.0.1';
/** The listeners, and the ports that are asked for when nobody says otherwise. */
const DEFAULT_PORTS = { rtmp: 1935, rtsp: 8554, http: 5080, media: 8189, admin: 9090 } as const;
const LISTENER_NAMES = ['rtmp', 'rtsp', 'http', 'media', 'admin'] as const satisfies readonly ListenerName[];
const SECRET_BYTES = 32;
/** As long as the default ceiling allows. */
const TOKEN_MINUTES = 60;

/** What `dev` starts; only tests name others. */
export interface DevParts {
  readonly startOrigin: typeof startEmbeddedOrigin;
  readonly startGateway: typeof startGateway;
  /** Rejects when a port cannot be had. */
  readonly probePort: typeof probeTcpPort;
}

type ListenerName = keyof typeof DEFAULT_PORTS;

interface DevOptions {
  readonly ports: Readonly<Record<ListenerName, number>>;
  /** Nobody asked for the admin port, so that another will do. */
  readonly isAnyAdminPort: boolean;
  readonly level: Config['log']['level'];
}

/**
 * `portcullis dev`: a gateway and an origin of its own on loopback, without a config, until a signal ends both.
 * The secret is fresh at each start, and what it signed is worthless after it.
 */
export async function runDev(
  args: readonly string[],
  io: CliIo,
  parts: DevParts = { startOrigin: startEmbeddedOrigin, startGateway, probePort: probeTcpPort },
): Promise<number> {
  const asked = readOptions(args);
  if (typeof asked === 'string') {
    io.stderr(usageLine('dev', asked));
    return EXIT.usage;
  }
  const { clock } = io;
  const log = createLog({
    level: asked.level,
    format: 'text',
    now: () => clock.now(),
    write: (line) => io.stdout(line),
  });
  // Listened to before anything starts, so that an early Ctrl-C leaves nothing behind.
  const stopping = untilSignal(io);
  let options = asked;
  try {
    options = await withAdminPort(asked, parts.probePort);
    const origin = await parts.startOrigin({ log, clock });
    try {
      return await runGateway(origin, options, { io, log, parts, stopping });
    } finally {
      await origin.stop();
    }
  } catch (error) {
    io.stderr(`portcullis dev: ${failureText(error, options)}\n`);
    return EXIT.failed;
  } finally {
    stopping.release();
  }
}

type OriginPorts = Pick<EmbeddedOrigin, 'rtmpPort' | 'rtspPort' | 'httpPort'>;

interface Surroundings {
  readonly io: CliIo;
  readonly log: Log;
  readonly parts: DevParts;
  readonly stopping: Stopping;
}

async function runGateway(origin: OriginPorts, options: DevOptions, around: Surroundings): Promise<number> {
  const { io, log, parts, stopping } = around;
  const secret = new Secret(randomBytes(SECRET_BYTES).toString('base64url'));
  io.hide([secret]);
  const config = devConfig(origin, options, secret, io);
  const gateway = await parts.startGateway(config, {
    ...{ log, metrics: createMetrics(() => undefined), clock: io.clock },
    // There is no config that could be read again.
    operator: { drain: () => stopping.ask() },
  });
  log.write('info', 'gateway.start', { version: io.version, profile: config.auth.profile });
  io.stdout(bannerOf(gateway, secret, io.clock.now(), origin.httpPort !== undefined));
  await stopping.first;
  // A second signal is for those who do not want to wait even for this.
  await Promise.race([gateway.stop(), stopping.second]);
  log.write('info', 'gateway.stop', {});
  return EXIT.fine;
}

function readOptions(args: readonly string[]): DevOptions | string {
  const parsed = parseArguments(args, DEV_FLAGS);
  if (!parsed.ok) return parsed.problem;
  const { 'log-level': level = 'info' } = parsed.flags;
  const ports: Record<ListenerName, number> = { ...DEFAULT_PORTS };
  for (const name of LISTENER_NAMES) {
    const port = parsed.flags[`${name}-port`] ?? String(DEFAULT_PORTS[name]);
    if (!/^\d{1,5}$/.test(port) || Number(port) > 65535) return `--${name}-port takes a port, 0 to 65535`;
    ports[name] = Number(port);
  }
  if (level !== 'debug' && level !== 'info' && level !== 'warn' && level !== 'error') {
    return '--log-level takes debug, info, warn or error';
  }
  return { ports, level, isAnyAdminPort: parsed.flags['admin-port'] === undefined };
}

/** A port that nobody asked for must not keep `dev` from starting: when it is taken the system chooses another. */
async function withAdminPort(options: DevOptions, probe: DevParts['probePort']): Promise<DevOptions> {
  const { ports, isAnyAdminPort } = options;
  if (!isAnyAdminPort) return options;
  const isWanted = (['rtmp', 'rtsp', 'http'] as const).some((name) => ports[name] === ports.admin);
  const isFree =
    !isWanted &&
    (await probe({ host: HOST, port: ports.admin }).then(
      () => true,
      () => false,
    ));
  return isFree ? options : { ...options, ports: { ...ports, admin: 0 } };
}

/** Through the same loader as any config, so that `dev` shows what `serve` would do. Variables of the shell do not count. */
function devConfig(origin: OriginPorts, options: DevOptions, secret: Secret, io: CliIo): Config {
  const text = JSON.stringify({
    listen: {
      rtmp: { host: HOST, port: options.ports.rtmp },
      rtsp: { host: HOST, port: options.ports.rtsp },
      ...(origin.httpPort !== undefined && {
        http: { host: HOST, port: options.ports.http, pages: true },
        media: { host: HOST, port: options.ports.media },
      }),
      admin: { host: HOST, port: options.ports.admin },
    },
    auth: { keys: [{ id: 'dev', secret: { env: 'DEV_SECRET' } }], maxTtlMinutes: TOKEN_MINUTES },
    origins: [
      {
        ...{ name: 'embedded', preset: 'embedded' },
        rtmp: `rtmp://${HOST}:${origin.rtmpPort}`,
        rtsp: `rtsp://${HOST}:${origin.rtspPort}`,
        ...(origin.httpPort !== undefined && { http: `http://${HOST}:${origin.httpPort}` }),
      },
    ],
    log: { level: options.level, format: 'text' },
  });
  const readFile = (path: string): Buffer => io.readFile(path);
  const loaded = loadConfig({ text, env: { DEV_SECRET: secret.reveal() }, readFile, checkKeys });
  if (loaded.ok) return loaded.config;
  const faults = loaded.faults.map(({ path, problem }) => `${path}: ${problem}`).join('; ');
  throw new GatewayError('config-faults', 'gateway', faults);
}

function bannerOf(gateway: Gateway, secret: Secret, nowMs: number, hasWebrtc: boolean): string {
  const material = createSecretKey(Buffer.from(secret.reveal(), 'utf8'));
  const tokenOf = (role: Role, subject: string): Secret =>
    new Secret(
      mintToken(
        {
          key: { algorithm: 'HS256', material },
          subject,
          roles: [role],
          transports: TRANSPORT_NAMES,
          ttlS: TOKEN_MINUTES * 60,
        },
        nowMs / 1000,
      ),
    );
  return devBanner({
    host: HOST,
    rtmpPort: gateway.addresses['rtmp']?.port ?? DEFAULT_PORTS.rtmp,
    rtspPort: gateway.addresses['rtsp']?.port ?? DEFAULT_PORTS.rtsp,
    webrtc: hasWebrtc
      ? { httpPort: gateway.addresses['http']?.port ?? DEFAULT_PORTS.http }
      : { missingPackage: WEBRTC_PACKAGE },
    adminPort: gateway.addresses['admin']?.port ?? DEFAULT_PORTS.admin,
    publisherToken: tokenOf('red5-publisher', 'dev-publisher'),
    viewerToken: tokenOf('red5-subscriber', 'dev-viewer'),
    ttlMinutes: TOKEN_MINUTES,
  });
}

function failureText(error: unknown, options: DevOptions): string {
  if (!(error instanceof Error)) return 'it failed';
  const { cause } = error;
  const isTaken = cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE';
  if (!isTaken) return error.message;
  const kind = LISTENER_NAMES.find((name) => error.message.includes(`:${options.ports[name]}:`)) ?? 'rtmp';
  const port = options.ports[kind];
  return `port ${port} is taken; choose another with --${kind}-port, or let the system choose with --${kind}-port 0`;
}

interface Stopping {
  /** Resolves at the first Ctrl-C or SIGTERM, or when the API asks for the end. */
  readonly first: Promise<void>;
  /** Resolves at the one after it. */
  readonly second: Promise<void>;
  /** Asks for the end as the first signal does; does nothing when that has been asked before. */
  ask(): void;
  release(): void;
}

function untilSignal(io: CliIo): Stopping {
  const told: (() => void)[] = [];
  const first = new Promise<void>((resolve) => told.push(resolve));
  const second = new Promise<void>((resolve) => told.push(resolve));
  const call = (): void => told.shift()?.();
  const releases = (['SIGINT', 'SIGTERM'] as const).map((signal) => io.onSignal(signal, call));
  const ask = (): void => {
    if (told.length === 2) call();
  };
  return { first, second, ask, release: () => releases.forEach((release) => release()) };
}
