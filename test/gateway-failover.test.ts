import { afterEach, describe, expect, it } from '@jest/globals';
import { configFrom, quietDeps } from './fakes/gateway-config.js';
import { startGateway, type Gateway } from '../src/gateway.js';
import { liveRtspOrigin, liveRtspViewer as viewer } from './fakes/rtsp-live.js';

let gateway: Gateway | undefined;
const origins: { close(): void }[] = [];
afterEach(async () => {
  await gateway?.stop();
  gateway = undefined;
  for (const one of origins.splice(0)) one.close();
});

async function origin(isSilent = false) {
  const one = await liveRtspOrigin(isSilent);
  origins.push(one);
  return one;
}

async function start(urls: readonly string[], health = 'off') {
  const lines = urls.map((url, index) => `  - { name: o${index}, preset: generic, rtsp: "${url}", health: ${health} }`);
  const text = ['listen: { rtsp: { host: 127.0.0.1, port: 0 } }', 'hooks: [open]', 'origins:', ...lines].join('\n');
  gateway = await startGateway(configFrom(text), quietDeps());
  return gateway.addresses['rtsp']?.port ?? 0;
}

const PATHS = Array.from({ length: 8 }, (_, index) => `live/cam${index}`);

async function describeAll(port: number) {
  const times: number[] = [];
  for (const path of PATHS) {
    const { ask } = await viewer(port);
    const startedMs = performance.now();
    expect((await ask('DESCRIBE', path)).status).toBe(200);
    times.push(performance.now() - startedMs);
  }
  return Math.max(...times);
}

describe('an origin of two', () => {
  it('that is killed is passed over within a second by every new stream', async () => {
    const [one, two] = [await origin(), await origin()];
    const port = await start([one.url, two.url]);
    await describeAll(port);
    expect(one.asked).toContain('DESCRIBE');
    expect(two.asked).toContain('DESCRIBE');
    one.kill();
    expect(await describeAll(port)).toBeLessThan(1000);
  });

  it('that takes connections and is silent is passed over within three seconds, and then not called', async () => {
    const [dumb, good] = [await origin(true), await origin()];
    const port = await start([dumb.url, good.url]);
    const times: number[] = [];
    for (const path of PATHS) {
      const { ask } = await viewer(port);
      const startedMs = performance.now();
      expect((await ask('DESCRIBE', path)).status).toBe(200);
      times.push(performance.now() - startedMs);
    }
    expect(Math.max(...times)).toBeLessThan(3000);
  }, 30_000);

  it('that is drained gets no new streams', async () => {
    const [one, two] = [await origin(), await origin()];
    const port = await start([one.url, two.url]);
    expect(gateway?.origins.drain('o0', true)).toBe(true);
    expect(gateway?.origins.list()).toMatchObject([
      { name: 'o0', isDrained: true },
      { name: 'o1', isDrained: false },
    ]);
    await describeAll(port);
    expect(one.asked).toEqual([]);
    expect(two.asked).toContain('DESCRIBE');
  });

  it('that dies has its viewers told within two seconds', async () => {
    const [one, two] = [await origin(), await origin()];
    const port = await start([one.url, two.url]);
    const watching = [];
    for (const path of PATHS) {
      const { ask, closed } = await viewer(port);
      await ask('DESCRIBE', path);
      const setUp = await ask('SETUP', `${path}/trackID=0`, 'Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n');
      const session = /Session: *([^;\r]+)/i.exec(setUp.text)?.[1] ?? '';
      await ask('PLAY', path, `Session: ${session}\r\n`);
      watching.push(closed);
    }
    const killedMs = performance.now();
    one.kill();
    two.kill();
    for (const closedMs of await Promise.all(watching)) expect(closedMs - killedMs).toBeLessThan(2000);
  }, 15_000);
});
