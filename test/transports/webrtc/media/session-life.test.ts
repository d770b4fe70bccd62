import { describe, expect, it } from '@jest/globals';
import { GatewayError, WireError } from '../../../../src/model/errors.js';
import { GATEWAY_IPV4, GATEWAY_IPV6 } from '../../../fakes/udp.js';
import { LITE_ANSWER, ORIGIN_ANSWER, ORIGIN_OFFER, sdpText, VIEWER_ANSWER, VIEWER_OFFER } from '../descriptions.js';
import {
  CLIENT_HOST,
  datagram,
  iceOf,
  MEDIA_PORT,
  openScene,
  ORIGIN_HOST,
  type Scene,
  type SceneOptions,
} from './scene.js';

/** A session that relays, its client having made one check. */
async function relaying(options: SceneOptions = {}) {
  const scene = await openScene(options);
  const talk = scene.answered();
  const relay = talk.run();
  scene.client.check(talk.ice);
  expect(talk.session.stats().state).toBe('relaying');
  return { ...scene, talk, relay, state: () => talk.session.stats().state };
}

/** Keeps a client alive with checks for `ms`. */
function keepChecking(scene: Scene, ice: { ufrag: string; pwd: string }, ms: number): void {
  for (let passed = 0; passed < ms; passed += 2500) {
    scene.client.check(ice);
    scene.pass(2500);
  }
}

describe('a session before anybody is there', () => {
  it('opens no socket and sends nothing, whatever is asked of it', async () => {
    const scene = await openScene();
    const talk = scene.answered();
    expect(talk.session.stats().state).toBe('offered');
    expect(scene.client.check(talk.ice)).toBeUndefined();
    expect(scene.net.gatewayPorts).toHaveLength(1);
    expect(scene.drops()).toEqual({ 'not-relaying': 1 });
    talk.run();
    scene.pass(5000);
    expect(talk.session.stats().state).toBe('wait-client');
    expect(scene.net.carried.filter(({ from }) => from.startsWith(GATEWAY_IPV4))).toEqual([]);
  });

  it('is gone at once when it ends: the origin said no', async () => {
    const scene = await openScene();
    const session = scene.plane.open({ sessionId: 's', role: 'subscriber', clientSdp: sdpText(VIEWER_OFFER) });
    session.end();
    session.end();
    expect(session.stats().state).toBe('gone');
    scene.pass(500);
    expect(scene.plane.counters.sessions).toBe(0);
  });

  it('ends when no client comes within 20 s', async () => {
    const scene = await openScene();
    const talk = scene.answered();
    talk.run();
    scene.pass(19_500);
    expect(scene.ends).toEqual([]);
    scene.pass(1000);
    expect(scene.ends).toEqual([{ reason: 'client-closed', code: 'client-never-came' }]);
    expect(talk.session.stats().state).toBe('ending');
  });

  it('refuses SDP that no origin should see, and answers that are of no use', async () => {
    const { plane } = await openScene();
    const input = { sessionId: 's', role: 'publisher' } as const;
    expect(() => plane.open({ ...input, clientSdp: 'v=0\r\n' })).toThrow(WireError);
    expect(() => plane.open({ ...input, clientSdp: sdpText(VIEWER_OFFER) })).toThrow('unsupported-sdp-direction');
    const session = plane.open({ ...input, role: 'subscriber', clientSdp: sdpText(VIEWER_OFFER) });
    const nowhere = ORIGIN_ANSWER.filter((line) => !/^a=candidate:[ab]/.test(line));
    expect(() => session.answer(sdpText(nowhere))).toThrow('unsupported-sdp-candidates');
    expect(() => session.answer(sdpText(ORIGIN_OFFER))).toThrow('sdp-setup');
    expect(() => plane.openForOffer({ ...input, originSdp: sdpText(nowhere) })).toThrow(WireError);
    expect(plane.counters.sessions).toBe(1);
  });

  it('is refused when there are too many, or the port is closed', async () => {
    const { plane, answered } = await openScene({ maxSessions: 1 });
    answered();
    const again = () => plane.open({ sessionId: 's', role: 'subscriber', clientSdp: sdpText(VIEWER_OFFER) });
    expect(again).toThrow(expect.objectContaining({ code: 'media-full' }));
    await plane.close();
    expect(again).toThrow('closed');
  });
});

