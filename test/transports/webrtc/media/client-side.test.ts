import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readStun } from '../../../../src/transports/webrtc/wire/stun-read.js';
import { writeStun } from '../../../../src/transports/webrtc/wire/stun-write.js';
import { GATEWAY_IPV4 } from '../../../fakes/udp.js';
import { CLIENT_HOST, datagram, MEDIA_PORT, openScene, signedUnknown, type SceneOptions } from './scene.js';

async function running(options: SceneOptions = {}) {
  const scene = await openScene(options);
  const talk = scene.answered(options);
  talk.run();
  return { ...scene, talk, ice: talk.ice, state: () => talk.session.stats().state };
}

describe('checks of a client', () => {
  it('with a role that can only be ours get 487', async () => {
    const { client, ice, state } = await running();
    expect(client.check(ice, { controlling: undefined, controlled: 1n } as never)).toMatchObject({
      kind: 'error',
      errorCode: 487,
    });
    expect(state()).toBe('wait-client');
  });

  it('with what must be understood and is not get 420, with what need not be success (Chromium, 0xC057)', async () => {
    const { client, ice, state } = await running();
    client.send(signedUnknown({ ...ice, peer: 'x' }, 0x0027));
    const [refused] = client.received();
    expect(readStun(refused ?? Buffer.alloc(0))).toMatchObject({ kind: 'error', errorCode: 420 });
    expect(refused?.includes(Buffer.from([0, 0x0a, 0, 2, 0, 0x27]))).toBe(true);
    expect(state()).toBe('wait-client');
    client.send(signedUnknown({ ...ice, peer: 'x' }, 0xc057));
    expect(state()).toBe('relaying');
  });

  it('for nobody get nothing', async () => {
    const { client, ice, drops } = await running();
    expect(client.check({ ...ice, ufrag: 'nobody12' })).toBeUndefined();
    client.send(writeStun({ kind: 'request', transaction: Buffer.alloc(12) }, ice.pwd));
    expect(drops()).toEqual({ 'unknown-user': 2 });
  });

  it('count by the name in front of the colon alone', async () => {
    const { client, ice } = await running();
    expect(client.check(ice, { username: `${ice.ufrag}:someone-else` })?.kind).toBe('success');
    expect(client.check(ice, { username: ice.ufrag })?.kind).toBe('success');
    expect(client.check(ice, { username: `${ice.ufrag}:a:b` })?.kind).toBe('success');
  });

  it('of another method, and answers, are dropped', async () => {
    const { client, ice, drops } = await running();
    const ping = client.checkBytes(ice);
    ping.writeUInt16BE(0x0200, 0);
    client.send(ping);
    client.send(writeStun({ kind: 'success', transaction: Buffer.alloc(12) }, ice.pwd));
    client.send(writeStun({ kind: 'error', transaction: Buffer.alloc(12) }, ice.pwd));
    expect(client.received()).toEqual([]);
    expect(drops()).toEqual({ 'bad-stun': 3 });
  });

  it('may be long, as those with DTLS inside are', async () => {
    const { client, ice } = await running();
    expect(client.check(ice, { username: `${ice.ufrag}:${'x'.repeat(490)}` })?.kind).toBe('success');
  });
});

describe('what is dropped', () => {
  it.each<readonly [string, Buffer, string]>([
    ['nothing', Buffer.alloc(0), 'unknown-kind'],
    ['a byte of no protocol', Buffer.from([70, 1, 2]), 'unknown-kind'],
    ['TURN channel data', Buffer.from([64, 0, 0, 4, 1, 2, 3, 4]), 'unknown-kind'],
    ['more than WebRTC sends', Buffer.alloc(2049, 128), 'oversized'],
    ['more than STUN is', Buffer.alloc(2049, 0), 'oversized'],
  ])('from a client that is known: %s', async (_name, bytes, reason) => {
    const { client, ice, drops, origin } = await running();
    client.check(ice);
    client.send(bytes);
    expect(drops()).toEqual({ [reason]: 1 });
    expect(origin.media).toEqual([]);
  });

  it('from anybody: any bytes, without an answer and without an error', async () => {
    const { client, clientAt, ice, origin, log, state, drops } = await running();
    client.check(ice);
    const stranger = clientAt('192.0.2.66', 4444);
    const good = client.checkBytes(ice);
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 1500 }),
      fc.tuple(fc.nat(good.length - 9), fc.integer({ min: 1, max: 255 })).map(([at, by]) => {
        const forged = Buffer.from(good);
        forged[at] = (forged[at] ?? 0) ^ by;
        return forged;
      }),
    );
    let count = 0;
    fc.assert(
      fc.property(bytes, (one) => {
        count++;
        stranger.send(Buffer.from(one));
      }),
      { numRuns: 1500 },
    );
    expect(stranger.received()).toEqual([]);
    expect(origin.media).toEqual([]);
    expect(log.filter(({ event }) => event === 'gateway.error')).toEqual([]);
    expect(state()).toBe('relaying');
    expect(Object.values(drops()).reduce((sum, one) => sum + one, 0)).toBe(count);
  });
});

