import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { configFrom } from './fakes/gateway-config.js';
import jwt from 'jsonwebtoken';
import { startGateway, type Gateway } from '../src/gateway.js';
import { systemClock } from '../src/net/clock.js';
import { createMetrics } from '../src/telemetry/metrics.js';
import { eventually, liveOrigin, livePublisher, type LiveOrigin } from './fakes/rtmp-live.js';
import { liveRtspOrigin, liveRtspViewer } from './fakes/rtsp-live.js';
import { ANSWER, OFFER } from './transports/webrtc/bed.js';

const SECRET = 'a secret of the tests, long enough for HS256';
/** What each stream shows. */
let token = '';
const tokenOf = (seconds: number): string =>
  jwt.sign({ sub: 'sam', jti: 't1', exp: Math.floor(Date.now() / 1000) + seconds }, SECRET);

let gateway: Gateway | undefined;
let rtmp: LiveOrigin;
let rtsp: Awaited<ReturnType<typeof liveRtspOrigin>>;
let asked: string[];
let ends: unknown[];
let actions: unknown[];
let stopHttp: () => void;

beforeEach(async () => {
  token = tokenOf(60);
  rtmp = await liveOrigin();
  rtsp = await liveRtspOrigin();
  asked = [];
  ends = [];
  actions = [];
  const http = createServer((request, response) => {
    asked.push(`${request.method ?? ''} ${request.url ?? ''}`);
    request.resume();
    if (request.method !== 'POST') response.writeHead(200).end();
    else {
      const answer = request.url?.includes('whep') === true ? ANSWER.WHEP : ANSWER.WHIP;
      response.writeHead(201, { location: '/there/1', 'content-type': 'application/sdp' }).end(answer);
    }
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  stopHttp = () => {
    http.closeAllConnections();
    http.close();
  };
  const text = JSON.stringify({
    listen: {
      rtmp: { host: '127.0.0.1', port: 0 },
      rtsp: { host: '127.0.0.1', port: 0 },
      http: { host: '127.0.0.1', port: 0 },
      admin: { port: 0 },
    },
    auth: { keys: [{ id: 'main', secret: { value: SECRET } }], onExpiry: 'close' },
    origins: [
      {
        ...{ name: 'o', preset: 'mediamtx', media: 'direct', health: 'off', rtmp: `rtmp://127.0.0.1:${rtmp.port}` },
        ...{ rtsp: rtsp.url, http: `http://127.0.0.1:${(http.address() as AddressInfo).port}` },
      },
    ],
  });
  const log = {
    write: (_level: string, event: string, fields: Readonly<Record<string, unknown>>) => {
      if (event === 'session.end') ends.push(fields['reason']);
      if (event === 'admin.action') actions.push(fields);
    },
    enabled: () => true,
  };
  gateway = await startGateway(configFrom(text), { log, metrics: createMetrics(), clock: systemClock });
});

afterEach(async () => {
  await gateway?.stop();
  gateway = undefined;
  await rtmp.close();
  rtsp.close();
  stopHttp();
});

const portOf = (listener: string): number => gateway?.addresses[listener]?.port ?? 0;

/** Streams by each transport: opens one, and gives back how to see that it is over for client and origin. */
const STREAMS: Readonly<Record<string, () => Promise<() => Promise<void>>>> = {
  RTMP: async () => {
    const peer = await livePublisher(portOf('rtmp'), `live?token=${token}`, 'cam');
    return async () => {
      await eventually(() => peer.closed && rtmp.calls.every((call) => call.peer.closed));
      expect(peer.codes).toContain('NetStream.Failed');
      expect(rtmp.calls[0]?.names()).toContain('deleteStream');
    };
  },
  RTSP: async () => {
    const { ask, closed } = await liveRtspViewer(portOf('rtsp'));
    expect((await ask('DESCRIBE', `live/cam?token=${token}`)).status).toBe(200);
    return async () => {
      await closed;
      await eventually(() => rtsp.asked.includes('DESCRIBE'));
    };
  },
  WHIP: () => posted('whip', OFFER.WHIP),
  WHEP: () => posted('whep', OFFER.WHEP),
};

async function posted(kind: 'whip' | 'whep', offer: string) {
  const headers = { 'content-type': 'application/sdp', authorization: `Bearer ${token}` };
  const url = `http://127.0.0.1:${portOf('http')}/live/${kind}/cam`;
  const answer = await fetch(url, { method: 'POST', headers, body: offer });
  expect(answer.status).toBe(201);
  const session = answer.headers.get('location') ?? '';
  return async () => {
    await eventually(() => asked.includes('DELETE /there/1'));
    const patch = await fetch(session, {
      method: 'PATCH',
      headers: { 'content-type': 'application/trickle-ice-sdpfrag' },
      body: 'a=end-of-candidates\r\n',
    });
    expect(patch.status).toBe(404);
  };
}

describe.each(Object.keys(STREAMS))('a stream by %s', (transport) => {
  const opened = async () => {
    const seeTheEnd = await STREAMS[transport]?.();
    await eventually(() => gateway?.sessions.sessions()[0]?.isRunning === true);
    return seeTheEnd;
  };

  it('ends for client and origin when its subject is kicked', async () => {
    const seeTheEnd = await opened();
    expect(gateway?.sessions.kick({ subject: 'sam' })).toBe(1);
    await seeTheEnd?.();
    expect(ends).toEqual(['kicked']);
    expect(gateway?.sessions.sessions()).toEqual([]);
  });

  it('ends for client and origin when its token is revoked, and does not come back', async () => {
    const seeTheEnd = await opened();
    gateway?.revocations.add({ tokenId: 't1' });
    await seeTheEnd?.();
    expect(ends).toEqual(['revoked']);
    await expect(STREAMS[transport]?.().then((again) => again())).rejects.toThrow();
    expect(gateway?.sessions.sessions()).toEqual([]);
  }, 15_000);

  it('ends for client and origin with its token, no earlier and a second later at most', async () => {
    token = tokenOf(3);
    const expiresMs = (jwt.decode(token) as { readonly exp: number }).exp * 1000;
    const seeTheEnd = await opened();
    expect(Date.now()).toBeLessThan(expiresMs);
    await eventually(() => ends.length > 0);
    expect(ends).toEqual(['expired']);
    expect(Date.now()).toBeGreaterThanOrEqual(expiresMs - 5);
    expect(Date.now()).toBeLessThan(expiresMs + 1000);
    await seeTheEnd?.();
  }, 15_000);
});

describe('the admin API', () => {
  const post = async (path: string, body: object): Promise<unknown> => {
    const url = `http://127.0.0.1:${portOf('admin')}/api/v1${path}`;
    const headers = { 'content-type': 'application/json' };
    return (await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })).json();
  };

  it('ends the streams from a network', async () => {
    await STREAMS['RTMP']?.();
    await eventually(() => gateway?.sessions.sessions()[0]?.isRunning === true);
    expect(await post('/sessions/kick', { address: '198.51.100.0/24' })).toEqual({ kicked: 0 });
    expect(await post('/sessions/kick', { address: '127.0.0.1/8' })).toMatchObject({ status: 400 });
    expect(await post('/sessions/kick', { address: '127.0.0.0/8' })).toEqual({ kicked: 1 });
    await eventually(() => ends.length > 0);
    expect(ends).toEqual(['kicked']);
  });

  it('tells the audit trail how many streams a revocation has ended', async () => {
    await STREAMS['RTMP']?.();
    await eventually(() => gateway?.sessions.sessions()[0]?.isRunning === true);
    await post('/revocations', { subject: 'nobody' });
    await post('/revocations', { subject: 'sam' });
    await eventually(() => ends.length > 0);
    expect(actions).toMatchObject([
      { action: 'revoke', aim: { subject: 'nobody' }, hit: 0 },
      { action: 'revoke', aim: { subject: 'sam' }, hit: 1 },
    ]);
  });
});
