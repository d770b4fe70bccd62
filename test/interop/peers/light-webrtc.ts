import { afterAll } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hasIntegrity, readStun, type StunMessage } from '../../../src/transports/webrtc/wire/stun-read.js';
import { writeStun } from '../../../src/transports/webrtc/wire/stun-write.js';
import { CHROMIUM_OFFER, ORIGIN_ANSWER, sdpText, VIEWER_OFFER } from '../../transports/webrtc/descriptions.js';

// WebRTC with neither DTLS nor media in it: signalling, checks, and datagrams that look like the rest. Cheap enough for hundreds.

const HOST = '127.0.0.1';
const PASSWORD = '0123456789abcdefghijkl';
const FIRST_BYTES = { dtls: [22, 254, 253], rtp: [128, 96, 0], rtcp: [128, 201, 0] } as const;
const closers = new Set<() => void>();

afterAll(() => {
  for (const close of closers) close();
});

/** How a datagram looks to whoever demultiplexes it. @see RFC 7983 */
export type LightKind = keyof typeof FIRST_BYTES;

/** A datagram that says whose it is: kind, session, and its place. */
function write(kind: LightKind, session: number, at: number): Buffer {
  const bytes = Buffer.alloc(64);
  bytes.set(FIRST_BYTES[kind]);
  bytes.writeUInt32BE(session, 8);
  bytes.writeUInt32BE(at, 12);
  return bytes;
}

async function bind(): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 20 });
  closers.add(() => socket.close());
  socket.bind(0, HOST);
  await once(socket, 'listening');
  return socket;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}

const lineOf = (sdp: string, name: string) => new RegExp(`^a=${name}:(\\S+)`, 'm').exec(sdp)?.[1] ?? '';

/** An origin that answers every offer and sends every datagram back, with the number of the session it came by. */
export interface LightOrigin {
  readonly port: number;
  /** Offers as they arrived, by the number in the name of their stream. */
  readonly offers: ReadonlyMap<number, string>;
  /** Sessions that were ended by DELETE. */
  readonly deleted: ReadonlySet<number>;
  /** Datagrams that were neither STUN nor from an address without a check. */
  readonly datagrams: number;
  /** Datagrams that came by another session than their own, or by none. */
  readonly strays: number;
}

/** Starts one: all its sessions have one UDP port, as with an SFU. Streams are called `s` and a number. */
export async function startLightOrigin(): Promise<LightOrigin> {
  const offers = new Map<number, string>();
  const deleted = new Set<number>();
  const sessionOf = new Map<string, number>();
  let datagrams = 0;
  let strays = 0;
  const media = await bind();
  const answerCheck = (bytes: Buffer, { address, port }: RemoteInfo): void => {
    const message = readStun(bytes);
    if (message.kind !== 'request' || !hasIntegrity(bytes, message, PASSWORD)) return;
    sessionOf.set(`${address} ${port}`, Number(/^org(\d+):/.exec(message.username ?? '')?.[1]));
    const mapped = { host: address, port };
    media.send(writeStun({ kind: 'success', transaction: message.transaction, mapped }, PASSWORD), port, address);
  };
  media.on('message', (bytes, from) => {
    if ((bytes[0] ?? 255) < 4) {
      answerCheck(bytes, from);
      return;
    }
    const session = sessionOf.get(`${from.address} ${from.port}`) ?? -1;
    datagrams++;
    if (session !== bytes.readUInt32BE(8)) strays++;
    const back = Buffer.from(bytes);
    back.writeInt32BE(session, 16);
    media.send(back, from.port, from.address);
  });
  const answerTo = (session: number) =>
    sdpText(
      ORIGIN_ANSWER.filter((line) => !/^a=candidate:[^a]/.test(line)).map((line) =>
        line.replace('10.0.0.5 10200', `${HOST} ${media.address().port}`).replace('ufrag:orig', `ufrag:org${session}`),
      ),
    );
  const server = createServer((request, response) => {
    const session = Number(/\/s(\d+)/.exec(request.url ?? '')?.[1]);
    if (request.method === 'DELETE') {
      deleted.add(session);
      response.end();
      return;
    }
    void bodyOf(request).then((offer) => {
      offers.set(session, offer);
      const headers = { 'Content-Type': 'application/sdp', Location: `/session/s${session}` };
      response.writeHead(201, headers).end(answerTo(session));
    });
  });
  server.listen(0, HOST);
  await once(server, 'listening');
  closers.add(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    ...{ port: (server.address() as AddressInfo).port, offers, deleted },
    get datagrams() {
      return datagrams;
    },
    get strays() {
      return strays;
    },
  };
}

