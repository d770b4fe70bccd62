import { afterEach, describe, expect, it } from '@jest/globals';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createMediaPorts, type MediaPorts } from '../../src/gateway/media-ports.js';
import { restartNotes } from '../../src/gateway/restart-notes.js';
import { systemClock } from '../../src/net/clock.js';
import { createMetrics } from '../../src/telemetry/metrics.js';
import { configFrom } from '../fakes/gateway-config.js';
import { CHROMIUM_OFFER, ORIGIN_ANSWER, sdpText } from '../transports/webrtc/descriptions.js';

const HERE = { host: '127.0.0.1', port: 0 };

let ports: MediaPorts | undefined;
afterEach(async () => {
  await ports?.close();
});

function config(media?: Readonly<Record<string, unknown>>) {
  return configFrom({
    listen: { http: HERE, ...(media && { media }) },
    hooks: ['open'],
    origins: [
      { name: 'o', preset: 'mediamtx', http: 'http://127.0.0.1:1', ...(media === undefined && { media: 'direct' }) },
    ],
  });
}

async function start(media?: Readonly<Record<string, unknown>>, most = 0) {
  const lines: string[] = [];
  const log = {
    enabled: () => true,
    write: (_: unknown, event: string) => {
      if (event.startsWith('listener.')) lines.push(event);
    },
  };
  const limit = { most };
  const made = createMediaPorts({ log, metrics: createMetrics(), clock: systemClock, maxSessions: () => limit.most });
  ports = made;
  const use = async (next?: Readonly<Record<string, unknown>>) => (await made.prepare(config(next))).use();
  await use(media);
  return { made, lines, use, limit };
}

const offer = { sessionId: 's', role: 'publisher', clientSdp: sdpText(CHROMIUM_OFFER) } as const;

describe('the ports for media of WebRTC', () => {
  it('are not opened where the config names none', async () => {
    const { made } = await start();
    expect([made.now, made.address]).toEqual([undefined, undefined]);
  });

  it('stay as they are while the config says the same, and tell new addresses', async () => {
    const { made, lines, use } = await start(HERE);
    const before = made.now;
    await use({ ...HERE, publicAddresses: ['198.51.100.7'] });
    expect(made.now).toBe(before);
    expect(made.now?.open(offer).answer(sdpText(ORIGIN_ANSWER))).toContain(' 198.51.100.7 ');
    expect(lines).toEqual(['listener.open']);
  });

  it('move for new sessions; the old one closes when its last session has gone', async () => {
    const { made, lines, use } = await start(HERE);
    const before = made.now;
    const session = before?.open(offer);
    await use({ host: '127.0.0.2', port: 0 });
    expect(made.now).not.toBe(before);
    expect(made.address?.host).toBe('127.0.0.2');
    expect(() => before?.open(offer)).toThrow('closed');
    expect(lines).toEqual(['listener.open', 'listener.open']);
    session?.answer(sdpText(ORIGIN_ANSWER));
    expect(before?.counters.sessions).toBe(1);
    await made.close();
    expect(lines.slice(2)).toEqual(['listener.closed', 'listener.closed']);
  });

  it('close when the config names none any more', async () => {
    const { made, lines, use } = await start(HERE);
    await use();
    await new Promise((done) => setImmediate(done));
    expect(made.now).toBeUndefined();
    expect(lines).toEqual(['listener.open', 'listener.closed']);
  });

  it('stay when the new one is taken, and leave nothing behind when the change is dropped', async () => {
    const { made } = await start(HERE);
    const before = made.now;
    const stranger = createSocket('udp4').bind(0, '127.0.0.2');
    await once(stranger, 'listening');
    const { port } = stranger.address();
    await expect(made.prepare(config({ host: '127.0.0.2', port }))).rejects.toMatchObject({ code: 'listen-failed' });
    stranger.close();
    await once(stranger, 'close');
    await (await made.prepare(config({ host: '127.0.0.2', port }))).drop();
    await (await made.prepare(config({ host: '127.0.0.2', port }))).drop();
    expect(made.now).toBe(before);
  });

  it('take as many sessions as the config that holds allows', async () => {
    const { made, limit } = await start(HERE, 1);
    made.now?.open(offer);
    expect(() => made.now?.open(offer)).toThrow('no more may be');
    limit.most = 2;
    made.now?.open(offer);
    limit.most = 0;
    made.now?.open(offer);
  });
});

describe('what waits for a restart', () => {
  const any = (...publicAddresses: string[]) => config({ host: '0.0.0.0', port: 8189, publicAddresses });

  it('is a port for another IP version, where the port itself stays', () => {
    expect(restartNotes(any('192.0.2.1'), any('192.0.2.1', '2001:db8::1'))).toEqual([
      expect.stringMatching(/^listen\.media\.publicAddresses has .* waits for a restart$/),
    ]);
  });

  it('is nothing else', () => {
    expect(restartNotes(any('192.0.2.1'), any('192.0.2.2', '192.0.2.3'))).toEqual([]);
    expect(restartNotes(any('192.0.2.1'), config(HERE))).toEqual([]);
    expect(restartNotes(any('192.0.2.1'), config())).toEqual([]);
    expect(restartNotes(config(), any('192.0.2.1'))).toEqual([]);
  });
});
