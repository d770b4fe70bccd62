import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { newestJava, red5Jars } from './needs.js';
import { folder, freePort } from './place.js';
import { start, type Program } from './program.js';

const ownFiles = join(__dirname, 'red5', 'home');

/** A Red5 as an origin on loopback. Its one app is `live`. */
export interface Red5 {
  readonly port: number;
  readonly version: string;
  readonly program: Program | undefined;
  url(path: string): string;
}

let count = 0;

/** Starts the Red5 of the Maven artifacts with our own config and waits until its app is there. */
export async function startRed5(): Promise<Red5> {
  const outside = process.env['INTEROP_RED5_RTMP'];
  if (outside !== undefined) return outsideRed5(new URL(outside));
  const [port, httpPort] = [await freePort(), await freePort()];
  count += 1;
  const home = join(folder, `red5-${count}`);
  mkdirSync(home, { recursive: true });
  cpSync(ownFiles, home, { recursive: true });
  const properties = { 'red5.root': home, 'catalina.home': home, 'peer.rtmpPort': port, 'peer.httpPort': httpPort };
  const program = start(
    newestJava() ?? 'java',
    [
      ...['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'],
      ...Object.entries(properties).map(([name, value]) => `-D${name}=${value}`),
      ...['-cp', `${home}/conf:${red5Jars}/*`, 'org.red5.server.Bootstrap'],
    ],
    { cwd: home, timeoutMs: 600_000 },
  );
  const [, version = ''] = await program.says(/Red5 Server ([\d.]+)/, 60_000);
  await program.says(/Add mapping global: \S+ host: .*context: live/, 60_000);
  return { port, version, program, url: (path) => `rtmp://127.0.0.1:${port}/${path}` };
}

function outsideRed5({ hostname, port }: URL): Red5 {
  const version = 'of INTEROP_RED5_RTMP';
  return { port: Number(port), version, program: undefined, url: (path) => `rtmp://${hostname}:${port}/${path}` };
}
