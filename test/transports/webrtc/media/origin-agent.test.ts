import { describe, expect, it } from '@jest/globals';
import { writeStun } from '../../../../src/transports/webrtc/wire/stun-write.js';
import { ORIGIN_ANSWER, sdpText, VIEWER_ANSWER } from '../descriptions.js';
import { datagram, iceOf, openScene, signedUnknown, type SceneOptions } from './scene.js';

/** A session whose client has made its first check. */
async function connecting(
  options: SceneOptions & { readonly manner?: 'silent' | 'conflict' | 'unsigned' | 'forges' } = {},
) {
  const scene = await openScene(options);
  scene.origin.manner = options.manner ?? 'answers';
  const talk = scene.answered(options);
  talk.run();
  scene.client.check(talk.ice);
  return { ...scene, talk, state: () => talk.session.stats().state };
}

/** The same for an origin that made the offer. */
async function offered() {
  const scene = await openScene({ role: 'subscriber' });
  const talk = scene.offered();
  talk.run();
  scene.origin.manner = 'silent';
  scene.origin.gateway = iceOf(talk.session.answer(sdpText(VIEWER_ANSWER)));
  scene.client.check(talk.ice);
  return { ...scene, talk, state: () => talk.session.stats().state };
}

const HIGHEST = 2n ** 64n - 1n;

describe('checks of an origin', () => {
  it('are answered in every state, and make its address one that is heard', async () => {
    const { origin, originAt, client, state } = await connecting({ manner: 'silent' });
    const second = originAt('10.0.0.6', 10300);
    second.gateway = origin.gateway;
    second.from = origin.from;
    second.manner = 'silent';
    second.send(datagram.rtp(1));
    expect(second.check({ controlled: 1n })).toMatchObject({
      kind: 'success',
      mapped: { host: '10.0.0.6', port: 10300 },
    });
    // Trap 4: an address that its SDP did not name.
    second.send(datagram.rtp(2));
    expect(client.received()).toEqual([datagram.rtp(2)]);
    expect(state()).toBe('connecting');
    expect(second.checks).toHaveLength(1);
  });

  it('that are not made with our credentials get nothing', async () => {
    const { origin, drops } = await connecting();
    expect(origin.check({ controlled: 1n }, 'guessed')).toBeUndefined();
    expect(origin.check({ controlled: 1n, username: 'someone:orig' })).toBeUndefined();
    expect(drops()).toEqual({ 'bad-integrity': 1, 'unknown-user': 1 });
  });

  it('with what must be understood and is not get 420', async () => {
    const { origin } = await connecting();
    origin.send(signedUnknown({ ...origin.gateway, peer: 'orig' }, 0x0027));
    expect(origin.answers).toMatchObject([{ kind: 'error', errorCode: 420 }]);
  });

  it('of the same role get 487 where our number is higher, and take the role from us where it is not', async () => {
    const { origin, pass } = await connecting();
    expect(origin.check({ controlling: 0n })).toMatchObject({ kind: 'error', errorCode: 487 });
    expect(origin.check({ controlling: HIGHEST })?.kind).toBe('success');
    origin.checks.splice(0);
    pass(6000);
    expect(origin.checks[0]).toMatchObject({ controlling: undefined, useCandidate: false });
    // And give it back, or keep it.
    expect(origin.check({ controlled: HIGHEST })).toMatchObject({ kind: 'error', errorCode: 487 });
    expect(origin.check({ controlled: 0n })?.kind).toBe('success');
    origin.checks.splice(0);
    pass(6000);
    expect(origin.checks[0]?.controlling).toBeDefined();
  });
});

describe('an origin that controls', () => {
  it('chooses the address that media go to', async () => {
    const { origin, originAt, client, state, pass } = await offered();
    const second = originAt('10.0.0.6', 10300);
    second.gateway = origin.gateway;
    second.from = origin.from;
    origin.manner = 'answers';
    pass(100);
    expect(state()).toBe('relaying');
    client.send(datagram.rtcp(1));
    expect(origin.media).toEqual([datagram.rtcp(1)]);
    second.check({ controlling: 1n, useCandidate: true });
    expect(second.checks).toHaveLength(1);
    client.send(datagram.rtcp(2));
    expect(second.media).toEqual([datagram.rtcp(2)]);
    // Back to the first, which has answered before.
    origin.check({ controlling: 1n, useCandidate: true });
    client.send(datagram.rtcp(3));
    expect(origin.media).toEqual([datagram.rtcp(1), datagram.rtcp(3)]);
  });

  it('does not draw media to an address that answers nothing', async () => {
    const { origin, originAt, client, pass } = await offered();
    origin.manner = 'answers';
    pass(100);
    const mute = originAt('10.0.0.6', 10300);
    mute.gateway = origin.gateway;
    mute.from = origin.from;
    mute.manner = 'silent';
    mute.check({ controlling: 1n, useCandidate: true });
    client.send(datagram.rtcp(1));
    expect(mute.media).toEqual([]);
    expect(origin.media).toEqual([datagram.rtcp(1)]);
  });
});

