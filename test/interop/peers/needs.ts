import { it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const moduleFolders = ['/usr/lib/nginx/modules', '/usr/lib64/nginx/modules', '/usr/share/nginx/modules'];

/** Where `npm test` puts npm's node-av, which carries ffmpeg 8. */
export const ffmpeg8Folder = join(__dirname, '..', '..', '..', '.cache', 'peers', 'ffmpeg8');

/** Where `npm test` puts the jars of Red5. */
export const red5Jars = join(__dirname, '..', '..', '..', '.cache', 'peers', 'red5');

/** Where `npm test` puts the programs of Debian's package prometheus. */
const prometheusFolder = join(__dirname, '..', '..', '..', '.cache', 'peers', 'prometheus', 'usr', 'bin');

/** The folder with `prometheus` and `promtool`, with a slash behind it; empty when they are in PATH. */
export const prometheus = [`${prometheusFolder}/`, ''].find((place) =>
  ['prometheus', 'promtool'].every((name) => starts(`${place}${name}`, ['--version'])),
);

/** What Red5 1.3 was built for. */
const MIN_JAVA = 11;
const jvmFolder = '/usr/lib/jvm';

function javaMajor(java: string): number {
  const { error, stderr } = spawnSync(java, ['-version'], { encoding: 'utf8', timeout: 30_000 });
  return error === undefined ? Number(/version "(\d+)/.exec(stderr)?.[1] ?? 0) : 0;
}

/** The newest `java` at hand, if one is new enough. */
export function newestJava(): string | undefined {
  const homes = existsSync(jvmFolder) ? readdirSync(jvmFolder).map((name) => join(jvmFolder, name)) : [];
  const named = process.env['JAVA_HOME'];
  const binaries = [...(named === undefined ? [] : [named]), ...homes].map((home) => join(home, 'bin', 'java'));
  const known = [...binaries.filter((binary) => existsSync(binary)), 'java'];
  const [newest] = known.map((java) => ({ java, major: javaMajor(java) })).sort((a, b) => b.major - a.major);
  return newest !== undefined && newest.major >= MIN_JAVA ? newest.java : undefined;
}

/** The address of a server that somebody else built and started: `INTEROP_…`. */
function isNamed(...names: readonly string[]): boolean {
  return names.every((name) => process.env[name] !== undefined);
}

/** Where nginx keeps a module of that name, if it has it. */
export function nginxModule(name: string): string | undefined {
  return moduleFolders.map((folder) => `${folder}/${name}`).find((path) => existsSync(path));
}

function starts(command: string, args: readonly string[]): boolean {
  return spawnSync(command, [...args], { stdio: 'ignore', timeout: 30_000 }).error === undefined;
}

function hasElements(...names: readonly string[]): boolean {
  return names.every((name) => spawnSync('gst-inspect-1.0', ['--exists', name], { stdio: 'ignore' }).status === 0);
}

function hasPackage(name: string): boolean {
  try {
    createRequire(__filename).resolve(name);
    return true;
  } catch {
    return false;
  }
}

/** The `helm` to use: the one that INTEROP_HELM names, else that of PATH. */
export const helm = process.env['INTEROP_HELM'] ?? 'helm';

/** How to see whether a peer is on this machine. */
const peers = {
  ffmpeg: () => starts('ffmpeg', ['-version']),
  openssl: () => starts('openssl', ['version']),
  rtmpdump: () => starts('rtmpdump', ['-h']),
  nginx: () => starts('nginx', ['-v']) && nginxModule('ngx_rtmp_module.so') !== undefined,
  GStreamer: () => hasElements('rtmp2sink', 'rtmp2src', 'flvmux', 'flvdemux', 'x264enc', 'avenc_aac', 'h264parse'),
  'GStreamer for RTSP': () => hasElements('rtspclientsink', 'rtspsrc', 'x264enc', 'h264parse', 'rtph264depay'),
  "GStreamer's RTSP server": () =>
    spawnSync('/usr/bin/python3', ['-c', "import gi; gi.require_version('GstRtspServer', '1.0')"], { stdio: 'ignore' })
      .status === 0,
  'node-media-server': () => hasPackage('node-media-server'),
  werift: () => hasPackage('werift'),
  "ffmpeg 8's WHIP muxer": () => existsSync(`${ffmpeg8Folder}/node_modules/node-av/package.json`),
  'Red5 by INTEROP_RED5_RTMP, or its jars and Java 11': () =>
    isNamed('INTEROP_RED5_RTMP') || (existsSync(join(red5Jars, 'pom.xml')) && newestJava() !== undefined),
  INTEROP_MEDIAMTX_RTMP: () => isNamed('INTEROP_MEDIAMTX_RTMP'),
  INTEROP_MEDIAMTX_RTSP: () => isNamed('INTEROP_MEDIAMTX_RTSP'),
  INTEROP_MEDIAMTX_HTTP: () => isNamed('INTEROP_MEDIAMTX_HTTP'),
  INTEROP_SRS_RTMP: () => isNamed('INTEROP_SRS_RTMP'),
  INTEROP_SRS_HTTP: () => isNamed('INTEROP_SRS_HTTP'),
  Chromium: () => starts('chromium', ['--version']),
  'Helm in PATH or by INTEROP_HELM': () => starts(helm, ['version']),
  Prometheus: () => prometheus !== undefined,
} as const;

/** The programs tests talk to. */
export type Peer = keyof typeof peers;

const known = new Map<Peer, boolean>();

/** Whether a peer is on this machine. */
export function isHere(peer: Peer): boolean {
  const answer = known.get(peer) ?? peers[peer]();
  known.set(peer, answer);
  return answer;
}

/** A test with real peers; skipped, and named as such, where one of them is missing. */
export function itNeeds(needed: readonly Peer[], name: string, body: () => Promise<void>, timeoutMs = 60_000): void {
  const missing = needed.filter((peer) => !isHere(peer));
  if (missing.length > 0) it.skip(`${name} (needs ${missing.join(', ')})`, body);
  else it(name, body, timeoutMs);
}
