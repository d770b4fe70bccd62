import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createSocket } from 'node:dgram';
import { setTimeout as pause } from 'node:timers/promises';
import { startGateway, type Gateway } from './peers/gateway.js';
import { LightClient, startLightOrigin, type LightKind, type LightOrigin } from './peers/light-webrtc.js';
import { token } from './peers/tokens.js';

const KINDS: readonly LightKind[] = ['dtls', 'rtp', 'rtcp'];

let origin: LightOrigin;
let gateway: Gateway;

beforeEach(async () => {
  origin = await startLightOrigin();
  gateway = await startGateway({
    listen: { http: { host: '127.0.0.1', port: 0 }, media: { host: '127.0.0.1', port: 0 } },
    origins: [{ name: 'light', preset: 'generic', http: `http://127.0.0.1:${origin.port}` }],
  });
});

afterEach(async () => {
  await gateway.stop();
}, 15_000);

function open(kind: 'whip' | 'whep', session: number): Promise<LightClient> {
  return LightClient.open(gateway.web, kind, session, token());
}

describe('200 sessions at once', () => {
  it('share one UDP port, and every datagram reaches its own session and comes back by it', async () => {
    const COUNT = 200;
    const EACH = 30;
    const clients = await Promise.all(
      Array.from({ length: COUNT }, (_, session) => open(session % 2 === 0 ? 'whip' : 'whep', session)),
    );
    expect(new Set(clients.map(({ port }) => port)).size).toBe(1);
    expect(new Set(clients.map(({ url }) => url)).size).toBe(COUNT);
    const answers = await Promise.all(clients.map((client) => client.check()));
    expect(answers.map(({ kind }) => kind)).toEqual(clients.map(() => 'success'));

    // One who has made no check claims to be each of them, while they talk.
    const stranger = createSocket('udp4');
    const forged = Buffer.from([128, 96, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    let heard = 0;
    stranger.on('message', () => heard++);
    for (let at = 0; at < EACH; at++) {
      forged.writeUInt32BE(at, 8);
      stranger.send(Buffer.from(forged), clients[0]?.port ?? 0, '127.0.0.1');
      await Promise.all(clients.map((client) => client.echo(KINDS[at % KINDS.length] ?? 'rtp', at)));
    }
    for (const { session, got } of clients) {
      expect(got).toEqual(Array.from({ length: EACH }, (_, at) => ({ session, origin: session, at })));
    }
    expect([origin.datagrams, origin.strays, heard]).toEqual([COUNT * EACH, 0, 0]);
    stranger.close();

    expect(new Set(await Promise.all(clients.map((client) => client.delete())))).toEqual(new Set([200]));
    await gateway.program.until('the end of all', () => gateway.lines('session.end').length === COUNT || undefined);
    // The origin is told behind the client's back.
    for (let waited = 0; origin.deleted.size < COUNT && waited < 50; waited++) await pause(100);
    expect(origin.deleted.size).toBe(COUNT);
    expect(new Set(gateway.lines('session.end').map(({ reason }) => reason))).toEqual(new Set(['client-finished']));
  }, 60_000);
});

describe('a client that does less than others', () => {
  it('lives as long as media come, without a candidate and without a second check; without a word it is ended by timer', async () => {
    const [talker, dead, absent] = await Promise.all([open('whip', 1), open('whip', 2), open('whep', 3)]);
    expect(origin.offers.get(1)).not.toContain('a=candidate:');
    await Promise.all([talker.check(), dead.check()]);
    await dead.echo('rtp', 0);
    const startedMs = performance.now();
    let sent = 0;
    while (performance.now() - startedMs < 40_000) {
      await talker.echo('rtp', sent++);
      await pause(500);
    }
    const ended = (session: number) => gateway.lines('session.end').find((line) => line['path'] === `live/s${session}`);
    expect([...origin.deleted].sort()).toEqual([2, 3]);
    expect(ended(1)).toBeUndefined();
    expect(talker.got).toHaveLength(sent);
    expect(ended(dead.session)).toMatchObject({ reason: 'media-idle', error: 'nothing for 25000 ms' });
    const silentMs = ended(dead.session)?.['durationMs'];
    expect(Number(silentMs)).toBeGreaterThan(24_000);
    expect(Number(silentMs)).toBeLessThan(28_000);
    expect(ended(absent.session)).toMatchObject({ reason: 'client-closed', error: 'no check within 20000 ms' });
    expect(await talker.delete()).toBe(200);
  }, 70_000);
});
