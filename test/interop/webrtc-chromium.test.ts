import { createServer, request as passOn } from 'node:http';
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import type { BrowserContext } from 'playwright-core';
import { GatewayPage, startBrowser } from './peers/browser.js';
import { startDev } from './peers/dev.js';
import { startGateway, type Gateway } from './peers/gateway.js';
import { itNeeds, type Peer } from './peers/needs.js';
import { nowS, token } from './peers/tokens.js';
import { startWeriftOrigin } from './peers/werift-origin.js';

const NEEDED: readonly Peer[] = ['Chromium', 'werift'];
const LISTEN = { http: { host: '127.0.0.1', port: 0, pages: true }, media: { host: '127.0.0.1', port: 0 } } as const;

let browser: BrowserContext | undefined;
let origin: Awaited<ReturnType<typeof startWeriftOrigin>> | undefined;
const gateways: Gateway[] = [];

beforeAll(async () => {
  origin = await startWeriftOrigin();
});

afterAll(async () => {
  await Promise.all(gateways.map((gateway) => gateway.stop()));
  origin?.stop();
});

async function start(
  media: 'relay' | 'direct' = 'relay',
  more: Readonly<Record<string, unknown>> = {},
): Promise<Gateway> {
  const gateway = await startGateway({
    listen: LISTEN,
    origins: [{ name: 'werift', preset: 'embedded', http: `http://127.0.0.1:${origin?.port ?? 0}`, media }],
    ...more,
  });
  gateways.push(gateway);
  return gateway;
}

async function open(
  gateway: Gateway,
  name: 'publish' | 'watch',
  stream: string,
  claims: Readonly<Record<string, unknown>> | null = {},
): Promise<GatewayPage> {
  browser ??= await startBrowser();
  return GatewayPage.open(browser, gateway.web, name, { stream, ...(claims && { token: token(claims) }) });
}

/** A publisher that is live. */
async function publish(gateway: Gateway, stream: string, codec = ''): Promise<GatewayPage> {
  const page = await open(gateway, 'publish', stream, { roles: 'red5-publisher', 'red5-transport': 'WHIP' });
  await page.choose('codec', codec);
  await page.start();
  await page.says('live');
  return page;
}

/** A viewer that sees frames. */
async function watch(gateway: Gateway, stream: string): Promise<GatewayPage> {
  const page = await open(gateway, 'watch', stream, { roles: 'red5-subscriber', 'red5-transport': 'WHEP' });
  await page.start();
  await page.says('live');
  return page;
}

describe.each(['relay', 'direct'] as const)('two pages of Chromium, with media by %s', (media) => {
  itNeeds(
    NEEDED,
    'publish and watch in VP8, H.264 and AV1 with Opus',
    async () => {
      const gateway = await start(media);
      for (const [index, codec] of ['video/VP8', 'video/H264', 'video/AV1'].entries()) {
        const stream = `live/room1/cam${index}`;
        const publisher = await publish(gateway, stream, codec);
        const viewer = await watch(gateway, stream);
        expect(await viewer.grows('frames', 45)).toBeGreaterThan(45);
        expect(await viewer.grows('bytes', 100_000)).toBeGreaterThan(100_000);
        expect((await viewer.text('codecs')).toLowerCase()).toContain(codec.slice('video/'.length).toLowerCase());
        expect(await viewer.text('codecs')).toContain('opus');
        expect([...publisher.problems, ...viewer.problems]).toEqual([]);
        await viewer.stop();
        await publisher.stop();
        await gateway.logs('session.end', { path: stream, action: 'publish', reason: 'client-finished' });
        await gateway.logs('session.end', { path: stream, action: 'subscribe', reason: 'client-finished' });
        await Promise.all([viewer.close(), publisher.close()]);
      }
    },
    120_000,
  );
});

