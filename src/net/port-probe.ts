import { createSocket } from 'node:dgram';
import { connect, createServer, isIPv6 } from 'node:net';
import type { Clock } from '../model/clock.js';
import { systemClock } from './clock.js';

/** A place to listen. */
interface Place {
  readonly host: string;
  readonly port: number;
}

/** Takes a TCP port and lets go of it. Rejects with the system's error when it cannot be had. */
export function probeTcpPort({ host, port }: Place): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', reject);
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve()));
  });
}

/** Takes a UDP port and lets go of it. Rejects with the system's error when it cannot be had. */
export function probeUdpPort({ host, port }: Place): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createSocket({ type: isIPv6(host) ? 'udp6' : 'udp4' });
    socket.once('error', (error) => socket.close(() => reject(error)));
    socket.bind({ address: host, port, exclusive: true }, () => socket.close(() => resolve()));
  });
}

/** Whether somebody takes connections there within `timeoutMs`. Never rejects. */
export function isTcpPortServed(
  { host, port }: Place,
  timeoutMs: number,
  clock: Clock = systemClock,
): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const done = (isServed: boolean): void => {
      cancel();
      socket.destroy();
      resolve(isServed);
    };
    const cancel = clock.after(timeoutMs, () => done(false));
    socket.once('connect', () => done(true)).on('error', () => done(false));
  });
}

/**
 * Listens at `place` and sends itself one datagram to `address`, from another port: true when it arrives within `timeoutMs`.
 * Rejects with the system's error when the port cannot be had; never because of the sending.
 */
export function probeUdpPath(
  place: Place,
  address: string,
  timeoutMs: number,
  clock: Clock = systemClock,
): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const type = isIPv6(place.host) ? 'udp6' : 'udp4';
    const receiver = createSocket({ type });
    const sender = createSocket({ type: isIPv6(address) ? 'udp6' : 'udp4' });
    let cancel = (): void => undefined;
    const close = (then: () => void): void => {
      cancel();
      sender.close();
      receiver.close(then);
    };
    sender.on('error', () => undefined);
    receiver.once('error', (error) => close(() => reject(error)));
    const words = Buffer.from('portcullis doctor');
    receiver.on('message', (message) => {
      if (message.equals(words)) close(() => resolve(true));
    });
    receiver.bind({ address: place.host, port: place.port, exclusive: true }, () => {
      cancel = clock.after(timeoutMs, () => close(() => resolve(false)));
      sender.send(words, receiver.address().port, address, () => undefined);
    });
  });
}
