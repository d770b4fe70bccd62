import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { WireError } from '../../src/model/errors.js';
import { addressText, readAddress } from '../../src/wire/cidr.js';
import {
  crc32c,
  MAX_V1_BYTES,
  MAX_V2_BYTES,
  readProxyHeader,
  writeProxyHeader,
  type ProxyHeader,
} from '../../src/wire/proxy-protocol.js';

const START = '0d0a0d0a000d0a515549540a';
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
/** A header of version 2 whose length is right. */
const v2 = (command: string, family: string, body: string): Buffer => {
  const rest = hex(body);
  return Buffer.concat([hex(START + command + family), Buffer.from([rest.length >> 8, rest.length & 255]), rest]);
};

function codeOf(bytes: Buffer, maxBytes?: number): string {
  try {
    const read = readProxyHeader(bytes, maxBytes);
    return read === undefined ? 'more' : read === 'none' ? 'none' : 'header';
  } catch (error) {
    if (error instanceof WireError) return error.code;
    throw error;
  }
}

const ENDS_4 = 'c0000201 c6336401 e5c4 078f';
const ENDS_6 = '20010db8000000000000000000000001 20010db8000000000000000000000002 e5c4 078f';
const V4 = { source: { address: '192.0.2.1', port: 58820 }, destination: { address: '198.51.100.1', port: 1935 } };
const V6 = { source: { address: '2001:db8::1', port: 58820 }, destination: { address: '2001:db8::2', port: 1935 } };
const NOTHING = {};
const unix = '2f746d702f61'.padEnd(432, '0');

const GOOD: readonly (readonly [string, Buffer, object])[] = [
  ['TCP4', Buffer.from('PROXY TCP4 192.0.2.1 198.51.100.1 58820 1935\r\n'), V4],
  ['TCP6', Buffer.from('PROXY TCP6 2001:db8::1 2001:DB8:0::2 58820 1935\r\n'), V6],
  [
    'the longest TCP6 line',
    Buffer.from(`PROXY TCP6 ${'ffff:'.repeat(7)}ffff ${'ffff:'.repeat(7)}ffff 65535 65535\r\n`),
    {
      source: { address: `${'ffff:'.repeat(7)}ffff`, port: 65535 },
      destination: { address: `${'ffff:'.repeat(7)}ffff`, port: 65535 },
    },
  ],
  ['IPv4 in TCP6', Buffer.from('PROXY TCP6 ::ffff:192.0.2.1 ::ffff:198.51.100.1 58820 1935\r\n'), V4],
  ['UNKNOWN', Buffer.from('PROXY UNKNOWN\r\n'), NOTHING],
  [
    'UNKNOWN with more behind it',
    Buffer.from(`PROXY UNKNOWN ${'ffff:'.repeat(7)}ffff ${'ffff:'.repeat(7)}ffff 65535 65535\r\n`),
    NOTHING,
  ],
  ['version 2, IPv4', v2('21', '11', ENDS_4), V4],
  ['version 2, IPv6', v2('21', '21', ENDS_6), V6],
  [
    'version 2, IPv4 in IPv6',
    v2('21', '21', `${'0'.repeat(20)}ffffc0000201 ${'0'.repeat(20)}ffffc6336401 e5c4 078f`),
    V4,
  ],
  ['version 2, LOCAL', v2('20', '00', ''), NOTHING],
  ['version 2, LOCAL with addresses', v2('20', '11', ENDS_4), NOTHING],
  ['version 2, LOCAL with half an address', v2('20', '11', 'c000'), NOTHING],
  ['version 2, no family', v2('21', '00', ''), NOTHING],
  ['version 2, no family but bytes', v2('21', '00', 'ffffff'), NOTHING],
  ['version 2, a UNIX socket', v2('21', '31', unix), NOTHING],
  ['version 2, a datagram', v2('21', '12', ENDS_4), NOTHING],
  ['version 2, extensions', v2('21', '11', `${ENDS_4} 04 0002 0000 ea 0000 01 0002 6831`), V4],
];

