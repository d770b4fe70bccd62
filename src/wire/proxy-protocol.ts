import { WireError } from '../model/errors.js';
import { addressText, readAddress, type AddressWords } from './cidr.js';

/** Longest header of version 1, its line end included. @see PROXY protocol §2.1 */
export const MAX_V1_BYTES = 107;
/** Longest header of version 2 that is read, its 16 fixed bytes included; a proxy may add certificates and more to it. */
export const MAX_V2_BYTES = 4112;

/** An end of a TCP connection. */
export interface TcpEnd {
  /** Canonical text of an IP address. */
  readonly address: string;
  readonly port: number;
}

/** What a proxy says of the connection that it passes on. */
export interface ProxyHeader {
  readonly version: 1 | 2;
  /** Bytes of the header; behind them the protocol itself begins. */
  readonly length: number;
  /** The client. Absent: the proxy speaks for itself (`LOCAL`), or does not tell (`UNKNOWN`, other families than IP). */
  readonly source?: TcpEnd;
  /** Whom the client has called. */
  readonly destination?: TcpEnd;
}

const V1_START = Buffer.from('PROXY ', 'latin1');
/** Begins no protocol that anybody speaks. */
const V2_START = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const V2_FIXED_BYTES = 16;

/**
 * Reads the header that a proxy sends first, in either version. `bytes`: all that has come since the connection was opened.
 *
 * Undefined: more bytes are needed. `'none'`: these bytes are no such header, nor the start of one. Throws WireError
 * `proxy-header-malformed`, `proxy-header-oversized` (beyond `maxBytes`), `proxy-header-checksum`, as early as it shows.
 * Extensions (TLV) are read over, but for the checksum, which must fit where there is one.
 * @see PROXY protocol 2.3 §2.1, §2.2 (haproxy.org/download/3.0/doc/proxy-protocol.txt)
 */
export function readProxyHeader(bytes: Buffer, maxBytes = MAX_V2_BYTES): ProxyHeader | 'none' | undefined {
  if (beginsAs(bytes, V1_START)) return bytes.length < V1_START.length ? undefined : readV1(bytes);
  if (beginsAs(bytes, V2_START)) return bytes.length < V2_START.length ? undefined : readV2(bytes, maxBytes);
  return 'none';
}

/** Whether `bytes` is a start of `word`, or begins with all of it. */
function beginsAs(bytes: Buffer, word: Buffer): boolean {
  const size = Math.min(bytes.length, word.length);
  return bytes.compare(word, 0, size, 0, size) === 0;
}

function malformed(expected: string, offset: number): WireError {
  return new WireError('proxy-header-malformed', expected, offset);
}

function readV1(bytes: Buffer): ProxyHeader | undefined {
  const size = Math.min(bytes.length, MAX_V1_BYTES);
  for (let at = V1_START.length; at < size; at++) {
    const byte = bytes.readUInt8(at);
    if (byte >= 0x20 && byte < 0x7f) continue;
    if (byte !== 0x0d) throw malformed('plain text up to the end of the line', at);
    if (at + 1 < size) {
      if (bytes.readUInt8(at + 1) === 0x0a) return readLine(bytes.toString('latin1', 0, at));
      throw malformed('CR LF', at + 1);
    }
    break;
  }
  if (size < MAX_V1_BYTES) return undefined;
  throw new WireError('proxy-header-oversized', `a line of at most ${MAX_V1_BYTES} bytes`, MAX_V1_BYTES);
}

function readLine(line: string): ProxyHeader {
  const [, family = '', ...rest] = line.split(' ');
  const header = { version: 1, length: line.length + 2 } as const;
  // Whatever stands behind it means nothing.
  if (family === 'UNKNOWN') return header;
  const words = family === 'TCP4' ? 1 : family === 'TCP6' ? 4 : undefined;
  if (words === undefined) throw malformed('TCP4, TCP6 or UNKNOWN', V1_START.length);
  const [from = '', to = '', fromPort = '', toPort = '', ...more] = rest;
  if (more.length > 0) throw malformed('two addresses and two ports', line.length);
  return { ...header, source: endOf(from, fromPort, words), destination: endOf(to, toPort, words) };
}

function endOf(address: string, port: string, words: 1 | 4): TcpEnd {
  const read = address.includes('%') ? undefined : readAddress(address);
  // IPv4 in IPv6 is one word too, and is written with colons.
  if (read === undefined || (words === 4) !== address.includes(':')) {
    throw malformed(words === 1 ? 'an IPv4 address' : 'an IPv6 address', V1_START.length);
  }
  if (!/^(?:0|[1-9]\d{0,4})$/.test(port) || Number(port) > 0xffff) {
    throw malformed('a port from 0 to 65535', V1_START.length);
  }
  return { address: addressText(read), port: Number(port) };
}

