import { describe, expect } from '@jest/globals';
import { join } from 'node:path';
import { statSync } from 'node:fs';
import { makeSample, packetsOf, play, publish } from './peers/ffmpeg.js';
import { gstPublish, gstRecord } from './peers/gstreamer.js';
import { itNeeds } from './peers/needs.js';
import { startNginx } from './peers/nginx.js';
import { isStretchOf, timeFaults } from './peers/packets.js';
import { folder } from './peers/place.js';
import { recorded, rtmpdump } from './peers/rtmpdump.js';
import { startTap } from './peers/tap.js';

// What the peers do among themselves, so that a failure elsewhere is ours and not theirs.
describe('without a gateway', () => {
  itNeeds(['ffmpeg', 'nginx'], 'ffmpeg publishes to nginx and plays from it, byte for byte', async () => {
    const nginx = await startNginx();
    const tap = await startTap(nginx.port);
    const sample = await makeSample(8);
    const publisher = publish(sample, `rtmp://127.0.0.1:${tap.port}/live/cam`);
    const player = play(nginx.url('live/cam'));
    expect(await player.firstPacketMs()).toBeLessThan(5000);
    const { video, audio } = await player.pictures(125);
    expect(isStretchOf(video, sample.video)).toBe(true);
    expect(isStretchOf(audio, sample.audio)).toBe(true);
    expect(timeFaults(player.packets, 0)).toEqual([]);
    expect(timeFaults(player.packets, 1)).toEqual([]);
    expect((await publisher.ended).code).toBe(0);
    expect(tap.sent().includes('publish')).toBe(true);
    await nginx.stop();
    expect(nginx.accessLog()).toMatch(/publish app=live name=cam/i);
  });

  itNeeds(['GStreamer', 'nginx', 'ffmpeg'], 'GStreamer publishes to nginx and plays from it', async () => {
    const nginx = await startNginx();
    const publisher = gstPublish(nginx.url('live/gst'), 6);
    const file = join(folder, 'gst.flv');
    const recorder = gstRecord(nginx.url('live/gst'), file);
    await publisher.ended;
    await recorder.stop('SIGINT');
    expect(statSync(file).size).toBeGreaterThan(10_000);
    const video = (await packetsOf(file)).filter((packet) => packet.stream === 0);
    expect(video.length).toBeGreaterThan(75);
    expect(timeFaults(video, 0)).toEqual([]);
  });

  itNeeds(['ffmpeg', 'nginx', 'rtmpdump'], 'rtmpdump records from nginx', async () => {
    const nginx = await startNginx();
    const sample = await makeSample(8);
    const publisher = publish(sample, nginx.url('live/dump'));
    const file = join(folder, 'dump.flv');
    await play(nginx.url('live/dump')).pictures(1);
    const ended = await recorded(rtmpdump(nginx.url('live/dump'), file), file, 30_000);
    expect(ended.stderr).toMatch(/Starting Live Stream/);
    expect(
      isStretchOf(
        (await packetsOf(file)).filter((packet) => packet.stream === 0),
        sample.video,
      ),
    ).toBe(true);
    await publisher.stop('SIGINT');
  });
});
