import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { folder } from './place.js';
import { start, type Program } from './program.js';
import { secret } from './tokens.js';

/** One line of the gateway's log. */
export type LogLine = Readonly<Record<string, unknown>> & { readonly event: string };

/** The built program. */
export const main = join(__dirname, '..', '..', '..', 'dist', 'main.js');

/** A gateway in a process of its own. */
export interface Gateway {
  readonly program: Program;
  readonly rtmpPort: number;
  readonly rtmpsPort: number;
  readonly rtspPort: number;
  readonly rtspsPort: number;
  /** `http://127.0.0.1:PORT`, where it speaks WHIP and WHEP. */
  readonly web: string;
  /** `rtmp://127.0.0.1:PORT/` and the path. */
  readonly url: (path: string) => string;
  readonly secureUrl: (path: string) => string;
  /** The lines so far, of one event if it is named. */
  lines(event?: string): readonly LogLine[];
  /** Waits for a line of an event that `fields` is part of. */
  logs(event: string, fields?: Readonly<Record<string, unknown>>): Promise<LogLine>;
  /** Asks it to stop and gives its exit code. */
  stop(): Promise<number | null>;
}

/** The parts of a config that differ from test to test. */
export interface GatewayParts {
  readonly origins: readonly Readonly<Record<string, unknown>>[];
  readonly listen?: Readonly<Record<string, unknown>>;
  readonly auth?: Readonly<Record<string, unknown>>;
  readonly [key: string]: unknown;
}

function readLines(text: string): readonly LogLine[] {
  const complete = text.slice(0, text.lastIndexOf('\n') + 1);
  return complete
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as LogLine);
}

function isPartOf(fields: Readonly<Record<string, unknown>>, line: LogLine): boolean {
  return Object.entries(fields).every(([key, value]) => line[key] === value);
}

let count = 0;

/** Starts the built gateway with a config of its own and waits until it listens. */
export async function startGateway(parts: GatewayParts): Promise<Gateway> {
  if (!existsSync(main)) throw new Error('dist/main.js is missing: run npm run build');
  count += 1;
  const file = join(folder, `gateway-${count}.json`);
  const config = {
    log: { level: 'debug' },
    ...parts,
    listen: parts.listen ?? { rtmp: { host: '127.0.0.1', port: 0 } },
    auth: { keys: [{ id: 'test', secret: { env: 'INTEROP_SECRET' } }], ...parts.auth },
  };
  writeFileSync(file, JSON.stringify(config, null, 2));
  const program = start(process.execPath, [main, 'serve', '--config', file], {
    env: { INTEROP_SECRET: secret },
    timeoutMs: 300_000,
  });
  const lines = (event?: string) =>
    readLines(program.stdout).filter((line) => event === undefined || line.event === event);
  const logs = (event: string, fields: Readonly<Record<string, unknown>> = {}) =>
    program.until(`${event} ${JSON.stringify(fields)}`, () => lines(event).find((line) => isPartOf(fields, line)));
  await logs('gateway.start');
  const portOf = (listener: string) =>
    Number(lines('listener.open').find((line) => line['listener'] === listener)?.['port'] ?? 0);
  const rtmpPort = portOf('rtmp');
  const rtmpsPort = portOf('rtmps');
  return {
    program,
    rtmpPort,
    rtmpsPort,
    rtspPort: portOf('rtsp'),
    rtspsPort: portOf('rtsps'),
    web: `http://127.0.0.1:${portOf('http')}`,
    url: (path) => `rtmp://127.0.0.1:${rtmpPort}/${path}`,
    secureUrl: (path) => `rtmps://127.0.0.1:${rtmpsPort}/${path}`,
    lines,
    logs,
    stop: async () => (await program.stop('SIGTERM', 10_000)).code,
  };
}
