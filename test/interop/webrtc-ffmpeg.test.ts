import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { join } from 'node:path';
import { GatewayPage, startBrowser } from './peers/browser.js';
import { startGateway, type Gateway } from './peers/gateway.js';
import { ffmpeg8Folder, itNeeds, type Peer } from './peers/needs.js';
import { folder } from './peers/place.js';
import { run, start, type Program } from './peers/program.js';
import { token } from './peers/tokens.js';
import { startWeriftOrigin } from './peers/werift-origin.js';

const NEEDED: readonly Peer[] = ["ffmpeg 8's WHIP muxer", 'ffmpeg', 'werift'];
const FPS = 15;
/** ffmpeg 8.1 checks on and ends itself when no answer has come for 30 s. */
const LASTS_S = 40;

let origin: Awaited<ReturnType<typeof startWeriftOrigin>> | undefined;
let gateway: Gateway | undefined;

beforeAll(async () => {
  origin = await startWeriftOrigin();
  gateway = await startGateway({
    listen: { http: { host: '127.0.0.1', port: 0, pages: true }, media: { host: '127.0.0.1', port: 0 } },
    origins: [{ name: 'werift', preset: 'embedded', http: `http://127.0.0.1:${origin.port}` }],
  });
});

afterAll(async () => {
  await gateway?.stop();
  origin?.stop();
});

/** H.264 without B-frames, and Opus: the only thing the muxer takes. */
async function makeWebrtcSample(seconds: number): Promise<string> {
  const file = join(folder, `webrtc-${seconds}.mkv`);
  const picture = ['-f', 'lavfi', '-i', `testsrc2=s=320x240:r=${FPS}:d=${seconds}`];
  const sound = ['-f', 'lavfi', '-i', `sine=440:r=48000:d=${seconds}`];
  const video = ['-c:v', 'libx264', '-preset', 'ultrafast', '-profile:v', 'baseline', '-g', `${FPS}`, '-b:v', '300k'];
  const audio = ['-c:a', 'libopus', '-ac', '2', '-b:a', '32k'];
  const made = await run('ffmpeg', [
    ...['-loglevel', 'error', ...picture, ...sound, ...video, '-pix_fmt', 'yuv420p', ...audio, file],
  ]);
  expect(made.stderr).toBe('');
  return file;
}

function publish(file: string, endpoint: string, text: string): Program {
  return start(process.execPath, [join(__dirname, 'peers', 'ffmpeg8.mjs'), 'whip', file, endpoint], {
    env: { FFMPEG8_FOLDER: ffmpeg8Folder, FFMPEG8_TOKEN: text },
    timeoutMs: 100_000,
  });
}

describe("ffmpeg 8's WHIP muxer", () => {
  itNeeds(
    [...NEEDED, 'Chromium'],
    'publishes for longer than its consent lasts, and Chromium watches',
    async () => {
      const file = await makeWebrtcSample(LASTS_S);
      const publisher = publish(
        file,
        `${gateway!.web}/live/room1/ffmpeg/whip`,
        token({ roles: 'red5-publisher', 'red5-transport': 'WHIP' }),
      );
      await publisher.says(/^ffmpeg 8/m);
      await gateway!.logs('session.start', { action: 'publish', path: 'live/room1/ffmpeg' });
      const viewer = await GatewayPage.open(await startBrowser(), gateway!.web, 'watch', {
        stream: 'live/room1/ffmpeg',
        token: token({ roles: 'red5-subscriber', 'red5-transport': 'WHEP' }),
      });
      await viewer.start();
      await viewer.says('live');
      // What is left when the viewer has come.
      await viewer.grows('frames', FPS * (LASTS_S - 10), 60_000);
      expect((await viewer.text('codecs')).toLowerCase()).toMatch(/h264.*opus|opus.*h264/);
      expect(await viewer.text('size')).toContain('320 × 240');
      expect(await viewer.text('lost')).toBe('0');
      const ended = await publisher.ended;
      expect([ended.code, ended.stdout]).toEqual([0, expect.stringMatching(/^sent \d{4}$/m)]);
      const end = await gateway!.logs('session.end', { action: 'publish', path: 'live/room1/ffmpeg' });
      expect(end).toMatchObject({ reason: 'client-finished' });
      expect(Number(end['durationMs'])).toBeGreaterThan((LASTS_S - 3) * 1000);
      await viewer.close();
    },
    150_000,
  );

  itNeeds(NEEDED, 'is refused without a token, and with one for something else', async () => {
    const file = await makeWebrtcSample(2);
    const endpoint = `${gateway!.web}/live/room1/refused/whip`;
    for (const [text, status] of [
      ['', '401'],
      [token({ roles: 'red5-subscriber' }), '403'],
    ] as const) {
      const ended = await publish(file, endpoint, text).ended;
      expect([ended.code, ended.stderr]).toEqual([1, expect.stringContaining(status)]);
    }
    expect(gateway!.lines('session.start').filter((line) => line['path'] === 'live/room1/refused')).toEqual([]);
  });
});
