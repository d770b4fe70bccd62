import { describe, expect, it } from '@jest/globals';
import { writeStun } from '../../../../src/transports/webrtc/wire/stun-write.js';
import { GATEWAY_IPV4 } from '../../../fakes/udp.js';
import { FFMPEG_OFFER, OBS_OFFER, sdpText } from '../descriptions.js';
import { CLIENT_HOST, datagram, openScene, type SceneOptions } from './scene.js';

async function running(options: SceneOptions = {}) {
  const scene = await openScene(options);
  const talk = scene.answered(options);
  talk.run();
  return { ...scene, talk, state: () => talk.session.stats().state };
}

// The rows of the field reports (section 3.2) that belong to media; each name starts with its row.
describe('what was reported of others', () => {
  it('W13: an offer without candidates, and none ever trickled, connects by its first check', async () => {
    const { client, talk, state } = await running({ clientSdp: sdpText(OBS_OFFER) });
    client.check(talk.ice);
    expect(state()).toBe('relaying');
  });

  it('W14: nothing is ever sent to the address in c= and m=', async () => {
    const { net, client, talk, pass } = await running({ clientSdp: sdpText(OBS_OFFER) });
    client.check(talk.ice);
    pass(30_000);
    expect(net.carried.filter(({ to }) => to.startsWith('192.168.'))).toEqual([]);
  });

  it('W15: groups and codecs that are unknown reach the origin', async () => {
    const { talk } = await running({ clientSdp: sdpText(OBS_OFFER) });
    expect(talk.toOrigin).toContain('a=group:LS 0 1\r\n');
    expect(talk.toOrigin).toContain('OPUS/48000/2');
  });

  it('W16, W17: the first candidate is UDP over IPv4', async () => {
    const { talk } = await running({ publicAddresses: ['2001:db8::7', GATEWAY_IPV4] });
    expect(/a=candidate:.*/.exec(talk.toClient)?.[0]).toBe(
      `a=candidate:1 1 udp 2130706431 ${GATEWAY_IPV4} 8189 typ host`,
    );
  });

  it('W18: a check without role and PRIORITY is good', async () => {
    const { client, talk, origin, plane } = await running({ clientSdp: sdpText(FFMPEG_OFFER) });
    const transaction = Buffer.alloc(12, 1);
    const username = `${talk.ice.ufrag}:a174abc6`;
    client.send(writeStun({ kind: 'request', transaction, username, useCandidate: true }, talk.ice.pwd));
    expect(client.received()).toHaveLength(1);
    expect(plane.counters.checksAnswered).toBe(1);
    // Passive: the origin shakes hands first, after the answer to the check.
    origin.send(datagram.hello(1));
    expect(client.received()).toEqual([datagram.hello(1)]);
  });

  it('W19: two sessions reach one origin from two ports', async () => {
    const { client, clientAt, answered, talk, origin } = await running();
    client.check(talk.ice);
    const first = origin.from?.port;
    const other = answered();
    other.run();
    clientAt(CLIENT_HOST, 5001).check(other.ice);
    expect(origin.from?.port).not.toBe(first);
    expect(first).toBeGreaterThan(0);
  });

  it('W20: the answer to a ClientHello goes where it came from, when checks came from two ports', async () => {
    const { client, clientAt, talk, origin } = await running();
    const later = clientAt(CLIENT_HOST, 60902);
    client.check(talk.ice);
    later.check(talk.ice, { useCandidate: false });
    later.send(datagram.hello(1));
    origin.send(datagram.hello(2));
    expect(later.received()).toEqual([datagram.hello(2)]);
    expect(client.received()).toEqual([]);
    // Once media run on a nominated address, only the client's choice moves them.
    client.send(datagram.hello(3));
    origin.send(datagram.rtp(4));
    expect(client.received()).toHaveLength(1);
    client.check(talk.ice);
    later.send(datagram.hello(5));
    origin.send(datagram.rtp(6));
    expect(client.received()).toEqual([datagram.rtp(6)]);
  });

  it('W21: a ClientHello from an address without a check is dropped and counted, and gets nothing back', async () => {
    const { client, clientAt, talk, origin, drops } = await running();
    const stranger = clientAt('192.0.2.66', 4444);
    stranger.send(datagram.hello(1));
    client.check(talk.ice);
    stranger.send(datagram.hello(2));
    expect(stranger.received()).toEqual([]);
    expect(origin.media).toEqual([]);
    expect(drops()).toEqual({ 'unknown-address': 2 });
  });

  it('W22: a forged USE-CANDIDATE with the right user name moves nothing', async () => {
    const { client, clientAt, talk, origin, drops, state } = await running();
    client.check(talk.ice);
    const attacker = clientAt('192.0.2.66', 4444);
    for (let at = 0; at < 20; at++) expect(attacker.check(talk.ice, {}, 'guessed')).toBeUndefined();
    origin.send(datagram.rtp(1));
    expect(attacker.received()).toEqual([]);
    expect(client.received()).toEqual([datagram.rtp(1)]);
    expect(drops()).toEqual({ 'bad-integrity': 20 });
    expect(state()).toBe('relaying');
  });

  it('W23: a STUN packet that is cut anywhere is dropped without an error', async () => {
    const { client, talk, drops, log } = await running();
    const bytes = client.checkBytes(talk.ice);
    for (let size = 0; size < bytes.length; size++) client.send(bytes.subarray(0, size));
    expect(client.received()).toEqual([]);
    expect(drops()).toEqual({ 'bad-stun': bytes.length - 1, 'unknown-address': 1 });
    expect(log.filter(({ event }) => event === 'gateway.error')).toEqual([]);
  });

  it('W25: media follow a client that changes its address and makes a check from there', async () => {
    const { client, clientAt, talk, origin } = await running();
    client.check(talk.ice);
    const moved = clientAt('203.0.113.99', 6000);
    moved.check(talk.ice);
    origin.send(datagram.rtp(1));
    expect(moved.received()).toEqual([datagram.rtp(1)]);
    moved.send(datagram.rtp(2));
    expect(origin.media).toEqual([datagram.rtp(2)]);
  });

  it('W25: and one that never nominates again, when its old address has been silent for 5 s', async () => {
    const { client, clientAt, talk, origin, pass, state } = await running();
    client.check(talk.ice);
    const moved = clientAt('203.0.113.99', 6000);
    moved.check(talk.ice, { useCandidate: false });
    origin.send(datagram.rtp(1));
    expect(moved.received()).toEqual([]);
    for (let at = 0; at < 6; at++) {
      pass(1000);
      moved.check(talk.ice, { useCandidate: false });
    }
    origin.send(datagram.rtp(2));
    expect(moved.received()).toEqual([datagram.rtp(2)]);
    expect(state()).toBe('relaying');
  });

  it('W28: a publisher that sends RTP and never another check lives on, and we keep the consent of the origin', async () => {
    const { client, talk, origin, pass, ends, state } = await running({ clientSdp: sdpText(FFMPEG_OFFER) });
    client.check(talk.ice);
    const before = origin.checks.length;
    for (let at = 0; at < 120; at++) {
      client.send(datagram.rtp(at));
      pass(1000);
    }
    expect(ends).toEqual([]);
    expect(state()).toBe('relaying');
    expect(origin.media).toHaveLength(120);
    expect(origin.checks.length - before).toBeGreaterThanOrEqual(20);
    expect(origin.checks.length - before).toBeLessThanOrEqual(30);
  });

  it('W29: the mapped address is the one that we saw', async () => {
    const { clientAt, talk } = await running();
    expect(clientAt('192.0.2.200', 33333).check(talk.ice)?.mapped).toEqual({ host: '192.0.2.200', port: 33333 });
  });

  it('W24, W6: a client that died without a DELETE is reported within 30 s, so that the origin can be told', async () => {
    const { client, talk, pass, ends } = await running();
    client.check(talk.ice);
    pass(26_000);
    expect(ends).toEqual([{ reason: 'media-idle', code: 'client-silent' }]);
  });
});
