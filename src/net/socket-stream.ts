import type { OnReadOpts, Socket } from 'node:net';
import type { ByteStream, ByteStreamHandler } from '../model/byte-stream.js';
import type { Clock } from '../model/clock.js';
import { readShared, writeNow, writeOneByOne } from './fast-socket.js';
import { asError } from './thrown.js';

/** A peer that has sent FIN gets this long to take what was still on its way to it. */
const FLUSH_GRACE_MS = 1_000;

/** TLS finishes no write at once; up to this many bytes under way do not count as buffered there. */
const TLS_UNDER_WAY_BYTES = 64 * 1024;

/** How a socket becomes a stream. */
export interface SocketStreamOptions {
  readonly secure: boolean;
  readonly clock: Clock;
  /** Of the client, where a proxy has told it. Default: the peer's. */
  readonly remoteAddress?: string | undefined;
  /** Hears what a handler threw from `onClose`, where no one else can be told. */
  readonly onFault?: ((error: Error) => void) | undefined;
}

const UNHANDLED: ByteStreamHandler = { onBytes: () => undefined, onClose: () => undefined };

/**
 * A TCP or TLS socket as a ByteStream.
 *
 * Reads begin with the first `handle()`, so that nothing is lost before it. After `end`, `destroy` or the peer's FIN
 * no more bytes are shown; a FIN closes our side too. A handler that throws loses its stream, and hears of it in `onClose`.
 *
 * Hot path (`test/bench`): plain sockets share one read buffer and write synchronously; only what the kernel did not
 * take is copied and queued. TLS sockets, and any Node without the means, use 'data' events and copied writes.
 */
export class SocketStream implements ByteStream {
  readonly secure: boolean;
  readonly #socket: Socket;
  readonly #options: SocketStreamOptions;
  readonly #isFast: boolean;
  #remoteAddress = '';
  #handler = UNHANDLED;
  /** Came before this stream's own bytes began. */
  #first: Buffer | undefined;
  #isStarted = false;
  #isListening = false;
  #hasRead = false;
  #isPaused = false;
  #isEnding = false;
  #isClosed = false;
  #isTold = false;
  #wantsDrain = false;
  #error: Error | undefined;
  #cancelGrace: () => void = () => undefined;

