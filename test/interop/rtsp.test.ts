import { describe, expect } from '@jest/globals';
import { makeCertificate } from './peers/certificate.js';
import { makeSample, packetsOf, watch } from './peers/ffmpeg.js';
import { itNeeds } from './peers/needs.js';
import { isStretchOf, readPackets, timeFaults } from './peers/packets.js';
import { run, start } from './peers/program.js';
import {
  decodedPictures,
  gstPlayRtsp,
  gstPublishRtsp,
  picturesOf,
  publishRtsp,
  someoneListens,
  startGstServer,
  startRelay,
  startRtspGateway,
} from './peers/rtsp.js';
import { token } from './peers/tokens.js';

const publisher = () => token({ roles: 'red5-publisher', 'red5-transport': 'RTSP' });
const viewer = () => token({ roles: 'red5-subscriber', 'red5-transport': 'RTSP' });
/** Pictures until a player that came in the middle has seen its first key frame. */
const SETTLING = 30;
const by = (transport: string) => ['-rtsp_transport', transport];

describe('ffmpeg through the gateway and the embedded origin', () => {
  itNeeds(
    ['ffmpeg'],
    'publishes for half a minute by TCP and by UDP, and is played by TCP and by UDP without a loss',
    async () => {
      const gateway = await startRtspGateway(await startRelay());
      const sample = await makeSample(33);
      for (const way of ['tcp', 'udp'] as const)
        publishRtsp(sample, `${gateway.rtsp(`live/${way}`)}?token=${publisher()}`, way);
      await Promise.all(
        ['tcp', 'udp'].map((way) => gateway.logs('session.start', { action: 'publish', path: `live/${way}` })),
      );
      const pairs = ['tcp', 'udp'].flatMap((from) => ['tcp', 'udp'].map((to) => [from, to] as const));
      const players = pairs.map(([from, to]) => watch(`${gateway.rtsp(`live/${from}`)}?token=${viewer()}`, by(to)));
      const played = await Promise.all(players.map((player) => player.pictures(700, 45_000)));
      const whole = await decodedPictures(sample);
      played.forEach(({ video }, index) => {
        const [from = '', to = ''] = pairs[index] ?? [];
        const isIntact = isStretchOf(video.slice(SETTLING), whole);
        expect([from, to, isIntact, timeFaults(video, 0)]).toEqual([from, to, true, []]);
      });
    },
    90_000,
  );

  itNeeds(['ffmpeg'], 'shows its token as a password, and loses no track', async () => {
    const gateway = await startRtspGateway(await startRelay());
    const sample = await makeSample(13);
    const url = (path: string, text: string) => gateway.rtsp(path).replace('rtsp://', `rtsp://user:${text}@`);
    publishRtsp(sample, `${gateway.rtsp('live/cam')}?token=${publisher()}`, 'tcp');
    await gateway.logs('session.start', { action: 'publish' });
    // ffmpeg cuts passwords at 127 characters: that is told, and refused.
    const cut = await run('ffmpeg', [
      '-loglevel',
      'error',
      ...by('tcp'),
      '-i',
      url('live/cam', viewer()),
      '-f',
      'null',
      '-',
    ]);
    expect(cut.stderr).toContain('401');
    await gateway.logs('session.note', { note: 'token-cut-off' });
  });

  itNeeds(['ffmpeg'], 'is told the code of a refusal', async () => {
    const gateway = await startRtspGateway(await startRelay());
    const sample = await makeSample(13);
    const ended = await publishRtsp(sample, `${gateway.rtsp('live/cam')}?token=${viewer()}`, 'tcp').ended;
    expect([ended.code, ended.stderr]).toEqual([1, expect.stringContaining('403 role-denied')]);
    const missing = await publishRtsp(sample, gateway.rtsp('live/cam'), 'tcp').ended;
    expect(missing.stderr).toContain('401 token-missing');
  });

  itNeeds(['ffmpeg'], 'falls back to TCP where UDP is off', async () => {
    const gateway = await startRtspGateway(await startRelay(), { listen: { rtsp: { host: '127.0.0.1', port: 0 } } });
    const sample = await makeSample(13);
    const args = ['-loglevel', 'warning', '-re', '-i', sample.file, '-c', 'copy', '-f', 'rtsp'];
    start('ffmpeg', [...args, `${gateway.rtsp('live/cam')}?token=${publisher()}`]);
    await gateway.logs('session.start', { action: 'publish' });
    const { video } = await watch(`${gateway.rtsp('live/cam')}?token=${viewer()}`).pictures(75);
    expect(timeFaults(video, 0)).toEqual([]);
  });

  itNeeds(['ffmpeg', 'openssl'], 'publishes and plays inside TLS', async () => {
    const { cert, key } = await makeCertificate();
    const gateway = await startRtspGateway(await startRelay(), {
      listen: { rtsps: { host: '127.0.0.1', port: 0 } },
      tls: { certificates: [{ cert: { file: cert }, key: { file: key } }] },
    });
    const sample = await makeSample(13);
    const url = `rtsps://127.0.0.1:${gateway.rtspsPort}/live/cam`;
    publishRtsp(sample, `${url}?token=${publisher()}`, 'tcp');
    await gateway.logs('session.start', { action: 'publish', path: 'live/cam' });
    const { video } = await watch(`${url}?token=${viewer()}`, by('tcp')).pictures(150);
    expect(isStretchOf(video.slice(SETTLING), await decodedPictures(sample))).toBe(true);
  });

  itNeeds(['ffmpeg'], 'publishes to another ffmpeg that listens', async () => {
    const port = 23_000 + (process.pid % 2000);
    const input = ['-loglevel', 'error', '-rtsp_flags', 'listen', '-i', `rtsp://127.0.0.1:${port}/live/cam`];
    const listening = start('ffmpeg', [...input, '-map', '0:v', '-fps_mode', 'passthrough', '-f', 'framecrc', '-']);
    const gateway = await startRtspGateway(port);
    const sample = await makeSample(13);
    await someoneListens(port);
    const publishing = publishRtsp(sample, `${gateway.rtsp('live/cam')}?token=${publisher()}`, 'tcp');
    expect((await publishing.ended).code).toBe(0);
    const { stdout } = await listening.ended;
    expect(readPackets(stdout).length).toBeGreaterThanOrEqual(320);
  });
});

