import { afterAll } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type BrowserContext, type Frame, type Page } from 'playwright-core';

const EXECUTABLE = '/usr/bin/chromium';
/** Nothing of the browser's own goes to the network, and pages get a camera that nobody has to allow. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--autoplay-policy=no-user-gesture-required',
  '--use-fake-ui-for-media-stream',
  '--use-fake-device-for-media-stream',
  // A page in the background must not stop to draw.
  '--disable-background-timer-throttling',
  '--disable-renderer-backgrounding',
  '--disable-backgrounding-occluded-windows',
];

const open: { context: BrowserContext; folder: string }[] = [];

afterAll(async () => {
  for (const { context, folder } of open.splice(0)) {
    await context.close().catch(() => undefined);
    rmSync(folder, { recursive: true, force: true });
  }
});

/** Starts Debian's Chromium without a window. It is closed after the last test of the file. */
export async function startBrowser(): Promise<BrowserContext> {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-chromium-'));
  const context = await chromium.launchPersistentContext(folder, {
    ...{ executablePath: EXECUTABLE, headless: true, args: FLAGS },
    viewport: { width: 1100, height: 760 },
  });
  open.push({ context, folder });
  return context;
}

/** Waits until an expression is true in a page or frame; its policy lets Chromium itself evaluate it, but no script. */
export async function becomes(one: Page | Frame, expression: string, timeoutMs = 30_000): Promise<void> {
  const untilMs = Date.now() + timeoutMs;
  while ((await one.evaluate(expression)) !== true) {
    if (Date.now() > untilMs) throw new Error(`it never became true: ${expression}`);
    await one.waitForTimeout(200);
  }
}

/** What goes wrong in a page from now on: errors of its scripts, and what a policy forbids. */
export function problemsOf(page: Page): readonly string[] {
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => {
    if (/Content Security Policy|Refused to/.test(message.text())) problems.push(message.text());
  });
  return problems;
}

/** One of the gateway's two pages, as a person sees it. */
export class GatewayPage {
  readonly problems: string[] = [];

  private constructor(readonly page: Page) {
    page.on('pageerror', (error) => this.problems.push(error.message));
    page.on('console', (message) => {
      // What the policy of the page forbids is told there.
      if (/Content Security Policy|Refused to/.test(message.text())) this.problems.push(message.text());
    });
  }

  /** Opens a page of the gateway at `base`, with its fields filled in. */
  static async open(
    context: BrowserContext,
    base: string,
    name: 'publish' | 'watch',
    fields: { readonly stream: string; readonly token?: string },
  ): Promise<GatewayPage> {
    return GatewayPage.at(context, `${base}/${name}#${new URLSearchParams(fields).toString()}`);
  }

  /** Opens a page by its whole address. */
  static async at(context: BrowserContext, url: string): Promise<GatewayPage> {
    const page = new GatewayPage(await context.newPage());
    await page.page.goto(url);
    return page;
  }

  async choose(field: 'source' | 'codec', value: string): Promise<void> {
    await this.page.selectOption(`#${field}`, value);
  }

  async start(): Promise<void> {
    await this.page.click('#start');
  }

  async stop(): Promise<void> {
    await this.page.click('#stop');
  }

  /** Waits until the page says so; rejects with what it says instead. */
  async says(state: string, timeoutMs = 20_000): Promise<void> {
    try {
      await this.page.waitForSelector(`#state[data-state="${state}"]`, { timeout: timeoutMs });
    } catch {
      throw new Error(`waited for ${state}, the page says ${await this.text('state')}: ${await this.text('problem')}`);
    }
  }

  async text(id: string): Promise<string> {
    return (await this.page.textContent(`#${id}`)) ?? '';
  }

  /** A figure of the page: frames, or bytes. */
  async figure(id: 'frames' | 'bytes'): Promise<number> {
    const bytes = await this.page.getAttribute('#bytes', 'data-bytes');
    return Number(id === 'bytes' ? bytes : await this.text('frames')) || 0;
  }

  /** Waits until a figure has grown by so much; gives how much it is then. */
  async grows(id: 'frames' | 'bytes', by: number, timeoutMs = 20_000): Promise<number> {
    const wanted = (await this.figure(id)) + by;
    const untilMs = Date.now() + timeoutMs;
    for (;;) {
      const now = await this.figure(id);
      if (now >= wanted) return now;
      if (Date.now() > untilMs) throw new Error(`${id} is ${now}, wanted ${wanted}: ${await this.text('figures')}`);
      await this.page.waitForTimeout(200);
    }
  }

  async close(): Promise<void> {
    await this.page.close();
  }
}
