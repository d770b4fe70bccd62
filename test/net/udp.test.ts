import { afterEach, describe, expect, it } from '@jest/globals';
import { openUdp, type UdpOptions, type UdpPort } from '../../src/net/udp.js';

const open: UdpPort[] = [];
afterEach(() => open.splice(0).forEach((port) => port.close()));

function port(options: Partial<UdpOptions> = {}): UdpPort {
  const made = openUdp({
    host: '127.0.0.1',
    port: 0,
    receiveBufferBytes: 65536,
    onDatagram: () => undefined,
    onError: () => undefined,
    ...options,
  });
  open.push(made);
  return made;
}

describe('openUdp', () => {
  it.each([
    ['IPv4', '127.0.0.1'],
    ['IPv6', '::1'],
  ])('carries datagrams over %s and tells where they came from', async (_name, host) => {
    const received = new Promise<readonly [string, number, string]>((done) => {
      const to = port({ host, onDatagram: (bytes, from, address) => done([bytes.toString(), from, address]) });
      const from = port({ host, sendBufferBytes: 65536 });
      void Promise.all([to.ready, from.ready]).then(() => from.send(Buffer.from('hello'), to.port, host));
    });
    const [text, , address] = await received;
    expect([text, address]).toEqual(['hello', host]);
    expect(open.every((one) => one.port > 0)).toBe(true);
  });

  it('sends what was given to it before it was bound', async () => {
    let arrived: (text: string) => void = () => undefined;
    const text = new Promise<string>((done) => {
      arrived = done;
    });
    const to = port({ onDatagram: (bytes) => arrived(bytes.toString()) });
    await to.ready;
    port().send(Buffer.from('early'), to.port, '127.0.0.1');
    expect(await text).toBe('early');
  });

  it('says why a port cannot be opened, and does not end the process', async () => {
    const first = port();
    await first.ready;
    const errors: Error[] = [];
    const second = port({ port: first.port, onError: (error) => errors.push(error) });
    await expect(second.ready).rejects.toMatchObject({
      code: 'listen-failed',
      message: `cannot listen on 127.0.0.1:${first.port} (UDP): EADDRINUSE`,
    });
    expect(errors).toHaveLength(1);
    expect(() => second.close()).not.toThrow();
  });

  it('keeps what a receiver throws away from the loop', async () => {
    const told = new Promise<Error>((done) => {
      const to = port({
        onDatagram: () => {
          throw new Error('receiver');
        },
        onError: done,
      });
      void to.ready.then(() => port().send(Buffer.from('x'), to.port, '127.0.0.1'));
    });
    expect((await told).message).toBe('receiver');
  });

  it('tells of what cannot be sent, and drops what comes after the end', async () => {
    const errors: Error[] = [];
    const one = port({ onError: (error) => errors.push(error) });
    await one.ready;
    expect(one.send(Buffer.from('x'), 70000, '127.0.0.1')).toBe(false);
    expect(errors).toHaveLength(1);
    one.close();
    one.close();
    expect(one.send(Buffer.from('x'), 9, '127.0.0.1')).toBe(false);
  });

  it('that is pinned hears nobody else, sends to nobody else, and is told when nobody is there', async () => {
    const heard: string[] = [];
    let hear: () => void = () => undefined;
    let refuse: () => void = () => undefined;
    const refused = new Promise<void>((done) => {
      refuse = done;
    });
    const one = port({
      host: '0.0.0.0',
      onDatagram: (bytes) => {
        heard.push(bytes.toString());
        hear();
      },
      onError: (error) => heard.push(error.message),
      onRefused: () => refuse(),
    });
    const [peer, stranger] = [port(), port()];
    await Promise.all([one.ready, peer.ready, stranger.ready]);
    expect(one.pin(peer.port, '127.0.0.1')).toBe(true);
    expect(one.pin(stranger.port, '127.0.0.1')).toBe(false);
    expect(one.send(Buffer.from('x'), stranger.port, '127.0.0.1')).toBe(false);
    const arrived = new Promise<void>((done) => {
      hear = done;
    });
    stranger.send(Buffer.from('stranger'), one.port, '127.0.0.1');
    peer.send(Buffer.from('peer'), one.port, '127.0.0.1');
    await arrived;
    peer.close();
    expect(one.send(Buffer.from('x'), peer.port, '127.0.0.1')).toBe(true);
    await refused;
    expect(heard).toEqual(['peer']);
  });

  it('is not pinned to what is no address, nor after its end', async () => {
    const one = port();
    await one.ready;
    expect(one.pin(70000, '127.0.0.1')).toBe(false);
    one.close();
    expect(one.pin(9, '127.0.0.1')).toBe(false);
  });

  it('sends thousands in one turn of the loop without waiting for them', async () => {
    const one = port();
    await one.ready;
    for (let at = 0; at < 5000; at++) expect(one.send(Buffer.alloc(100), one.port, '127.0.0.1')).toBe(true);
  });
});