describe('a session that connects', () => {
  it('answers the first check, then checks the origin, then relays both ways', async () => {
    const scene = await openScene();
    const talk = scene.answered();
    const relay = talk.run();
    expect(scene.client.check(talk.ice)).toMatchObject({
      kind: 'success',
      mapped: { host: CLIENT_HOST, port: 5000 },
    });
    const [first] = scene.origin.checks;
    expect(first).toMatchObject({
      username: `orig:${iceOf(talk.toOrigin).ufrag}`,
      useCandidate: true,
      controlled: undefined,
    });
    expect(first?.controlling).toBeDefined();
    expect(talk.session.stats()).toMatchObject({ state: 'relaying', client: { host: CLIENT_HOST, port: 5000 } });
    scene.client.send(datagram.hello(1));
    scene.client.send(datagram.rtp(2));
    expect(scene.origin.media).toEqual([datagram.hello(1), datagram.rtp(2)]);
    scene.origin.send(datagram.rtcp(3));
    expect(scene.client.received()).toEqual([datagram.rtcp(3)]);
    expect([relay.clientBytes, relay.originBytes]).toEqual([1206 + 8, 8]);
    expect(talk.session.stats()).toMatchObject({
      fromClient: { packets: 2, bytes: 1214 },
      fromOrigin: { packets: 1, bytes: 8 },
    });
    expect(scene.drops()).toEqual({});
  });

  it('tells the bitrate of each direction', async () => {
    const { client, pass, talk } = await relaying();
    for (let at = 0; at < 10; at++) {
      for (let packet = 0; packet < 10; packet++)
        client.send(Buffer.concat([Buffer.from([128, 96]), Buffer.alloc(998)]));
      pass(500);
    }
    expect(talk.session.stats().fromClient.bitrate).toBe(160_000);
    expect(talk.session.stats().fromOrigin.bitrate).toBe(0);
  });

  it('sends the answer to a check before held datagrams (trap 2), and the flight of a handshake in its order', async () => {
    const scene = await openScene();
    scene.origin.manner = 'silent';
    const talk = scene.answered();
    talk.run();
    scene.client.check(talk.ice);
    for (let mark = 0; mark < 3; mark++) scene.client.send(datagram.hello(mark));
    scene.pass(100);
    expect(scene.origin.media).toEqual([]);
    scene.origin.manner = 'answers';
    scene.pass(2000);
    expect(scene.origin.media).toEqual([datagram.hello(0), datagram.hello(1), datagram.hello(2)]);
  });

  it('holds at most 8 datagrams and 12 KiB each way', async () => {
    const scene = await openScene();
    scene.origin.manner = 'silent';
    const talk = scene.answered();
    talk.run();
    scene.client.check(talk.ice);
    for (let mark = 0; mark < 9; mark++) scene.client.send(datagram.rtp(mark));
    expect(scene.drops()).toEqual({ 'hold-full': 1 });
    const other = scene.answered();
    other.run();
    const client = scene.clientAt(CLIENT_HOST, 5002);
    client.check(other.ice);
    for (let mark = 0; mark < 8; mark++) client.send(Buffer.concat([datagram.hello(mark), Buffer.alloc(800)]));
    expect(scene.drops()).toEqual({ 'hold-full': 1 + 2 });
  });

  it('ends when the origin answers no check within 10 s', async () => {
    const scene = await openScene();
    scene.origin.manner = 'silent';
    const talk = scene.answered();
    talk.run();
    scene.client.check(talk.ice);
    expect(talk.session.stats().state).toBe('connecting');
    keepChecking(scene, talk.ice, 12_500);
    expect(scene.ends).toEqual([{ reason: 'origin-error', code: 'origin-media-unreachable' }]);
    // 50 ms and twice as long each time, up to 1.6 s.
    expect(scene.origin.checks).toHaveLength(11);
  });

  it('ends when no socket can be had for the origin', async () => {
    const scene = await openScene();
    const talk = scene.answered();
    talk.run();
    scene.net.failNextOpen(new GatewayError('listen-failed', 'gateway', 'EMFILE'));
    scene.client.check(talk.ice);
    expect(scene.ends).toEqual([{ reason: 'gateway-error', code: 'listen-failed' }]);
    expect(scene.net.gatewayPorts).toHaveLength(1);
  });
});

