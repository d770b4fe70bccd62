import { createHmac, timingSafeEqual } from 'node:crypto';
import { WireError } from '../../../model/errors.js';
import { crc32 } from './crc32.js';
import { ipText } from './ip-address.js';
import {
  ATTRIBUTE,
  FINGERPRINT_XOR,
  HEADER_BYTES,
  INTEGRITY_BYTES,
  MAGIC_COOKIE,
  STUN_KINDS,
  type StunAddress,
  type StunKind,
} from './stun-format.js';

/** Bytes of a whole message. Chromium puts DTLS into checks (SPED), which makes them 1008. */
export const MAX_STUN_BYTES = 2048;
/** Attributes of one message. */
export const MAX_STUN_ATTRIBUTES = 64;
/** Bytes of USERNAME. @see RFC 8489 §14.3 */
export const MAX_STUN_USERNAME_BYTES = 508;
/** Types below this must be understood. @see RFC 8489 §14 */
const OPTIONAL = 0x8000;

/** A message as it came. What is absent is undefined; attributes behind MESSAGE-INTEGRITY are not in it. */
export interface StunMessage {
  readonly kind: StunKind;
  /** 1 is Binding. */
  readonly method: number;
  /** 12 bytes, a view of the datagram. */
  readonly transaction: Buffer;
  /** `receiver:sender`; Latin-1, so that every byte is kept. */
  readonly username: string | undefined;
  readonly priority: number | undefined;
  readonly useCandidate: boolean;
  /** Tie-breaker of a sender that controls. */
  readonly controlling: bigint | undefined;
  /** Tie-breaker of a sender that is controlled. */
  readonly controlled: bigint | undefined;
  readonly mapped: StunAddress | undefined;
  /** 300 to 699. */
  readonly errorCode: number | undefined;
  /** Types that must be understood and are not. */
  readonly unknown: readonly number[];
  /** Where MESSAGE-INTEGRITY starts; undefined when there is none. */
  readonly integrityAt: number | undefined;
}

type Draft = { -readonly [Key in keyof StunMessage]: StunMessage[Key] };

/**
 * Reads a datagram as one STUN message. A FINGERPRINT that is there must be right and last; nothing is required, since ffmpeg and
 * others leave out what they do not need. Integrity is not looked at: see `hasIntegrity`.
 * Throws WireError `stun-too-long`, `stun-truncated`, `stun-malformed`, `stun-fingerprint`. @see RFC 8489 §5, §14
 */
export function readStun(bytes: Buffer): StunMessage {
  if (bytes.length > MAX_STUN_BYTES) throw new WireError('stun-too-long', `at most ${MAX_STUN_BYTES} bytes`);
  if (bytes.length < HEADER_BYTES) throw new WireError('stun-truncated', `${HEADER_BYTES} bytes`, bytes.length);
  const message = readHeader(bytes);
  let at = HEADER_BYTES;
  let count = 0;
  while (at < bytes.length) {
    if (++count > MAX_STUN_ATTRIBUTES) throw malformed(`at most ${MAX_STUN_ATTRIBUTES} attributes`, at);
    const type = bytes.readUInt16BE(at);
    const size = bytes.readUInt16BE(at + 2);
    const end = at + 4 + size;
    const next = (end + 3) & ~3;
    if (next > bytes.length) throw new WireError('stun-truncated', 'a whole attribute', at);
    if (type === ATTRIBUTE.fingerprint) checkFingerprint(bytes, at, next);
    else if (message.integrityAt === undefined) readAttribute(message, type, bytes.subarray(at + 4, end), at);
    at = next;
  }
  return message;
}

/** Whether a message that was read from `bytes` was made by somebody who knows `password`. Constant time. @see RFC 8489 §14.5 */
export function hasIntegrity(bytes: Buffer, message: StunMessage, password: string): boolean {
  const at = message.integrityAt;
  if (at === undefined) return false;
  const expected = integrityOf(bytes, at, password);
  return timingSafeEqual(expected, bytes.subarray(at + 4, at + 4 + INTEGRITY_BYTES));
}

/** The HMAC over the first `at` bytes, with a length as if the message ended after MESSAGE-INTEGRITY. */
export function integrityOf(bytes: Buffer, at: number, password: string): Buffer {
  const header = Buffer.from(bytes.subarray(0, HEADER_BYTES));
  header.writeUInt16BE(at - HEADER_BYTES + 4 + INTEGRITY_BYTES, 2);
  return createHmac('sha1', password).update(header).update(bytes.subarray(HEADER_BYTES, at)).digest();
}