describe('a PROXY header', () => {
  it.each(GOOD)('is read: %s', (_, bytes, ends) => {
    const read = readProxyHeader(bytes) as ProxyHeader;
    expect(read).toEqual({ version: bytes.readUInt8(0) === 0x50 ? 1 : 2, length: bytes.length, ...ends });
    expect(readProxyHeader(Buffer.concat([bytes, Buffer.from('\x03rest')]))).toEqual(read);
  });

  it.each(GOOD)('is waited for at every split point: %s', (_, bytes) => {
    for (let size = 0; size < bytes.length; size++) expect(codeOf(bytes.subarray(0, size))).toBe('more');
  });

  it.each([
    ['RTMP', '\x03'],
    ['an RTSP request', 'OPTIONS'],
    ['an RTSP PLAY', 'PLAY '],
    ['an HTTP POST', 'POST /'],
    ['an HTTP PROPFIND', 'PROPFIND'],
    ['lower case', 'proxy '],
    ['TLS', '\x16\x03\x01'],
    ['line ends', '\r\n\r\n\r\n'],
    ['another QUIT', '\r\n\r\n\0\r\nQUIT\r'],
  ])('is not what begins as %s', (_, text) => {
    expect(codeOf(Buffer.from(text, 'latin1'))).toBe('none');
  });

  it.each([
    ['PROXY TCP4\r\n', 'proxy-header-malformed'],
    ['PROXY  TCP4 1.2.3.4 1.2.3.4 1 1\r\n', 'proxy-header-malformed'],
    ['PROXY TCP5 1.2.3.4 1.2.3.4 1 1\r\n', 'proxy-header-malformed'],
    ['PROXY UDP4 1.2.3.4 1.2.3.4 1 1\r\n', 'proxy-header-malformed'],
    ['PROXY UNKNOWNX\r\n', 'proxy-header-malformed'],
    ['PROXY TCP4 1.2.3.4 1.2.3.4 1 1 1\r\n', 'proxy-header-malformed'],
    ['PROXY TCP4 1.2.3.4 1.2.3.4 1 1 \r\n', 'proxy-header-malformed'],
    ['PROXY TCP4 1.2.3.4  1.2.3.4 1 1\r\n', 'proxy-header-malformed'],
    ['PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n', 'proxy-header-malformed'],
    ['PROXY TCP4 1.2.3.4 1.2.3.4 1 -1\r\n', 'proxy-header-malformed'],
    ['PROXY TCP4 1.2.3.4 1.2.3.4 1 01\r\n', 'proxy-header-malformed'],
    ['PROXY TCP4 1.2.3.04 1.2.3.4 1 1\r\n', 'proxy-header-malformed'],
    ['PROXY TCP4 ::1 ::1 1 1\r\n', 'proxy-header-malformed'],
    ['PROXY TCP6 1.2.3.4 1.2.3.4 1 1\r\n', 'proxy-header-malformed'],
    ['PROXY TCP6 fe80::1%eth0 ::1 1 1\r\n', 'proxy-header-malformed'],
    ['PROXY TCP4 example.com 1.2.3.4 1 1\r\n', 'proxy-header-malformed'],
    ['PROXY TCP4 1.2.3.4 1.2.3.4 1 1\n', 'proxy-header-malformed'],
    ['PROXY TCP4 1.2.3.4 1.2.3.4 1 1\rX', 'proxy-header-malformed'],
    ['PROXY TCP4 1.2.3.4\t1.2.3.4 1 1\r\n', 'proxy-header-malformed'],
    ['PROXY TCP4 1.2.3.4\0', 'proxy-header-malformed'],
    ['PROXY TCP4 \xff', 'proxy-header-malformed'],
    [`PROXY UNKNOWN ${'x'.repeat(MAX_V1_BYTES)}`, 'proxy-header-oversized'],
    [`PROXY UNKNOWN ${'x'.repeat(MAX_V1_BYTES - 15)}\r\n`, 'proxy-header-oversized'],
  ])('of version 1 is refused: %j', (line, code) => {
    expect(codeOf(Buffer.from(line, 'latin1'))).toBe(code);
  });

  it.each([
    ['version 1', hex(`${START}11`), 'proxy-header-malformed'],
    ['version 3', hex(`${START}31`), 'proxy-header-malformed'],
    ['another command', hex(`${START}22`), 'proxy-header-malformed'],
    ['a family that is none', v2('21', '41', ENDS_4), 'proxy-header-malformed'],
    ['a protocol that is none', v2('21', '13', ENDS_4), 'proxy-header-malformed'],
    ['IPv4 cut short', v2('21', '11', ENDS_4.slice(0, -2)), 'proxy-header-malformed'],
    ['IPv6 cut short', v2('21', '21', ENDS_4), 'proxy-header-malformed'],
    ['a UNIX socket cut short', v2('21', '31', ENDS_6), 'proxy-header-malformed'],
    ['an extension without a length', v2('21', '11', `${ENDS_4} 0100`), 'proxy-header-malformed'],
    ['an extension beyond the end', v2('21', '11', `${ENDS_4} 01 0003 6831`), 'proxy-header-malformed'],
    ['a checksum of three bytes', v2('21', '11', `${ENDS_4} 03 0003 000000`), 'proxy-header-malformed'],
    ['a checksum that does not fit', v2('21', '11', `${ENDS_4} 03 0004 00000000`), 'proxy-header-checksum'],
    ['64 kB', hex(`${START}2111ffff`), 'proxy-header-oversized'],
  ])('of version 2 is refused: %s', (_, bytes, code) => {
    expect(codeOf(bytes)).toBe(code);
  });

  it('is as long as it may be, and no longer', () => {
    const size = MAX_V2_BYTES - 16 - 12 - 3;
    const filler = `04 ${size.toString(16).padStart(4, '0')} ${'00'.repeat(size)}`;
    expect(codeOf(v2('21', '11', ENDS_4 + filler))).toBe('header');
    expect(codeOf(v2('21', '11', ENDS_4 + filler), MAX_V2_BYTES - 1)).toBe('proxy-header-oversized');
    expect(codeOf(v2('20', '00', ''), 15)).toBe('proxy-header-oversized');
  });

  it('carries a checksum that is the one of all its bytes', () => {
    const bytes = v2('21', '11', `${ENDS_4} ea 0001 ff 03 0004 00000000`);
    bytes.writeUInt32BE(crc32c(bytes), bytes.length - 4);
    expect(codeOf(bytes)).toBe('header');
    for (let at = 16; at < bytes.length; at++) {
      // Another kind of extension would be read over.
      if (at === bytes.length - 7) continue;
      const broken = Buffer.from(bytes);
      broken[at] = (broken[at] ?? 0) ^ 0x10;
      expect(codeOf(broken)).not.toBe('header');
    }
  });
});

