import { describe, expect } from '@jest/globals';
import { makeSample, play, publish } from './peers/ffmpeg.js';
import { startGateway } from './peers/gateway.js';
import { itNeeds } from './peers/needs.js';
import { startNginx } from './peers/nginx.js';
import { freePort } from './peers/place.js';
import { startTap } from './peers/tap.js';
import { token } from './peers/tokens.js';

const originAt = (port: number) => [{ name: 'nginx', preset: 'nginx-rtmp', rtmp: `rtmp://127.0.0.1:${port}` }];

describe('an origin', () => {
  itNeeds(['ffmpeg'], 'that is down refuses with origin-unavailable', async () => {
    const gateway = await startGateway({ origins: originAt(await freePort()) });
    const ended = await publish(await makeSample(3), gateway.url(`live/cam?token=${token()}`)).ended;
    expect(ended.stderr).toContain('origin-unavailable');
    expect(ended.code).not.toBe(0);
    const viewer = await play(gateway.url(`live/cam?token=${token()}`)).program.ended;
    expect(viewer.stderr).toContain('origin-unavailable');
    await gateway.logs('session.note', { code: 'origin-unavailable' });
  });

  itNeeds(['ffmpeg', 'nginx'], 'that does not know the app shows as origin-refused', async () => {
    const nginx = await startNginx();
    const gateway = await startGateway({ origins: originAt(nginx.port) });
    const ended = await publish(await makeSample(3), gateway.url(`nowhere/cam?token=${token()}`)).ended;
    expect(ended.stderr).toContain('origin-refused');
    expect(ended.code).not.toBe(0);
  });

  // nginx answers Publish.Start before it looks at its own `deny publish`.
  itNeeds(['ffmpeg', 'nginx'], 'that says yes and then closes ends the publisher at once', async () => {
    const nginx = await startNginx();
    const gateway = await startGateway({ origins: originAt(nginx.port) });
    const ended = await publish(await makeSample(8), gateway.url(`closed/cam?token=${token()}`)).ended;
    expect(ended.code).not.toBe(0);
    const line = await gateway.logs('session.end', { action: 'publish', reason: 'origin-closed' });
    expect(line['durationMs']).toBeLessThan(2000);
  });

  itNeeds(['ffmpeg', 'nginx'], 'whose name somebody else publishes shows as stream-busy', async () => {
    const nginx = await startNginx();
    const gateway = await startGateway({ origins: originAt(nginx.port) });
    const sample = await makeSample(8);
    const holder = publish(sample, nginx.url('live/cam'));
    await play(nginx.url('live/cam')).pictures(1);
    const ended = await publish(sample, gateway.url(`live/cam?token=${token()}`)).ended;
    expect(ended.stderr).toContain('stream-busy');
    expect(holder.isOver).toBe(false);
    await holder.stop('SIGINT');
  });

  itNeeds(['ffmpeg', 'nginx'], 'that hangs refuses with origin-unavailable after the dial time', async () => {
    const nginx = await startNginx();
    const tap = await startTap(nginx.port);
    tap.freeze();
    const gateway = await startGateway({ origins: originAt(tap.port), limits: { dialTimeoutSeconds: 1 } });
    const ended = await publish(await makeSample(3), gateway.url(`live/cam?token=${token()}`)).ended;
    expect(ended.stderr).toContain('origin-unavailable');
    expect(ended.code).not.toBe(0);
  });

  itNeeds(
    ['ffmpeg', 'nginx'],
    'that goes away ends publisher and viewer at once, and takes the next when back',
    async () => {
      const nginx = await startNginx();
      const gateway = await startGateway({ origins: originAt(nginx.port) });
      const sample = await makeSample(13);
      const url = gateway.url(`live/cam?token=${token()}`);
      const publisher = publish(sample, url);
      await gateway.logs('session.start', { action: 'publish' });
      const player = play(url);
      await player.firstPacketMs();
      const stoppedMs = performance.now();
      await nginx.stop();
      const [published, played] = await Promise.all([publisher.ended, player.program.ended]);
      expect(performance.now() - stoppedMs).toBeLessThan(3000);
      expect([published.code === 0, played.signal]).toEqual([false, null]);
      await gateway.logs('session.end', { action: 'publish', reason: 'origin-closed' });
      await gateway.logs('session.end', { action: 'subscribe', reason: 'origin-closed' });

      await startNginx(nginx.port);
      const again = publish(sample, url);
      expect((await play(url).pictures(5)).video.length).toBeGreaterThanOrEqual(5);
      await again.stop('SIGINT');
    },
  );

  itNeeds(
    ['ffmpeg', 'nginx'],
    'connection that breaks ends the session with origin-closed or origin-error',
    async () => {
      const nginx = await startNginx();
      const tap = await startTap(nginx.port);
      const gateway = await startGateway({ origins: originAt(tap.port) });
      const publisher = publish(await makeSample(13), gateway.url(`live/cam?token=${token()}`));
      await gateway.logs('session.start', { action: 'publish' });
      tap.cut();
      expect((await publisher.ended).code).not.toBe(0);
      const line = await gateway.logs('session.end', { action: 'publish' });
      expect(line['reason']).toMatch(/^origin-(closed|error)$/);
    },
  );

  itNeeds(['ffmpeg', 'nginx'], 'is not connected to by anybody who is refused', async () => {
    const nginx = await startNginx();
    const tap = await startTap(nginx.port);
    const gateway = await startGateway({ origins: originAt(tap.port) });
    const forged = token({}, 'z'.repeat(40));
    await publish(await makeSample(3), gateway.url(`live/cam?token=${forged}`)).ended;
    await play(gateway.url(`live/cam?token=${forged}`)).program.ended;
    expect(tap.connections).toBe(0);
  });
});

describe('stopping the gateway', () => {
  itNeeds(
    ['ffmpeg', 'nginx'],
    'refuses new streams with draining, lets the running one finish, then exits with 0',
    async () => {
      const nginx = await startNginx();
      const gateway = await startGateway({ origins: originAt(nginx.port) });
      const running = publish(await makeSample(5), gateway.url(`live/cam?token=${token()}`));
      await gateway.logs('session.start', { action: 'publish' });
      gateway.program.send('SIGTERM');
      await gateway.program.says(/drain/);
      const late = await publish(await makeSample(3), gateway.url(`live/late?token=${token()}`)).ended;
      expect(late.stderr).toMatch(/draining|refused/);
      expect((await running.ended).code).toBe(0);
      expect((await gateway.program.ended).code).toBe(0);
    },
  );
});