function readHeader(bytes: Buffer): Draft {
  const type = bytes.readUInt16BE(0);
  if (type > 0x3fff) throw malformed('two zero bits at the start', 0);
  if (bytes.readUInt32BE(4) !== MAGIC_COOKIE) throw malformed('the magic cookie', 4);
  const length = bytes.readUInt16BE(2);
  if (length % 4 !== 0) throw malformed('a length in steps of 4', 2);
  if (length !== bytes.length - HEADER_BYTES) throw new WireError('stun-truncated', 'as many bytes as it says', 2);
  return {
    kind: STUN_KINDS[((type >> 7) & 2) | ((type >> 4) & 1)] ?? 'request',
    method: (type & 0xf) | ((type >> 1) & 0x70) | ((type >> 2) & 0xf80),
    transaction: bytes.subarray(8, HEADER_BYTES),
    username: undefined,
    priority: undefined,
    useCandidate: false,
    controlling: undefined,
    controlled: undefined,
    mapped: undefined,
    errorCode: undefined,
    unknown: [],
    integrityAt: undefined,
  };
}

/** The first of several attributes of one type counts. @see RFC 8489 §14 */
function readAttribute(message: Draft, type: number, value: Buffer, at: number): void {
  switch (type) {
    case ATTRIBUTE.integrity:
      sized(value, INTEGRITY_BYTES, at);
      message.integrityAt = at;
      break;
    case ATTRIBUTE.username:
      if (value.length > MAX_STUN_USERNAME_BYTES) throw malformed(`at most ${MAX_STUN_USERNAME_BYTES} bytes`, at);
      message.username ??= value.toString('latin1');
      break;
    case ATTRIBUTE.priority:
      message.priority ??= sized(value, 4, at).readUInt32BE(0);
      break;
    case ATTRIBUTE.useCandidate:
      message.useCandidate = true;
      break;
    case ATTRIBUTE.iceControlling:
      message.controlling ??= sized(value, 8, at).readBigUInt64BE(0);
      break;
    case ATTRIBUTE.iceControlled:
      message.controlled ??= sized(value, 8, at).readBigUInt64BE(0);
      break;
    case ATTRIBUTE.xorMappedAddress:
      message.mapped ??= readXorAddress(value, message.transaction, at);
      break;
    case ATTRIBUTE.errorCode:
      message.errorCode ??= readErrorCode(value, at);
      break;
    default:
      if (type < OPTIONAL && !PASSED_OVER.has(type)) message.unknown = [...message.unknown, type];
  }
}

/** Understood, and of no use to ICE. */
const PASSED_OVER: ReadonlySet<number> = new Set([
  ATTRIBUTE.mappedAddress,
  ATTRIBUTE.unknownAttributes,
  ATTRIBUTE.realm,
  ATTRIBUTE.nonce,
  ATTRIBUTE.integritySha256,
  ATTRIBUTE.userhash,
]);

function readErrorCode(value: Buffer, at: number): number {
  if (value.length < 4) throw malformed('an error code', at);
  const code = (value.readUInt8(2) & 7) * 100 + value.readUInt8(3);
  if (code < 300 || code > 699 || value.readUInt8(3) > 99) throw malformed('an error code from 300 to 699', at);
  return code;
}

function readXorAddress(value: Buffer, transaction: Buffer, at: number): StunAddress {
  const family = value.length < 4 ? 0 : value.readUInt8(1);
  if ((family !== 1 || value.length !== 8) && (family !== 2 || value.length !== 20)) throw malformed('an address', at);
  return {
    port: value.readUInt16BE(2) ^ (MAGIC_COOKIE >>> 16),
    host: ipText(xorAddress(value.subarray(4), transaction)),
  };
}

/** The bytes of an address XORed with the cookie and, for IPv6, the transaction id. @see RFC 8489 §14.2 */
export function xorAddress(address: Buffer, transaction: Buffer): Buffer {
  const mask = Buffer.alloc(4 + transaction.length);
  mask.writeUInt32BE(MAGIC_COOKIE, 0);
  transaction.copy(mask, 4);
  return Buffer.from(address.map((byte, at) => byte ^ (mask[at] ?? 0)));
}

function checkFingerprint(bytes: Buffer, at: number, next: number): void {
  if (next !== bytes.length) throw malformed('FINGERPRINT in the last place', at);
  const given = sized(bytes.subarray(at + 4, at + 4 + bytes.readUInt16BE(at + 2)), 4, at).readUInt32BE(0);
  if (given !== (crc32(bytes, at) ^ FINGERPRINT_XOR) >>> 0) throw new WireError('stun-fingerprint', 'the CRC', at);
}

function sized(value: Buffer, bytes: number, at: number): Buffer {
  if (value.length !== bytes) throw malformed(`a value of ${bytes} bytes`, at);
  return value;
}

function malformed(expected: string, at: number): WireError {
  return new WireError('stun-malformed', expected, at);
}
