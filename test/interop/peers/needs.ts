import { it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const moduleFolders = ['/usr/lib/nginx/modules', '/usr/lib64/nginx/modules', '/usr/share/nginx/modules'];

/** Where `npm test` puts npm's node-av, which carries ffmpeg 8. */
export const ffmpeg8Folder = join(__dirname, '..', '..', '..', '.cache', 'peers', 'ffmpeg8');

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
  Chromium: () => starts('chromium', ['--version']),
} as const;

/** The programs tests talk to. */
export type Peer = keyof typeof peers;

const known = new Map<Peer, boolean>();

function isHere(peer: Peer): boolean {
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