describe('a session that runs', () => {
  it('is suspect after 10 s of silence and dead after 25 (publisher)', async () => {
    const { pass, state, ends } = await relaying();
    pass(9_500);
    expect(state()).toBe('relaying');
    pass(1000);
    expect(state()).toBe('suspect');
    pass(14_000);
    expect(ends).toEqual([]);
    pass(1000);
    expect(ends).toEqual([{ reason: 'media-idle', code: 'client-silent' }]);
  });

  it('comes back when anything valid arrives', async () => {
    const { pass, state, client, ends } = await relaying();
    pass(15_000);
    expect(state()).toBe('suspect');
    client.send(datagram.rtp(1));
    pass(500);
    expect(state()).toBe('relaying');
    pass(24_000);
    expect(ends).toEqual([]);
  });

  it('wants a viewer to consent: media and DTLS of his are not enough, checks and RTCP are', async () => {
    const scene = await relaying({ role: 'subscriber' });
    for (let at = 0; at < 24; at++) {
      scene.client.send(datagram.rtp(at));
      scene.pass(1000);
    }
    expect(scene.state()).toBe('suspect');
    scene.client.send(datagram.rtcp(1));
    scene.pass(1000);
    expect(scene.state()).toBe('relaying');
    keepChecking(scene, scene.talk.ice, 60_000);
    expect(scene.ends).toEqual([]);
    scene.pass(31_000);
    expect(scene.ends).toEqual([{ reason: 'client-closed', code: 'client-silent' }]);
  });

  it('does not keep a viewer alive for what the origin sends him', async () => {
    const scene = await relaying({ role: 'subscriber' });
    for (let at = 0; at < 31; at++) {
      scene.origin.send(datagram.rtp(at));
      scene.pass(1000);
    }
    expect(scene.ends).toHaveLength(1);
  });

  it('takes a DTLS alert and silence after it for a good-bye', async () => {
    const { client, pass, ends } = await relaying();
    client.send(datagram.alert());
    pass(4_500);
    expect(ends).toEqual([]);
    pass(1_500);
    expect(ends).toEqual([{ reason: 'client-closed', code: 'client-silent' }]);
  });

  it('forgets the alert when the client goes on', async () => {
    const { client, pass, ends } = await relaying();
    client.send(datagram.alert());
    client.send(datagram.rtp(1));
    pass(20_000);
    expect(ends).toEqual([]);
  });

  it('is not ended by a clock that is set, nor by a pause of the loop', async () => {
    const { clock, pass, ends, state } = await relaying();
    clock.jump(3_600_000);
    pass(1000);
    clock.jump(-7_200_000);
    pass(1000);
    expect(ends).toEqual([]);
    expect(state()).toBe('relaying');
  });

  it('ends with the origin when that no longer answers for 30 s: consent is coupled', async () => {
    const scene = await relaying();
    scene.origin.manner = 'silent';
    keepChecking(scene, scene.talk.ice, 25_000);
    expect(scene.ends).toEqual([]);
    keepChecking(scene, scene.talk.ice, 15_000);
    expect(scene.ends).toEqual([{ reason: 'origin-error', code: 'origin-consent-expired' }]);
    expect(scene.client.check(scene.talk.ice)).toMatchObject({ kind: 'error', errorCode: 403 });
  });

  it('ends when the origin withdraws its consent with a signed 403', async () => {
    const scene = await relaying();
    scene.origin.manner = 'forbids';
    keepChecking(scene, scene.talk.ice, 7_500);
    expect(scene.ends).toEqual([{ reason: 'origin-error', code: 'origin-forbids-media' }]);
  });

  it('lives on through lost answers of the origin', async () => {
    const scene = await relaying();
    for (let round = 0; round < 4; round++) {
      const mend = scene.net.cut(ORIGIN_HOST);
      keepChecking(scene, scene.talk.ice, 17_500);
      mend();
      keepChecking(scene, scene.talk.ice, 10_000);
    }
    expect(scene.ends).toEqual([]);
  });
});