describe('GStreamer', () => {
  itNeeds(['GStreamer for RTSP'], 'publishes by TCP and UDP, and plays by TCP and UDP', async () => {
    const gateway = await startRtspGateway(await startRelay());
    for (const way of ['tcp', 'udp'] as const)
      gstPublishRtsp(`${gateway.rtsp(`live/${way}`)}?token=${publisher()}`, 20, way);
    await Promise.all(
      ['tcp', 'udp'].map((way) => gateway.logs('session.start', { action: 'publish', path: `live/${way}` })),
    );
    const players = (['tcp', 'udp'] as const).flatMap((from) =>
      (['tcp', 'udp'] as const).map((to) => gstPlayRtsp(`${gateway.rtsp(`live/${from}`)}?token=${viewer()}`, to)),
    );
    for (const player of players)
      await player.until('150 pictures', () => (picturesOf(player) >= 150 ? true : undefined));
  });
});

describe("GStreamer's RTSP server as the origin", () => {
  itNeeds(['ffmpeg', "GStreamer's RTSP server"], 'shows its stream and takes one', async () => {
    const origin = await startGstServer();
    const gateway = await startRtspGateway(origin.port);
    const { video } = await watch(`${gateway.rtsp('live/play')}?token=${viewer()}`, by('udp')).pictures(100);
    expect(timeFaults(video, 0)).toEqual([]);
    const publishing = gstPublishRtsp(`${gateway.rtsp('live/record')}?token=${publisher()}`, 6, 'tcp');
    await publishing.ended;
    await origin.program.stop();
    expect((await packetsOf(origin.file)).length).toBeGreaterThan(140);
  });

  for (const auth of ['basic', 'digest'] as const) {
    itNeeds(['ffmpeg', "GStreamer's RTSP server"], `is answered when it asks for credentials by ${auth}`, async () => {
      const origin = await startGstServer(auth);
      process.env['INNER_PASSWORD'] = 'secret-of-the-origin';
      const credentials = {
        mode: 'static',
        placement: 'arguments',
        username: 'inner',
        password: { env: 'INNER_PASSWORD' },
      };
      const gateway = await startRtspGateway(origin.port, { origin: { credentials } });
      const { video } = await watch(`${gateway.rtsp('live/play')}?token=${viewer()}`, by('tcp')).pictures(50);
      expect(timeFaults(video, 0)).toEqual([]);
      expect(gateway.program.output).not.toContain('secret-of-the-origin');
    });
  }
});