  /**
   * `open` makes the socket, not reading yet; if it makes one that reads as `onread` says, it returns `isFast` true.
   * The socket may still be connecting.
   */
  constructor(
    open: (onread: OnReadOpts) => { readonly socket: Socket; readonly isFast: boolean },
    options: SocketStreamOptions,
  ) {
    const { socket, isFast } = open(readShared((bytes) => this.#read(bytes)));
    this.#socket = socket;
    this.#isFast = isFast;
    this.#options = options;
    this.secure = options.secure;
    if (!socket.connecting) this.#readAddress();
    else socket.once('connect', () => this.#readAddress());
    writeOneByOne(socket);
    socket.on('error', (error) => (this.#error ??= error));
    socket.on('end', () => this.#peerFinished());
    socket.on('close', () => this.#finish());
  }

  get remoteAddress(): string {
    return this.#remoteAddress;
  }
  get bufferedBytes(): number {
    return this.#socket.writableLength;
  }
  get closed(): boolean {
    return this.#isClosed;
  }

  handle(handler: ByteStreamHandler): void {
    this.#handler = handler;
    if (this.#isStarted) return;
    this.#isStarted = true;
    if (!this.#isFast && !this.#isListening) this.#socket.on('data', (bytes: Buffer) => this.#read(bytes));
    this.#isListening = true;
    if (this.#isClosed) queueMicrotask(() => this.#tell());
    else if (!this.#isPaused) this.#readOn();
  }

  /**
   * Takes the stream back to before its first `handle()`: as if it came from `remoteAddress`, and `rest` had been the first
   * bytes on it. For what stands before a protocol.
   */
  restart(remoteAddress: string, rest: Buffer): void {
    this.#remoteAddress = remoteAddress;
    if (rest.length > 0) this.#first = rest;
    this.#handler = UNHANDLED;
    this.#isStarted = false;
    this.#socket.pause();
  }

  write(bytes: Buffer): boolean {
    if (this.#isClosed || this.#isEnding || bytes.length === 0) return true;
    const socket = this.#socket;
    let rest = bytes;
    if (this.#isFast && socket.writableLength === 0) {
      try {
        const taken = writeNow(socket, bytes);
        if (taken === bytes.length) return true;
        rest = bytes.subarray(taken);
      } catch (error) {
        this.#fail(error);
        return true;
      }
    }
    socket.write(Buffer.from(rest), this.#onWritten);
    if (socket.writableLength <= (this.#isFast ? 0 : TLS_UNDER_WAY_BYTES)) return true;
    this.#wantsDrain = true;
    return false;
  }

  pause(): void {
    this.#isPaused = true;
    if (this.#isStarted && !this.#isEnding) this.#socket.pause();
  }
  resume(): void {
    this.#isPaused = false;
    if (this.#isStarted) this.#readOn();
  }

  end(graceMs: number): void {
    if (this.#isClosed || this.#isEnding) return;
    this.#isEnding = true;
    this.#socket.end();
    this.#destroyAfter(graceMs);
    // Bytes left unread would turn our FIN into a reset, and the peer would lose our last words.
    this.#isPaused = false;
    if (this.#isStarted) this.#readOn();
    else this.handle(this.#handler);
  }

  destroy(): void {
    this.#isEnding = true;
    this.#isClosed = true;
    this.#socket.destroy();
  }

  /** Kept, because the system forgets it with the connection. */
  #readAddress(): void {
    this.#remoteAddress = this.#options.remoteAddress ?? plainAddress(this.#socket.remoteAddress);
  }

  #readOn(): void {
    if (this.#first !== undefined) {
      // Later, as all bytes are: who handles a stream may not be ready within the call.
      queueMicrotask(() => this.#showFirst());
      return;
    }
    // `resume` begins to read a tick later, and a `pause` before that would be overlooked; `read(0)` begins now.
    if (this.#isFast && !this.#hasRead) this.#socket.read(0);
    else this.#socket.resume();
    this.#hasRead = true;
  }

  #showFirst(): void {
    const first = this.#first;
    if (first === undefined || !this.#mayRead()) return;
    this.#first = undefined;
    this.#read(first);
    if (this.#mayRead()) this.#readOn();
  }

  #mayRead(): boolean {
    return !this.#isPaused && !this.#isClosed;
  }

  #read(bytes: Buffer): void {
    if (this.#isEnding || this.#isClosed) return;
    try {
      this.#handler.onBytes(bytes);
    } catch (error) {
      this.#fail(error);
    }
  }

  readonly #onWritten = (): void => {
    if (!this.#wantsDrain || this.#isClosed || this.#socket.writableLength > 0) return;
    this.#wantsDrain = false;
    try {
      this.#handler.onDrain?.();
    } catch (error) {
      this.#fail(error);
    }
  };

  #fail(error: unknown): void {
    this.#error ??= asError(error);
    this.destroy();
  }

  /** Node ends our half by itself once it is flushed; we see to it that this does not take for ever. */
  #peerFinished(): void {
    if (!this.#isEnding && !this.#isClosed) this.#destroyAfter(FLUSH_GRACE_MS);
    this.#isClosed = true;
    this.#tell();
  }

  #finish(): void {
    this.#isClosed = true;
    this.#cancelGrace();
    this.#tell();
  }

  #destroyAfter(graceMs: number): void {
    this.#cancelGrace = this.#options.clock.after(graceMs, () => this.#socket.destroy());
  }

  #tell(): void {
    if (this.#isTold || !this.#isStarted) return;
    this.#isTold = true;
    try {
      this.#handler.onClose(this.#error);
    } catch (error) {
      this.#options.onFault?.(asError(error));
    }
  }
}

/** An IPv4 client of a dual-stack listener is the same client as on an IPv4 one. */
export function plainAddress(address: string | undefined): string {
  if (address === undefined) return '';
  return address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address;
}
