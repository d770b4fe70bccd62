import { createServer } from 'node:http';
import { connect, createServer as createTcpServer, type AddressInfo, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect } from '@jest/globals';
import type { BrowserContext, Frame, Page } from 'playwright-core';
import { becomes, GatewayPage, problemsOf, startBrowser } from './peers/browser.js';
import { makeSample, publish as publishFile } from './peers/ffmpeg.js';
import { startGateway, type Gateway } from './peers/gateway.js';
import { isHere, itNeeds, type Peer } from './peers/needs.js';
import { startNginx, type Nginx } from './peers/nginx.js';
import { folder } from './peers/place.js';
import type { Program } from './peers/program.js';
import { token } from './peers/tokens.js';
import { startWeriftOrigin } from './peers/werift-origin.js';

const NEEDED: readonly Peer[] = ['Chromium', 'werift'];
const ADMIN_TOKEN = 'the-admin-token-of-the-wall-test';
const SECONDS = 90;
const shots = process.env['DASHBOARD_SHOTS'] ?? folder;

let browser: BrowserContext | undefined;
let origin: Awaited<ReturnType<typeof startWeriftOrigin>> | undefined;
let nginx: Nginx | undefined;
const gateways: Gateway[] = [];
const servers: Server[] = [];

beforeAll(async () => {
  origin = await startWeriftOrigin();
  if (isHere('nginx')) nginx = await startNginx();
  process.env['INTEROP_ADMIN_TOKEN'] = ADMIN_TOKEN;
});

afterEach(async () => {
  // The first keeps the browser alive.
  await Promise.all((browser?.pages() ?? []).slice(1).map((page) => page.close()));
  for (const server of servers.splice(0)) server.close();
});

afterAll(async () => {
  await Promise.all(gateways.map((gateway) => gateway.stop()));
  origin?.stop();
  await nginx?.stop();
});

interface Parts {
  /** Where the origins take RTMP. */
  readonly rtmp?: string;
  readonly media?: 'relay' | 'direct';
  readonly admin?: Readonly<Record<string, unknown>>;
  readonly auth?: Readonly<Record<string, unknown>>;
}

/** A gateway with a dashboard. */
async function start({ rtmp, media = 'relay', admin = {}, auth = {} }: Parts = {}): Promise<Gateway> {
  const http = `http://127.0.0.1:${origin?.port ?? 0}`;
  const plain = { name: 'plain', preset: 'nginx-rtmp', rtmp, apps: ['other'] };
  const gateway = await startGateway({
    listen: {
      http: { host: '127.0.0.1', port: 0, pages: true },
      media: { host: '127.0.0.1', port: 0 },
      admin: { port: 0, token: { env: 'INTEROP_ADMIN_TOKEN' }, ...admin },
      ...(rtmp !== undefined && { rtmp: { host: '127.0.0.1', port: 0 } }),
    },
    limits: { drainTimeoutSeconds: 1, drainSpreadSeconds: 0 },
    auth,
    origins: [
      { name: 'both', preset: 'embedded', http, media, apps: ['live'], ...(rtmp !== undefined && { rtmp }) },
      ...(rtmp === undefined ? [] : [plain]),
    ],
  });
  gateways.push(gateway);
  return gateway;
}

const adminOf = (gateway: Gateway) =>
  `http://127.0.0.1:${String(gateway.lines('listener.open').find((one) => one['listener'] === 'admin')?.['port'])}/`;

async function context(): Promise<BrowserContext> {
  return (browser ??= await startBrowser());
}

/** The dashboard, logged in. */
async function openBoard(gateway: Gateway, prepare?: (page: Page) => Promise<unknown>, at = adminOf(gateway)) {
  const page = await (await context()).newPage();
  await prepare?.(page);
  const problems = problemsOf(page);
  await page.goto(at);
  await page.fill('#token', ADMIN_TOKEN);
  await page.press('#token', 'Enter');
  await page.waitForSelector('#wall-section:not([hidden])');
  return { page, problems };
}

async function publish(gateway: Gateway, stream: string): Promise<GatewayPage> {
  const fields = { stream, token: token({ sub: `of ${stream}`, jti: stream, roles: 'red5-publisher' }) };
  const page = await GatewayPage.open(await context(), gateway.web, 'publish', fields);
  await page.start();
  await page.says('live');
  return page;
}

