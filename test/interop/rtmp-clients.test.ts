import { describe, expect } from '@jest/globals';
import { join } from 'node:path';
import { makeCertificate } from './peers/certificate.js';
import { makeSample, packetsOf, play, publish } from './peers/ffmpeg.js';
import { startGateway } from './peers/gateway.js';
import { gstPublish, gstRecord } from './peers/gstreamer.js';
import { itNeeds } from './peers/needs.js';
import { startNginx } from './peers/nginx.js';
import { isStretchOf, timeFaults, type Packet } from './peers/packets.js';
import { folder } from './peers/place.js';
import { recorded, rtmpdump } from './peers/rtmpdump.js';
import { token } from './peers/tokens.js';

async function stage(parts: Readonly<Record<string, unknown>> = {}) {
  const nginx = await startNginx();
  const origins = [{ name: 'nginx', preset: 'nginx-rtmp', rtmp: `rtmp://127.0.0.1:${nginx.port}` }];
  return { nginx, gateway: await startGateway({ origins, ...parts }) };
}

const videoOf = (packets: readonly Packet[]) => packets.filter((packet) => packet.stream === 0);

describe('GStreamer', () => {
  itNeeds(['GStreamer', 'nginx', 'ffmpeg'], 'publishes with rtmp2sink and plays with rtmp2src', async () => {
    const { gateway } = await stage();
    const publisher = gstPublish(gateway.url(`live/room1/gst?token=${token()}`), 7);
    await gateway.logs('session.start', { action: 'publish', path: 'live/room1/gst' });
    const file = join(folder, 'gst.flv');
    const recorder = gstRecord(gateway.url(`live/room1/gst?token=${token()}`), file);
    const player = play(gateway.url(`live/room1/gst?token=${token()}`));
    const { video, audio } = await player.pictures(75);
    expect(timeFaults(video, 0)).toEqual([]);
    expect(timeFaults(audio, 1)).toEqual([]);
    expect((await publisher.ended).code).toBe(0);
    await gateway.logs('session.end', { action: 'publish', path: 'live/room1/gst' });
    await recorder.stop('SIGINT');
    const file_ = videoOf(await packetsOf(file));
    expect(file_.length).toBeGreaterThan(75);
    expect(timeFaults(file_, 0)).toEqual([]);
  });

  itNeeds(['GStreamer', 'nginx'], 'shows the reason of a refusal and ends', async () => {
    const { gateway } = await stage();
    const ended = await gstPublish(gateway.url(`live/gst?token=${token({ roles: 'red5-subscriber' })}`), 5).ended;
    expect(ended.stdout + ended.stderr).toContain('role-denied');
    expect(ended.code).not.toBe(0);
  });
});

describe('rtmpdump', () => {
  const carriers: readonly [string, (url: (path: string) => string) => readonly [string, readonly string[]]][] = [
    ['in the query of the name', (url) => [url(`live/room1/cam?token=${token()}`), []]],
    [
      'as the third argument of connect',
      (url) => [url('live/room1/cam'), ['jwt', 'jwt', token()].flatMap((text) => ['--conn', `S:${text}`])],
    ],
  ];
  for (const [where, make] of carriers) {
    itNeeds(['rtmpdump', 'ffmpeg', 'nginx'], `records with a token ${where}`, async () => {
      const { gateway } = await stage();
      const sample = await makeSample(13);
      const publisher = publish(sample, gateway.url(`live/room1/cam?token=${token()}`));
      await gateway.logs('session.start', { action: 'publish' });
      await play(gateway.url(`live/room1/cam?token=${token()}`)).pictures(1);
      const file = join(folder, `dump-${where.length}.flv`);
      const [url, args] = make(gateway.url);
      await recorded(rtmpdump(url, file, args), file, 60_000);
      expect(isStretchOf(videoOf(await packetsOf(file)), sample.video)).toBe(true);
      await publisher.stop('SIGINT');
    });
  }

  itNeeds(['rtmpdump', 'nginx'], 'ends when it is refused', async () => {
    const { gateway } = await stage();
    const url = gateway.url(`live/cam?token=${token({ roles: 'red5-publisher' })}`);
    const ended = await rtmpdump(url, join(folder, 'none.flv')).ended;
    expect(ended.code).not.toBe(0);
    await gateway.logs('decision', { code: 'role-denied' });
  });
});

describe('RTMPS', () => {
  itNeeds(['ffmpeg', 'nginx', 'openssl'], 'ffmpeg publishes and plays inside TLS', async () => {
    const { cert, key } = await makeCertificate();
    const { gateway } = await stage({
      listen: { rtmps: { host: '127.0.0.1', port: 0 } },
      tls: { certificates: [{ cert: { file: cert }, key: { file: key } }] },
    });
    const sample = await makeSample(13);
    const publisher = publish(sample, gateway.secureUrl(`live/cam?token=${token({ 'red5-transport': 'RTMP' })}`));
    await gateway.logs('decision', { action: 'publish', secure: true, outcome: 'yes' });
    await gateway.logs('session.start', { action: 'publish' });
    const player = play(gateway.secureUrl(`live/cam?token=${token()}`));
    const { video, audio } = await player.pictures(125);
    expect(isStretchOf(video, sample.video)).toBe(true);
    expect(isStretchOf(audio, sample.audio)).toBe(true);
    await publisher.stop('SIGINT');
  });
});