describe('answers of an origin', () => {
  it('of 487 make us change our role and ask again', async () => {
    const { origin, state } = await connecting({ manner: 'conflict' });
    expect(state()).toBe('relaying');
    expect(origin.checks.map(({ controlling }) => controlling === undefined)).toEqual([false, true]);
  });

  it.each(['unsigned', 'forges'] as const)('prove nothing when they are %s', async (manner) => {
    const { state, drops, pass, ends } = await connecting({ manner });
    expect(state()).toBe('connecting');
    pass(10_500);
    expect(ends).toEqual([{ reason: 'origin-error', code: 'origin-media-unreachable' }]);
    expect(Object.keys(drops())).toEqual(['bad-integrity']);
  });

  it('prove nothing when they come from elsewhere, or for no check', async () => {
    const { origin, originAt, state, drops } = await connecting({ manner: 'silent' });
    const elsewhere = originAt('10.0.0.66', 10200);
    elsewhere.from = origin.from;
    const transaction = Buffer.from(origin.checks[0]?.transaction ?? []);
    elsewhere.send(writeStun({ kind: 'success', transaction }, origin.ice.pwd));
    origin.send(writeStun({ kind: 'success', transaction: Buffer.alloc(12) }, origin.ice.pwd));
    expect(state()).toBe('connecting');
    expect(drops()).toEqual({ 'unknown-address': 2 });
    origin.send(writeStun({ kind: 'success', transaction }, origin.ice.pwd));
    expect(state()).toBe('relaying');
  });

  it('of other errors, indications and damaged ones change nothing', async () => {
    const { origin, state, drops } = await connecting({ manner: 'silent' });
    const transaction = Buffer.from(origin.checks[0]?.transaction ?? []);
    origin.send(writeStun({ kind: 'error', transaction, error: { code: 500, reason: '' } }, origin.ice.pwd));
    origin.send(writeStun({ kind: 'indication', transaction }, origin.ice.pwd));
    const ping = writeStun({ kind: 'request', transaction }, origin.ice.pwd);
    ping.writeUInt16BE(0x0200, 0);
    origin.send(ping);
    origin.send(Buffer.alloc(19));
    expect(state()).toBe('connecting');
    expect(drops()).toEqual({ 'bad-stun': 2 });
  });
});

describe('what an origin sends', () => {
  it('is not passed on before it has proven itself, nor when it is nothing of ours', async () => {
    const { origin, originAt, client, drops } = await connecting();
    const stranger = originAt('10.0.0.66', 10200);
    stranger.from = origin.from;
    stranger.send(datagram.rtp(1));
    origin.send(Buffer.from([70]));
    origin.send(Buffer.alloc(3000, 128));
    origin.send(Buffer.alloc(0));
    expect(client.received()).toEqual([]);
    expect(drops()).toEqual({ 'unknown-address': 1, 'unknown-kind': 2, oversized: 1 });
  });

  it('comes through from any of its addresses that answered', async () => {
    const originSdp = sdpText(
      ORIGIN_ANSWER.map((line) =>
        line.replace('2001:db8::5 10201', '10.0.0.6 10300').replace('origin-5.local', '10.0.0.5'),
      ),
    );
    const scene = await openScene();
    const second = scene.originAt('10.0.0.6', 10300);
    const talk = scene.answered({ originSdp });
    second.gateway = scene.origin.gateway;
    talk.run();
    scene.client.check(talk.ice);
    second.send(datagram.rtp(1));
    scene.origin.send(datagram.rtp(2));
    expect(scene.client.received()).toEqual([datagram.rtp(1), datagram.rtp(2)]);
    scene.client.send(datagram.rtp(3));
    expect(scene.origin.media).toEqual([datagram.rtp(3)]);
  });
});

describe('the socket towards an origin', () => {
  it.each([
    ['127.0.0.1', '127.0.0.1'],
    ['10.0.0.5', '0.0.0.0'],
    ['::1', '::1'],
    ['2001:db8::5', '::'],
  ])('for %s is bound to %s', async (host, bound) => {
    const candidate = `a=candidate:a 1 udp 2130706431 ${host} 10200 typ host`;
    const lines = ORIGIN_ANSWER.filter((line) => !line.startsWith('a=candidate:'));
    const originSdp = sdpText([...lines.slice(0, 11), candidate, ...lines.slice(11)]);
    const { net, originSocket } = await connecting({ originSdp });
    expect(originSocket().port).toBeGreaterThan(39999);
    expect(net.gatewayPorts.at(-1)?.host).toBe(bound);
  });

  it('is closed when the session ends, and nothing goes out any more', async () => {
    const { talk, net, client, origin, pass } = await connecting();
    talk.session.end();
    expect(net.gatewayPorts).toHaveLength(1);
    origin.checks.splice(0);
    client.send(datagram.rtp(1));
    pass(40_000);
    expect(origin.checks).toEqual([]);
    expect(origin.media).toEqual([]);
  });

  it('is closed, and the session ended, by a fault in a timer of ours', async () => {
    const broken = await openScene();
    const talk = broken.answered();
    talk.run();
    broken.client.check(talk.ice);
    broken.isOutOfRandomness = true;
    broken.pass(7000);
    expect(broken.ends).toEqual([{ reason: 'gateway-error', code: 'media-fault' }]);
    expect(broken.net.gatewayPorts).toHaveLength(1);
  });

  it('that has a fault later is only logged', async () => {
    const { net, log, state, ends } = await connecting();
    net.fault(new Error('EHOSTUNREACH'));
    expect(log.filter(({ event }) => event === 'gateway.error').map(({ fields }) => fields)).toEqual([
      { where: 'origin-media', error: 'EHOSTUNREACH' },
    ]);
    expect(state()).toBe('relaying');
    expect(ends).toEqual([]);
  });

  it('learns no more than eight addresses, those that proved themselves first', async () => {
    const { origin, originAt, client } = await connecting();
    const others = Array.from({ length: 9 }, (_, at) => {
      const one = originAt('10.0.0.6', 11000 + at);
      one.gateway = origin.gateway;
      one.from = origin.from;
      one.check({ controlled: 1n });
      return one;
    });
    for (const [mark, one] of others.entries()) one.send(datagram.rtp(mark));
    expect(client.received().map((bytes) => bytes[3])).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });
});