const tiles = (state: string) =>
  `document.querySelectorAll('#wall .tile:not([hidden]) [data-state="${state}"]').length`;
const frames = (page: Page): readonly Frame[] => page.frames().filter((frame) => frame.url().includes('/watch-tile'));
const tileOf = (page: Page, path: string) =>
  page.locator('#wall .tile:not([hidden])', { has: page.getByText(path, { exact: true }) });
const viewersThatEnded = (gateway: Gateway) =>
  gateway.lines('session.end').filter((line) => line['action'] === 'subscribe');

/** A way to the dashboard from another port; gives its URL. */
async function tunnelTo(gatewayOf: () => Gateway): Promise<string> {
  const tunnel = createTcpServer((near) => {
    const far = connect(Number(new URL(adminOf(gatewayOf())).port), '127.0.0.1');
    near.pipe(far).pipe(near);
    for (const end of [near, far]) end.on('error', () => [near, far].forEach((one) => one.destroy()));
  });
  servers.push(tunnel);
  await new Promise<void>((done) => tunnel.listen(0, '127.0.0.1', done));
  return `http://localhost:${(tunnel.address() as AddressInfo).port}`;
}

/** The picture moves: its clock goes on, and what is drawn of it differs. */
async function moves(frame: Frame): Promise<void> {
  const before = Number(await frame.evaluate(`document.querySelector('video').currentTime`));
  await becomes(frame, `document.querySelector('video').currentTime > ${before} + 1`);
  expect(await frame.evaluate(`document.querySelector('video').videoWidth > 0`)).toBe(true);
}

