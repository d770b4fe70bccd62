import { createSocket, type Socket } from 'node:dgram';
import { GatewayError } from '../model/errors.js';
import { isWildcardHost } from '../wire/wildcard-host.js';

/** Room for bursts of a key frame at high rates, in bytes; the kernel gives what it may. */
const SOCKET_BUFFER_BYTES = 1 << 20;

/** A peer, as it says it will send and receive. */
export interface UdpPeer {
  /** IP address; from no other is anything taken, to no other is anything sent. */
  readonly address: string;
  readonly rtp: number;
  readonly rtcp: number;
}

/** Two open ports side by side, RTP's and RTCP's, for one peer. */
export interface UdpPair {
  readonly ports: { readonly rtp: number; readonly rtcp: number };
  /** Who is told of the peer's packets from now on; those before are lost. `packet` is the listener's own. */
  listen(onPacket: (packet: Buffer, isRtcp: boolean) => void): void;
  /** `packet` may be reused after the call. */
  send(packet: Buffer, isRtcp: boolean): void;
  /** Idempotent. */
  close(): void;
}

/** Opens pairs on a range of ports. */
export interface UdpPairs {
  /** Rejects with GatewayError `udp-ports-exhausted`. */
  open(peer: UdpPeer): Promise<UdpPair>;
}

/** Where pairs may be opened: an even port and the next, as RTP wants it. @see RFC 3550 §11 */
export interface UdpPairsOptions {
  readonly host: string;
  /** First and last port. */
  readonly first: number;
  readonly last: number;
}

/** Keeps the order of a range of UDP ports: each pair once, the one that was given back longest ago first. */
export function createUdpPairs(options: UdpPairsOptions): UdpPairs {
  const free: number[] = [];
  for (let port = options.first + (options.first % 2); port + 1 <= options.last; port += 2) free.push(port);
  return {
    async open(peer) {
      // Ports that others on this machine have taken are tried once and left alone.
      for (let tries = free.length; tries > 0; tries--) {
        const port = free.shift();
        if (port === undefined) break;
        const pair = await bindPair(options.host, port, peer, () => free.push(port));
        if (pair !== undefined) return pair;
        free.push(port);
      }
      throw new GatewayError('udp-ports-exhausted', 'gateway', `no free UDP ports in ${options.first}-${options.last}`);
    },
  };
}

async function bindPair(host: string, port: number, peer: UdpPeer, onFree: () => void): Promise<UdpPair | undefined> {
  const rtp = await bind(host, port, peer.address);
  if (rtp === undefined) return undefined;
  const rtcp = await bind(host, port + 1, peer.address);
  if (rtcp === undefined) {
    rtp.close();
    return undefined;
  }
  return new BoundPair({ rtp, rtcp }, port, peer, onFree);
}

function bind(host: string, port: number, peerAddress: string): Promise<Socket | undefined> {
  const isV6 = peerAddress.includes(':');
  const socket = createSocket({
    type: isV6 ? 'udp6' : 'udp4',
    // An address needs no look-up, and without one packets leave in the call that sends them.
    lookup: (address, _options, done) => done(null, address, isV6 ? 6 : 4),
  });
  return new Promise((resolve) => {
    socket.once('error', () => {
      socket.close();
      resolve(undefined);
    });
    socket.bind({ port, address: isWildcardHost(host) ? (isV6 ? '::' : '0.0.0.0') : host, exclusive: true }, () => {
      socket.removeAllListeners('error');
      // A port that cannot be reached at the peer is no fault of ours; its control connection tells whether it is there.
      socket.on('error', () => undefined);
      for (const grow of ['setRecvBufferSize', 'setSendBufferSize'] as const) socket[grow](SOCKET_BUFFER_BYTES);
      resolve(socket);
    });
  });
}

class BoundPair implements UdpPair {
  readonly ports: { readonly rtp: number; readonly rtcp: number };
  readonly #rtp: Lane;
  readonly #rtcp: Lane;
  readonly #onFree: () => void;
  #isClosed = false;

  constructor(
    sockets: { readonly rtp: Socket; readonly rtcp: Socket },
    port: number,
    peer: UdpPeer,
    onFree: () => void,
  ) {
    this.ports = { rtp: port, rtcp: port + 1 };
    this.#rtp = new Lane(sockets.rtp, peer.address, peer.rtp);
    this.#rtcp = new Lane(sockets.rtcp, peer.address, peer.rtcp);
    this.#onFree = onFree;
  }

  listen(onPacket: (packet: Buffer, isRtcp: boolean) => void): void {
    this.#rtp.onPacket = (packet) => onPacket(packet, false);
    this.#rtcp.onPacket = (packet) => onPacket(packet, true);
  }

  send(packet: Buffer, isRtcp: boolean): void {
    if (!this.#isClosed) (isRtcp ? this.#rtcp : this.#rtp).send(packet);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#rtp.close();
    this.#rtcp.close();
    this.#onFree();
  }
}

/** One port, to and from one address; which port of it is meant the first packet shows, whatever a NAT has made of it. */
class Lane {
  readonly #socket: Socket;
  readonly #address: string;
  #port: number;
  #isLearnt = false;
  onPacket: (packet: Buffer) => void = () => undefined;

  constructor(socket: Socket, address: string, port: number) {
    this.#socket = socket;
    this.#address = address;
    this.#port = port;
    socket.on('message', (packet, from) => {
      if (from.address !== this.#address) return;
      if (!this.#isLearnt) {
        this.#isLearnt = true;
        this.#port = from.port;
      } else if (from.port !== this.#port) return;
      this.onPacket(packet);
    });
  }

  send(packet: Buffer): void {
    // Kept until the kernel has it, which may be later than this call.
    this.#socket.send(Buffer.from(packet), this.#port, this.#address, () => undefined);
  }

  close(): void {
    this.#socket.close();
  }
}
