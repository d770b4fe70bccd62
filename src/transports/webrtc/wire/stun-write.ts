import { WireError } from '../../../model/errors.js';
import { crc32 } from './crc32.js';
import { ipBytes } from './ip-address.js';
import {
  ATTRIBUTE,
  BINDING,
  FINGERPRINT_XOR,
  HEADER_BYTES,
  INTEGRITY_BYTES,
  MAGIC_COOKIE,
  STUN_KINDS,
  TRANSACTION_BYTES,
  type StunAddress,
  type StunKind,
} from './stun-format.js';
import { integrityOf, xorAddress } from './stun-read.js';

/** What a message holds; only what is given is written. */
export interface StunDraft {
  readonly kind: StunKind;
  /** 12 bytes. */
  readonly transaction: Buffer;
  readonly username?: string;
  /** Unsigned 32 bit. */
  readonly priority?: number;
  readonly useCandidate?: boolean;
  /** Tie-breakers, unsigned 64 bit. */
  readonly controlling?: bigint;
  readonly controlled?: bigint;
  /** The address the request came from. */
  readonly mapped?: StunAddress;
  readonly error?: { readonly code: number; readonly reason: string };
  /** Attribute types that were not understood (with error 420). */
  readonly unknown?: readonly number[];
}

const INTEGRITY_ATTRIBUTE_BYTES = 4 + INTEGRITY_BYTES;
const FINGERPRINT_ATTRIBUTE_BYTES = 8;

/**
 * Writes one Binding message, signed with `password` (MESSAGE-INTEGRITY) and ended by FINGERPRINT.
 * Throws WireError `unwritable-stun` for an address or transaction id that is none. @see RFC 8489 §5, RFC 8445 §7
 */
export function writeStun(draft: StunDraft, password: string): Buffer {
  if (draft.transaction.length !== TRANSACTION_BYTES)
    throw unwritable(`a transaction id of ${TRANSACTION_BYTES} bytes`);
  const attributes = attributesOf(draft);
  const integrityAt = attributes.reduce((size, { value }) => size + 4 + padded(value.length), HEADER_BYTES);
  const bytes = Buffer.alloc(integrityAt + INTEGRITY_ATTRIBUTE_BYTES + FINGERPRINT_ATTRIBUTE_BYTES);
  bytes.writeUInt16BE(typeOf(draft.kind), 0);
  bytes.writeUInt16BE(bytes.length - HEADER_BYTES, 2);
  bytes.writeUInt32BE(MAGIC_COOKIE, 4);
  draft.transaction.copy(bytes, 8);
  let at = HEADER_BYTES;
  for (const { type, value } of attributes) at = putAttribute(bytes, at, type, value);
  at = putAttribute(bytes, at, ATTRIBUTE.integrity, integrityOf(bytes, integrityAt, password));
  const fingerprint = Buffer.alloc(4);
  fingerprint.writeUInt32BE((crc32(bytes, at) ^ FINGERPRINT_XOR) >>> 0, 0);
  putAttribute(bytes, at, ATTRIBUTE.fingerprint, fingerprint);
  return bytes;
}

interface Attribute {
  readonly type: number;
  readonly value: Buffer;
}

function attributesOf(draft: StunDraft): readonly Attribute[] {
  const list: Attribute[] = [];
  const put = (type: number, value: Buffer): void => void list.push({ type, value });
  if (draft.error !== undefined) put(ATTRIBUTE.errorCode, errorValue(draft.error.code, draft.error.reason));
  if (draft.unknown !== undefined) put(ATTRIBUTE.unknownAttributes, numbers(draft.unknown));
  if (draft.mapped !== undefined) put(ATTRIBUTE.xorMappedAddress, addressValue(draft.mapped, draft.transaction));
  if (draft.username !== undefined) put(ATTRIBUTE.username, Buffer.from(draft.username, 'latin1'));
  if (draft.priority !== undefined) put(ATTRIBUTE.priority, u32(draft.priority));
  if (draft.controlling !== undefined) put(ATTRIBUTE.iceControlling, u64(draft.controlling));
  if (draft.controlled !== undefined) put(ATTRIBUTE.iceControlled, u64(draft.controlled));
  if (draft.useCandidate === true) put(ATTRIBUTE.useCandidate, Buffer.alloc(0));
  return list;
}

function typeOf(kind: StunKind): number {
  const bits = STUN_KINDS.indexOf(kind);
  return BINDING | ((bits & 1) << 4) | ((bits & 2) << 7);
}

function putAttribute(bytes: Buffer, at: number, type: number, value: Buffer): number {
  bytes.writeUInt16BE(type, at);
  bytes.writeUInt16BE(value.length, at + 2);
  value.copy(bytes, at + 4);
  return at + 4 + padded(value.length);
}

function padded(size: number): number {
  return (size + 3) & ~3;
}

function errorValue(code: number, reason: string): Buffer {
  return Buffer.concat([Buffer.from([0, 0, Math.floor(code / 100), code % 100]), Buffer.from(reason, 'utf8')]);
}

function addressValue({ host, port }: StunAddress, transaction: Buffer): Buffer {
  const address = ipBytes(host);
  if (address === undefined) throw unwritable('an IP address');
  const head = Buffer.from([0, address.length === 4 ? 1 : 2, 0, 0]);
  head.writeUInt16BE(port ^ (MAGIC_COOKIE >>> 16), 2);
  return Buffer.concat([head, xorAddress(address, transaction)]);
}

function numbers(values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 2);
  values.forEach((value, at) => bytes.writeUInt16BE(value, at * 2));
  return bytes;
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value, 0);
  return bytes;
}

function u64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value, 0);
  return bytes;
}

function unwritable(expected: string): WireError {
  return new WireError('unwritable-stun', expected);
}
