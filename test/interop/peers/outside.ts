import { expect } from '@jest/globals';
import type { BrowserContext } from 'playwright-core';
import { GatewayPage, startBrowser } from './browser.js';
import { makeSample, play, publish, watch } from './ffmpeg.js';
import { startGateway, type Gateway } from './gateway.js';
import { isStretchOf, readPackets } from './packets.js';
import type { Program } from './program.js';
import { decodedPictures } from './rtsp.js';
import { token } from './tokens.js';

const LOOPBACK = { host: '127.0.0.1', port: 0 };
/** Everything that these rounds come in by. */
const LISTEN = { rtmp: LOOPBACK, rtsp: LOOPBACK, http: { ...LOOPBACK, pages: true }, media: LOOPBACK };

/** A gateway before a server that runs already, whose addresses come from the environment. */
export function gatewayBefore(origin: Readonly<Record<string, unknown>>): Promise<Gateway> {
  return startGateway({ listen: LISTEN, origins: [{ name: 'outside', ...origin }] });
}

/** The address in a variable of the environment, as a tests' need has made sure of. */
export function addressOf(variable: string): string {
  return process.env[variable] ?? '';
}

/** Waits until a path has been published so many times. */
export function published(gateway: Gateway, path: string, times = 1): Promise<unknown> {
  return gateway.program.until(`${path} to be published ${times} times`, () => {
    const starts = gateway.lines('session.start').filter((line) => line['path'] === path);
    return starts.filter((line) => line['action'] === 'publish').length >= times ? true : undefined;
  });
}

/** Waits until a player gets something: MediaMTX says yes to a publisher before it lets anybody watch it. */
export async function shows(player: () => Program): Promise<void> {
  for (let tries = 0; tries < 80; tries++) {
    const program = player();
    const isThere = program.until('a packet', () => (readPackets(program.stdout).length > 0 ? true : undefined));
    const came = await isThere.catch(() => false);
    await program.stop('SIGINT');
    if (came) return;
  }
  throw new Error('nothing came');
}

/** Pictures until a player that came in the middle has seen its first key frame. */
const SETTLING = 30;

/** ffmpeg publishes by RTMP, another plays: every packet as it was, or every picture of an origin that packs anew. */
export async function rtmpRound(gateway: Gateway, path: string, isPackedAnew = false): Promise<void> {
  const sample = await makeSample(13);
  const url = gateway.url(`${path}?token=${token()}`);
  const publisher = publish(sample, url);
  await published(gateway, path);
  await shows(() => play(url).program);
  if (isPackedAnew) {
    const { video } = await watch(url).pictures(SETTLING + 30);
    expect(isStretchOf(video.slice(SETTLING), await decodedPictures(sample))).toBe(true);
  } else {
    const { video, audio } = await play(url).pictures(50);
    expect([isStretchOf(video, sample.video), isStretchOf(audio, sample.audio)]).toEqual([true, true]);
  }
  expect((await publisher.ended).code).toBe(0);
  await gateway.logs('session.end', { path, action: 'publish', reason: 'client-finished' });
}

/** A publisher by RTMP is killed, and the next one comes at once. */
export async function killedRound(gateway: Gateway, path: string): Promise<void> {
  const sample = await makeSample(10);
  const url = gateway.url(`${path}?token=${token()}`);
  const killed = publish(sample, url);
  await published(gateway, path);
  await killed.stop('SIGKILL');
  const next = publish(sample, url);
  await published(gateway, path, 2);
  await shows(() => play(url).program);
  expect((await play(url).pictures(10)).video.length).toBeGreaterThanOrEqual(10);
  expect(next.isOver).toBe(false);
  await next.stop('SIGINT');
}

let browser: BrowserContext | undefined;

/** A page of the gateway's that publishes or watches, and is live. */
export async function livePage(
  gateway: Gateway,
  name: 'publish' | 'watch',
  stream: string,
  codec = '',
): Promise<GatewayPage> {
  browser ??= await startBrowser();
  const page = await GatewayPage.open(browser, gateway.web, name, { stream, token: token() });
  if (name === 'publish') await page.choose('codec', codec);
  await page.start();
  await page.says('live');
  return page;
}

/** Chromium publishes by WHIP and watches by WHEP; then both say goodbye, and the name can be had again. */
export async function webRound(gateway: Gateway, path: string, codec: string): Promise<void> {
  for (let round = 1; round <= 2; round++) {
    const publisher = await livePage(gateway, 'publish', path, codec);
    const viewer = await livePage(gateway, 'watch', path);
    await viewer.grows('frames', 30);
    expect((await viewer.text('codecs')).toLowerCase()).toContain(codec.slice('video/'.length).toLowerCase());
    expect([...publisher.problems, ...viewer.problems]).toEqual([]);
    await viewer.stop();
    await publisher.stop();
    for (const action of ['subscribe', 'publish']) {
      await gateway.program.until(`${action} of ${path} to end ${round} times`, () => {
        const ends = gateway.lines('session.end').filter((line) => line['path'] === path && line['action'] === action);
        return ends.length >= round ? ends : undefined;
      });
    }
    await Promise.all([viewer.close(), publisher.close()]);
  }
  const reasons = gateway.lines('session.end').filter((line) => line['path'] === path);
  expect(reasons.map((line) => line['reason'])).toEqual(Array(4).fill('client-finished'));
}

/** Publisher and viewer find a new way to the gateway, and frames go on. */
export async function restartRound(gateway: Gateway, path: string, codec: string): Promise<void> {
  const publisher = await livePage(gateway, 'publish', path, codec);
  const viewer = await livePage(gateway, 'watch', path);
  await viewer.grows('frames', 20);
  for (const { page } of [publisher, viewer]) {
    const restarted = page.waitForResponse(
      (answer) => answer.request().method() === 'PATCH' && answer.status() === 200,
    );
    // What a phone says when it has changed its network.
    await page.evaluate("dispatchEvent(new Event('online'))");
    await restarted;
    await viewer.grows('frames', 30);
  }
  expect(gateway.lines('session.end').filter((line) => line['path'] === path)).toEqual([]);
  await Promise.all([viewer.close(), publisher.close()]);
}
