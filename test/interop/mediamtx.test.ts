import { beforeAll, describe, expect } from '@jest/globals';
import { makeSample, play, publish, watch } from './peers/ffmpeg.js';
import type { Gateway } from './peers/gateway.js';
import { isHere, itNeeds, type Peer } from './peers/needs.js';
import {
  addressOf,
  gatewayBefore,
  killedRound,
  livePage,
  published,
  restartRound,
  rtmpRound,
  shows,
  webRound,
} from './peers/outside.js';
import { publishRtsp } from './peers/rtsp.js';
import { token } from './peers/tokens.js';

// A MediaMTX that somebody has started; docs/interop.md says with what config.
const RTMP: readonly Peer[] = ['ffmpeg', 'INTEROP_MEDIAMTX_RTMP'];
const RTSP: readonly Peer[] = ['ffmpeg', 'INTEROP_MEDIAMTX_RTSP'];
const HTTP: readonly Peer[] = ['Chromium', 'INTEROP_MEDIAMTX_HTTP'];

const addresses = {
  ...(isHere('INTEROP_MEDIAMTX_RTMP') && { rtmp: addressOf('INTEROP_MEDIAMTX_RTMP') }),
  ...(isHere('INTEROP_MEDIAMTX_RTSP') && { rtsp: addressOf('INTEROP_MEDIAMTX_RTSP') }),
  ...(isHere('INTEROP_MEDIAMTX_HTTP') && { http: addressOf('INTEROP_MEDIAMTX_HTTP') }),
};
/** The login of its paths below `guarded/`. */
const login = { mode: 'static', username: 'origin', password: { value: 'secret-of-the-origin' } };

describe.each(['mediamtx', 'generic'])('MediaMTX, by the preset %s', (preset) => {
  let gateway: Gateway | undefined;
  const at = (path: string) => `live/${preset}/${path}`;
  const rtsp = (path: string) => `rtsp://127.0.0.1:${gateway!.rtspPort}/${path}?token=${token()}`;

  beforeAll(async () => {
    if (Object.keys(addresses).length > 0) gateway = await gatewayBefore({ preset, ...addresses });
  });

  itNeeds(RTMP, 'relays RTMP picture for picture, rooms and all', () => rtmpRound(gateway!, at('room1/rtmp'), true));

  itNeeds(RTMP, 'has the name of a killed RTMP publisher free at once', () =>
    killedRound(gateway!, `single/${preset}/killed`),
  );

  itNeeds(
    RTMP,
    'says yes to a name in use and then closes, where it is told to keep the first: origin-closed',
    async () => {
      const sample = await makeSample(10);
      const url = gateway!.url(`single/${preset}/busy?token=${token()}`);
      const holder = publish(sample, `${addressOf('INTEROP_MEDIAMTX_RTMP')}/single/${preset}/busy`);
      await shows(() => play(`${addressOf('INTEROP_MEDIAMTX_RTMP')}/single/${preset}/busy`).program);
      const ended = await publish(sample, url).ended;
      expect(ended.stderr).toContain('origin-closed');
      expect([ended.code === 0, holder.isOver]).toEqual([false, false]);
      await holder.stop('SIGINT');
    },
  );

  itNeeds(RTSP, 'relays RTSP, and gives a killed publisher’s name away at once', async () => {
    const sample = await makeSample(10);
    const path = `single/${preset}/rtsp`;
    const killed = publishRtsp(sample, rtsp(path), 'tcp');
    await published(gateway!, path);
    await watch(rtsp(path), ['-rtsp_transport', 'tcp']).pictures(25);
    await killed.stop('SIGKILL');
    const next = publishRtsp(sample, rtsp(path), 'tcp');
    await published(gateway!, path, 2);
    await watch(rtsp(path), ['-rtsp_transport', 'tcp']).pictures(25);
    await next.stop('SIGINT');
    await gateway!.logs('session.end', { path, action: 'publish', reason: 'client-finished' });
  });

  itNeeds([...RTMP, ...RTSP], 'shows by RTSP what came by RTMP', async () => {
    const publisher = publish(await makeSample(10), gateway!.url(`${at('both')}?token=${token()}`));
    await published(gateway!, at('both'));
    await shows(() => watch(rtsp(at('both')), ['-rtsp_transport', 'tcp']).program);
    await watch(rtsp(at('both')), ['-rtsp_transport', 'tcp']).pictures(25);
    await publisher.stop('SIGINT');
  });

  itNeeds(RTSP, 'that has no such stream shows as origin-refused, or 404', async () => {
    const ended = await watch(rtsp(at('nobody')), ['-rtsp_transport', 'tcp']).program.ended;
    expect(ended.stderr).toMatch(/404|50[23]/);
  });

  for (const codec of ['video/VP8', 'video/H264'])
    itNeeds(
      HTTP,
      `relays WHIP and WHEP in ${codec}, with goodbyes to both`,
      () => webRound(gateway!, at(`room1/${codec.slice('video/'.length)}`), codec),
      120_000,
    );

  itNeeds(HTTP, 'goes on when publisher and viewer restart their ICE by PATCH', () =>
    restartRound(gateway!, at('restarted'), 'video/VP8'),
  );

  itNeeds(HTTP, 'has no viewer where nobody publishes, and says so', async () => {
    const answer = await fetch(`${gateway!.web}/${at('empty')}/whep`, {
      method: 'POST',
      headers: { 'content-type': 'application/sdp', authorization: `Bearer ${token()}` },
      body: 'v=0\r\n',
    });
    expect(answer.status).toBeGreaterThanOrEqual(400);
  });

  itNeeds([...RTSP, ...HTTP], 'takes the login of the config by RTSP and WHIP', async () => {
    const guarded = await gatewayBefore({ preset, ...addresses, credentials: login });
    const path = `guarded/${preset}/web`;
    const publisher = await livePage(guarded, 'publish', path, 'video/H264');
    const viewer = await livePage(guarded, 'watch', path);
    await viewer.grows('frames', 20);
    await Promise.all([viewer.stop(), publisher.stop()]);
    await Promise.all([viewer.close(), publisher.close()]);
    const url = `rtsp://127.0.0.1:${guarded.rtspPort}/guarded/${preset}/rtsp?token=${token()}`;
    const pushed = publishRtsp(await makeSample(10), url, 'tcp');
    await published(guarded, `guarded/${preset}/rtsp`);
    await watch(url, ['-rtsp_transport', 'tcp']).pictures(10);
    await pushed.stop('SIGINT');
    const refused = publishRtsp(await makeSample(3), rtsp(`guarded/${preset}/rtsp`), 'tcp');
    expect((await refused.ended).code).not.toBe(0);
    await guarded.stop();
  });

  itNeeds(
    RTMP,
    preset === 'mediamtx'
      ? 'takes the login of the config by RTMP, each stream by its own name'
      : 'knows no login of the config by RTMP',
    async () => {
      const guarded = await gatewayBefore({ preset, ...addresses, credentials: login });
      const url = guarded.url(`guarded/${preset}/refused?token=${token()}`);
      if (preset === 'mediamtx') await rtmpRound(guarded, `guarded/${preset}/rtmp`, true);
      else expect((await publish(await makeSample(3), url).ended).stderr).toContain('origin-refused');
      await guarded.stop();
    },
  );
});
