import { afterEach, describe, expect, it } from '@jest/globals';
import { createSocket, type Socket } from 'node:dgram';
import { createUdpPairs, type UdpPair } from '../../src/net/udp-pairs.js';

const HOST = '127.0.0.1';
const open: { close(): void }[] = [];
afterEach(() => open.splice(0).forEach((one) => one.close()));

/** A port of the system's choice, and the even one at or above it: free a moment ago. */
async function bound(address = HOST): Promise<Socket> {
  const socket = createSocket('udp4');
  await new Promise<void>((done) => socket.bind(0, address, done));
  open.push(socket);
  return socket;
}

async function rangeOf(pairs: number): Promise<{ readonly first: number; readonly last: number }> {
  const socket = await bound();
  const { port } = socket.address();
  const first = Math.min(port + (port % 2), 65_000);
  return { first: first + 2, last: first + 1 + 2 * pairs };
}

function heard(socket: Socket): Promise<string> {
  return new Promise((done) => socket.once('message', (bytes) => done(bytes.toString())));
}

function next(pair: UdpPair): Promise<[string, boolean]> {
  return new Promise((done) => pair.listen((packet, isRtcp) => done([packet.toString(), isRtcp])));
}

describe('pairs of UDP ports', () => {
  it('are even and the next, take from the peer and answer where its packets come from', async () => {
    const pairs = createUdpPairs({ host: HOST, ...(await rangeOf(4)) });
    const peer = await bound();
    const nat = await bound();
    const pair = await pairs.open({ address: HOST, rtp: peer.address().port, rtcp: peer.address().port });
    open.push(pair);
    expect([pair.ports.rtp % 2, pair.ports.rtcp - pair.ports.rtp]).toEqual([0, 1]);
    const first = heard(peer);
    pair.send(Buffer.from('to the port it named'), false);
    expect(await first).toBe('to the port it named');
    const packet = next(pair);
    nat.send('hello', pair.ports.rtp, HOST);
    expect(await packet).toEqual(['hello', false]);
    const second = heard(nat);
    pair.send(Buffer.from('to the port it has'), false);
    expect(await second).toBe('to the port it has');
    // Whoever else is at that address comes too late.
    const third = next(pair);
    peer.send('late', pair.ports.rtp, HOST);
    peer.send('report', pair.ports.rtcp, HOST);
    expect(await third).toEqual(['report', true]);
  });

  it('take nothing from another address', async () => {
    const pairs = createUdpPairs({ host: '0.0.0.0', ...(await rangeOf(4)) });
    const stranger = await bound('127.0.0.2');
    const peer = await bound();
    const pair = await pairs.open({ address: HOST, rtp: 9, rtcp: 9 });
    open.push(pair);
    const packet = next(pair);
    await new Promise<void>((done) => stranger.send('mine', pair.ports.rtp, HOST, () => done()));
    peer.send('yours', pair.ports.rtp, HOST);
    expect(await packet).toEqual(['yours', false]);
  });

  it('are refused when all are in use, and can be had again once given back', async () => {
    const pairs = createUdpPairs({ host: HOST, ...(await rangeOf(1)) });
    const peer = { address: HOST, rtp: 9, rtcp: 10 };
    const only = await pairs.open(peer);
    await expect(pairs.open(peer)).rejects.toMatchObject({ code: 'udp-ports-exhausted' });
    only.close();
    only.close();
    const again = await pairs.open(peer);
    open.push(again);
    expect(again.ports).toEqual(only.ports);
    await expect(pairs.open(peer)).rejects.toMatchObject({ code: 'udp-ports-exhausted' });
  });
});
