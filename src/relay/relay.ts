import type { ByteStream, ByteStreamHandler } from '../model/byte-stream.js';
import type { Clock } from '../model/clock.js';
import { GatewayError, WireError } from '../model/errors.js';
import type { EndReason, GuardOutput, RelayEnds, RelaySide, RunningRelay, StartRelay } from '../model/leg.js';
import { createWatch, type Watched } from './watch.js';

/** Most that may wait for a publisher: it gets control messages and answers only. */
const DEFAULT_CONTROL_BYTES = 64 * 1024;

/** Most that may wait for an origin. A publisher is paused long before; this is for answers to an origin that never reads. */
const DEFAULT_ORIGIN_BYTES = 1024 * 1024;

/** What a relay tolerates. */
export interface RelayOptions {
  readonly clock: Clock;
  /** Silence of the side the media comes from that ends the stream; 0 is never. */
  readonly idleTimeoutMs: number;
  /** Most that may wait for one viewer. */
  readonly viewerBufferBytes: number;
  /** A viewer for whom something waits and who takes nothing for so long is dropped; 0 is never. */
  readonly viewerStallMs: number;
  /** Default 64 KiB. */
  readonly controlBufferBytes?: number;
  /** Default 1 MiB. */
  readonly originBufferBytes?: number;
}

const NOTHING = Buffer.alloc(0);

type Side = 'client' | 'origin';

/**
 * Makes relays that run between two streams with a guard over each direction. A guard's first push is empty, so that it can
 * put out what it took over from the set-up.
 *
 * A publisher is paused while the origin's leg is full, so nothing is discarded; an origin is never paused for a viewer,
 * who is dropped instead (`slow-viewer`). Ends once, with a reason, when a side closes (`…-closed`), fails or has its
 * guard throw WireError (`…-error`), or falls silent (`media-idle`); anything else a guard throws is `gateway-error`.
 * The streams stay open: who started the relay closes them. Nothing is allocated or timed for a message.
 */
export function createRelay(options: RelayOptions): StartRelay {
  const watch = createWatch(options.clock, [options.idleTimeoutMs, options.viewerStallMs]);
  return (ends, onEnd) => {
    const relay: Relay = new Relay(ends, options, (reason, error) => {
      stopWatching();
      onEnd(reason, error);
    });
    const stopWatching = watch.add(relay);
    relay.start();
    return {
      get clientBytes() {
        return relay.client.bytes;
      },
      get originBytes() {
        return relay.origin.bytes;
      },
      stop() {
        stopWatching();
        relay.stop();
      },
    } satisfies RunningRelay;
  };
}

class Relay implements Watched {
  readonly client: Direction;
  readonly origin: Direction;
  readonly #ends: RelayEnds;
  readonly #options: RelayOptions;
  readonly #onEnd: (reason: EndReason, error?: Error) => void;
  readonly #clientLimitBytes: number;
  readonly #originLimitBytes: number;
  #isClientPaused = false;
  isOver = false;
  #mediaProgress: number | 'paused' = -1;
  #mediaAtMs = 0;
  /** NaN while nothing waits. */
  #drainedBytes = NaN;
  #drainedAtMs = 0;

  constructor(ends: RelayEnds, options: RelayOptions, onEnd: (reason: EndReason, error?: Error) => void) {
    this.#ends = ends;
    this.#options = options;
    this.#onEnd = onEnd;
    this.client = new Direction(this, 'client', ends.client);
    this.origin = new Direction(this, 'origin', ends.origin);
    const controlBytes = options.controlBufferBytes ?? DEFAULT_CONTROL_BYTES;
    this.#clientLimitBytes = ends.mediaFrom === 'origin' ? options.viewerBufferBytes : controlBytes;
    this.#originLimitBytes = options.originBufferBytes ?? DEFAULT_ORIGIN_BYTES;
  }

  start(): void {
    const { client, origin } = this.#ends;
    // A stream that closed while nobody held it will not say so again; told a moment later, when the caller is ready.
    if (client.stream.closed) queueMicrotask(() => this.end('client-closed'));
    if (origin.stream.closed) queueMicrotask(() => this.end('origin-closed'));
    client.stream.handle(this.client);
    origin.stream.handle(this.origin);
    client.stream.resume();
    origin.stream.resume();
    // What a guard took over from the set-up goes out now, not with the next bytes.
    this.client.onBytes(NOTHING);
    this.origin.onBytes(NOTHING);
  }

