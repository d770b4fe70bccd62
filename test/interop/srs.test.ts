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
  webRound,
} from './peers/outside.js';
import { token } from './peers/tokens.js';

// An SRS that somebody has started; docs/interop.md says with what config.
const RTMP: readonly Peer[] = ['ffmpeg', 'INTEROP_SRS_RTMP'];
const HTTP: readonly Peer[] = ['Chromium', 'INTEROP_SRS_HTTP'];

const addresses = {
  ...(isHere('INTEROP_SRS_RTMP') && { rtmp: addressOf('INTEROP_SRS_RTMP') }),
  ...(isHere('INTEROP_SRS_HTTP') && { http: addressOf('INTEROP_SRS_HTTP') }),
};
/** The same by hand, for a server that has no preset. */
const byHand = { preset: 'generic', endpoint: '/rtc/v1/{transport}/?app={scope}&stream={name}' };

describe.each([
  ['the preset srs', { preset: 'srs' }],
  ['the preset generic', byHand],
])('SRS, by %s', (_name, manners) => {
  let gateway: Gateway | undefined;
  const at = (path: string) => `live/${manners.preset}/${path}`;

  beforeAll(async () => {
    if (Object.keys(addresses).length > 0) gateway = await gatewayBefore({ ...manners, ...addresses });
  });

  itNeeds(RTMP, 'relays RTMP byte for byte, rooms and all', () => rtmpRound(gateway!, at('room1/rtmp')));

  itNeeds(RTMP, 'has the name of a killed RTMP publisher free at once', () => killedRound(gateway!, at('killed')));

  itNeeds(RTMP, 'refuses a name in use', async () => {
    const sample = await makeSample(10);
    const url = `${addressOf('INTEROP_SRS_RTMP')}/${at('busy')}`;
    const holder = publish(sample, url);
    await play(url).pictures(1);
    const ended = await publish(sample, gateway!.url(`${at('busy')}?token=${token()}`)).ended;
    expect(ended.stderr).toMatch(/stream-busy|origin-refused/);
    expect([ended.code === 0, holder.isOver]).toEqual([false, false]);
    await holder.stop('SIGINT');
  });

  itNeeds(RTMP, 'keeps a viewer waiting until somebody publishes', async () => {
    const url = gateway!.url(`${at('waited')}?token=${token()}`);
    const player = play(url);
    await gateway!.logs('session.start', { path: at('waited'), action: 'subscribe' });
    const publisher = publish(await makeSample(10), url);
    expect((await player.pictures(10)).video.length).toBeGreaterThanOrEqual(10);
    await publisher.stop('SIGINT');
  });

  itNeeds(
    HTTP,
    'relays WHIP and WHEP in H.264, with goodbyes to both',
    () => webRound(gateway!, at('room1/web'), 'video/H264'),
    120_000,
  );

  itNeeds(HTTP, 'goes on when publisher and viewer restart their ICE, of which it never hears', () =>
    restartRound(gateway!, at('restarted'), 'video/H264'),
  );

  itNeeds([...RTMP, ...HTTP], 'shows by RTMP what came by WHIP', async () => {
    const page = await livePage(gateway!, 'publish', at('both'), 'video/H264');
    // A player that comes within the first moments makes SRS 7 hold two streams of that name, one of them silent.
    await page.grows('frames', 60);
    const { video } = await watch(gateway!.url(`${at('both')}?token=${token()}`)).pictures(30);
    expect(video.length).toBeGreaterThanOrEqual(30);
    await page.stop();
    await page.close();
  });

  itNeeds(RTMP, 'keeps the name of a stream whose token is passed on', async () => {
    const forwarding = await gatewayBefore({ ...manners, ...addresses, credentials: { mode: 'forward' } });
    const url = forwarding.url(`${at('lent')}?token=${token()}`);
    const publisher = publish(await makeSample(10), url);
    await published(forwarding, at('lent'));
    await play(`${addressOf('INTEROP_SRS_RTMP')}/${at('lent')}`).pictures(10);
    expect((await play(url).pictures(10)).video.length).toBeGreaterThanOrEqual(10);
    await publisher.stop('SIGINT');
    await forwarding.stop();
  });
});