describe('a session that is ended', () => {
  it('relays nothing more at once, refuses checks for 30 s with a signed 403, then knows nobody', async () => {
    const scene = await relaying();
    scene.talk.session.end();
    scene.talk.session.end();
    expect(scene.net.gatewayPorts).toHaveLength(1);
    scene.client.send(datagram.rtp(1));
    expect(scene.origin.media).toEqual([]);
    scene.pass(29_000);
    expect(scene.client.check(scene.talk.ice)).toMatchObject({ kind: 'error', errorCode: 403 });
    expect(scene.plane.counters.sessions).toBe(1);
    scene.pass(1500);
    expect(scene.client.check(scene.talk.ice)).toBeUndefined();
    expect(scene.plane.counters.sessions).toBe(0);
    expect(scene.drops()).toEqual({ 'unknown-address': 1, 'unknown-user': 1 });
    expect(scene.ends).toEqual([]);
  });

  it('by the relay that runs it tells nobody', async () => {
    const { relay, state, ends, pass } = await relaying();
    relay.stop();
    pass(40_000);
    expect(state()).toBe('gone');
    expect(ends).toEqual([]);
  });

  it('refuses a forged check no more than a living one does', async () => {
    const scene = await relaying();
    scene.talk.session.end();
    expect(scene.client.check(scene.talk.ice, {}, 'guessed')).toBeUndefined();
  });

  it('keeps what its caller throws away from the loop', async () => {
    const scene = await openScene();
    const { session } = scene.answered();
    session.run(() => {
      throw new Error('caller');
    });
    scene.pass(21_000);
    expect(session.stats().state).toBe('ending');
    expect(scene.log.filter(({ event }) => event === 'gateway.error')).toHaveLength(1);
  });

  it('leaves no timer and no port behind when the plane closes', async () => {
    const scene = await relaying();
    await scene.plane.close();
    await scene.plane.close();
    expect(scene.clock.pending).toBe(0);
    expect(scene.net.gatewayPorts).toEqual([]);
    expect(scene.state()).toBe('gone');
  });
});

