import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { join } from 'node:path';
import type { BrowserContext, Page } from 'playwright-core';
import { becomes, problemsOf, startBrowser } from './peers/browser.js';
import { startGateway, type Gateway } from './peers/gateway.js';
import { itNeeds, type Peer } from './peers/needs.js';
import { folder } from './peers/place.js';
import { token } from './peers/tokens.js';
import { startWeriftOrigin } from './peers/werift-origin.js';

const NEEDED: readonly Peer[] = ['Chromium', 'werift'];
const ADMIN_TOKEN = 'the-admin-token-of-the-dashboard-test';
const LONG = { timeout: 15_000 };

let browser: BrowserContext | undefined;
let origin: Awaited<ReturnType<typeof startWeriftOrigin>> | undefined;
let gateway: Gateway | undefined;
const shots = process.env['DASHBOARD_SHOTS'] ?? folder;

beforeAll(async () => {
  origin = await startWeriftOrigin();
  process.env['INTEROP_ADMIN_TOKEN'] = ADMIN_TOKEN;
  gateway = await startGateway({
    listen: {
      http: { host: '127.0.0.1', port: 0, pages: true },
      media: { host: '127.0.0.1', port: 0 },
      admin: { port: 0, token: { env: 'INTEROP_ADMIN_TOKEN' } },
    },
    limits: { drainTimeoutSeconds: 1, drainSpreadSeconds: 0 },
    origins: [{ name: 'werift', preset: 'embedded', http: `http://127.0.0.1:${origin.port}`, media: 'relay' }],
  });
});

afterAll(async () => {
  await gateway?.stop();
  origin?.stop();
});

function running(): Gateway {
  if (gateway === undefined) throw new Error('the gateway has not started');
  return gateway;
}

function adminUrl(): string {
  const line = running()
    .lines('listener.open')
    .find((one) => one['listener'] === 'admin');
  return `http://127.0.0.1:${String(line?.['port'])}/`;
}

async function page(): Promise<Page> {
  browser ??= await startBrowser();
  return browser.newPage();
}

async function publish(stream: string, claims: Readonly<Record<string, unknown>>): Promise<Page> {
  const one = await page();
  const fields = new URLSearchParams({ stream, token: token(claims) });
  await one.goto(`${running().web}/publish#${fields.toString()}`);
  await one.click('#start');
  return one;
}

const overflow = (one: Page) =>
  one.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');

describe('the dashboard in Chromium', () => {
  itNeeds(
    NEEDED,
    'lets in with the token, shows what happens, kicks after a question, and says when the gateway is gone',
    async () => {
      const board = await page();
      const problems = problemsOf(board);
      const shot = (name: string) => board.screenshot({ path: join(shots, `dashboard-${name}.png`), fullPage: true });
      await board.goto(adminUrl());
      await board.waitForSelector('#login:not([hidden])', LONG);
      await shot('login');
      await board.fill('#token', 'a-wrong-token-of-some-length');
      await board.press('#token', 'Enter');
      await board.waitForSelector('#token-problem:not(:empty)', LONG);
      await board.fill('#token', ADMIN_TOKEN);
      await board.press('#token', 'Enter');
      await board.waitForSelector('#sessions-empty:not([hidden])', LONG);
      await board.waitForSelector('#link[data-link="live"]', LONG);
      expect(await board.textContent('#refusals-empty')).toContain('Nobody');
      await shot('empty');

      await publish('live/demo', { sub: 'ann', roles: 'red5-publisher' });
      await publish('live/studio/guest', { sub: 'bob', roles: 'red5-publisher' });
      await publish('live/other', { sub: 'eve', roles: 'red5-subscriber' });
      await board.waitForSelector('#refusals li', LONG);
      expect(await board.textContent('#refusals li b')).toBe('role-denied');
      expect(await board.textContent('#refusals li .fix')).toContain('red5-publisher');
      await becomes(board, `document.querySelectorAll('#sessions tbody tr').length === 2`);
      await becomes(board, `/[1-9]/.test(document.querySelector('#inward').textContent)`);
      await becomes(
        board,
        `document.querySelector('#sessions polyline').getAttribute('points').split(' ').length >= 4`,
      );
      expect(await board.textContent('#publishers')).toBe('2');
      expect(await board.locator('#streams a').count()).toBe(2);
      await shot('light');
      await board.emulateMedia({ colorScheme: 'dark' });
      expect(await board.evaluate('getComputedStyle(document.body).backgroundColor')).toBe('rgb(15, 20, 27)');
      await shot('dark');
      await board.setViewportSize({ width: 360, height: 740 });
      expect(await overflow(board)).toBe(0);
      await shot('phone');
      await board.emulateMedia({ colorScheme: 'light' });
      await board.setViewportSize({ width: 1100, height: 760 });

      const kick = board.locator('#sessions tbody tr', { hasText: 'live/demo' }).locator('button');
      await kick.click();
      await board.waitForSelector('#ask[open]', LONG);
      expect(await board.evaluate('document.activeElement.textContent')).toBe('Cancel');
      await shot('question');
      await board.keyboard.press('Escape');
      await board.waitForSelector('#ask:not([open])', { ...LONG, state: 'attached' });
      expect(running().lines('session.end')).toEqual([]);
      await kick.focus();
      await board.keyboard.press('Enter');
      await board.click('#ask-yes');
      await running().logs('session.end', { reason: 'kicked', path: 'live/demo' });
      await becomes(board, `!document.querySelector('#sessions').textContent.includes('live/demo')`);

      await board.click('#logout');
      await board.waitForSelector('#login:not([hidden])', LONG);
      expect(await board.locator('body').textContent()).not.toMatch(/live\/|role-denied|werift|bob/);
      await board.fill('#token', ADMIN_TOKEN);
      await board.press('#token', 'Enter');
      await board.waitForSelector('#link[data-link="live"]', LONG);

      expect(await running().stop()).toBe(0);
      await board.waitForSelector('#link[data-link="broken"]', LONG);
      expect(await board.textContent('#banner')).toContain('does not answer');
      await shot('broken');
      expect(problems).toEqual([]);
      expect(running().program.stdout).not.toContain(ADMIN_TOKEN);
    },
    120_000,
  );
});
