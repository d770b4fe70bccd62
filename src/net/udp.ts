import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { GatewayError } from '../model/errors.js';
import { hostPort } from './tcp.js';
import { asError } from './thrown.js';

/** Most that may wait in a socket whose network card is slower than we are. Media that old is of no use. */
const MAX_QUEUE_BYTES = 1024 * 1024;
/** How many sends pass before the queue is looked at. */
const SENDS_PER_LOOK = 32;

/** A UDP port. Nothing here throws. */
export interface UdpPort {
  /** Fulfilled when the port is bound; rejects with GatewayError `listen-failed`. Need not be waited for to send. */
  readonly ready: Promise<void>;
  readonly host: string;
  /** The real one once it is bound, where 0 was asked for. */
  readonly port: number;
  /**
   * Sends one datagram to an IP address; the bytes must not change afterwards. False when it was dropped: the port is closed, or
   * too much waits in it.
   */
  send(bytes: Buffer, port: number, host: string): boolean;
  /**
   * Lets the port talk to this address and to no other, for good: the system throws away what comes from elsewhere, sending costs
   * less, and `onRefused` is told. False when that was not possible, and all is as before.
   */
  pin(port: number, host: string): boolean;
  /** Idempotent. */
  close(): void;
}

/** What to bind and who is told. */
export interface UdpOptions {
  /** An address of this machine, or `0.0.0.0`, or `::` (IPv6 only). */
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
  /** What the kernel may keep for us while the loop is busy; it may give less. */
  readonly receiveBufferBytes: number;
  readonly sendBufferBytes?: number;
  /** A datagram, with where it came from. The bytes are nobody else's. */
  readonly onDatagram: (bytes: Buffer, port: number, host: string) => void;
  /** Binding failed, the system reported a fault, or `onDatagram` threw. */
  readonly onError: (error: Error) => void;
  /** The system of the address that the port is pinned to says that nothing listens there. Whoever is on the way can say so, too. */
  readonly onRefused?: () => void;
}

/** Opens a UDP port; as an argument, so that tests can give a network of their own. */
export type OpenUdp = (options: UdpOptions) => UdpPort;

/** Opens a UDP port of the machine. */
export const openUdp: OpenUdp = (options) => new DgramPort(options);

class DgramPort implements UdpPort {
  readonly ready: Promise<void>;
  readonly host: string;
  readonly #socket: Socket;
  readonly #options: UdpOptions;
  #port: number;
  #isClosed = false;
  /** Where the port is pinned to. */
  #pinned: { readonly port: number; readonly host: string } | undefined;
  #isFull = false;
  #sends = 0;

  constructor(options: UdpOptions) {
    this.#options = options;
    this.host = options.host;
    this.#port = options.port;
    const isV6 = isIPv6(options.host);
    this.#socket = createSocket({
      type: isV6 ? 'udp6' : 'udp4',
      ipv6Only: isV6,
      // All addresses here are literals: Node's own look-up would put off each packet to the next tick.
      lookup: (host, _options, done) => done(null, host, isV6 ? 6 : 4),
    });
    this.#socket.on('message', (bytes, from) => this.#received(bytes, from));
    this.ready = this.#bind();
    // Who does not wait is told by onError.
    this.ready.catch(() => undefined);
  }

  get port(): number {
    return this.#port;
  }

  send(bytes: Buffer, port: number, host: string): boolean {
    if (this.#isClosed) return false;
    if (this.#isFull || ++this.#sends >= SENDS_PER_LOOK) {
      this.#sends = 0;
      this.#isFull = this.#socket.getSendQueueSize() > MAX_QUEUE_BYTES;
      if (this.#isFull) return false;
    }
    const pinned = this.#pinned;
    try {
      if (pinned === undefined) this.#socket.send(bytes, port, host);
      else if (port !== pinned.port || host !== pinned.host) return false;
      else this.#socket.send(bytes);
      return true;
    } catch (error) {
      this.#failed(error);
      return false;
    }
  }

  pin(port: number, host: string): boolean {
    if (this.#isClosed || this.#pinned !== undefined) return false;
    let isDone = false;
    try {
      // With a lookup that answers at once it is done when the call comes back; a failure only has its error put off.
      this.#socket.connect(port, host);
      isDone = this.#socket.remoteAddress().port === port;
    } catch {
      // The system has no way there.
    }
    if (isDone) this.#pinned = { port, host };
    return isDone;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    try {
      this.#socket.close();
    } catch {
      // It never opened: then there is nothing to close.
    }
  }

  #bind(): Promise<void> {
    const { host, port } = this.#options;
    return new Promise((done, fail) => {
      const refused = (error: NodeJS.ErrnoException): void => {
        const problem = `cannot listen on ${hostPort(host, port)} (UDP): ${error.code ?? 'unknown error'}`;
        const failure = new GatewayError('listen-failed', 'gateway', problem, { cause: error });
        fail(failure);
        this.#failed(failure);
      };
      this.#socket.once('error', refused);
      this.#socket.once('listening', () => {
        this.#socket.off('error', refused);
        this.#socket.on('error', (error: NodeJS.ErrnoException) => {
          if (error.code !== 'ECONNREFUSED' || this.#pinned === undefined) this.#failed(error);
          else if (!this.#isClosed) this.#options.onRefused?.();
        });
        this.#port = this.#socket.address().port;
        this.#widen();
        done();
      });
      this.#socket.bind({ address: host, port, exclusive: true });
    });
  }

  /** Buffers of the size asked for, or of that which the system allows. */
  #widen(): void {
    const { receiveBufferBytes, sendBufferBytes } = this.#options;
    try {
      this.#socket.setRecvBufferSize(receiveBufferBytes);
      if (sendBufferBytes !== undefined) this.#socket.setSendBufferSize(sendBufferBytes);
    } catch (error) {
      this.#failed(error);
    }
  }

  #received(bytes: Buffer, from: RemoteInfo): void {
    if (this.#isClosed) return;
    try {
      this.#options.onDatagram(bytes, from.port, from.address);
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    if (!this.#isClosed) this.#options.onError(asError(error));
  }
}
