import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterAll } from '@jest/globals';
import { join } from 'node:path';
import { main, startGateway, type Gateway, type GatewayParts } from './gateway.js';
import type { Sample } from './ffmpeg.js';
import { folder } from './place.js';
import { readPackets, type Packet } from './packets.js';
import { run, start, type Program } from './program.js';

const quiet = ['-hide_banner', '-nostdin', '-loglevel', 'warning'];
const children: (() => void)[] = [];
afterAll(() => children.forEach((end) => end()));

/** The embedded origin's relay in a process of its own. */
export function startRelay(): Promise<number> {
  const file = join(main, '..', 'embedded-origin', 'rtsp-child.js');
  const child = fork(file, ['0'], { execArgv: [], env: {} });
  children.push(() => child.disconnect());
  return new Promise((resolve) => child.once('message', (message: { port: number }) => resolve(message.port)));
}

/** GStreamer's RTSP server; `auth` makes it ask for `inner` and `secret-of-the-origin`. What it records goes to `file`. */
export async function startGstServer(
  auth?: 'basic' | 'digest',
): Promise<{ readonly port: number; readonly file: string; readonly program: Program }> {
  const file = join(folder, `recorded-${auth ?? 'open'}.h264`);
  const script = join(__dirname, 'gst-rtsp-server.py');
  const program = start('/usr/bin/python3', [script, file, ...(auth === undefined ? [] : [auth])]);
  const [, port] = await program.says(/listening (\d+)/);
  return { port: Number(port), file, program };
}

/** A gateway for RTSP in front of an origin on loopback. */
export async function startRtspGateway(
  originPort: number,
  more: { readonly listen?: GatewayParts['listen']; readonly origin?: object } & Record<string, unknown> = {},
): Promise<Gateway & { rtsp(path: string): string }> {
  const { listen, origin, ...rest } = more;
  const gateway = await startGateway({
    ...rest,
    listen: listen ?? { rtsp: { host: '127.0.0.1', port: 0, udpPorts: '22000-22199' } },
    origins: [{ name: 'inner', preset: 'generic', rtsp: `rtsp://127.0.0.1:${originPort}`, ...origin }],
  });
  return { ...gateway, rtsp: (path) => `rtsp://127.0.0.1:${gateway.rtspPort}/${path}` };
}

/** The pictures of a sample as they come out of a decoder: RTP frames them in its own way, so packets cannot be compared. */
export async function decodedPictures(sample: Sample): Promise<readonly Packet[]> {
  const args = ['-i', sample.file, '-map', '0:v', '-fps_mode', 'passthrough', '-f', 'framecrc', '-'];
  return readPackets((await run('ffmpeg', [...quiet, ...args])).stdout);
}

/** Waits until somebody listens on a port, without calling there: ffmpeg takes one caller only. */
export async function someoneListens(port: number): Promise<void> {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  for (let look = 0; look < 200; look++) {
    if (new RegExp(`:${hex} 00000000:0000 0A`).test(readFileSync('/proc/net/tcp', 'utf8'))) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`nobody listens on ${port}`);
}

/** Publishes a file with ffmpeg at its own speed. */
export function publishRtsp(sample: Sample, url: string, transport: 'tcp' | 'udp'): Program {
  const codecs = ['-c:v', 'copy', '-c:a', 'copy'];
  return start('ffmpeg', [
    ...quiet,
    '-re',
    '-i',
    sample.file,
    ...codecs,
    '-f',
    'rtsp',
    '-rtsp_transport',
    transport,
    url,
  ]);
}

/** Publishes a test picture with rtspclientsink for so many seconds. */
export function gstPublishRtsp(url: string, seconds: number, protocols: 'tcp' | 'udp'): Program {
  const source = `videotestsrc is-live=true num-buffers=${seconds * 25} ! video/x-raw,width=320,height=180,framerate=25/1`;
  const encoder = 'x264enc speed-preset=ultrafast tune=zerolatency key-int-max=25 ! h264parse';
  const sink = `rtspclientsink protocols=${protocols} location=${url}`;
  return start('gst-launch-1.0', ['-e', ...`${source} ! ${encoder} ! ${sink}`.split(' ')]);
}

/** Plays with rtspsrc; every picture is a line of the output. */
export function gstPlayRtsp(url: string, protocols: 'tcp' | 'udp'): Program {
  const chain = `rtspsrc protocols=${protocols} location=${url} ! rtph264depay ! h264parse ! video/x-h264,alignment=au`;
  return start('gst-launch-1.0', ['-v', ...`${chain} ! identity silent=false name=picture ! fakesink`.split(' ')]);
}

/** How many pictures a gstPlayRtsp has shown. */
export function picturesOf(program: Program): number {
  return program.output.match(/picture: last-message = chain/g)?.length ?? 0;
}
