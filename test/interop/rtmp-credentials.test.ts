import { describe, expect } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { makeSample, play, publish } from './peers/ffmpeg.js';
import { startGateway, type Gateway } from './peers/gateway.js';
import { itNeeds } from './peers/needs.js';
import { startNginx } from './peers/nginx.js';
import { token } from './peers/tokens.js';

const innerSecret = randomBytes(32).toString('hex');

/** A gateway whose origin is another gateway: one that wants tokens as Red5 Pro does. */
async function chain(credentials: Readonly<Record<string, unknown>>, innerKey?: string) {
  const nginx = await startNginx();
  const inner = await startGateway({
    origins: [{ name: 'nginx', preset: 'nginx-rtmp', rtmp: `rtmp://127.0.0.1:${nginx.port}` }],
    ...(innerKey === undefined ? {} : { auth: { keys: [{ id: 'inner', secret: { value: innerKey } }] } }),
  });
  const outer = await startGateway({
    origins: [{ name: 'inner', preset: 'red5pro', rtmp: `rtmp://127.0.0.1:${inner.rtmpPort}`, credentials }],
  });
  return { inner, outer };
}

async function expectStream(inner: Gateway, outer: Gateway): Promise<void> {
  const sample = await makeSample(8);
  const publisher = publish(sample, outer.url(`live/room1/cam?token=${token({ roles: 'red5-publisher' })}`));
  await inner.logs('session.start', { action: 'publish', path: 'live/room1/cam' });
  const player = play(outer.url(`live/room1/cam?token=${token({ roles: 'red5-subscriber' })}`));
  expect((await player.pictures(25)).video.length).toBeGreaterThanOrEqual(25);
  await publisher.stop('SIGINT');
}

describe('credentials towards an origin that wants them', () => {
  for (const [placement, carrier] of [
    ['query', 'app-query'],
    ['arguments', 'amf-arguments'],
  ]) {
    itNeeds(['ffmpeg', 'nginx'], `forward shows the client's token in the ${placement}`, async () => {
      const { inner, outer } = await chain({ mode: 'forward', placement });
      await expectStream(inner, outer);
      await inner.logs('decision', { carrier, subject: 'tester' });
    });

    itNeeds(['ffmpeg', 'nginx'], `remint shows a token of the origin's own secret in the ${placement}`, async () => {
      const { inner, outer } = await chain({ mode: 'remint', placement, key: { value: innerSecret } }, innerSecret);
      await expectStream(inner, outer);
      expect(inner.lines('decision').map((line) => line['subject'])).not.toContain('tester');
    });
  }

  itNeeds(['ffmpeg', 'nginx'], 'static shows what the config holds, and a bad one is origin-refused', async () => {
    const { outer } = await chain({ mode: 'static', token: { value: token({}, 'x'.repeat(40)) } });
    const ended = await publish(await makeSample(3), outer.url(`live/cam?token=${token()}`)).ended;
    expect(ended.stderr).toContain('origin-refused');
    expect(ended.code).not.toBe(0);
  });

  itNeeds(['ffmpeg', 'nginx'], 'strip shows none, so that such an origin refuses', async () => {
    const { inner, outer } = await chain({ mode: 'strip' });
    const ended = await publish(await makeSample(3), outer.url(`live/cam?token=${token()}`)).ended;
    expect(ended.code).not.toBe(0);
    await inner.logs('decision', { code: 'token-missing' });
  });
});
