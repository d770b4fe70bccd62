import type { Guard, GuardOutput } from '../../model/leg.js';
import { NOWHERE } from './tracks.js';
import { InterleavedFrame } from './wire/frame.js';
import type { RtspRequest, RtspResponse } from './wire/message.js';
import type { RtspReader } from './wire/reader.js';

/** What a direction does with what it reads. */
export interface DirectionPolicy {
  /** By the channel it came on, the one it leaves on; or NOWHERE. */
  readonly channels: Int16Array;
  /** Whether media pass at present. */
  flows(): boolean;
  /** So many bytes of frames passed. */
  passed(bytes: number): void;
  message(message: RtspRequest | RtspResponse): void;
  /** Whether to read on; false when the session has ended with the last message. */
  goesOn(): boolean;
  /** What is pushed is one whole frame that came beside the connection. */
  isDatagram?(): boolean;
  /** Once, at the first push: the relay has started. */
  begins?(): void;
}

const NOTHING = Buffer.alloc(0);

/**
 * One direction of a relayed stream: frames pass with another channel number, side by side in one piece where they came so
 * (hot path: no frame is copied); messages are handed to the policy and never pass.
 */
export class FrameGuard implements Guard {
  readonly #reader: RtspReader;
  readonly #policy: DirectionPolicy;
  /** What was not forwarded yet: frames that lie side by side. */
  #source: Buffer = NOTHING;
  #start = 0;
  #end = 0;
  #out: GuardOutput | undefined;

  constructor(reader: RtspReader, policy: DirectionPolicy) {
    this.#reader = reader;
    this.#policy = policy;
  }

  /** On to the other leg, also outside of a push; false before the first push. */
  forward(bytes: Buffer): boolean {
    if (this.#out === undefined) return false;
    this.#flush();
    this.#out.forward(bytes);
    return true;
  }

  /** Back to the leg that this direction comes from. */
  reply(bytes: Buffer): void {
    this.#out?.reply(bytes);
  }

  push(bytes: Buffer, out: GuardOutput): void {
    const policy = this.#policy;
    if (this.#out === undefined) {
      this.#out = out;
      policy.begins?.();
    }
    if (policy.isDatagram?.() === true) {
      this.#pass(new InterleavedFrame(bytes, 0, bytes.length));
      this.#flush();
      return;
    }
    const reader = this.#reader;
    reader.push(bytes);
    while (policy.goesOn()) {
      const item = reader.next();
      if (item === undefined) break;
      if (item.kind === 'frame') this.#pass(item);
      else policy.message(item);
    }
    this.#flush();
    if (!policy.goesOn()) reader.keep();
  }

  #pass(frame: InterleavedFrame): void {
    const { channels } = this.#policy;
    const channel = channels[frame.channel] ?? NOWHERE;
    if (channel === NOWHERE || !this.#policy.flows()) return;
    frame.channel = channel;
    if (frame.source === this.#source && frame.start === this.#end) {
      this.#end = frame.end;
      return;
    }
    this.#flush();
    this.#source = frame.source;
    this.#start = frame.start;
    this.#end = frame.end;
  }

  #flush(): void {
    const size = this.#end - this.#start;
    if (size === 0) return;
    const run = this.#source.subarray(this.#start, this.#end);
    this.#source = NOTHING;
    this.#start = this.#end = 0;
    this.#policy.passed(size);
    this.#out?.forward(run);
  }
}
