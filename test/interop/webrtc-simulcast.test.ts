import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import type { Page } from 'playwright-core';
import { GatewayPage, startBrowser } from './peers/browser.js';
import { startGateway, type Gateway } from './peers/gateway.js';
import { itNeeds, type Peer } from './peers/needs.js';
import { startOriginTap, type OriginTap } from './peers/origin-tap.js';
import { token } from './peers/tokens.js';
import { startWeriftOrigin } from './peers/werift-origin.js';

const NEEDED: readonly Peer[] = ['Chromium', 'werift'];
const STREAM = 'live/room1/layers';

let origin: Awaited<ReturnType<typeof startWeriftOrigin>> | undefined;
let gateway: Gateway | undefined;
let tap: OriginTap | undefined;

beforeAll(async () => {
  origin = await startWeriftOrigin();
  tap = await startOriginTap(origin.port);
});

afterAll(async () => {
  await gateway?.stop();
  origin?.stop();
});

/** What the page of a publisher knows of its session. */
interface Published {
  readonly status: number;
  readonly offer: string;
  readonly answer: string;
}

/** What it has sent of one layer. */
interface Layer {
  readonly rid: string;
  readonly ssrc: number;
  readonly packets: number;
}

/** Publishes a picture that moves in three layers: the smallest of which Chromium makes three. Runs in a page of the gateway. */
function publishLayers(page: Page, text: string): Promise<Published> {
  return page.evaluate<Published>(`(async () => {
    const canvas = document.createElement('canvas');
    Object.assign(canvas, { width: 960, height: 540 });
    const brush = canvas.getContext('2d');
    let at = 0;
    setInterval(() => {
      brush.fillStyle = 'hsl(' + (at * 7 % 360) + ' 80% 50%)';
      brush.fillRect(0, 0, 960, 540);
      brush.fillStyle = '#fff';
      brush.fillRect(at++ * 11 % 900, 100, 60, 240);
    }, 125);
    const pc = (window.publisher = new RTCPeerConnection());
    const [track] = canvas.captureStream(8).getVideoTracks();
    pc.addTransceiver(track, {
      direction: 'sendonly',
      sendEncodings: [
        { rid: 'q', scaleResolutionDownBy: 4, maxBitrate: 80000 },
        { rid: 'h', scaleResolutionDownBy: 2, maxBitrate: 150000 },
        { rid: 'f', maxBitrate: 300000 },
      ],
    });
    await pc.setLocalDescription();
    const offer = pc.localDescription.sdp;
    const response = await fetch('/${STREAM}/whip', {
      method: 'POST',
      headers: { 'Content-Type': 'application/sdp', Authorization: 'Bearer ${text}' },
      body: offer,
    });
    const answer = await response.text();
    if (response.status === 201) {
      window.session = response.headers.get('Location');
      await pc.setRemoteDescription({ type: 'answer', sdp: answer });
    }
    return { status: response.status, offer, answer };
  })()`);
}

function layersOf(page: Page): Promise<readonly Layer[]> {
  return page.evaluate<readonly Layer[]>(`(async () => {
    const all = [...(await window.publisher.getStats()).values()].filter((one) => one.type === 'outbound-rtp');
    return all.map((one) => ({ rid: one.rid, ssrc: one.ssrc, packets: one.packetsSent }));
  })()`);
}

/** Waits until each layer has sent so many packets: the highest one starts when Chromium has found bandwidth enough. */
async function flowing(page: Page, packets: number): Promise<readonly Layer[]> {
  for (let tries = 0; tries < 60; tries++) {
    const layers = await layersOf(page);
    if (layers.length > 0 && layers.every((one) => one.packets >= packets)) return layers;
    await page.waitForTimeout(500);
  }
  throw new Error(`not all layers flow: ${JSON.stringify(await layersOf(page))}`);
}

/** The lines that an SFU goes by, in their order: all but ICE and addresses, which are each leg's own. */
function essence(sdp: string): readonly string[] {
  const own = /^(?:a=(?:candidate|end-of-candidates|ice-|rtcp:)|c=|m=|$)/;
  return sdp.split('\r\n').filter((line) => !own.test(line));
}

describe('Chromium publishes three layers', () => {
  itNeeds(
    NEEDED,
    'whose names pass unedited both ways, all of whose packets reach the origin, and one of which is watched',
    async () => {
      gateway = await startGateway({
        listen: { http: { host: '127.0.0.1', port: 0, pages: true }, media: { host: '127.0.0.1', port: 0 } },
        origins: [{ name: 'werift', preset: 'embedded', http: `http://127.0.0.1:${tap?.port ?? 0}` }],
      });
      const browser = await startBrowser();
      const page = await browser.newPage();
      await page.goto(`${gateway.web}/publish`);
      const published = await publishLayers(page, token({ roles: 'red5-publisher', 'red5-transport': 'WHIP' }));
      expect(published).toMatchObject({ status: 201 });
      const [exchange] = tap?.exchanges ?? [];
      expect(essence(exchange?.offer ?? '')).toEqual(essence(published.offer));
      expect(essence(published.answer)).toEqual(essence(exchange?.answer ?? ''));
      const names = (sdp: string) => sdp.split('\r\n').filter((line) => /^a=(?:rid|simulcast):/.test(line));
      expect(names(exchange?.offer ?? '')).toEqual([
        ...['q', 'h', 'f'].map((rid) => `a=rid:${rid} send`),
        'a=simulcast:send q;h;f',
      ]);
      expect(names(published.answer).map((line) => line.trim())).toEqual([
        ...['q', 'h', 'f'].map((rid) => `a=rid:${rid} recv`),
        'a=simulcast:recv q;h;f',
      ]);

      const viewer = await GatewayPage.open(browser, gateway.web, 'watch', {
        stream: STREAM,
        token: token({ roles: 'red5-subscriber', 'red5-transport': 'WHEP' }),
      });
      await viewer.start();
      await viewer.says('live');
      expect(await viewer.grows('frames', 60)).toBeGreaterThan(60);

      const sent = await flowing(page, 30);
      expect(sent.map(({ rid }) => rid).sort()).toEqual(['f', 'h', 'q']);
      const arrived = exchange?.rtp ?? new Map<number, number>();
      for (const { ssrc, packets } of sent) {
        expect(packets).toBeGreaterThanOrEqual(30);
        // What was sent while the figures were fetched has come on top.
        expect(arrived.get(ssrc) ?? 0).toBeGreaterThanOrEqual(packets);
      }
      const deleted = await page.evaluate<number>(
        `fetch(window.session, { method: 'DELETE' }).then(({ status }) => status)`,
      );
      expect(deleted).toBe(200);
      await gateway.logs('session.end', { path: STREAM, action: 'publish', reason: 'client-finished' });
      await Promise.all([viewer.close(), page.close()]);
    },
    90_000,
  );
});