describe('addresses of a client', () => {
  it('are eight at once: the oldest that is not in use gives way', async () => {
    const { client, clientAt, ice, origin } = await running();
    client.check(ice);
    const others = Array.from({ length: 8 }, (_, at) => clientAt(CLIENT_HOST, 6000 + at));
    for (const other of others) other.check(ice, { useCandidate: false });
    origin.media.splice(0);
    for (const [mark, other] of others.entries()) other.send(datagram.rtp(mark));
    client.send(datagram.rtp(99));
    expect(origin.media.map((bytes) => bytes[3])).toEqual([1, 2, 3, 4, 5, 6, 7, 99]);
  });

  it('are forgotten after 30 s of silence', async () => {
    const { client, clientAt, ice, pass, drops, origin } = await running();
    const other = clientAt(CLIENT_HOST, 6000);
    client.check(ice);
    other.check(ice, { useCandidate: false });
    for (let at = 0; at < 31; at++) {
      client.send(datagram.rtp(at));
      pass(1000);
    }
    origin.media.splice(0);
    other.send(datagram.rtp(1));
    expect(origin.media).toEqual([]);
    expect(drops()).toEqual({ 'unknown-address': 1 });
  });

  it('of 200 sessions on one port are kept apart', async () => {
    const { clientAt, answered, origin, plane } = await running();
    const all = Array.from({ length: 200 }, (_, at) => {
      const talk = answered();
      talk.run();
      // Some share a host, some a port.
      return { talk, client: clientAt(`198.51.100.${at % 20}`, 6000 + (at % 11) * 20 + Math.floor(at / 20)) };
    });
    for (const { client, talk } of all) client.check(talk.ice);
    for (const { client } of all) client.send(datagram.rtp(0));
    for (const [at, { talk }] of all.entries()) {
      expect(talk.session.stats()).toMatchObject({ state: 'relaying', client: { host: `198.51.100.${at % 20}` } });
      expect(talk.session.stats().fromClient.packets).toBe(1);
    }
    expect(plane.counters).toMatchObject({ sessions: 201, fromClientPackets: 200 });
    expect(origin.media).toHaveLength(200);
  });

  it('that have one port on two hosts are two', async () => {
    const { client, clientAt, answered, ice, origin } = await running();
    client.check(ice);
    const other = answered();
    const twin = clientAt('198.51.100.21', 5000);
    other.run();
    twin.check(other.ice);
    twin.send(datagram.rtp(1));
    client.send(datagram.rtp(2));
    const byPort = origin.media.map((bytes) => bytes[3]);
    expect(byPort).toEqual([1, 2]);
    expect(other.session.stats().fromClient.packets).toBe(1);
  });

  it('cannot be drawn to another session while they live: a forged sender does no harm', async () => {
    const { client, answered, ice, talk, drops, pass } = await running();
    client.check(ice);
    client.send(datagram.rtp(1));
    const own = answered();
    own.run();
    // The attacker has a session of his own and forges the sender of the first one's packets.
    expect(client.check(own.ice)).toBeUndefined();
    expect(drops()).toEqual({ 'address-taken': 1 });
    pass(2000);
    client.send(datagram.rtp(2));
    expect(talk.session.stats().fromClient.packets).toBe(2);
    expect(own.session.stats().fromClient.packets).toBe(0);
  });

  it('go over to another session when they have been silent: a client that comes back from the same port', async () => {
    const { client, answered, ice, talk, pass } = await running();
    client.check(ice);
    pass(6000);
    const next = answered();
    next.run();
    expect(client.check(next.ice)?.kind).toBe('success');
    client.send(datagram.rtp(1));
    expect(next.session.stats().fromClient.packets).toBe(1);
    expect(talk.session.stats()).toMatchObject({ client: undefined, fromClient: { packets: 0 } });
    // What the first one's origin still sends waits, within limits, and the end of that session leaves the address alone.
    talk.session.end();
    client.send(datagram.rtp(2));
    expect(next.session.stats().fromClient.packets).toBe(2);
  });

  it('show life with Binding indications', async () => {
    const { client, clientAt, ice, pass, ends, drops } = await running();
    const keepAlive = writeStun({ kind: 'indication', transaction: Buffer.alloc(12) }, 'x');
    client.check(ice);
    for (let at = 0; at < 40; at++) {
      client.send(keepAlive);
      pass(1000);
    }
    expect(ends).toEqual([]);
    clientAt('192.0.2.66', 1).send(keepAlive);
    expect(drops()).toEqual({ 'unknown-address': 1 });
  });

  it('of a viewer do not show consent so', async () => {
    const { client, ice, pass, ends } = await running({ role: 'subscriber' });
    const keepAlive = writeStun({ kind: 'indication', transaction: Buffer.alloc(12) }, 'x');
    client.check(ice);
    for (let at = 0; at < 32; at++) {
      client.send(keepAlive);
      pass(1000);
    }
    expect(ends).toHaveLength(1);
  });
});

describe('what the origin sends while the client has no address', () => {
  it('is held and follows the answer to the next check (trap 2)', async () => {
    const scene = await running();
    const { client, answered, ice, origin, pass, net } = scene;
    client.check(ice);
    const first = origin.from;
    pass(6000);
    // Its address goes over to another session.
    const next = answered();
    next.run();
    client.check(next.ice);
    origin.from = first;
    for (let mark = 0; mark < 9; mark++) origin.send(datagram.rtp(mark));
    expect(scene.drops()).toEqual({ 'hold-full': 1 });
    const back = scene.clientAt(CLIENT_HOST, 7000);
    const start = net.carried.length;
    back.peer.send(back.checkBytes(ice), MEDIA_PORT, GATEWAY_IPV4);
    net.settle();
    const toClient = net.carried.slice(start).filter(({ to }) => to === `${CLIENT_HOST} 7000`);
    expect(toClient.map(({ bytes }) => bytes[0])).toEqual([1, ...new Array<number>(8).fill(128)]);
  });
});
