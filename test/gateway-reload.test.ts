import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { configFrom, quietDeps } from './fakes/gateway-config.js';
import { startGateway, type Gateway } from '../src/gateway.js';
import { mintToken } from '../src/hooks/verify-token/mint.js';
import { createKeySet } from '../src/hooks/verify-token/index.js';
import { Secret } from '../src/model/secret.js';
import { eventually, liveOrigin, livePublisher, sendVideo, type LiveOrigin } from './fakes/rtmp-live.js';

const SECRET = 'a secret of the tests, long enough for HS256';
const OTHER = 'another secret of the tests, as long as that';

interface Parts {
  readonly secret?: string;
  readonly port?: number;
  readonly more?: Readonly<Record<string, unknown>>;
}

let origin: LiveOrigin;
let gateway: Gateway | undefined;
beforeEach(async () => {
  origin = await liveOrigin();
});
afterEach(async () => {
  await gateway?.stop();
  gateway = undefined;
  await origin.close();
});

function config({ secret = SECRET, port = origin.port, more = {} }: Parts = {}) {
  const text = JSON.stringify({
    listen: { rtmp: { host: '127.0.0.1', port: 0 } },
    auth: { keys: [{ id: 'main', secret: { value: secret } }] },
    origins: [{ name: 'origin', preset: 'generic', rtmp: `rtmp://127.0.0.1:${port}` }],
    ...more,
  });
  return configFrom(text);
}

async function start(parts: Parts = {}): Promise<Gateway> {
  gateway = await startGateway(config(parts), quietDeps());
  return gateway;
}

function publish(name: string, secret = SECRET) {
  const made = createKeySet([{ id: 'main', algorithm: 'HS256', secret: new Secret(secret) }]);
  if (!made.ok) throw new Error('the key of the tests was refused');
  const key = made.keySet.keys[0];
  if (key === undefined) throw new Error('the key set of the tests is empty');
  const token = mintToken({ key, ttlS: 60 }, Date.now() / 1000);
  return livePublisher(gateway?.addresses['rtmp']?.port ?? 0, `live?token=${token}`, name);
}

describe('a gateway whose config is loaded anew', () => {
  it('goes on with its streams, and judges new ones by the new keys', async () => {
    const running = await start();
    const old = await publish('one');
    expect(old.codes).toContain('NetStream.Publish.Start');
    expect(await running.reload(config({ secret: OTHER }))).toEqual([]);
    const refused = await publish('two');
    expect(refused.codes).toContain('NetConnection.Connect.Rejected');
    expect((await publish('three', OTHER)).codes).toContain('NetStream.Publish.Start');
    sendVideo(old, 40);
    await eventually(() => (origin.calls[0]?.peer.media.length ?? 0) > 0);
    expect(old.closed).toBe(false);
  });

  it('sends new streams to the new origin, and leaves running ones where they are', async () => {
    const second = await liveOrigin();
    try {
      const running = await start();
      const old = await publish('one');
      await running.reload(config({ port: second.port }));
      const fresh = await publish('two');
      expect(fresh.codes).toContain('NetStream.Publish.Start');
      expect(second.calls.some((call) => call.names().includes('publish'))).toBe(true);
      sendVideo(old, 40);
      await eventually(() => (origin.calls[0]?.peer.media.length ?? 0) > 0);
    } finally {
      await second.close();
    }
  });

  it('applies limits to the next client', async () => {
    const running = await start();
    await publish('one');
    await running.reload(config({ more: { limits: { connections: 1 } } }));
    await expect(publish('two')).resolves.toMatchObject({ closed: true });
    await running.reload(config({ more: { limits: { connections: 2 } } }));
    expect((await publish('two')).codes).toContain('NetStream.Publish.Start');
  });

  it('applies the policy on names in use', async () => {
    const running = await start();
    const first = await publish('one');
    expect((await publish('one')).codes).toContain('NetStream.Publish.BadName');
    await running.reload(config({ more: { relay: { publisherConflict: 'takeover' } } }));
    expect((await publish('one')).codes).toContain('NetStream.Publish.Start');
    await eventually(() => first.closed);
  });

  it('survives 1000 reloads under traffic: nobody is dropped, nothing piles up', async () => {
    const running = await start();
    const publishers = await Promise.all([...Array(20).keys()].map((index) => publish(`cam${index}`)));
    const configs = [config(), config({ more: { limits: { perAddress: 99 } } })];
    let sent = 0;
    for (let round = 0; round < 1000; round += 1) {
      const next = configs[round % 2];
      if (next !== undefined) await running.reload(next);
      for (const publisher of publishers) sendVideo(publisher, round);
      sent += publishers.length;
      if (round % 100 === 0) await eventually(() => mediaOf(origin) >= sent - publishers.length);
    }
    await eventually(() => mediaOf(origin) === sent, 20_000);
    expect(publishers.filter(({ closed }) => closed)).toEqual([]);
  }, 60_000);

  it('keeps nothing of the configs that it has left', async () => {
    const running = await start();
    const left: WeakRef<object>[] = [];
    for (let round = 0; round < 50; round += 1) {
      const next = config();
      left.push(new WeakRef(next));
      await running.reload(next);
    }
    await new Promise((resolve) => setImmediate(resolve));
    collectGarbage();
    expect(left.filter((one) => one.deref() !== undefined).length).toBeLessThanOrEqual(1);
  });
});

/** Without a flag on the command line. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
}

function mediaOf({ calls }: LiveOrigin): number {
  return calls.reduce((sum, { peer }) => sum + peer.media.length, 0);
}
