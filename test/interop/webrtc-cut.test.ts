import { afterEach, describe, expect, it } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import { startGateway, type Gateway } from './peers/gateway.js';
import { LightClient, startLightOrigin, type LightOrigin } from './peers/light-webrtc.js';
import { nowS, token } from './peers/tokens.js';

const gateways: Gateway[] = [];

afterEach(async () => {
  await Promise.all(gateways.splice(0).map((gateway) => gateway.stop()));
}, 15_000);

/** A gateway in front of an origin, and a client whose media run. */
async function running(kind: 'whip' | 'whep', claims: Readonly<Record<string, unknown>> = {}) {
  const origin = await startLightOrigin();
  const local = { host: '127.0.0.1', port: 0 };
  const gateway = await startGateway({
    listen: { http: local, media: local, admin: local },
    auth: { onExpiry: 'close' },
    limits: { drainTimeoutSeconds: 1, drainSpreadSeconds: 0 },
    origins: [{ name: 'light', preset: 'generic', http: `http://127.0.0.1:${origin.port}` }],
  });
  gateways.push(gateway);
  const client = await LightClient.open(gateway.web, kind, 1, token(claims));
  expect(await client.check()).toMatchObject({ kind: 'success' });
  await client.echo('rtp', 0);
  return { origin, gateway, client };
}

async function kick(gateway: Gateway): Promise<void> {
  const port = gateway.lines('listener.open').find((line) => line['listener'] === 'admin')?.['port'];
  const sessions = `http://127.0.0.1:${String(port)}/api/v1/sessions`;
  const { items } = (await (await fetch(sessions)).json()) as { items: { id: string }[] };
  const answer = await fetch(`${sessions}/${items[0]?.id ?? ''}`, { method: 'DELETE' });
  expect(await answer.json()).toEqual({ kicked: 1 });
}

/** Makes checks, as a browser does every two seconds, until one is refused; gives how long that took. */
async function untilRefused(client: LightClient): Promise<number> {
  const startMs = performance.now();
  for (;;) {
    const answer = await client.check();
    if (answer.kind === 'error') {
      expect(answer.errorCode).toBe(403);
      return performance.now() - startMs;
    }
    await pause(100);
  }
}

async function isDeletedAt(origin: LightOrigin): Promise<boolean> {
  for (let waited = 0; !origin.deleted.has(1) && waited < 30; waited++) await pause(100);
  return origin.deleted.has(1);
}

describe.each(['whip', 'whep'] as const)('media by %s are cut with the session', (kind) => {
  it.each<readonly [string, (gateway: Gateway) => unknown, number, number]>([
    ['kicked', kick, 300, 1000],
    ['expired', () => undefined, 3, 6000],
    ['draining', (gateway) => void gateway.stop(), 300, 3000],
  ])(
    'that is %s: a signed 403 for checks, nothing relayed, DELETE at the origin',
    async (reason, cut, validS, mostMs) => {
      const { origin, gateway, client } = await running(kind, { exp: nowS(validS) });
      await cut(gateway);
      expect(await untilRefused(client)).toBeLessThan(mostMs);
      const before = origin.datagrams;
      for (let at = 1; at < 10; at++) client.send('rtp', at);
      // Each is answered when what came before it has been looked at.
      expect(await client.check()).toMatchObject({ kind: 'error', errorCode: 403 });
      expect(origin.datagrams).toBe(before);
      expect(await isDeletedAt(origin)).toBe(true);
      await gateway.logs('session.end', { reason });
    },
    30_000,
  );
});

describe('a client that changes its address', () => {
  it.each(['whip', 'whep'] as const)('goes on with its media by %s after a check from there', async (kind) => {
    const { origin, gateway, client } = await running(kind);
    const moved = await client.moved();
    expect(await moved.check()).toMatchObject({ kind: 'success' });
    for (let at = 1; at < 20; at++) await moved.echo('rtp', at);
    expect(moved.got).toHaveLength(19);
    expect(client.got).toHaveLength(1);
    expect(origin.strays).toBe(0);
    expect(gateway.lines('session.end')).toEqual([]);
  });
});