describe('an ICE restart', () => {
  const fragment = (ufrag: string) =>
    `a=ice-ufrag:${ufrag}\r\na=ice-pwd:0123456789abcdefghijklmn\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=candidate:1 1 udp 1 198.51.100.20 5010 typ host\r\n`;

  function restart(
    scene: Scene & { talk: { session: { patch(text: string): { kind: string; fragment?: string } } } },
    ufrag: string,
  ) {
    const outcome = scene.talk.session.patch(fragment(ufrag));
    return { ...outcome, ice: iceOf(outcome.fragment ?? '') };
  }

  it('is told from trickling by a user name that is new', async () => {
    const scene = await relaying();
    expect(restart(scene, 'EsAw').kind).toBe('trickle');
    expect(scene.talk.session.patch('a=end-of-candidates\r\n')).toEqual({ kind: 'trickle' });
    const first = restart(scene, 'new1');
    expect(first.kind).toBe('restart');
    expect(first.fragment).toContain('a=ice-lite\r\n');
    expect(first.fragment).toContain(
      `m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=candidate:1 1 udp 2130706431 ${GATEWAY_IPV4} ${MEDIA_PORT} typ host\r\na=end-of-candidates\r\n`,
    );
    expect(first.ice.ufrag).not.toBe(scene.talk.ice.ufrag);
    // Late candidates of either generation.
    expect(restart(scene, 'new1').kind).toBe('trickle');
    expect(restart(scene, 'EsAw').kind).toBe('trickle');
    expect(() => scene.talk.session.patch('{"candidate":""}')).toThrow(WireError);
  });

  it('keeps media running on the old address until the new one is nominated', async () => {
    const scene = await relaying();
    const { ice } = restart(scene, 'new1');
    const moved = scene.clientAt(CLIENT_HOST, 5010);
    scene.client.send(datagram.rtp(1));
    moved.check(ice, { useCandidate: false });
    // Media from the new address counts at once, what comes down does not move yet (trap 6).
    moved.send(datagram.rtp(2));
    expect(scene.origin.media).toEqual([datagram.rtp(1), datagram.rtp(2)]);
    scene.origin.send(datagram.rtcp(3));
    expect(scene.client.received()).toEqual([datagram.rtcp(3)]);
    moved.check(ice);
    scene.origin.send(datagram.rtcp(4));
    expect(moved.received()).toEqual([datagram.rtcp(4)]);
    expect(scene.origin.from).toEqual(expect.objectContaining({ host: GATEWAY_IPV4 }));
  });

  it('leaves old credentials good for 10 s after new ones are in use (trap 7)', async () => {
    const scene = await relaying();
    const { ice } = restart(scene, 'new1');
    scene.pass(20_000);
    expect(scene.client.check(scene.talk.ice)?.kind).toBe('success');
    const moved = scene.clientAt(CLIENT_HOST, 5010);
    moved.check(ice);
    // Not back: the old generation cannot take the media again.
    expect(scene.client.check(scene.talk.ice)?.kind).toBe('success');
    expect(scene.talk.session.stats().client).toEqual({ host: CLIENT_HOST, port: 5010 });
    scene.pass(9_000);
    expect(scene.client.check(scene.talk.ice)?.kind).toBe('success');
    scene.pass(2_000);
    expect(scene.client.check(scene.talk.ice)).toBeUndefined();
    expect(moved.check(ice)?.kind).toBe('success');
  });

  it('works from the same address', async () => {
    const scene = await relaying();
    const { ice } = restart(scene, 'new1');
    expect(scene.client.check(ice, { useCandidate: false })?.kind).toBe('success');
    scene.pass(11_000);
    expect(scene.client.check(scene.talk.ice)).toBeUndefined();
    expect(scene.client.check(ice)?.kind).toBe('success');
  });

  it('can be repeated without end, and keeps four generations, the used one among them', async () => {
    const scene = await relaying();
    const all = Array.from({ length: 20 }, (_, at) => restart(scene, `new${at + 10}`).ice);
    expect(scene.client.check(scene.talk.ice)?.kind).toBe('success');
    expect(scene.client.check(all[16] ?? scene.talk.ice)).toBeUndefined();
    expect(scene.client.check(all[17] ?? scene.talk.ice)?.kind).toBe('success');
    expect(scene.client.check(all[19] ?? scene.talk.ice)?.kind).toBe('success');
  });

  it('after the end changes nothing', async () => {
    const scene = await relaying();
    scene.talk.session.end();
    expect(restart(scene, 'new1').kind).toBe('trickle');
  });
});

