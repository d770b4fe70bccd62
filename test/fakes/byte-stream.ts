import type { ByteStream, ByteStreamHandler } from '../../src/model/byte-stream.js';
import type { Clock } from '../../src/model/clock.js';

/** One end of a pair without a network, with the knobs a test needs. */
export interface FakeByteStream extends ByteStream {
  /** All bytes that `write` was given, whether they have left or not. */
  readonly written: Buffer;
  /** All bytes that were read here. */
  readonly received: Buffer;
  readonly paused: boolean;
  /** Whether `end` or `destroy` was called, and how. */
  readonly ending: 'no' | 'end' | 'destroy';
  /** From now on the kernel takes nothing: writes are buffered. */
  stall(): void;
  /** Takes `bytes` of what is buffered and stays stalled; without an argument takes all and stalls no more. */
  unstall(bytes?: number): void;
  /** The connection breaks: both ends close, this one with `error`. */
  fail(error: Error): void;
}

/** How a pair behaves. */
export interface PairOptions {
  readonly remoteAddress?: string;
  readonly secure?: boolean;
  /** Bytes that fit between the ends while the receiver does not read; what exceeds it is buffered at the writer. */
  readonly windowBytes?: number;
  /** Cuts what is delivered into pieces of at most this many bytes. */
  readonly pieceBytes?: number;
  /** For the grace of `end`; without one a peer that does not close is never cut off. */
  readonly clock?: Clock;
}

/** What a handler's memory looks like once its call is over: whoever kept the bytes sees this. */
const POISON = 0xdd;

/** Lets every delivery that is under way arrive (microtasks and one turn of the loop). */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise<void>((done) => setImmediate(done));
}

class End implements FakeByteStream {
  readonly #options: PairOptions;
  #peer: End | undefined;
  #handler: ByteStreamHandler | undefined;
  /** Written, not yet taken by the kernel. */
  #queue: Buffer[] = [];
  /** Taken by the kernel, not yet read here. */
  #incoming: Buffer[] = [];
  #writes: Buffer[] = [];
  #reads: Buffer[] = [];
  #allowance = Infinity;
  #wantsDrain = false;
  #scheduled = false;
  #finQueued = false;
  #finArrived = false;
  #state: 'open' | 'closing' | 'closed' = 'open';
  #error: Error | undefined;
  #cancelGrace: () => void = () => undefined;
  paused = false;
  ending: 'no' | 'end' | 'destroy' = 'no';

  constructor(options: PairOptions) {
    this.#options = options;
  }