  stop(): void {
    if (this.isOver) return;
    this.isOver = true;
    // The client's leg may go on without a relay (an RTMP client that publishes again).
    if (this.#isClientPaused) this.#ends.client.stream.resume();
  }

  end(reason: EndReason, error?: Error): void {
    if (this.isOver) return;
    this.stop();
    this.#onEnd(reason, error);
  }

  closed(side: Side, error: Error | undefined): void {
    if (error === undefined) this.end(side === 'client' ? 'client-closed' : 'origin-closed');
    else this.end(side === 'client' ? 'client-error' : 'origin-error', error);
  }

  failed(side: Side, error: unknown): void {
    if (error instanceof WireError) this.closed(side, error);
    else this.end('gateway-error', error instanceof Error ? error : new Error(String(error)));
  }

  send(to: Side, bytes: Buffer): void {
    if (this.isOver) return;
    const stream = this.#ends[to].stream;
    if (stream.write(bytes)) return;
    if (to === 'client') this.#clientIsFull(stream);
    else this.#originIsFull(stream);
  }

  drained(side: Side): void {
    if (side !== 'origin' || !this.#isClientPaused || this.isOver) return;
    this.#isClientPaused = false;
    this.#ends.client.stream.resume();
  }

  check(elapsedMs: number): void {
    const { mediaFrom, client } = this.#ends;
    const progress = this.#ends.mediaProgress?.() ?? this[mediaFrom].bytes;
    if (progress !== this.#mediaProgress || progress === 'paused') {
      this.#mediaProgress = progress;
      this.#mediaAtMs = elapsedMs;
    } else if (isDue(elapsedMs - this.#mediaAtMs, this.#options.idleTimeoutMs)) {
      this.#fellSilent();
      return;
    }
    if (mediaFrom === 'client') return;
    const waiting = client.stream.bufferedBytes;
    const drained = this.client.sentBytes - waiting;
    if (waiting === 0) {
      this.#drainedBytes = NaN;
    } else if (drained !== this.#drainedBytes) {
      this.#drainedBytes = drained;
      this.#drainedAtMs = elapsedMs;
    } else if (isDue(elapsedMs - this.#drainedAtMs, this.#options.viewerStallMs)) {
      const message = `took none of ${waiting} bytes for ${this.#options.viewerStallMs} ms`;
      this.end('slow-viewer', new GatewayError('viewer-stalled', 'client', message));
    }
  }

  #fellSilent(): void {
    if (!this.#isClientPaused) {
      this.end('media-idle');
      return;
    }
    // The silence is ours: the client may not send because the origin takes nothing.
    const message = `took nothing for ${this.#options.idleTimeoutMs} ms`;
    this.end('origin-error', new GatewayError('origin-stalled', 'origin', message));
  }

  #clientIsFull(stream: ByteStream): void {
    const waiting = stream.bufferedBytes;
    if (waiting <= this.#clientLimitBytes) return;
    const message = `${waiting} bytes wait for it, at most ${this.#clientLimitBytes} may`;
    const isViewer = this.#ends.mediaFrom === 'origin';
    const code = isViewer ? 'viewer-buffer-full' : 'control-buffer-full';
    this.end(isViewer ? 'slow-viewer' : 'client-error', new GatewayError(code, 'client', message));
  }

  #originIsFull(stream: ByteStream): void {
    if (!this.#isClientPaused) {
      this.#isClientPaused = true;
      this.#ends.client.stream.pause();
    }
    const waiting = stream.bufferedBytes;
    if (waiting <= this.#originLimitBytes) return;
    const message = `${waiting} bytes wait for it, at most ${this.#originLimitBytes} may`;
    this.end('origin-error', new GatewayError('origin-buffer-full', 'origin', message));
  }
}

/** What one side sends: the handler of its stream, and the output of its guard. */
class Direction implements ByteStreamHandler, GuardOutput {
  readonly #relay: Relay;
  readonly #side: Side;
  readonly #other: Side;
  readonly #from: RelaySide;
  /** Came from this side. */
  bytes = 0;
  /** Was sent to this side. */
  sentBytes = 0;

  constructor(relay: Relay, side: Side, from: RelaySide) {
    this.#relay = relay;
    this.#side = side;
    this.#other = side === 'client' ? 'origin' : 'client';
    this.#from = from;
  }

  onBytes(bytes: Buffer): void {
    if (this.#relay.isOver) return;
    this.bytes += bytes.length;
    try {
      this.#from.guard.push(bytes, this);
    } catch (error) {
      this.#relay.failed(this.#side, error);
    }
  }
  onDrain(): void {
    this.#relay.drained(this.#side);
  }
  onClose(error?: Error): void {
    this.#relay.closed(this.#side, error);
  }
  forward(bytes: Buffer): void {
    this.#relay[this.#other].sentBytes += bytes.length;
    this.#relay.send(this.#other, bytes);
  }
  reply(bytes: Buffer): void {
    this.sentBytes += bytes.length;
    this.#relay.send(this.#side, bytes);
  }
}

function isDue(silentMs: number, limitMs: number): boolean {
  return limitMs > 0 && silentMs >= limitMs;
}