/** A publisher or viewer without candidates. */
export class LightClient {
  /** Datagrams that came and were not answers: session of the client and session of the origin that they name, and their place. */
  readonly got: { readonly session: number; readonly origin: number; readonly at: number }[] = [];
  readonly #checks = new Map<string, (message: StunMessage) => void>();
  #onDatagram: () => void = () => undefined;

  private constructor(
    readonly session: number,
    readonly socket: Socket,
    readonly url: string,
    readonly answer: string,
  ) {
    socket.on('message', (bytes) => this.#received(bytes));
  }

  /** Opens session number `session` at the gateway `web`. */
  static async open(web: string, kind: 'whip' | 'whep', session: number, text: string): Promise<LightClient> {
    const lines = kind === 'whip' ? CHROMIUM_OFFER : VIEWER_OFFER;
    const offer = lines.filter((line) => !line.startsWith('a=candidate:'));
    const response = await fetch(`${web}/live/s${session}/${kind}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/sdp', Authorization: `Bearer ${text}` },
      body: sdpText(offer).replaceAll('EsAw', `cl${String(session).padStart(4, '0')}`),
    });
    const answer = await response.text();
    if (response.status !== 201) throw new Error(`${response.status}: ${answer}`);
    return new LightClient(session, await bind(), response.headers.get('location') ?? '', answer);
  }

  /** The same client at another address, as after a change of its network. */
  async moved(): Promise<LightClient> {
    return new LightClient(this.session, await bind(), this.url, this.answer);
  }

  /** Port of the gateway's first candidate. */
  get port(): number {
    return Number(/^a=candidate:\S+ 1 udp \d+ \S+ (\d+) /im.exec(this.answer)?.[1]);
  }

  /** Makes a check and waits for its answer. */
  check(): Promise<StunMessage> {
    const transaction = randomBytes(12);
    const username = `${lineOf(this.answer, 'ice-ufrag')}:cl${String(this.session).padStart(4, '0')}`;
    const draft = { kind: 'request', transaction, username, priority: 1, controlling: 1n, useCandidate: true } as const;
    this.socket.send(writeStun(draft, lineOf(this.answer, 'ice-pwd')), this.port, HOST);
    return soon('an answer to a check', (done) => this.#checks.set(transaction.toString('hex'), done));
  }

  send(kind: LightKind, at: number): void {
    this.socket.send(write(kind, this.session, at), this.port, HOST);
  }

  /** Sends one and waits until it is back. */
  async echo(kind: LightKind, at: number): Promise<void> {
    const back = soon<number>(
      `datagram ${at} of session ${this.session}`,
      (done) => (this.#onDatagram = () => done(at)),
    );
    this.send(kind, at);
    await back;
  }

  async delete(): Promise<number> {
    return (await fetch(this.url, { method: 'DELETE' })).status;
  }

  #received(bytes: Buffer): void {
    if ((bytes[0] ?? 255) < 4) {
      const message = readStun(bytes);
      if (!hasIntegrity(bytes, message, lineOf(this.answer, 'ice-pwd'))) throw new Error('an answer is not signed');
      this.#checks.get(message.transaction.toString('hex'))?.(message);
      return;
    }
    this.got.push({ session: bytes.readUInt32BE(8), origin: bytes.readInt32BE(16), at: bytes.readUInt32BE(12) });
    this.#onDatagram();
  }
}

function soon<Value>(what: string, begin: (done: (value: Value) => void) => void, withinMs = 10_000): Promise<Value> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${what} did not come`)), withinMs);
    begin((value) => {
      clearTimeout(timer);
      resolve(value);
    });
  });
}