describe('a person', () => {
  itNeeds(NEEDED, 'is told why a request was refused', async () => {
    const gateway = await start();
    const cases = [
      [null, 'token-missing'],
      [{ roles: 'red5-subscriber' }, 'role-denied'],
      [{ 'red5-transport': 'RTMP' }, 'transport-denied'],
      [{ 'red5-room': 'lobby' }, 'room-denied'],
      [{ exp: nowS(-60) }, 'token-expired'],
    ] as const;
    for (const [claims, code] of cases) {
      const page = await open(gateway, 'publish', 'live/room1/cam', claims);
      await page.start();
      await page.says('refused');
      expect(await page.text('problem')).toContain(code);
      await page.close();
    }
    const wrong = await open(gateway, 'publish', 'cam');
    await wrong.start();
    await wrong.says('refused');
    expect(await wrong.text('problem')).toContain('path-invalid');
    await wrong.close();
  });

  itNeeds(NEEDED, 'finds no token in the address', async () => {
    const page = await open(await start(), 'watch', 'live/cam');
    expect(page.page.url()).not.toMatch(/token|eyJ/);
    await page.close();
  });

  itNeeds(NEEDED, 'who is too early waits for the stream', async () => {
    const gateway = await start();
    const viewer = await open(gateway, 'watch', 'live/early');
    await viewer.start();
    await viewer.says('waiting');
    const publisher = await publish(gateway, 'live/early', 'video/VP8');
    await viewer.says('live');
    await viewer.grows('frames', 20);
    await Promise.all([viewer.close(), publisher.close()]);
  });

  itNeeds(NEEDED, 'publishes a camera', async () => {
    const gateway = await start();
    const page = await open(gateway, 'publish', 'live/camera');
    await page.choose('source', 'camera');
    await page.start();
    await page.says('live');
    await page.grows('frames', 20);
    await page.close();
  });

  itNeeds(NEEDED, 'who loads the page again can publish at once', async () => {
    const gateway = await start();
    const publisher = await publish(gateway, 'live/again', 'video/VP8');
    await publisher.page.reload();
    await gateway.logs('session.end', { path: 'live/again', reason: 'client-finished' });
    await publisher.page.fill('#token', token());
    await publisher.start();
    await publisher.says('live');
    await publisher.close();
  });
});

describe('a reverse proxy that cuts its prefix off', () => {
  itNeeds(NEEDED, 'leaves pages and sessions where they can be found', async () => {
    const passed: string[] = [];
    let gatewayPort = 0;
    const proxy = createServer((request, response) => {
      const path = request.url?.replace(/^\/edge/, '') ?? '';
      passed.push(`${request.method ?? ''} ${path.replace(/[\w-]{32}$/, '…')}`);
      const { method, headers } = request;
      const onward = passOn({ host: '127.0.0.1', port: gatewayPort, method, path, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
        answer.pipe(response);
      });
      request.pipe(onward);
    });
    await new Promise<void>((done) => proxy.listen(0, '127.0.0.1', done));
    const base = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}/edge`;
    const gateway = await start('relay', { listen: { ...LISTEN, http: { ...LISTEN.http, publicUrl: base } } });
    gatewayPort = Number(new URL(gateway.web).port);
    const publisher = await publish({ ...gateway, web: base }, 'live/room1/behind', 'video/VP8');
    await publisher.grows('frames', 20);
    await publisher.stop();
    await gateway.logs('session.end', { path: 'live/room1/behind', reason: 'client-finished' });
    expect(passed).toEqual(expect.arrayContaining(['POST /live/room1/behind/whip', 'DELETE /session/…']));
    expect(publisher.problems).toEqual([]);
    await publisher.close();
    proxy.closeAllConnections();
    proxy.close();
  });
});

/** An address that Chromium has a candidate for; its own of loopback it keeps to itself. */
const address6 = Object.values(networkInterfaces())
  .flat()
  .find((one) => one?.family === 'IPv6' && !one.internal && one.scopeid === 0)?.address;

(address6 === undefined ? describe.skip : describe)('where there is nothing but IPv6', () => {
  itNeeds(NEEDED, 'pages publish and watch', async () => {
    const listen = {
      http: { host: '::1', port: 0, pages: true },
      media: { host: '::', port: 0, publicAddresses: [address6] },
    };
    const gateway = await start('relay', { listen });
    const web = `http://[::1]:${new URL(gateway.web).port}`;
    const publisher = await publish({ ...gateway, web }, 'live/six', 'video/VP8');
    const viewer = await watch({ ...gateway, web }, 'live/six');
    expect(await viewer.grows('frames', 20)).toBeGreaterThan(0);
    await Promise.all([viewer.close(), publisher.close()]);
  });
});

