import { describe, expect } from '@jest/globals';
import { startDev } from './peers/dev.js';
import { makeSample, play, publish, watch, type Played, type Sample } from './peers/ffmpeg.js';
import { startGateway } from './peers/gateway.js';
import { itNeeds, type Peer } from './peers/needs.js';
import { startNginx } from './peers/nginx.js';
import { isStretchOf, timeFaults } from './peers/packets.js';
import { token } from './peers/tokens.js';

/** A way in, the tokens for it, and the log of who let us in. */
interface Stage {
  readonly server: string;
  readonly publisher: string;
  readonly viewer: string;
  /** Waits until a stream is up. */
  started(path: string): Promise<unknown>;
}

async function throughNginx(): Promise<Stage> {
  const nginx = await startNginx();
  const gateway = await startGateway({
    origins: [{ name: 'nginx', preset: 'nginx-rtmp', rtmp: `rtmp://127.0.0.1:${nginx.port}` }],
  });
  return {
    server: gateway.url('live'),
    publisher: token({ roles: 'red5-publisher', 'red5-transport': 'RTMP' }),
    viewer: token({ roles: 'red5-subscriber', 'red5-transport': 'RTMP' }),
    started: (path) => gateway.logs('session.start', { action: 'publish', path }),
  };
}

async function throughEmbedded(): Promise<Stage> {
  const dev = await startDev();
  return {
    server: dev.server,
    publisher: dev.publisherToken,
    viewer: dev.viewerToken,
    started: (path) => dev.program.says(new RegExp(`session\\.start.*${path}`)),
  };
}

function expectIntact({ video, audio }: Played, sample: Sample): void {
  expect(isStretchOf(video, sample.video)).toBe(true);
  expect(isStretchOf(audio, sample.audio)).toBe(true);
  expect(timeFaults(video, 0)).toEqual([]);
  expect(timeFaults(audio, 1)).toEqual([]);
}

const stages: readonly [string, Peer, () => Promise<Stage>][] = [
  ['nginx', 'nginx', throughNginx],
  ['the embedded origin', 'node-media-server', throughEmbedded],
];

describe.each(stages)('ffmpeg through the gateway and %s', (_name, peer, startStage) => {
  itNeeds(['ffmpeg', peer], 'publishes ten seconds of H.264 and AAC that a player gets whole', async () => {
    const stage = await startStage();
    const sample = await makeSample(13);
    const publisher = publish(sample, `${stage.server}/cam?token=${stage.publisher}`);
    await stage.started('live/cam');
    const player = play(`${stage.server}/cam?token=${stage.viewer}`);
    const delayMs = await player.firstPacketMs();
    const played = await player.pictures(250);
    expect(delayMs).toBeLessThan(3000);
    expect(played.audio.length).toBeGreaterThan(400);
    expectIntact(played, sample);
    const ended = await publisher.ended;
    expect([ended.code, ended.signal]).toEqual([0, null]);
  });

  itNeeds(['ffmpeg', peer], 'shows its picture to two viewers at once', async () => {
    const stage = await startStage();
    const sample = await makeSample(13);
    const publisher = publish(sample, `${stage.server}/cam?token=${stage.publisher}`);
    await stage.started('live/cam');
    const viewers = [1, 2].map(() => watch(`${stage.server}/cam?token=${stage.viewer}`));
    const played = await Promise.all(viewers.map((viewer) => viewer.pictures(75)));
    for (const { video } of played) expect(timeFaults(video, 0)).toEqual([]);
    await publisher.stop('SIGINT');
  });

  // ffmpeg splits these three ways: live + room1/cam is never its own, live/room1 + cam, live/a + b/cam.
  itNeeds(['ffmpeg', peer], 'keeps the streams of different rooms apart', async () => {
    const stage = await startStage();
    const sample = await makeSample(13);
    const other = await makeSample(12);
    const paths = ['cam', 'room1/cam', 'a/b/cam'];
    const publishers = paths.map((path, index) =>
      publish(index === 1 ? other : sample, `${stage.server}/${path}?token=${stage.publisher}`),
    );
    await Promise.all(paths.map((path) => stage.started(`live/${path}`)));
    const players = paths.map((path) => play(`${stage.server}/${path}?token=${stage.viewer}`));
    for (const player of players) expectIntact(await player.pictures(50), sample);
    await Promise.all(publishers.map((publisher) => publisher.stop('SIGINT')));
  });

  itNeeds(['ffmpeg', peer], 'publishes again under the same name at once after it was killed', async () => {
    const stage = await startStage();
    const sample = await makeSample(13);
    const url = `${stage.server}/cam?token=${stage.publisher}`;
    const first = publish(sample, url);
    await stage.started('live/cam');
    await first.stop('SIGKILL');
    const second = publish(sample, url);
    const player = play(`${stage.server}/cam?token=${stage.viewer}`);
    expect((await player.pictures(25)).video.length).toBeGreaterThanOrEqual(25);
    expect(second.isOver).toBe(false);
    await second.stop('SIGINT');
  });
});