  join(peer: End): void {
    this.#peer = peer;
  }
  get remoteAddress(): string {
    return this.#options.remoteAddress ?? '192.0.2.7';
  }
  get secure(): boolean {
    return this.#options.secure ?? false;
  }
  get written(): Buffer {
    return Buffer.concat(this.#writes);
  }
  get received(): Buffer {
    return Buffer.concat(this.#reads);
  }
  get bufferedBytes(): number {
    return total(this.#queue);
  }
  get closed(): boolean {
    return this.#state !== 'open';
  }

  handle(handler: ByteStreamHandler): void {
    this.#handler = handler;
    this.#schedule();
  }

  write(bytes: Buffer): boolean {
    if (this.closed || this.ending !== 'no' || bytes.length === 0) return true;
    const copy = Buffer.from(bytes);
    this.#writes.push(copy);
    this.#queue.push(copy);
    this.#take();
    if (this.#queue.length === 0) return true;
    this.#wantsDrain = true;
    return false;
  }

  pause(): void {
    this.paused = true;
  }
  resume(): void {
    this.paused = false;
    this.#schedule();
  }
  stall(): void {
    this.#allowance = 0;
  }
  unstall(bytes = Infinity): void {
    this.#allowance = bytes;
    this.#take();
    if (bytes !== Infinity) this.#allowance = 0;
    this.#schedule();
  }

  end(graceMs: number): void {
    if (this.closed || this.ending !== 'no') return;
    this.ending = 'end';
    this.paused = false;
    this.#finQueued = true;
    this.#cancelGrace = this.#options.clock?.after(graceMs, () => this.#close()) ?? this.#cancelGrace;
    this.#take();
    this.#schedule();
  }
  destroy(): void {
    if (this.#state !== 'open') return;
    this.ending = 'destroy';
    this.#close();
  }
  fail(error: Error): void {
    this.#incoming = [];
    this.#peer?.dropIncoming();
    this.#close(error);
  }

  dropIncoming(): void {
    this.#incoming = [];
  }
  arrive(bytes: Buffer): void {
    this.#incoming.push(bytes);
    this.#schedule();
  }
  arriveFin(): void {
    this.#finArrived = true;
    this.#schedule();
  }
  windowLeft(): number {
    return (this.#options.windowBytes ?? Infinity) - total(this.#incoming);
  }
  makeRoom(): void {
    this.#take();
    this.#schedule();
  }

  #close(error?: Error): void {
    if (this.#state !== 'open') return;
    this.#state = 'closing';
    this.#error = error;
    this.#queue = [];
    this.#cancelGrace();
    this.#peer?.arriveFin();
    this.#schedule();
  }

  /** Moves what the kernel takes from the queue to the peer. */
  #take(): void {
    const peer = this.#peer;
    while (peer !== undefined && this.#state === 'open') {
      const first = this.#queue[0];
      const room = Math.min(this.#allowance, peer.windowLeft());
      if (first === undefined || room <= 0) break;
      const piece = first.subarray(0, Math.min(first.length, room));
      if (piece.length === first.length) this.#queue.shift();
      else this.#queue[0] = first.subarray(piece.length);
      this.#allowance -= piece.length;
      peer.arrive(piece);
    }
    if (this.#finQueued && this.#queue.length === 0) {
      this.#finQueued = false;
      peer?.arriveFin();
    }
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#run();
    });
  }

  #run(): void {
    if (this.#handler === undefined || this.#state === 'closed') return;
    if (this.#state === 'open') this.#deliver();
    if (this.#state === 'open' && this.#wantsDrain && this.#queue.length === 0) {
      this.#wantsDrain = false;
      this.#handler.onDrain?.();
    }
    if (this.#state === 'open' && this.#finArrived && this.#incoming.length === 0 && !this.paused) this.#close();
    if (this.#state === 'closing') {
      this.#state = 'closed';
      this.#handler.onClose(this.#error);
    }
  }

  #deliver(): void {
    while (this.#state === 'open' && !this.paused) {
      const first = this.#incoming.shift();
      if (first === undefined) break;
      const pieceBytes = this.#options.pieceBytes ?? Infinity;
      const piece = Buffer.from(first.subarray(0, pieceBytes));
      if (first.length > pieceBytes) this.#incoming.unshift(first.subarray(pieceBytes));
      this.#reads.push(Buffer.from(piece));
      try {
        if (this.ending === 'no') this.#handler?.onBytes(piece);
      } catch (error) {
        this.#close(error instanceof Error ? error : new Error(String(error)));
      }
      piece.fill(POISON);
      this.#peer?.makeRoom();
    }
  }
}

/**
 * Two ends of one connection. Bytes arrive in a microtask, in order; `await settle()` lets all of them arrive.
 * Memory that a handler was given is overwritten after its call, and `write` copies: both as a real socket may do.
 */
export function streamPair(options: PairOptions = {}): [near: FakeByteStream, far: FakeByteStream] {
  const near = new End(options);
  const far = new End(options);
  near.join(far);
  far.join(near);
  return [near, far];
}

/** A handler that only listens: what came, and how it ended. */
export function listen(stream: ByteStream): { readonly bytes: () => Buffer; readonly closes: (Error | undefined)[] } {
  const chunks: Buffer[] = [];
  const closes: (Error | undefined)[] = [];
  stream.handle({
    onBytes: (bytes) => chunks.push(Buffer.from(bytes)),
    onClose: (error) => closes.push(error),
  });
  return { bytes: () => Buffer.concat(chunks), closes };
}

function total(chunks: readonly Buffer[]): number {
  return chunks.reduce((sum, chunk) => sum + chunk.length, 0);
}
