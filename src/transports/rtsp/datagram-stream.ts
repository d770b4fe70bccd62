import type { ByteStream, ByteStreamHandler } from '../../model/byte-stream.js';
import type { DatagramPair } from './options.js';
import { FRAME_HEADER_BYTES, FRAME_MARK, MAX_FRAME_PAYLOAD_BYTES, writeFrameHeader } from './wire/frame.js';
import { writeBye } from './wire/rtcp.js';
import type { NumberPair } from './wire/transport-header.js';

/** One packet at a time is framed here: who is shown it keeps nothing. */
const frame = Buffer.allocUnsafeSlow(FRAME_HEADER_BYTES + MAX_FRAME_PAYLOAD_BYTES);

interface Route {
  readonly pair: DatagramPair;
  readonly isRtcp: boolean;
  /** The SSRC of what was sent to the client, unsigned 32 bit. */
  sender: number | undefined;
}

/** Bytes of the fixed part of an RTP packet. @see RFC 3550 §5.1 */
const RTP_HEADER_BYTES = 12;
const CNAME = 'portcullis';

/**
 * The control connection of a client, and its media beside it: to the relay all is one stream with `$` frames, whatever the
 * client uses. A `$` frame that is written here leaves as a datagram if its channel has ports, and what comes by datagram is shown as
 * a frame, one a call.
 */
export class DatagramStream implements ByteStream {
  readonly #control: ByteStream;
  readonly #routes = new Map<number, Route>();
  #handler: ByteStreamHandler | undefined;
  #isPaused = false;
  /** What is being shown came by datagram: one whole frame, perhaps in the middle of a message of the control connection. */
  isShowingDatagram = false;

  constructor(control: ByteStream) {
    this.#control = control;
  }

  get remoteAddress(): string {
    return this.#control.remoteAddress;
  }
  get secure(): boolean {
    return this.#control.secure;
  }
  get bufferedBytes(): number {
    return this.#control.bufferedBytes;
  }
  get closed(): boolean {
    return this.#control.closed;
  }
  /** Whether media come and go by datagram. */
  get hasDatagrams(): boolean {
    return this.#routes.size > 0;
  }

  /** Media on these channels go by datagram from now on. */
  join(channels: NumberPair, pair: DatagramPair): void {
    this.#routes.set(channels.rtp, { pair, isRtcp: false, sender: undefined });
    this.#routes.set(channels.rtcp, { pair, isRtcp: true, sender: undefined });
    pair.listen((packet, isRtcp) => this.#show(isRtcp ? channels.rtcp : channels.rtp, packet));
  }

  /** Says in the name of each sender that nothing more comes: a player without its own connection's end would wait. */
  farewell(): void {
    for (const { pair, sender } of this.#routes.values()) {
      if (sender !== undefined) pair.send(writeBye(sender, CNAME), true);
    }
  }

  /** Closes all ports; the control connection goes on. */
  closePairs(): void {
    for (const { pair } of this.#routes.values()) pair.close();
    this.#routes.clear();
  }

  handle(handler: ByteStreamHandler): void {
    this.#handler = handler;
    this.#control.handle(handler);
  }

  write(bytes: Buffer): boolean {
    if (this.#routes.size === 0 || bytes[0] !== FRAME_MARK) return this.#control.write(bytes);
    let taken = true;
    for (let at = 0; at + FRAME_HEADER_BYTES <= bytes.length;) {
      const end = at + FRAME_HEADER_BYTES + bytes.readUInt16BE(at + 2);
      const route = this.#routes.get(bytes[at + 1] as number);
      if (route !== undefined) send(route, bytes.subarray(at + FRAME_HEADER_BYTES, end));
      else taken = this.#control.write(bytes.subarray(at, end)) && taken;
      at = end;
    }
    return taken;
  }

  pause(): void {
    this.#isPaused = true;
    this.#control.pause();
  }
  resume(): void {
    this.#isPaused = false;
    this.#control.resume();
  }
  end(graceMs: number): void {
    this.closePairs();
    this.#control.end(graceMs);
  }
  destroy(): void {
    this.closePairs();
    this.#control.destroy();
  }

  /** While the origin takes nothing packets are lost, as they would be on the way. */
  #show(channel: number, packet: Buffer): void {
    if (this.#isPaused || this.#control.closed || packet.length > MAX_FRAME_PAYLOAD_BYTES) return;
    writeFrameHeader(frame, 0, channel, packet.length);
    packet.copy(frame, FRAME_HEADER_BYTES);
    this.isShowingDatagram = true;
    try {
      this.#handler?.onBytes(frame.subarray(0, FRAME_HEADER_BYTES + packet.length));
    } finally {
      this.isShowingDatagram = false;
    }
  }
}

function send(route: Route, packet: Buffer): void {
  if (!route.isRtcp && packet.length >= RTP_HEADER_BYTES) route.sender = packet.readUInt32BE(8);
  route.pair.send(packet, route.isRtcp);
}