describe('the wall of the dashboard in Chromium', () => {
  itNeeds(
    NEEDED,
    'shows moving pictures when it is switched on, and leaves no viewer behind when it is switched off',
    async () => {
      const gateway = await start();
      const { page, problems } = await openBoard(gateway);
      const urls: string[] = [];
      page.on('request', (request) => urls.push(request.url()));
      const shot = (name: string) => page.screenshot({ path: join(shots, `wall-${name}.png`), fullPage: true });
      await shot('nobody');
      const cams = ['live/room1/cam', 'live/demo', 'live/studio/<img src=x onerror=alert(1)>'];
      const publishers = [];
      for (const cam of cams) publishers.push(await publish(gateway, cam));
      await becomes(page, `document.querySelectorAll('#streams li').length === 3`);
      await shot('off');
      expect(frames(page)).toEqual([]);
      expect(gateway.lines('session.start').filter((line) => line['action'] === 'subscribe')).toEqual([]);

      await page.click('#wall-switch');
      await becomes(page, `${tiles('playing')} === 3`);
      const [first, ...others] = frames(page);
      expect(others.length).toBe(2);
      if (first === undefined) throw new Error('there is no frame');
      await moves(first);
      expect(await first.evaluate(`document.querySelector('video').muted`)).toBe(true);
      expect(await first.evaluate(`document.querySelectorAll('input, button, a').length`)).toBe(0);
      await becomes(first, `/\\d+ × \\d+ · \\d+ fps/.test(document.querySelector('#state').textContent)`);
      expect(await page.evaluate(`document.querySelectorAll('#wall-section img').length`)).toBe(0);
      for (const frame of frames(page)) {
        expect(frame.url()).toBe(`${gateway.web}/watch-tile`);
        expect(await frame.evaluate('document.referrer')).toBe('');
      }
      const minted = gateway.lines('session.start').filter((line) => line['action'] === 'subscribe');
      expect(minted.map((line) => line['subject'])).toEqual(cams.map(() => 'dashboard-wall'));
      await shot('light');
      await page.emulateMedia({ colorScheme: 'dark' });
      await shot('dark');
      await page.setViewportSize({ width: 360, height: 740 });
      expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBe(0);
      await shot('phone');
      await page.emulateMedia({ colorScheme: 'light' });
      await page.setViewportSize({ width: 1100, height: 760 });

      await publishers[1]?.stop();
      await becomes(page, `${tiles('ended')} === 1 || ${tiles('playing')} === 2`);
      await becomes(page, `document.querySelectorAll('#wall .tile').length === 2`);
      await tileOf(page, 'live/room1/cam').getByRole('button', { name: 'off the wall' }).click();
      await gateway.logs('session.end', { action: 'subscribe', path: 'live/room1/cam', reason: 'client-finished' });
      await page.focus('#streams button:not([hidden])');
      await page.keyboard.press('Enter');
      await becomes(page, `${tiles('playing')} === 2`);

      await page.focus('#wall-switch');
      await page.keyboard.press('Enter');
      await becomes(page, `document.querySelectorAll('iframe').length === 0`);
      await becomes(page, `document.querySelector('#viewers').textContent === '0'`);
      expect(viewersThatEnded(gateway).map((line) => line['reason'])).not.toContain('kicked');
      expect(viewersThatEnded(gateway).length).toBe(4);
      expect(problems).toEqual([]);
      const log = gateway.program.stdout + gateway.program.stderr;
      expect(log).not.toMatch(/eyJ[\w-]+\.[\w-]+/);
      expect(urls.some((url) => url.endsWith('/live/room1/cam/whep'))).toBe(true);
      expect(urls.filter((url) => /eyJ|token=/.test(url))).toEqual([]);
    },
    120_000,
  );

  itNeeds(
    NEEDED,
    'lets go of its viewers when the page is out of sight for a minute, and when the tab is closed',
    async () => {
      const gateway = await start();
      await publish(gateway, 'live/hidden');
      const { page } = await openBoard(gateway, (one) => one.addInitScript(HIDE));
      await page.click('#wall-switch');
      await becomes(page, `${tiles('playing')} === 1`);
      await page.evaluate('hide(true)');
      await page.evaluate('passMinute()');
      await gateway.logs('session.end', { action: 'subscribe', reason: 'client-finished' });
      expect(await page.textContent('#wall-note')).toContain('out of sight');
      await page.evaluate('hide(false)');
      await becomes(page, `${tiles('playing')} === 1`);
      await page.close({ runBeforeUnload: false });
      await gateway.program.until('two viewers that ended', () => viewersThatEnded(gateway)[1]);
      expect(viewersThatEnded(gateway).map((line) => line['reason'])).toEqual(['client-finished', 'client-finished']);
    },
    90_000,
  );

  itNeeds(
    NEEDED,
    'does not bring back a viewer that an operator has kicked, unless asked to',
    async () => {
      const gateway = await start({ auth: { oneTimeTokens: true } });
      await publish(gateway, 'live/kicked');
      const { page } = await openBoard(gateway);
      await page.click('#wall-switch');
      await becomes(page, `${tiles('playing')} === 1`);
      await page.waitForSelector('#link[data-link="live"]');
      await page.locator('#sessions tbody tr', { hasText: 'dashboard-wall' }).getByRole('button').click();
      await page.click('#ask-yes');
      await becomes(page, `${tiles('failed')} === 1`);
      expect(await tileOf(page, 'live/kicked').textContent()).toContain(
        'An operator has ended this viewer session. (kicked)',
      );
      await page.getByRole('button', { name: 'Try again' }).click();
      await becomes(page, `${tiles('playing')} === 1`);
      await page.click('#logout');
      await gateway.logs('session.end', { action: 'subscribe', reason: 'client-finished' });
      expect(await page.evaluate(`document.querySelectorAll('iframe').length`)).toBe(0);
    },
    90_000,
  );

  itNeeds(
    NEEDED,
    'leaves no viewer behind however fast it is switched',
    async () => {
      const gateway = await start();
      await publish(gateway, 'live/fast');
      const { page, problems } = await openBoard(gateway);
      // Before the page of the frame is there, before the token, before the answer, after it.
      for (const waitMs of [0, 40, 80, 120, 160, 200, 300, 500, 800]) {
        await page.click('#wall-switch');
        await page.waitForTimeout(waitMs);
        await page.click('#wall-switch');
      }
      await becomes(page, `document.querySelectorAll('iframe').length === 0`);
      await becomes(page, `document.querySelector('#viewers').textContent === '0'`);
      const begun = gateway.lines('session.start').filter((line) => line['action'] === 'subscribe');
      expect(begun.length).toBeGreaterThan(0);
      expect(
        viewersThatEnded(gateway)
          .map((line) => line['session'])
          .sort(),
      ).toEqual(expect.arrayContaining(begun.map((line) => line['session']).sort()));
      expect(problems).toEqual([]);
    },
    90_000,
  );

  itNeeds(
    NEEDED,
    'kicks a viewer that could not say goodbye',
    async () => {
      // The gateway sees no media of it, so nothing else would end it soon.
      const gateway = await start({ media: 'direct' });
      await publish(gateway, 'live/mute');
      const { page } = await openBoard(gateway);
      await page.route('**/session/*', (route) =>
        route.request().method() === 'DELETE' ? route.abort() : route.continue(),
      );
      await page.click('#wall-switch');
      await becomes(page, `${tiles('playing')} === 1`);
      await page.click('#wall-switch');
      await gateway.logs('session.end', { action: 'subscribe', reason: 'kicked' });
    },
    60_000,
  );

  itNeeds(
    NEEDED,
    'gives up on what brings no picture, and ends its session',
    async () => {
      const gateway = await start();
      await publish(gateway, 'live/still');
      const { page } = await openBoard(gateway, (one) =>
        one.addInitScript('RTCPeerConnection.prototype.getStats = async () => new Map()'),
      );
      await page.click('#wall-switch');
      await becomes(page, `${tiles('failed')} === 1`);
      expect(await tileOf(page, 'live/still').textContent()).toContain('no picture comes');
      await gateway.logs('session.end', { action: 'subscribe', reason: 'client-finished' });
    },
    60_000,
  );

  itNeeds(NEEDED, 'works by a tunnel from another port once the config names it, and says so before', async () => {
    let gateway = await start();
    const strangeUrl = await tunnelTo(() => gateway);
    const strange = await openBoard(gateway, undefined, strangeUrl);
    await becomes(strange.page, `/place-unknown/.test(document.querySelector('#wall-note').textContent)`);
    expect(await strange.page.textContent('#wall-note')).toContain(`set listen.admin.publicUrl to ${strangeUrl}`);
    expect(await strange.page.isDisabled('#wall-switch')).toBe(true);
    await strange.page.close();

    const near = await tunnelTo(() => gateway);
    gateway = await start({ admin: { publicUrl: near } });
    await publish(gateway, 'live/tunnel');
    const known = await openBoard(gateway, undefined, near);
    await known.page.click('#wall-switch');
    await becomes(known.page, `${tiles('playing')} === 1`);
    expect(known.problems).toEqual([]);
  });

  itNeeds(
    ['ffmpeg', 'nginx', ...NEEDED],
    'says in words and by code which streams have no picture',
    async () => {
      const gateway = await start({ rtmp: `rtmp://127.0.0.1:${nginx?.port ?? 0}` });
      const sample = await makeSample(SECONDS);
      const publishers = ['live/raw', 'other/cam'].map((path) =>
        publishFile(sample, `${gateway.url(path)}?token=${token({ roles: 'red5-publisher' })}`),
      );
      const { page } = await openBoard(gateway);
      await becomes(page, `document.querySelectorAll('#streams li').length === 2`);
      await page.click('#wall-switch');
      await becomes(page, `${tiles('failed')} === 2`, 45_000);
      expect(await tileOf(page, 'other/cam').textContent()).toContain(
        'The origin plain offers no WHEP, so there is no picture of a stream that is only there. (origin-unavailable)',
      );
      expect(await tileOf(page, 'live/raw').textContent()).toContain(
        'many do not turn RTMP into WebRTC. (origin-refused)',
      );
      await page.screenshot({ path: join(shots, 'wall-without.png'), fullPage: true });
      await page.setViewportSize({ width: 360, height: 740 });
      await page.screenshot({ path: join(shots, 'wall-without-phone.png'), fullPage: true });
      await page.setViewportSize({ width: 1100, height: 760 });
      expect(await page.evaluate(`document.querySelectorAll('iframe').length`)).toBe(0);
      await Promise.all(publishers.map((one) => one.stop('SIGINT')));
      await becomes(page, `document.querySelectorAll('#wall .tile').length === 0`);
      await page.close();
    },
    120_000,
  );

  itNeeds(
    ['ffmpeg', 'nginx', ...NEEDED],
    'turns pages where more than six streams are live',
    async () => {
      const gateway = await start({ rtmp: `rtmp://127.0.0.1:${nginx?.port ?? 0}` });
      const sample = await makeSample(SECONDS);
      const publishers: Program[] = [];
      for (let index = 1; index <= 8; index++) {
        publishers.push(publishFile(sample, `${gateway.url(`other/cam${index}`)}?token=${token()}`));
        await gateway.logs('session.start', { path: `other/cam${index}` });
      }
      const { page } = await openBoard(gateway);
      const paths = (place: string) => page.locator(`${place} > li:not([hidden]) .path`).allTextContents();
      await becomes(page, `document.querySelectorAll('#streams li').length === 8`);
      await page.click('#wall-switch');
      await becomes(page, `${tiles('failed')} === 6`);
      expect(await paths('#wall')).toEqual([8, 7, 6, 5, 4, 3].map((index) => `other/cam${index}`));
      expect(await paths('#streams')).toEqual(['other/cam2', 'other/cam1']);
      await page.screenshot({ path: join(shots, 'wall-pages.png'), fullPage: true });
      await page.click('#wall-older');
      await becomes(page, `document.querySelectorAll('#wall .tile:not([hidden])').length === 2`);
      expect(await paths('#wall')).toEqual(['other/cam2', 'other/cam1']);
      await page.getByRole('button', { name: 'Show other/cam5 on the wall' }).click();
      expect(await paths('#wall')).toEqual(['other/cam2', 'other/cam1', 'other/cam5']);
      await page.click('#wall-newer');
      await becomes(page, `document.querySelectorAll('#wall .tile:not([hidden])').length === 6`);
      await Promise.all(publishers.map((one) => one.stop('SIGINT')));
    },
    90_000,
  );

  itNeeds(NEEDED, 'is the only page that may frame the tile, and no page is framed elsewhere', async () => {
    const gateway = await start();
    const adminPort = new URL(adminOf(gateway)).port;
    const foreign = createServer((request, response) => {
      const src = new URL(request.url ?? '/', 'http://x').searchParams.get('src') ?? '';
      response.writeHead(200, { 'content-type': 'text/html' }).end(`<iframe src="${src}"></iframe>`);
    });
    servers.push(foreign);
    await new Promise<void>((done) => foreign.listen(0, '127.0.0.1', done));
    const page = await (await context()).newPage();
    const isRefused = async (src: string) => {
      const at = `http://127.0.0.1:${(foreign.address() as AddressInfo).port}/?src=${encodeURIComponent(src)}`;
      const told = page.waitForEvent('console', (message) => message.text().includes('frame-ancestors'));
      await page.goto(at);
      return (await told).text();
    };
    for (const name of ['publish', 'watch', 'watch-tile']) {
      const text = await isRefused(`${gateway.web}/${name}`);
      expect(text).toContain(
        name === 'watch-tile'
          ? `frame-ancestors http://127.0.0.1:${adminPort} http://localhost:${adminPort}`
          : "frame-ancestors 'none'",
      );
    }
    expect(await isRefused(adminOf(gateway))).toContain("frame-ancestors 'none'");
    await page.goto(`${gateway.web}/watch-tile`);
    expect(await page.textContent('#state')).toBe('A part of the dashboard.');
    await page.close();
  });
});

/** Makes a page that is out of sight when the test says so, and whose long timers run when the test says so. */
const HIDE = `
if (top === self) {
  let isHidden = false;
  const long = new Set();
  const plain = setTimeout;
  Object.defineProperty(document, 'visibilityState', { get: () => (isHidden ? 'hidden' : 'visible') });
  window.setTimeout = (act, ms, ...more) => {
    if (ms < 60000) return plain(act, ms, ...more);
    long.add(act);
    return plain(() => undefined, 0);
  };
  window.hide = (is) => { isHidden = is; document.dispatchEvent(new Event('visibilitychange')); };
  window.passMinute = () => { for (const act of long) act(); long.clear(); };
}
`;