/** How many bytes the addresses of each family take. */
const FAMILY_BYTES: Readonly<Record<number, number>> = { 0: 0, 1: 12, 2: 36, 3: 216 };
const STREAM = 1;

function readV2(bytes: Buffer, maxBytes: number): ProxyHeader | undefined {
  if (bytes.length < V2_FIXED_BYTES - 3) return undefined;
  const command = bytes.readUInt8(12);
  if (command !== 0x20 && command !== 0x21) throw malformed('version 2, LOCAL or PROXY', 12);
  if (bytes.length < V2_FIXED_BYTES) return undefined;
  const [family, protocol] = [bytes.readUInt8(13) >> 4, bytes.readUInt8(13) & 0x0f];
  const addressBytes = FAMILY_BYTES[family];
  if (addressBytes === undefined || protocol > 2) throw malformed('a family and a protocol that there are', 13);
  const length = V2_FIXED_BYTES + bytes.readUInt16BE(14);
  if (length > maxBytes) throw new WireError('proxy-header-oversized', `at most ${maxBytes} bytes`, 14);
  const isLocal = command === 0x20;
  if (!isLocal && length < V2_FIXED_BYTES + addressBytes) throw malformed(`${addressBytes} bytes of addresses`, 14);
  if (bytes.length < length) return undefined;
  const header = { version: 2, length } as const;
  // What else stands in these is nobody's to read.
  if (isLocal || family === 0) return header;
  checkExtensions(bytes.subarray(0, length), V2_FIXED_BYTES + addressBytes);
  if (family === 3 || protocol !== STREAM) return header;
  const size = family === 1 ? 4 : 16;
  const end = (at: number, portAt: number): TcpEnd => ({
    address: addressText(wordsAt(bytes, at, size)),
    port: bytes.readUInt16BE(portAt),
  });
  const portsAt = V2_FIXED_BYTES + 2 * size;
  return { ...header, source: end(16, portsAt), destination: end(16 + size, portsAt + 2) };
}

function wordsAt(bytes: Buffer, at: number, size: number): AddressWords {
  const word = (index: number): number => bytes.readUInt32BE(at + index * 4);
  if (size === 4) return [word(0)];
  const [first, second, third, last] = [word(0), word(1), word(2), word(3)];
  return first === 0 && second === 0 && third === 0xffff ? [last] : [first, second, third, last];
}

const TLV_CRC32C = 0x03;

function checkExtensions(header: Buffer, from: number): void {
  for (let at = from; at < header.length;) {
    if (at + 3 > header.length) throw malformed('a whole extension', at);
    const size = header.readUInt16BE(at + 1);
    if (at + 3 + size > header.length) throw malformed('an extension that ends with the header', at);
    if (header.readUInt8(at) === TLV_CRC32C) checkSum(header, at + 3, size);
    at += 3 + size;
  }
}

/** The sum is taken with zeros in its own place. @see PROXY protocol §2.2.3 */
function checkSum(header: Buffer, at: number, size: number): void {
  if (size !== 4) throw malformed('a checksum of 4 bytes', at);
  const blank = Buffer.from(header);
  blank.fill(0, at, at + 4);
  if (crc32c(blank) !== header.readUInt32BE(at)) {
    throw new WireError('proxy-header-checksum', 'the checksum of the header', at);
  }
}

/** Castagnoli's polynomial, lowest bit first. */
const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value;
});

/** CRC-32C of bytes, unsigned. @see RFC 4960 Appendix B */
export function crc32c(bytes: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ (CRC_TABLE[(crc ^ byte) & 0xff] ?? 0);
  return (crc ^ 0xffffffff) >>> 0;
}

/**
 * Writes a header of version 2. Without both ends, or with one whose address is none, it says that the gateway speaks for
 * itself (`LOCAL`). Ends of different families are written as IPv6.
 * @see PROXY protocol 2.3 §2.2
 */
export function writeProxyHeader(source?: TcpEnd, destination?: TcpEnd): Buffer {
  const local = Buffer.concat([V2_START, Buffer.from([0x20, 0, 0, 0])]);
  if (source === undefined || destination === undefined) return local;
  const [from, to] = [readAddress(source.address), readAddress(destination.address)];
  if (from === undefined || to === undefined) return local;
  const isV4 = from.length === 1 && to.length === 1;
  const words = isV4 ? [...from, ...to] : [...asV6(from), ...asV6(to)];
  const body = Buffer.alloc(words.length * 4 + 4);
  words.forEach((word, index) => body.writeUInt32BE(word, index * 4));
  body.writeUInt16BE(source.port, words.length * 4);
  body.writeUInt16BE(destination.port, words.length * 4 + 2);
  return Buffer.concat([V2_START, Buffer.from([0x21, isV4 ? 0x11 : 0x21, 0, body.length]), body]);
}

function asV6(words: AddressWords): AddressWords {
  return words.length === 4 ? words : [0, 0, 0xffff, words[0]];
}
