import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { configFrom, quietDeps } from './fakes/gateway-config.js';
import jwt from 'jsonwebtoken';
import { startGateway, type Gateway } from '../src/gateway.js';
import { eventually, liveClient, liveOrigin, livePublisher, type LiveOrigin } from './fakes/rtmp-live.js';
import { liveRtspViewer } from './fakes/rtsp-live.js';
import type { RtmpPeer } from './fakes/rtmp-peer.js';

const SECRET = 'a secret of the tests, long enough for HS256';

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

async function start(parts: Readonly<Record<string, unknown>> = {}): Promise<Gateway> {
  const text = JSON.stringify({
    listen: {
      rtmp: { host: '127.0.0.1', port: 0 },
      rtsp: { host: '127.0.0.1', port: 0 },
      http: { host: '127.0.0.1', port: 0 },
      admin: { port: 0 },
      media: { host: '127.0.0.1', port: 0, publicAddresses: ['127.0.0.1'] },
    },
    auth: { keys: [{ id: 'main', secret: { value: SECRET } }] },
    origins: [
      {
        ...{ name: 'origin', preset: 'generic', rtmp: `rtmp://127.0.0.1:${origin.port}` },
        ...{ rtsp: 'rtsp://127.0.0.1:1', http: 'http://127.0.0.1:1' },
      },
    ],
    ...parts,
  });
  gateway = await startGateway(configFrom(text), quietDeps());
  return gateway;
}

const tokenOf = (claims: Readonly<Record<string, unknown>>): string =>
  jwt.sign({ exp: Math.floor(Date.now() / 1000) + 60, ...claims }, SECRET, { noTimestamp: true });

const portOf = (listener: string): number => gateway?.addresses[listener]?.port ?? 0;

function publish(name: string, claims: Readonly<Record<string, unknown>> = {}): Promise<RtmpPeer> {
  return livePublisher(portOf('rtmp'), `live?token=${tokenOf(claims)}`, name);
}

describe('a gateway with streams', () => {
  it('ends those of a revoked token, refuses it from then on, and takes it again when the entry is gone', async () => {
    const { revocations, sessions } = await start();
    const [bad, good] = [await publish('one', { jti: 't1' }), await publish('two', { jti: 't2' })];
    expect(sessions.sessions().map(({ tokenId }) => tokenId)).toEqual(['t1', 't2']);
    const entry = revocations.add({ tokenId: 't1' });
    await eventually(() => bad.closed);
    expect(bad.lastDescription).toContain('revoked');
    expect(good.closed).toBe(false);
    expect((await publish('one', { jti: 't1' })).lastDescription).toContain('token-revoked');
    revocations.remove(entry?.revocation.id ?? '');
    expect((await publish('one', { jti: 't1' })).codes).toContain('NetStream.Publish.Start');
  });

  it('kicks by subject, and the client may come again', async () => {
    const { sessions } = await start();
    const peer = await publish('one', { sub: 'sam' });
    expect(sessions.kick({ subject: 'ann' })).toBe(0);
    expect(sessions.kick({ subject: 'sam' })).toBe(1);
    await eventually(() => peer.closed);
    expect((await publish('one', { sub: 'sam' })).codes).toContain('NetStream.Publish.Start');
  });

  it('counts connect and publish with one token as one use', async () => {
    await start({ auth: { keys: [{ id: 'main', secret: { value: SECRET } }], oneTimeTokens: true } });
    const claims = { jti: 'once' };
    expect((await publish('one', claims)).codes).toContain('NetStream.Publish.Start');
    expect((await publish('two', claims)).lastDescription).toContain('token-revoked');
  });

  it('refuses at once when it drains, on every listener, and lets the others go evenly', async () => {
    const running = await start({ limits: { drainSpreadSeconds: 0.5 } });
    const peers: RtmpPeer[] = [];
    for (let index = 0; index < 5; index++) peers.push(await publish(`cam${index}`));
    const closedAtMs = peers.map(() => 0);
    const startedMs = performance.now();
    const watching = Promise.all(
      peers.map(async (peer, index) => {
        await eventually(() => peer.closed);
        closedAtMs[index] = performance.now() - startedMs;
      }),
    );
    const drained = running.drain(400);
    const ready = await fetch(`http://127.0.0.1:${portOf('admin')}/readyz`);
    expect([ready.status, await ready.text()]).toEqual([503, expect.stringContaining('draining')]);
    const late = await liveClient(portOf('rtmp'));
    late.connect(`live?token=${tokenOf({})}`);
    await eventually(() => late.closed);
    expect(late.codes).toContain('NetConnection.Connect.AppShutdown');
    const { ask } = await liveRtspViewer(portOf('rtsp'));
    const described = await ask('DESCRIBE', `live/cam?token=${tokenOf({})}`);
    expect(described.text).toMatch(/^RTSP\/1\.0 503 draining/);
    const whip = await fetch(`http://127.0.0.1:${portOf('http')}/live/whip/endpoint/cam`, {
      ...{ method: 'POST', body: 'v=0\r\n' },
      headers: { 'content-type': 'application/sdp', authorization: `Bearer ${tokenOf({})}` },
    });
    expect([whip.status, whip.headers.has('retry-after')]).toEqual([503, true]);
    expect(await whip.json()).toMatchObject({ code: 'draining' });
    expect(peers.some(({ closed }) => closed)).toBe(false);
    await Promise.all([drained, watching]);
    gateway = undefined;
    const sorted = closedAtMs.sort((a, b) => a - b);
    expect(sorted[0]).toBeGreaterThan(350);
    expect((sorted[4] ?? 0) - (sorted[0] ?? 0)).toBeGreaterThan(200);
    for (const peer of peers) expect(peer.lastDescription).toContain('shutting down');
  });
});