describe('portcullis dev', () => {
  itNeeds([...NEEDED, 'node-media-server'], 'prints addresses of pages that work when they are opened', async () => {
    const dev = await startDev();
    const urls = [...dev.program.stdout.matchAll(/^ {2}(?:publish|watch) +(http:\S+)$/gm)].map(([, url]) => url ?? '');
    browser ??= await startBrowser();
    const [publisher, viewer] = await Promise.all(urls.map((url) => GatewayPage.at(browser!, url)));
    await publisher?.start();
    await publisher?.says('live');
    await viewer?.start();
    await viewer?.says('live');
    expect(await viewer?.grows('frames', 20)).toBeGreaterThan(0);
    await Promise.all([publisher?.close(), viewer?.close()]);
    expect(await dev.stop()).toBe(0);
  });
});

describe('the connection of a page', () => {
  itNeeds(NEEDED, 'finds a new way without a gap that anybody hears of', async () => {
    const gateway = await start();
    const publisher = await publish(gateway, 'live/roam', 'video/VP8');
    const viewer = await watch(gateway, 'live/roam');
    await viewer.grows('frames', 20);
    for (const { page } of [publisher, viewer, publisher]) {
      const restarted = page.waitForResponse(
        (answer) => answer.request().method() === 'PATCH' && answer.status() === 200,
      );
      // What a phone says when it has changed its network.
      await page.evaluate("dispatchEvent(new Event('online'))");
      const answer = await restarted;
      expect(answer.headers()['etag']).toMatch(/^"/);
      await viewer.grows('frames', 40);
      await publisher.says('live');
    }
    expect(gateway.lines('session.end')).toEqual([]);
    await Promise.all([viewer.close(), publisher.close()]);
  });

  itNeeds(
    NEEDED,
    'that ends without a word frees the name, and the viewer is told within half a minute',
    async () => {
      const gateway = await start();
      const publisher = await publish(gateway, 'live/killed', 'video/VP8');
      const viewer = await watch(gateway, 'live/killed');
      await viewer.grows('frames', 20);
      const killedMs = performance.now();
      void publisher.page.goto('chrome://crash').catch(() => undefined);
      const ended = await gateway.program.until(
        'the end of the publisher',
        () => gateway.lines('session.end').find((line) => line['action'] === 'publish'),
        45_000,
      );
      expect(ended['reason']).toBe('media-idle');
      await viewer.says('ended', 10_000);
      const toldS = (performance.now() - killedMs) / 1000;
      expect(toldS).toBeGreaterThan(20);
      // A machine that is busy with other tests gets one second more.
      expect(toldS).toBeLessThan(31);
      const next = await publish(gateway, 'live/killed', 'video/VP8');
      await Promise.all([viewer.close(), next.close()]);
    },
    150_000,
  );

  itNeeds(NEEDED, 'of a viewer ends within seconds when the publisher leaves, and when the origin dies', async () => {
    const mortal = await startWeriftOrigin();
    const gateway = await start('relay', {
      origins: [{ name: 'mortal', preset: 'embedded', http: `http://127.0.0.1:${mortal.port}` }],
    });
    for (const end of ['publisher', 'origin'] as const) {
      const stream = `live/until-${end}`;
      const publisher = await publish(gateway, stream, 'video/VP8');
      const viewer = await watch(gateway, stream);
      await viewer.grows('frames', 20);
      const endedMs = performance.now();
      if (end === 'publisher') await publisher.stop();
      else mortal.stop();
      const line = await gateway.logs('session.end', { path: stream, action: 'subscribe' });
      const noticedMs = performance.now() - endedMs;
      expect(line['reason']).toBe('origin-error');
      expect(noticedMs).toBeLessThan(3000);
      await viewer.says('ended', 6000);
      if (end === 'origin') await gateway.logs('session.end', { path: stream, action: 'publish' });
      await Promise.all([viewer.close(), publisher.close()]);
    }
  });

  itNeeds(NEEDED, 'is cut with its token where the config says so', async () => {
    const gateway = await start('relay', { auth: { onExpiry: 'close' } });
    const page = await open(gateway, 'publish', 'live/short', { exp: nowS(8) });
    await page.choose('codec', 'video/VP8');
    await page.start();
    await page.says('live');
    await gateway.logs('session.end', { path: 'live/short', reason: 'expired' });
    // The gateway answers checks with a no, so that it takes seconds and not half a minute.
    await page.says('ended', 6000);
    expect(await page.text('problem')).toContain('ended');
    await page.close();
  });
});
