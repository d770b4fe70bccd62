import { afterEach, describe, expect, it } from '@jest/globals';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createMediaPorts, type MediaPorts } from '../../src/gateway/media-ports.js';
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

describe('a port for media that is wanted again', () => {
  const THERE = { host: '127.0.0.2', port: 0 };

  it('is taken back while its old sessions run, and stays when the last of them has gone', async () => {
    const { made, lines, use } = await start(HERE);
    const before = made.now;
    before?.open(offer);
    await use(THERE);
    await use({ ...HERE, publicAddresses: ['198.51.100.7'] });
    expect(made.now).toBe(before);
    expect(made.now?.counters.sessions).toBe(1);
    expect(made.now?.open(offer).answer(sdpText(ORIGIN_ANSWER))).toContain(' 198.51.100.7 ');
    await new Promise((done) => setImmediate(done));
    expect(lines).toEqual(['listener.open', 'listener.open', 'listener.open', 'listener.closed']);
  });

  it('goes on as it was when the change is dropped', async () => {
    const { made, use } = await start(HERE);
    const before = made.now;
    const session = before?.open(offer);
    await use(THERE);
    await (await made.prepare(config(HERE))).drop();
    expect(made.now).not.toBe(before);
    expect(() => before?.open(offer)).toThrow('closed');
    expect(before?.counters.sessions).toBe(1);
    session?.end();
  });

  it('is told of when sessions of an earlier config hold it for another address', async () => {
    const { made, use } = await start(HERE);
    const { port } = made.address ?? { port: 0 };
    made.now?.open(offer);
    await use(THERE);
    const again = { host: '0.0.0.0', port, publicAddresses: ['192.0.2.1'] };
    await expect(made.prepare(config(again))).rejects.toThrow(
      `cannot listen on 0.0.0.0:${port} (UDP): sessions of an earlier config still run there (1); it is free when the last has ended`,
    );
  });

  it('opens no port once all is closed', async () => {
    const { made, lines } = await start(HERE);
    const change = await made.prepare(config(THERE));
    await made.close();
    change.use();
    expect([made.now, lines]).toEqual([undefined, ['listener.open', 'listener.closed']]);
  });
});

describe('what waits for a restart', () => {
  const any = (...publicAddresses: string[]) => ({ host: '0.0.0.0', port: 0, publicAddresses });
  const notesOf = async ({ made }: Awaited<ReturnType<typeof start>>, next?: Readonly<Record<string, unknown>>) => {
    const change = await made.prepare(config(next));
    change.use();
    return change.notes;
  };

  it('is a port for another IP version, where the port itself stays; it is told at each reload', async () => {
    const bed = await start(any('192.0.2.1'));
    const note = expect.stringMatching(/^listen\.media\.publicAddresses has .* waits for a restart$/);
    expect(await notesOf(bed, any('192.0.2.1', '2001:db8::1'))).toEqual([note]);
    expect(await notesOf(bed, any('192.0.2.1', '2001:db8::1'))).toEqual([note]);
  });

  it('is another address with the number of the port that is open', async () => {
    const bed = await start(HERE);
    const { port } = bed.made.address ?? { port: 0 };
    const before = bed.made.now;
    const note = `listen.media.host is another, and port ${port} stays: moving it waits for a restart`;
    const next = { ...any('192.0.2.1'), port };
    expect(await notesOf(bed, next)).toEqual([note]);
    expect(await notesOf(bed, next)).toEqual([note]);
    expect(bed.made.now).toBe(before);
    expect(bed.made.now?.open(offer).answer(sdpText(ORIGIN_ANSWER))).toContain(' 192.0.2.1 ');
  });

  it('is nothing else', async () => {
    const bed = await start(any('192.0.2.1'));
    expect(await notesOf(bed, any('192.0.2.2', '192.0.2.3'))).toEqual([]);
    expect(await notesOf(bed, HERE)).toEqual([]);
    expect(await notesOf(bed)).toEqual([]);
    expect(await notesOf(bed, any('192.0.2.1'))).toEqual([]);
  });
});

describe('public addresses that the port cannot be reached by', () => {
  it('are refused, as they are at the start', async () => {
    const { made } = await start(HERE);
    await expect(made.prepare(config({ ...HERE, publicAddresses: ['2001:db8::1'] }))).rejects.toMatchObject({
      code: 'listen-failed',
      message: 'no public address can be reached by 127.0.0.1',
    });
  });
});