describe('an origin whose process dies', () => {
  /** A session that has settled: media come from one address of the origin. */
  async function settled(options: SceneOptions = {}) {
    const scene = await connecting(options);
    scene.origin.send(datagram.rtp(1));
    scene.pass(2000);
    scene.client.received();
    return scene;
  }

  it('is missed within a second and a half of a client that sends, and the client is told', async () => {
    const { origin, client, talk, pass, ends } = await settled();
    origin.peer.die();
    client.send(datagram.rtp(2));
    pass(500);
    expect(ends).toEqual([{ reason: 'origin-error', code: 'origin-media-closed' }]);
    expect(client.check(talk.ice)).toMatchObject({ kind: 'error', errorCode: 403 });
  });

  it('is missed within two seconds of a viewer who sends nothing: it has stopped to send', async () => {
    const { origin, pass, ends } = await settled({ role: 'subscriber' });
    origin.send(datagram.rtp(2));
    origin.peer.die();
    pass(1600);
    expect(ends).toEqual([{ reason: 'origin-error', code: 'origin-media-closed' }]);
  });

  it('is asked before that is believed: whoever answers is there', async () => {
    const { origin, net, client, state, pass, ends } = await settled();
    origin.checks.splice(0);
    for (let round = 0; round < 20; round++) {
      net.refuse();
      net.refuse();
      client.send(datagram.rtp(round));
      pass(500);
    }
    expect(ends).toEqual([]);
    expect(state()).toBe('relaying');
    // One for each such message, and those of consent.
    expect(origin.checks.length).toBeLessThanOrEqual(44);
    expect(origin.media.length).toBe(20);
  });

  it('is not asked more for it than every 50 ms when it does not answer', async () => {
    const { origin, net, pass, ends } = await settled();
    origin.manner = 'silent';
    origin.checks.splice(0);
    for (let at = 0; at < 9; at++) {
      net.refuse();
      pass(50);
    }
    expect(ends).toEqual([]);
    expect(origin.checks.length).toBeLessThanOrEqual(5);
    pass(50);
    expect(ends).toEqual([{ reason: 'origin-error', code: 'origin-media-closed' }]);
  });

  it('is waited for where media came from more than one address: those must all be heard', async () => {
    const { origin, originAt, client, pass, ends } = await connecting();
    const second = originAt('10.0.0.6', 10300);
    second.gateway = origin.gateway;
    second.from = origin.from;
    second.check({ controlled: 1n });
    for (let mark = 0; mark < 20; mark++) {
      origin.send(datagram.rtp(mark));
      second.send(datagram.rtp(mark));
      pass(500);
      client.send(datagram.rtp(mark));
    }
    expect(client.received()).toHaveLength(40);
    origin.peer.die();
    client.send(datagram.rtp(1));
    pass(2000);
    expect(ends).toEqual([]);
  });

  it('is waited for where it controls: it may choose another address', async () => {
    const { origin, originAt, client, pass, ends, talk } = await offered();
    origin.manner = 'answers';
    pass(100);
    origin.send(datagram.rtp(1));
    for (let round = 0; round < 5; round++) {
      client.check(talk.ice);
      pass(2500);
    }
    const second = originAt('10.0.0.6', 10300);
    second.gateway = origin.gateway;
    second.from = origin.from;
    second.check({ controlling: 1n, useCandidate: true });
    client.send(datagram.rtcp(2));
    expect(second.media).toEqual([datagram.rtcp(2)]);
    expect(ends).toEqual([]);
  });

  it('costs one check when it only pauses', async () => {
    const { origin, pass, ends } = await settled({ role: 'subscriber' });
    origin.checks.splice(0);
    origin.send(datagram.rtp(2));
    pass(3000);
    expect(origin.checks.length).toBeLessThanOrEqual(2);
    expect(ends).toEqual([]);
  });
});
