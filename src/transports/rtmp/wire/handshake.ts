import { WireError } from '../../../model/errors.js';
import { findClientDigest, signS1, signS2, type FoundDigest } from './handshake-digest.js';

const PACKET_BYTES = 1536;
const VERSION = 3;
/** Where C1 and S1 hold the version of the software: zero says plain handshake. */
const VERSION_AT = 4;
/** Any version above 3 makes players look for a digest; this is a Flash Media Server that knew them. */
const DIGEST_VERSION = Buffer.from([4, 5, 0, 1]);

/** Gives `size` random bytes. */
export type RandomBytes = (size: number) => Buffer;

/** What came of the bytes that were pushed. */
export interface HandshakeStep {
  /** To be sent at once. */
  readonly reply?: Buffer;
  /** The handshake is over. */
  readonly done: boolean;
  /** Bytes behind the handshake, a view of what was pushed last; absent when there are none. */
  readonly rest?: Buffer;
}

/**
 * The server's side of the handshake. Holds at most C0 and C1 (1537 bytes); C2 is counted, not kept or judged.
 *
 * C1 with version zero, or without a valid digest, gets a plain answer: S1 of version zero, S2 an exact echo of C1 (clients
 * compare it). C1 with a digest, in either layout, gets a signed S1 and S2 in the same layout.
 * @see RTMP 1.0 §5.2
 */
export class ServerHandshake {
  readonly #exchange: Exchange;

  /** `random` is asked for at most 1536 bytes at a time. */
  constructor(random: RandomBytes) {
    this.#exchange = new Exchange((c1) => answer(c1, random));
  }

  /**
   * Takes bytes of the client, cut anywhere. Throws WireError as soon as the first byte shows that this is not RTMP:
   * `not-rtmp-http`, `not-rtmp-tls`, `not-rtmp-encrypted` (RTMPE), `not-rtmp`.
   */
  push(bytes: Buffer): HandshakeStep {
    return this.#exchange.push(bytes);
  }
}

/**
 * The client's side, towards an origin: always plain, version zero (Red5 refuses a version without a digest). C2 is an exact
 * echo of S1; S2 is counted, not judged. Holds at most S0 and S1 (1537 bytes).
 * @see RTMP 1.0 §5.2
 */
export class ClientHandshake {
  readonly #random: RandomBytes;
  readonly #exchange = new Exchange((s1) => Buffer.from(s1));

  /** `random` is asked for 1528 bytes. */
  constructor(random: RandomBytes) {
    this.#random = random;
  }

  /** C0 and C1, 1537 bytes. */
  start(): Buffer {
    return Buffer.concat([Buffer.from([VERSION]), plainPacket(this.#random)]);
  }

  /** Takes bytes of the server, cut anywhere. Throws WireError as ServerHandshake does. */
  push(bytes: Buffer): HandshakeStep {
    return this.#exchange.push(bytes);
  }
}

/** What both sides do: gather the version byte and the first packet, reply, then count the second packet. */
class Exchange {
  readonly #opening = Buffer.alloc(1 + PACKET_BYTES);
  readonly #reply: (firstPacket: Buffer) => Buffer;
  #gathered = 0;
  #secondMissing = PACKET_BYTES;

  constructor(reply: (firstPacket: Buffer) => Buffer) {
    this.#reply = reply;
  }

  push(bytes: Buffer): HandshakeStep {
    const wasComplete = this.#gathered === this.#opening.length;
    const behind = this.#gather(bytes);
    if (this.#gathered < this.#opening.length) return { done: false };
    const rest = behind.subarray(this.#secondMissing);
    this.#secondMissing -= behind.length - rest.length;
    return {
      done: this.#secondMissing === 0,
      ...(rest.length === 0 ? {} : { rest }),
      ...(wasComplete ? {} : { reply: this.#reply(this.#opening.subarray(1)) }),
    };
  }

  /** Keeps what is missing of the opening; returns the bytes behind it. */
  #gather(bytes: Buffer): Buffer {
    const taken = bytes.copy(this.#opening, this.#gathered);
    if (this.#gathered === 0 && taken > 0) checkVersion(this.#opening.readUInt8(0));
    this.#gathered += taken;
    return bytes.subarray(taken);
  }
}

function checkVersion(version: number): void {
  if (version === VERSION) return;
  const expected = 'version byte 3';
  // RTMPE: encrypted, in three dialects.
  if (version === 6 || version === 8 || version === 9) throw new WireError('not-rtmp-encrypted', expected);
  // A TLS record of type handshake; an SSL 2 hello.
  if (version === 0x16 || version === 0x80) throw new WireError('not-rtmp-tls', expected);
  // A method in capitals: RTMP-60, RTMP-61.
  if (version >= 0x41 && version <= 0x5a) throw new WireError('not-rtmp-http', expected);
  throw new WireError('not-rtmp', expected);
}

function answer(c1: Buffer, random: RandomBytes): Buffer {
  const found = c1.readUInt32BE(VERSION_AT) === 0 ? undefined : findClientDigest(c1);
  const packets = found === undefined ? [plainPacket(random), c1] : signedPackets(found, random);
  return Buffer.concat([Buffer.from([VERSION]), ...packets]);
}

/** Time and version zero, the rest random. */
function plainPacket(random: RandomBytes): Buffer {
  return Buffer.concat([Buffer.alloc(8), random(PACKET_BYTES - 8)]);
}

function signedPackets(found: FoundDigest, random: RandomBytes): Buffer[] {
  const s1 = plainPacket(random);
  DIGEST_VERSION.copy(s1, VERSION_AT);
  signS1(s1, found.layout);
  const s2 = Buffer.from(random(PACKET_BYTES));
  signS2(s2, found.digest);
  return [s1, s2];
}
