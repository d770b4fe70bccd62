import { connect } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { configFrom } from './fakes/gateway-config.js';
import { startGateway, type Gateway } from '../src/gateway.js';
import { createKeySet } from '../src/hooks/verify-token/index.js';
import { mintToken } from '../src/hooks/verify-token/mint.js';
import { Secret } from '../src/model/secret.js';
import type { LogFields } from '../src/model/telemetry.js';
import { systemClock } from '../src/net/clock.js';
import { createMetrics } from '../src/telemetry/metrics.js';
import { livePublisher } from './fakes/rtmp-live.js';
import { OFFER } from './transports/webrtc/bed.js';

const SECRET = 'a secret of the tests, long enough for HS256';
const OTHER = 'another secret of the tests, as long as that';

let gateway: Gateway | undefined;
afterEach(async () => {
  await gateway?.stop();
  gateway = undefined;
});

interface More {
  readonly listen?: Readonly<Record<string, unknown>>;
}

function config(limits: Readonly<Record<string, unknown>>, more: More = {}) {
  const at = { host: '127.0.0.1', port: 0 };
  const text = JSON.stringify({
    listen: { rtmp: at, rtsp: at, http: at, ...more.listen },
    auth: { keys: [{ id: 'main', secret: { value: SECRET } }] },
    // Nobody is there: who gets so far has been let in.
    origins: [
      {
        ...{ name: 'origin', preset: 'generic', media: 'direct', health: 'off' },
        ...{ rtmp: 'rtmp://127.0.0.1:1', rtsp: 'rtsp://127.0.0.1:1', http: 'http://127.0.0.1:1' },
      },
    ],
    limits,
  });
  return configFrom(text);
}

async function start(limits: Readonly<Record<string, unknown>>, more: More = {}) {
  const decisions: LogFields[] = [];
  const log = {
    write: (_level: string, event: string, fields: LogFields) => {
      if (event === 'decision') decisions.push(fields);
    },
    enabled: () => true,
  };
  gateway = await startGateway(config(limits, more), { log, metrics: createMetrics(), clock: systemClock });
  return { decisions, running: gateway };
}

function token(secret = SECRET): string {
  const made = createKeySet([{ id: 'main', algorithm: 'HS256', secret: new Secret(secret) }]);
  const key = made.ok ? made.keySet.keys[0] : undefined;
  if (key === undefined) throw new Error('the key of the tests was refused');
  return mintToken({ key, ttlS: 60 }, Date.now() / 1000);
}

const portOf = (name: string): number => gateway?.addresses[name]?.port ?? 0;

/** What each transport says to a publisher. */
const ASK = {
  RTMP: async (shown: string) => (await livePublisher(portOf('rtmp'), `live?token=${shown}`, 'cam')).lastDescription,
  RTSP: (shown: string): Promise<string> =>
    new Promise((resolve, fail) => {
      const socket = connect({ host: '127.0.0.1', port: portOf('rtsp') });
      const url = `rtsp://127.0.0.1:${portOf('rtsp')}/live/cam?token=${shown}`;
      socket.write(`DESCRIBE ${url} RTSP/1.0\r\nCSeq: 1\r\n\r\n`);
      let text = '';
      socket.on('data', (part: Buffer) => (text += part.toString('latin1'))).on('error', fail);
      socket.on('close', () => resolve(text));
    }),
  WHIP: async (shown: string) => {
    const headers = { 'content-type': 'application/sdp', authorization: `Bearer ${shown}` };
    const url = `http://127.0.0.1:${portOf('http')}/live/whip/cam`;
    const answer = await fetch(url, { method: 'POST', headers, body: OFFER.WHIP });
    return `${answer.status} ${answer.headers.get('retry-after')} ${await answer.text()}`;
  },
} as const;
const TRANSPORTS = ['RTMP', 'RTSP', 'WHIP'] as const;

describe('an address that may not come in', () => {
  it.each([
    ['RTMP', /^address-denied: the address is not allowed$/],
    ['RTSP', /^RTSP\/1\.0 403 address-denied/],
    ['WHIP', /^403 null .*"address-denied"/],
  ] as const)('is told so on %s, also if it is loopback, until a new config lets it in', async (transport, words) => {
    const { running, decisions } = await start({ deny: ['127.0.0.0/8'] });
    expect(await ASK[transport](token())).toMatch(words);
    expect(decisions).toMatchObject([
      { code: 'address-denied', address: '127.0.0.1', detail: '127.0.0.0/8 of limits.deny holds the address' },
    ]);
    await running.reload(config({ deny: ['192.0.2.0/24'] }));
    expect(await ASK[transport](token())).not.toMatch('address-denied');
    expect(decisions.at(-1)).toMatchObject({ outcome: 'yes' });
  });
});

describe('too many attempts', () => {
  it.each([
    ['RTMP', /^limit-rate: too many attempts$/],
    ['RTSP', /^RTSP\/1\.0 503 limit-rate: too many attempts\r\n[^]*Retry-After: 5\r\n/],
    ['WHIP', /^429 5 .*"limit-rate"/],
  ] as const)('with one bad token are told so on %s, and hold no other token up', async (transport, words) => {
    const { decisions } = await start({});
    const bad = token(OTHER);
    for (let time = 0; time < 5; time++) expect(await ASK[transport](bad)).toMatch('token-signature');
    expect(await ASK[transport](bad)).toMatch(words);
    await ASK[transport](token());
    expect(decisions.at(-1)).toMatchObject({ outcome: 'yes' });
  });

  it('are counted over all transports together, and over a new config', async () => {
    const { running } = await start({});
    const bad = token(OTHER);
    for (const transport of [...TRANSPORTS, 'RTSP', 'WHIP'] as const) {
      expect(await ASK[transport](bad)).toMatch('token-signature');
    }
    await running.reload(config({ perAddress: 99 }));
    for (const transport of TRANSPORTS) expect(await ASK[transport](bad)).toMatch('limit-rate');
    await running.reload(config({ failuresPerToken: 0 }));
    expect(await ASK.RTMP(bad)).toMatch('token-signature');
  });

  it('of one address are too many for a good token as well', async () => {
    const { running, decisions } = await start({ attemptsPerAddress: 2 });
    expect(await ASK.WHIP(token())).not.toMatch('limit-rate');
    expect(await ASK.WHIP(token())).not.toMatch('limit-rate');
    expect(await ASK.WHIP(token())).toMatch('limit-rate');
    expect(decisions.at(-1)?.['detail']).toBe('the address has used up 2 attempts a minute');
    await running.reload(config({}));
    expect(await ASK.WHIP(token())).not.toMatch('limit-rate');
  });
});

describe('the address of a trusted proxy', () => {
  const proxy = { listen: { trustedProxies: ['127.0.0.1'] } };

  it('is never taken for one client, until it is trusted no more', async () => {
    const { running } = await start({ attemptsPerAddress: 1, failuresPerAddress: 1, perAddress: 1 }, proxy);
    expect(await ASK.WHIP(token(OTHER))).toMatch('token-signature');
    expect(await ASK.WHIP(token())).not.toMatch('limit-rate');
    expect(await ASK.RTMP(token())).not.toMatch('limit-rate');
    await running.reload(config({ attemptsPerAddress: 1 }));
    expect(await ASK.WHIP(token())).not.toMatch('limit-rate');
    expect(await ASK.WHIP(token())).toMatch('limit-rate');
  });

  it('is judged by the lists where it tells no other', async () => {
    await start({ deny: ['127.0.0.1'] }, proxy);
    expect(await ASK.WHIP(token())).toMatch('address-denied');
  });
});