describe('a session that the origin offers (Red5, a 406 with an offer)', () => {
  async function offered(options: SceneOptions = {}) {
    const scene = await openScene(options);
    return { ...scene, talk: scene.offered(options) };
  }

  it('gives the client an offer of ours and the origin an answer of ours', async () => {
    const { talk } = await offered();
    expect(talk.toClient).toContain('a=ice-lite\r\n');
    expect(talk.toClient).toContain('a=setup:actpass\r\n');
    expect(talk.toClient).not.toContain(ORIGIN_HOST);
    const answer = talk.session.answer(sdpText(VIEWER_ANSWER));
    expect(answer).not.toMatch(/a=candidate|EsAw|192\.168/);
    expect(iceOf(answer)).not.toEqual(talk.ice);
  });

  it('answers the client before its answer is there, and goes on when it is', async () => {
    const scene = await offered();
    const { talk, client, origin } = scene;
    talk.run();
    expect(client.check(talk.ice)?.kind).toBe('success');
    client.send(datagram.hello(1));
    scene.pass(3000);
    expect(origin.checks).toEqual([]);
    expect(() => talk.session.answer(sdpText(VIEWER_OFFER))).toThrow('sdp-setup');
    expect(() => talk.session.answer(sdpText(VIEWER_ANSWER.slice(0, -10)))).toThrow(WireError);
    origin.gateway = iceOf(talk.session.answer(sdpText(VIEWER_ANSWER)));
    scene.net.settle();
    expect(origin.checks[0]).toMatchObject({ useCandidate: false, controlling: undefined });
    expect(origin.media).toEqual([datagram.hello(1)]);
    expect(talk.session.stats().state).toBe('relaying');
    // A PATCH that is sent twice changes nothing.
    expect(iceOf(talk.session.answer(sdpText(VIEWER_ANSWER)))).toEqual(origin.gateway);
  });

  it('is the controlling side where the origin is lite', async () => {
    const originSdp = sdpText(
      LITE_ANSWER.map((line) => line.replace('passive', 'actpass').replace('recvonly', 'sendonly')),
    );
    const scene = await offered({ originSdp });
    const lite = scene.originAt('10.0.0.9', 8000);
    lite.ice = { ufrag: 'lite1234', pwd: '0123456789abcdefghijklmnopqrstuv' };
    lite.gateway = iceOf(scene.talk.session.answer(sdpText(VIEWER_ANSWER)));
    scene.talk.run();
    scene.client.check(scene.talk.ice);
    expect(lite.checks[0]).toMatchObject({ useCandidate: true, controlled: undefined });
    expect(scene.talk.session.stats().state).toBe('relaying');
  });

  it('ends when the client does not answer within 30 s, and 20 s after that when it does not come', async () => {
    const scene = await offered();
    scene.talk.run();
    keepChecking(scene, scene.talk.ice, 27_500);
    expect(scene.ends).toEqual([]);
    scene.pass(3000);
    expect(scene.ends).toEqual([{ reason: 'client-closed', code: 'client-answer-missing' }]);
    const other = scene.offered();
    other.run();
    scene.pass(25_000);
    other.session.answer(sdpText(VIEWER_ANSWER));
    scene.pass(19_000);
    expect(other.session.stats().state).toBe('wait-client');
    scene.pass(1500);
    expect(scene.ends).toHaveLength(2);
  });

  it('takes a PATCH with candidates before the answer for trickling', async () => {
    const { talk } = await offered();
    expect(talk.session.patch('a=ice-ufrag:abcd\r\na=ice-pwd:0123456789abcdefghijklmn\r\n').kind).toBe('trickle');
  });
});