describe('CRC-32C', () => {
  // RFC 3720 B.4
  it.each([
    [Buffer.alloc(32), 0x8a9136aa],
    [Buffer.alloc(32, 0xff), 0x62a8ab43],
    [Buffer.from(Array.from({ length: 32 }, (_, index) => index)), 0x46dd794e],
    [Buffer.from('123456789'), 0xe3069283],
  ])('of %o', (bytes, sum) => {
    expect(crc32c(bytes)).toBe(sum);
  });
});

describe('a header of our own', () => {
  it.each([
    ['IPv4', V4.source, V4.destination, v2('21', '11', ENDS_4)],
    ['IPv6', V6.source, V6.destination, v2('21', '21', ENDS_6)],
    ['nobody', undefined, undefined, v2('20', '00', '')],
    ['a client only', V4.source, undefined, v2('20', '00', '')],
    ['no address', { address: '', port: 1 }, V4.destination, v2('20', '00', '')],
  ])('says %s', (_, source, destination, bytes) => {
    expect(writeProxyHeader(source, destination)).toEqual(bytes);
  });

  it('comes back as what was written', () => {
    const end = fc.record({ address: fc.oneof(fc.ipV4(), fc.ipV6()), port: fc.nat(65535) });
    fc.assert(
      fc.property(end, end, (source, destination) => {
        const bytes = writeProxyHeader(source, destination);
        const read = readProxyHeader(bytes) as ProxyHeader;
        expect(read.length).toBe(bytes.length);
        const canonical = ({ address, port }: typeof source) => {
          const words = readAddress(address);
          return { address: words && addressText(words), port };
        };
        expect(read).toMatchObject({ source: canonical(source), destination: canonical(destination) });
      }),
      { numRuns: 200 },
    );
  });
});

describe('hostile bytes', () => {
  const start = fc.constantFrom(
    Buffer.from('PROXY '),
    Buffer.from('PROXY TCP4 '),
    hex(START),
    hex(`${START}2111`),
    hex(''),
  );
  const mutated = fc
    .tuple(fc.constantFrom(...GOOD.map(([, bytes]) => bytes)), fc.nat(), fc.nat(255))
    .map(([bytes, at, by]) => {
      const copy = Buffer.from(bytes);
      copy[at % copy.length] = by;
      return copy;
    });
  const random = fc
    .tuple(start, fc.uint8Array({ maxLength: 300 }))
    .map(([first, rest]) => Buffer.concat([first, Buffer.from(rest)]));

  it('end in a header, in nothing or in a WireError, and mean the same in whole and in pieces', () => {
    fc.assert(
      fc.property(fc.oneof(random, mutated), (bytes) => {
        const whole = codeOf(bytes);
        let piecewise = 'more';
        for (let size = 1; size <= bytes.length && piecewise === 'more'; size++) {
          piecewise = codeOf(bytes.subarray(0, size));
        }
        expect(piecewise).toBe(bytes.length === 0 ? 'more' : whole);
      }),
      { numRuns: 1000 },
    );
  });

  it('never make it ask for more than a header may have', () => {
    fc.assert(
      fc.property(start, fc.uint8Array({ minLength: MAX_V2_BYTES, maxLength: MAX_V2_BYTES }), (first, rest) => {
        expect(codeOf(Buffer.concat([first, Buffer.from(rest)]))).not.toBe('more');
      }),
      { numRuns: 50 },
    );
  });
});
