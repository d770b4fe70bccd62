import { afterAll } from '@jest/globals';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

/** What went by in one direction, in datagrams. */
export interface Way {
  passed: number;
  lost: number;
}

/** A stretch of network in front of a UDP port that loses some of what passes. */
export interface Lossy {
  readonly host: string;
  /** The same number on both sides, since the gateway tells clients the number that it has bound itself. */
  readonly port: number;
  readonly toGateway: Way;
  readonly toClient: Way;
  /** From now on so much is lost each way, from 0 to 1. */
  lose(share: number): void;
}

const open = new Set<Socket>();

afterAll(() => {
  for (const socket of open) socket.close();
});

/** The same losses in every run. @see mulberry32 */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

async function bind(host: string): Promise<Socket> {
  const socket = createSocket('udp4');
  open.add(socket);
  socket.bind(0, host);
  await once(socket, 'listening');
  return socket;
}

/** Stands at 127.0.0.2 in front of the same port of 127.0.0.1; each client has a socket of its own towards the gateway. */
export async function startLossy(): Promise<Lossy> {
  const host = '127.0.0.2';
  const front = await bind(host);
  const { port } = front.address();
  const toGateway: Way = { passed: 0, lost: 0 };
  const toClient: Way = { passed: 0, lost: 0 };
  const roll = dice(1);
  let share = 0;
  const carry = (way: Way, pass: () => void): void => {
    if (roll() < share) way.lost++;
    else {
      way.passed++;
      pass();
    }
  };
  const onward = new Map<string, Promise<Socket>>();
  const socketFor = async (name: string, clientPort: number, clientHost: string): Promise<Socket> => {
    const socket = await bind('127.0.0.1');
    socket.on('message', (bytes) => carry(toClient, () => front.send(bytes, clientPort, clientHost)));
    socket.on('error', () => onward.delete(name));
    return socket;
  };
  front.on('message', (bytes, from) => {
    const name = `${from.address} ${from.port}`;
    const socket = onward.get(name) ?? socketFor(name, from.port, from.address);
    onward.set(name, socket);
    carry(toGateway, () => void socket.then((one) => one.send(bytes, port, '127.0.0.1')));
  });
  return { host, port, toGateway, toClient, lose: (wanted) => void (share = wanted) };
}
