import { afterEach, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import {
  Candidate,
  Connection,
  MediaStreamTrack,
  RTCPeerConnection,
  RTCRtpCodecParameters,
  RtpHeader,
  RtpPacket,
  type PeerConfig,
} from 'werift';
import type { EndReason } from '../../../../src/model/leg.js';
import { systemClock } from '../../../../src/net/clock.js';
import type { MediaPlane, MediaSessionBase } from '../../../../src/transports/webrtc/media/media-plane.js';
import { createMediaPlane } from '../../../../src/transports/webrtc/media/plane.js';
import { CHROMIUM_OFFER, ORIGIN_ANSWER, sdpText } from '../descriptions.js';

// An independent peer over real sockets of loopback: DTLS, SRTP and RTCP pass through the relay as they are.

const PACKETS = 100;
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

function peer(config: Partial<PeerConfig> = {}): RTCPeerConnection {
  const codec = new RTCRtpCodecParameters({ mimeType: 'video/VP8', clockRate: 90000, payloadType: 96 });
  const made = new RTCPeerConnection({
    codecs: { video: [codec], audio: [] },
    iceServers: [],
    iceUseIpv6: false,
    iceInterfaceAddresses: { udp4: '127.0.0.1' },
    iceAdditionalHostAddresses: ['127.0.0.1'],
    bundlePolicy: 'max-bundle',
    ...config,
  });
  closing.push(() => made.close());
  return made;
}

async function openPlane(): Promise<MediaPlane> {
  const nothing = () => undefined;
  const plane = await createMediaPlane({
    host: '127.0.0.1',
    port: 0,
    publicAddresses: ['127.0.0.1'],
    clock: systemClock,
    random: randomBytes,
    log: { write: nothing, enabled: () => false },
    metrics: { count: nothing, gauge: nothing, observe: nothing },
  });
  closing.push(() => plane.close());
  return plane;
}

async function offerOf(pc: RTCPeerConnection): Promise<string> {
  await pc.setLocalDescription(await pc.createOffer());
  return pc.localDescription?.sdp ?? '';
}

async function answerOf(pc: RTCPeerConnection, offer: string): Promise<string> {
  await pc.setRemoteDescription({ type: 'offer', sdp: offer });
  await pc.setLocalDescription(await pc.createAnswer());
  return pc.localDescription?.sdp ?? '';
}

function stateOf(pc: RTCPeerConnection, wanted: string): Promise<void> {
  return new Promise((done) => {
    const look = () => pc.connectionState === wanted && done();
    pc.connectionStateChange.subscribe(look);
    look();
  });
}

/** Counts what arrives on the first track; fulfilled when there is enough. */
function arrival(pc: RTCPeerConnection, count: number): Promise<readonly number[]> {
  return new Promise((done) => {
    const numbers: number[] = [];
    pc.onTrack.subscribe((track) => {
      track.onReceiveRtp.subscribe((packet) => {
        numbers.push(packet.header.sequenceNumber);
        if (numbers.length === count) done(numbers);
      });
    });
  });
}

function sendAll(track: MediaStreamTrack, from: number): void {
  for (let at = 0; at < PACKETS; at++) {
    const header = new RtpHeader({ sequenceNumber: from + at, timestamp: at * 3000, payloadType: 96, ssrc: 1 });
    track.writeRtp(new RtpPacket(header, Buffer.alloc(1000, at)));
  }
}

function linesOf(sdp: string, pattern: RegExp): readonly string[] {
  return sdp.split('\r\n').filter((line) => pattern.test(line));
}

/** An ICE agent without DTLS; its candidates are gathered. */
async function agent(isControlling: boolean): Promise<Connection> {
  const made = new Connection(isControlling, {
    iceUseIpv6: false,
    iceUseIpv4: true,
    interfaceAddresses: { udp4: '127.0.0.1' },
    additionalHostAddresses: ['127.0.0.1'],
  } as ConstructorParameters<typeof Connection>[1]);
  closing.push(() => made.close());
  await made.gatherCandidates();
  return made;
}

/** The description with credentials and candidates of an agent. */
function withIce(lines: readonly string[], from: Connection, candidates: readonly Candidate[]): readonly string[] {
  const kept = lines.filter((line) => !line.startsWith('a=candidate:'));
  const owned = kept.map((line) =>
    line
      .replace(/^a=ice-ufrag:.*/, `a=ice-ufrag:${from.localUsername}`)
      .replace(/^a=ice-pwd:.*/, `a=ice-pwd:${from.localPassword}`),
  );
  return [...owned, ...candidates.map((one) => `a=candidate:${one.toSdp()}`)];
}

/** Connects an agent to what a description or fragment says. */
async function meet(one: Connection, sdp: string): Promise<void> {
  const [ufrag = '', pwd = ''] = linesOf(sdp, /^a=ice-(ufrag|pwd):/).map((line) => line.slice(line.indexOf(':') + 1));
  const iceLite = sdp.includes('a=ice-lite');
  one.setRemoteParams({ iceLite, usernameFragment: ufrag, password: pwd });
  for (const line of linesOf(sdp, /^a=candidate:/)) await one.addRemoteCandidate(Candidate.fromSdp(line.slice(12)));
  if (iceLite) await one.addRemoteCandidate(undefined);
  await one.connect();
}

function run(session: MediaSessionBase): EndReason[] {
  const ends: EndReason[] = [];
  session.run((reason) => void ends.push(reason));
  return ends;
}

describe('werift through the relay', () => {
  it.each([
    ['full', {}],
    ['lite', { iceLite: true }],
  ])('publishes to an origin that is %s', async (_name, config) => {
    const plane = await openPlane();
    const client = peer();
    const origin = peer(config);
    const track = new MediaStreamTrack({ kind: 'video' });
    client.addTransceiver(track, { direction: 'sendonly' });
    const arrived = arrival(origin, PACKETS);

    const session = plane.open({ sessionId: 's', role: 'publisher', clientSdp: await offerOf(client) });
    const answer = session.answer(await answerOf(origin, session.sdpForOrigin));
    const ends = run(session);
    await client.setRemoteDescription({ type: 'answer', sdp: answer });
    await Promise.all([stateOf(client, 'connected'), stateOf(origin, 'connected')]);
    sendAll(track, 1);
    expect(new Set(await arrived).size).toBe(PACKETS);
    const { state, fromClient, fromOrigin } = session.stats();
    expect(state).toBe('relaying');
    expect(fromClient.packets).toBeGreaterThan(PACKETS);
    expect(fromOrigin.packets).toBeGreaterThan(2);
    expect(ends).toEqual([]);
    expect(plane.counters.dropped).toMatchObject({ 'unknown-address': 0, 'bad-integrity': 0, 'hold-full': 0 });
  });

  it('watches an origin that makes the offer, as Red5 does', async () => {
    const plane = await openPlane();
    const client = peer();
    const origin = peer();
    const track = new MediaStreamTrack({ kind: 'video' });
    origin.addTransceiver(track, { direction: 'sendonly' });
    const arrived = arrival(client, PACKETS);

    const session = plane.openForOffer({ sessionId: 's', role: 'subscriber', originSdp: await offerOf(origin) });
    const ends = run(session);
    const answer = await answerOf(client, session.sdpForClient);
    await origin.setRemoteDescription({ type: 'answer', sdp: session.answer(answer) });
    await Promise.all([stateOf(client, 'connected'), stateOf(origin, 'connected')]);
    sendAll(track, 1);
    expect(new Set(await arrived).size).toBe(PACKETS);
    expect(ends).toEqual([]);
  });

  it('restarts the ICE of a client without the origin hearing of it', async () => {
    const plane = await openPlane();
    const client = await agent(true);
    const origin = await agent(false);
    const arrived = new Promise<readonly string[]>((done) => {
      const texts: string[] = [];
      origin.onData.subscribe((bytes) => {
        texts.push(bytes.subarray(2).toString());
        if (texts.length === 2) done(texts);
      });
    });
    const rtp = (text: string) => Buffer.concat([Buffer.from([128, 96]), Buffer.from(text)]);

    const clientSdp = sdpText(withIce(CHROMIUM_OFFER, client, []));
    const session = plane.open({ sessionId: 's', role: 'publisher', clientSdp });
    const originSdp = sdpText(withIce(ORIGIN_ANSWER, origin, origin.localCandidates));
    const answer = session.answer(originSdp);
    const ends = run(session);
    await Promise.all([meet(client, answer), meet(origin, session.sdpForOrigin)]);
    await client.send(rtp('before'));
    const first = session.stats().client;

    await client.restart();
    await client.gatherCandidates();
    const { localUsername, localPassword } = client;
    const outcome = session.patch(`a=ice-ufrag:${localUsername}\r\na=ice-pwd:${localPassword}\r\n`);
    if (outcome.kind !== 'restart') throw new Error(outcome.kind);
    const before = plane.counters.checksAnswered;
    await meet(client, outcome.fragment);
    await client.send(rtp('after'));
    expect(await arrived).toEqual(['before', 'after']);
    expect(plane.counters.checksAnswered).toBeGreaterThan(before);
    expect(session.stats()).toMatchObject({ state: 'relaying', client: { host: first?.host } });
    expect(ends).toEqual([]);
  });
});