describe('the port', () => {
  it('is told as IPv4 first, and has one socket a family (W17)', async () => {
    const scene = await openScene({ publicAddresses: [GATEWAY_IPV6, GATEWAY_IPV4, '192.0.2.99'] });
    const { toClient } = scene.answered();
    expect(toClient.match(/a=candidate:.*/g)).toEqual([
      `a=candidate:1 1 udp 2130706431 ${GATEWAY_IPV4} 8189 typ host`,
      'a=candidate:2 1 udp 2130706175 192.0.2.99 8189 typ host',
      `a=candidate:3 1 udp 2130705919 ${GATEWAY_IPV6} 8189 typ host`,
    ]);
    expect(scene.net.gatewayPorts.map(({ host, port }) => `${host} ${port}`)).toEqual(['0.0.0.0 8189', ':: 8189']);
    expect(scene.plane.address).toEqual({ host: '0.0.0.0', port: 8189 });
    expect(Buffer.byteLength(toClient)).toBeLessThan(8192);
  });

  it('serves a client over IPv6', async () => {
    const scene = await openScene({ publicAddresses: [GATEWAY_IPV6] });
    const { ice, run, session } = scene.answered();
    run();
    const client = scene.clientAt('2001:db8::20', 5000);
    client.peer.send(client.checkBytes(ice), MEDIA_PORT, GATEWAY_IPV6);
    scene.net.settle();
    expect(session.stats()).toMatchObject({ state: 'relaying', client: { host: '2001:db8::20', port: 5000 } });
  });

  it('lists nothing that its one address cannot serve, and does not open where that leaves nothing', async () => {
    const scene = await openScene({ host: '127.0.0.1', publicAddresses: [GATEWAY_IPV6, GATEWAY_IPV4] });
    expect(scene.answered().toClient).not.toContain(GATEWAY_IPV6);
    await expect(openScene({ host: '127.0.0.1', publicAddresses: [GATEWAY_IPV6] })).rejects.toMatchObject({
      code: 'listen-failed',
    });
  });

  it('keeps descriptions below 8 KiB for ffmpeg by listing one address, and notes what it cannot help', async () => {
    const scene = await openScene({ publicAddresses: Array.from({ length: 8 }, (_, at) => `192.0.2.${at + 1}`) });
    const filler = (bytes: number) => `a=x:${'y'.repeat(bytes - 6)}`;
    const spare = 8191 - Buffer.byteLength(scene.answered().toClient);
    const listed = (bytes: number) => {
      const { toClient } = scene.answered({ originSdp: sdpText([...ORIGIN_ANSWER, filler(bytes)]) });
      return [(toClient.match(/a=candidate/g) ?? []).length, Buffer.byteLength(toClient) < 8192];
    };
    expect(listed(spare)).toEqual([8, true]);
    expect(listed(spare + 1)).toEqual([1, true]);
    expect(listed(spare + 1000)).toEqual([1, false]);
    const notes = scene.log.filter(({ fields }) => fields['note'] === 'long-description');
    expect(notes).toHaveLength(1);
  });

  it('goes on when one session has a fault, and ends that one', async () => {
    const scene = await openScene();
    const other = scene.answered();
    other.run();
    let faults = 0;
    scene.onLog = (level) => {
      if (level === 'debug' && faults++ === 0) throw new Error('disk full');
    };
    scene.pass(25_000);
    expect(scene.ends).toEqual([{ reason: 'client-closed', code: 'client-never-came' }]);
    expect(scene.log.filter(({ event }) => event === 'gateway.error')).toHaveLength(1);
    scene.onLog = undefined;
    const next = scene.answered();
    next.run();
    scene.client.check(next.ice);
    expect(next.session.stats().state).toBe('relaying');
  });

  it('tells the metrics what passed and what did not', async () => {
    const scene = await relaying();
    scene.client.send(datagram.rtp(1));
    scene.origin.send(datagram.rtp(1));
    scene.clientAt('192.0.2.66', 1).send(datagram.rtp(1));
    scene.pass(500);
    scene.pass(500);
    expect(Object.fromEntries(scene.counted)).toEqual({
      'media_packets_total in': 1,
      'media_packets_total out': 1,
      'media_dropped_total unknown-address': 1,
    });
    expect(scene.plane.counters).toMatchObject({
      sessions: 1,
      fromClientPackets: 1,
      fromOriginPackets: 1,
      checksAnswered: 1,
    });
  });
});
