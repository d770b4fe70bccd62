import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { GatewayPage, startBrowser } from './peers/browser.js';
import { startGateway, type Gateway } from './peers/gateway.js';
import { startLossy } from './peers/lossy.js';
import { itNeeds, type Peer } from './peers/needs.js';
import { reachConnections, statsOf, type PageStats } from './peers/page-stats.js';
import { token } from './peers/tokens.js';
import { startWeriftOrigin } from './peers/werift-origin.js';

const NEEDED: readonly Peer[] = ['Chromium', 'werift'];
/** Small enough that two encoders' worth of work leaves a machine of two cores idle most of the time. */
const PICTURE = { scaleDown: 4, fps: 10 } as const;
const WINDOW_MS = 5000;

let origin: Awaited<ReturnType<typeof startWeriftOrigin>> | undefined;
let gateway: Gateway | undefined;

beforeAll(async () => {
  origin = await startWeriftOrigin();
});

afterAll(async () => {
  await gateway?.stop();
  origin?.stop();
});

/** Two pages that are live, by a gateway whose media port is `media`. */
async function startPages(media: Readonly<Record<string, unknown>>, stream: string) {
  await gateway?.stop();
  gateway = await startGateway({
    listen: { http: { host: '127.0.0.1', port: 0, pages: true }, media },
    origins: [{ name: 'werift', preset: 'embedded', http: `http://127.0.0.1:${origin?.port ?? 0}` }],
  });
  const browser = await startBrowser();
  await reachConnections(browser, PICTURE);
  const open = async (name: 'publish' | 'watch', claims: Readonly<Record<string, unknown>>) => {
    const page = await GatewayPage.open(browser, gateway?.web ?? '', name, { stream, token: token(claims) });
    if (name === 'publish') await page.choose('codec', 'video/VP8');
    await page.start();
    await page.says('live');
    return page;
  };
  const publisher = await open('publish', { roles: 'red5-publisher', 'red5-transport': 'WHIP' });
  const viewer = await open('watch', { roles: 'red5-subscriber', 'red5-transport': 'WHEP' });
  await viewer.grows('frames', 20);
  return { gateway, publisher, viewer };
}

/** Figures of both pages at the end of each of `windows`, and at the start. */
async function follow(publisher: GatewayPage, viewer: GatewayPage, windows: number) {
  const seen: { readonly sent: PageStats; readonly got: PageStats }[] = [];
  for (let at = 0; at <= windows; at++) {
    if (at > 0) await viewer.page.waitForTimeout(WINDOW_MS);
    seen.push({ sent: await statsOf(publisher.page), got: await statsOf(viewer.page) });
  }
  const steps = (of: (one: (typeof seen)[number]) => number) =>
    seen.slice(1).map((one, at) => of(one) - of(seen[at] ?? one));
  return {
    steps,
    total: (of: (one: (typeof seen)[number]) => number) => steps(of).reduce((sum, step) => sum + step, 0),
  };
}

describe('Chromium publishes and watches', () => {
  itNeeds(
    NEEDED,
    'for a minute without a freeze and without a lost packet',
    async () => {
      const { gateway, publisher, viewer } = await startPages({ host: '127.0.0.1', port: 0 }, 'live/minute');
      const { steps, total } = await follow(publisher, viewer, 12);
      const decoded = steps(({ got }) => got.video.frames);
      const seen = {
        decoded,
        encoded: total(({ sent }) => sent.video.frames),
        lost: total(({ sent, got }) => sent.video.lost + sent.audio.lost + got.video.lost + got.audio.lost),
        packets: total(({ got }) => got.video.packets + got.audio.packets),
        freezes: total(({ got }) => got.video.freezes),
        frozenS: total(({ got }) => got.video.frozenS),
      };
      expect(seen).toMatchObject({ lost: 0, freezes: 0 });
      // Half of what the publisher is asked for, in every five seconds.
      expect(Math.min(...decoded)).toBeGreaterThan((PICTURE.fps * WINDOW_MS) / 1000 / 2);
      expect(gateway.lines('session.end')).toEqual([]);
      expect([...publisher.problems, ...viewer.problems]).toEqual([]);
      await Promise.all([viewer.close(), publisher.close()]);
    },
    120_000,
  );

  itNeeds(
    NEEDED,
    'where 3 % is lost each way, and what is lost of the picture is sent again',
    async () => {
      const lossy = await startLossy();
      const media = { host: '127.0.0.1', port: lossy.port, publicAddresses: [lossy.host] };
      const { gateway, publisher, viewer } = await startPages(media, 'live/lossy');
      expect([lossy.toGateway.lost, lossy.toClient.lost]).toEqual([0, 0]);
      lossy.lose(0.03);
      const { steps, total } = await follow(publisher, viewer, 6);
      const decoded = steps(({ got }) => got.video.frames);
      const seen = {
        ...{ decoded, toGateway: lossy.toGateway, toClient: lossy.toClient },
        packets: total(({ got }) => got.video.packets),
        lost: total(({ got }) => got.video.lost),
        audio: total(({ got }) => got.audio.packets),
        audioLost: total(({ got }) => got.audio.lost),
        originAsked: total(({ sent }) => sent.video.nacks),
        resent: total(({ sent }) => sent.video.resent),
        viewerAsked: total(({ got }) => got.video.nacks),
        freezes: total(({ got }) => got.video.freezes),
      };
      for (const { passed, lost } of [lossy.toGateway, lossy.toClient]) {
        expect(lost).toBeGreaterThan(10);
        expect(lost / (lost + passed)).toBeGreaterThan(0.01);
      }
      expect(seen.resent).toBeGreaterThan(0);
      expect(seen.viewerAsked).toBeGreaterThan(0);
      expect(seen.lost / seen.packets).toBeLessThan(0.01);
      expect(Math.min(...decoded)).toBeGreaterThan((PICTURE.fps * WINDOW_MS) / 1000 / 2);
      expect(gateway.lines('session.end')).toEqual([]);
      await Promise.all([viewer.close(), publisher.close()]);
    },
    120_000,
  );
});
