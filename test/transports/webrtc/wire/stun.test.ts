import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { WireError } from '../../../../src/model/errors.js';
import { crc32 } from '../../../../src/transports/webrtc/wire/crc32.js';
import { ipBytes, ipText } from '../../../../src/transports/webrtc/wire/ip-address.js';
import { ATTRIBUTE, STUN_KINDS } from '../../../../src/transports/webrtc/wire/stun-format.js';
import {
  hasIntegrity,
  MAX_STUN_ATTRIBUTES,
  MAX_STUN_BYTES,
  MAX_STUN_USERNAME_BYTES,
  readStun,
} from '../../../../src/transports/webrtc/wire/stun-read.js';
import { writeStun, type StunDraft } from '../../../../src/transports/webrtc/wire/stun-write.js';

const hex = (text: string) => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');

/** RFC 5769 §2.1. */
const REQUEST = hex(`
  00010058 2112a442 b7e7a701 bc34d686 fa87dfae
  80220010 5354554e 20746573 7420636c 69656e74
  00240004 6e0001ff
  80290008 932ff9b1 51263b36
  00060009 6576746a 3a683676 59202020
  00080014 9aeaa70c bfd8cb56 781ef2b5 b2d3f249 c1b571a2
  80280004 e57a3bcf`);
/** RFC 5769 §2.2. */
const IPV4_RESPONSE = hex(`
  0101003c 2112a442 b7e7a701 bc34d686 fa87dfae
  8022000b 74657374 20766563 746f7220
  00200008 0001a147 e112a643
  00080014 2b91f599 fd9e90c3 8c7489f9 2af9ba53 f06be7d7
  80280004 c07d4c96`);
/** RFC 5769 §2.3. */
const IPV6_RESPONSE = hex(`
  01010048 2112a442 b7e7a701 bc34d686 fa87dfae
  8022000b 74657374 20766563 746f7220
  00200014 0002a147 0113a9fa a5d3f179 bc25f4b5 bed2b9d9
  00080014 a382954e 4be67bf1 1784c97c 8292c275 bfe3ed41
  80280004 c8fb0b4c`);
const PASSWORD = 'VOkJxbRl1RmTxUk/WvJxBt';
const TRANSACTION = hex('b7e7a701bc34d686fa87dfae');

/** A message of any attributes, its header right and nothing else added. */
function raw(attributes: readonly (readonly [type: number, value: Buffer])[], type = 0x0001): Buffer {
  const body = Buffer.concat(
    attributes.map(([number, value]) => {
      const head = Buffer.alloc(4);
      head.writeUInt16BE(number, 0);
      head.writeUInt16BE(value.length, 2);
      return Buffer.concat([head, value, Buffer.alloc((4 - (value.length % 4)) % 4)]);
    }),
  );
  const header = Buffer.concat([Buffer.alloc(4), hex('2112a442'), TRANSACTION]);
  header.writeUInt16BE(type, 0);
  header.writeUInt16BE(body.length, 2);
  return Buffer.concat([header, body]);
}

function codeOf(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    if (error instanceof WireError) return error.code;
    throw error;
  }
  return 'fine';
}

describe('the vectors of RFC 5769', () => {
  it('give a request with all it says (§2.1)', () => {
    const message = readStun(REQUEST);
    expect(message).toMatchObject({
      kind: 'request',
      method: 1,
      username: 'evtj:h6vY',
      priority: 0x6e0001ff,
      controlled: 0x932ff9b151263b36n,
      controlling: undefined,
      useCandidate: false,
      unknown: [],
    });
    expect(message.transaction.equals(TRANSACTION)).toBe(true);
    expect(hasIntegrity(REQUEST, message, PASSWORD)).toBe(true);
  });

  it.each([
    ['IPv4 (§2.2)', IPV4_RESPONSE, '192.0.2.1'],
    ['IPv6 (§2.3)', IPV6_RESPONSE, '2001:db8:1234:5678:11:2233:4455:6677'],
  ])('give a response with an address of %s', (_name, bytes, host) => {
    const message = readStun(bytes);
    expect(message).toMatchObject({ kind: 'success', method: 1, mapped: { host, port: 32853 } });
    expect(hasIntegrity(bytes, message, PASSWORD)).toBe(true);
  });

  it('are not accepted with another password, or with any byte in front of FINGERPRINT changed', () => {
    expect(hasIntegrity(REQUEST, readStun(REQUEST), `${PASSWORD}.`)).toBe(false);
    for (let at = 0; at < REQUEST.length - 8; at++) {
      const forged = Buffer.from(REQUEST);
      forged[at] = (forged[at] ?? 0) ^ 1;
      const isAccepted = () => {
        const message = readStun(forged);
        return hasIntegrity(forged, message, PASSWORD);
      };
      let accepted = false;
      try {
        accepted = isAccepted();
      } catch (error) {
        expect(error).toBeInstanceOf(WireError);
      }
      expect(accepted).toBe(false);
    }
  });

  it.each([REQUEST, IPV4_RESPONSE, IPV6_RESPONSE])(
    'are refused when they are cut anywhere (W23: 19 bytes)',
    (bytes) => {
      for (let size = 0; size < bytes.length; size++) {
        expect(codeOf(() => readStun(bytes.subarray(0, size)))).toBe('stun-truncated');
      }
    },
  );

  it('are refused when something follows', () => {
    expect(codeOf(() => readStun(Buffer.concat([REQUEST, Buffer.alloc(4)])))).toBe('stun-truncated');
  });
});

describe('readStun', () => {
  it.each<readonly [string, string, Buffer]>([
    ['no cookie', 'stun-malformed', Buffer.concat([REQUEST.subarray(0, 4), Buffer.alloc(4), REQUEST.subarray(8)])],
    ['a length that is no multiple of 4', 'stun-malformed', hex('00010002 2112a442 b7e7a701bc34d686fa87dfae 0000')],
    ['bits that STUN does not have', 'stun-malformed', raw([], 0x4001)],
    ['an attribute longer than the message', 'stun-truncated', raw([]).subarray(0, 0)],
    ['more than fits', 'stun-too-long', Buffer.alloc(MAX_STUN_BYTES + 4)],
    [
      'too many attributes',
      'stun-malformed',
      raw(Array.from({ length: MAX_STUN_ATTRIBUTES + 1 }, () => [0x8022, Buffer.alloc(0)] as const)),
    ],
    [
      'a user name that is too long',
      'stun-malformed',
      raw([[ATTRIBUTE.username, Buffer.alloc(MAX_STUN_USERNAME_BYTES + 1)]]),
    ],
    ['a short MESSAGE-INTEGRITY', 'stun-malformed', raw([[ATTRIBUTE.integrity, Buffer.alloc(19)]])],
    ['a short PRIORITY', 'stun-malformed', raw([[ATTRIBUTE.priority, Buffer.alloc(3)]])],
    ['a long tie-breaker', 'stun-malformed', raw([[ATTRIBUTE.iceControlling, Buffer.alloc(9)]])],
    ['a short tie-breaker', 'stun-malformed', raw([[ATTRIBUTE.iceControlled, Buffer.alloc(7)]])],
    ['an address of no family', 'stun-malformed', raw([[ATTRIBUTE.xorMappedAddress, hex('0003a147e112a643')]])],
    ['an empty address', 'stun-malformed', raw([[ATTRIBUTE.xorMappedAddress, Buffer.alloc(0)]])],
    ['a short IPv6 address', 'stun-malformed', raw([[ATTRIBUTE.xorMappedAddress, hex('0002a147e112a643')]])],
    ['an empty error', 'stun-malformed', raw([[ATTRIBUTE.errorCode, Buffer.alloc(3)]])],
    ['error 200', 'stun-malformed', raw([[ATTRIBUTE.errorCode, hex('00000200')]])],
    ['error 499 written as 3·199', 'stun-malformed', raw([[ATTRIBUTE.errorCode, hex('000003c7')]])],
    ['a wrong FINGERPRINT', 'stun-fingerprint', raw([[ATTRIBUTE.fingerprint, Buffer.alloc(4)]])],
    ['a short FINGERPRINT', 'stun-malformed', raw([[ATTRIBUTE.fingerprint, Buffer.alloc(3)]])],
    [
      'FINGERPRINT before others',
      'stun-malformed',
      raw([
        [ATTRIBUTE.fingerprint, Buffer.alloc(4)],
        [ATTRIBUTE.priority, Buffer.alloc(4)],
      ]),
    ],
  ])('refuses %s', (_name, code, bytes) => {
    expect(codeOf(() => readStun(bytes))).toBe(code);
  });

  it('refuses an attribute that is longer than what follows', () => {
    const bytes = raw([[0x8022, Buffer.alloc(4)]]);
    bytes.writeUInt16BE(8, 22);
    expect(codeOf(() => readStun(bytes))).toBe('stun-truncated');
  });

  it('takes the first of several, and nothing behind MESSAGE-INTEGRITY', () => {
    const name = (text: string) => [ATTRIBUTE.username, Buffer.from(text)] as const;
    const message = readStun(
      raw([name('a'), name('b'), [ATTRIBUTE.integrity, Buffer.alloc(20)], [ATTRIBUTE.useCandidate, Buffer.alloc(0)]]),
    );
    expect(message).toMatchObject({ username: 'a', useCandidate: false, integrityAt: 20 + 8 + 8 });
  });

  it('lists what must be understood and is not, and passes over what need not', () => {
    const none = Buffer.alloc(0);
    const message = readStun(
      raw([
        [0x0002, none],
        [0x0027, none],
        [0xc057, none],
        [ATTRIBUTE.realm, none],
        [0x7fff, none],
      ]),
    );
    expect(message.unknown).toEqual([0x0002, 0x0027, 0x7fff]);
  });

  it('tells kinds and methods apart', () => {
    expect(readStun(raw([], 0x0011))).toMatchObject({ kind: 'indication', method: 1 });
    expect(readStun(raw([], 0x0111))).toMatchObject({ kind: 'error', method: 1 });
    // GOOG_PING of libwebrtc.
    expect(readStun(raw([], 0x0200))).toMatchObject({ kind: 'request', method: 0x080 });
    expect(readStun(raw([], 0x3eef))).toMatchObject({ kind: 'request', method: 0xfff });
  });

  it('needs no FINGERPRINT and no attributes at all', () => {
    const message = readStun(raw([]));
    expect(message.integrityAt).toBeUndefined();
    expect(hasIntegrity(raw([]), message, PASSWORD)).toBe(false);
  });

  it('takes a check with DTLS inside, as Chromium can be made to send (SPED, 1008 bytes)', () => {
    expect(
      readStun(
        raw([
          [0xc070, Buffer.alloc(900)],
          [ATTRIBUTE.username, Buffer.from('a:b')],
        ]),
      ).username,
    ).toBe('a:b');
  });

  it('throws nothing but WireError for any bytes, also behind a good header', () => {
    const body = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes.subarray(0, bytes.length & ~3)));
    fc.assert(
      fc.property(body, fc.boolean(), (bytes, headed) => {
        const header = raw([]);
        header.writeUInt16BE(bytes.length, 2);
        codeOf(() => readStun(headed ? Buffer.concat([header, bytes]) : bytes));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('writeStun', () => {
  const draft: fc.Arbitrary<StunDraft> = fc.record(
    {
      kind: fc.constantFrom(...STUN_KINDS),
      transaction: fc.uint8Array({ minLength: 12, maxLength: 12 }).map((bytes) => Buffer.from(bytes)),
      username: fc.string({ unit: 'grapheme-ascii', maxLength: 40 }),
      priority: fc.nat(0xffffffff),
      useCandidate: fc.boolean(),
      controlling: fc.bigInt(0n, 2n ** 64n - 1n),
      controlled: fc.bigInt(0n, 2n ** 64n - 1n),
      mapped: fc.record({ host: fc.ipV4(), port: fc.nat(65535) }),
      error: fc.record({ code: fc.integer({ min: 300, max: 699 }), reason: fc.string() }),
      unknown: fc.array(fc.nat(65535), { maxLength: 5 }),
    },
    { requiredKeys: ['kind', 'transaction'] },
  );

  it('writes what readStun reads, signed', () => {
    fc.assert(
      fc.property(draft, (given) => {
        const bytes = writeStun(given, 'secret');
        const message = readStun(bytes);
        expect(hasIntegrity(bytes, message, 'secret')).toBe(true);
        const { error, transaction, kind, useCandidate, ...values } = given;
        const rest = { ...values, unknown: [] };
        expect(message).toMatchObject({ kind, method: 1, useCandidate: useCandidate === true, ...rest });
        expect(message.transaction.equals(transaction)).toBe(true);
        expect(message.errorCode).toBe(error?.code);
      }),
      { numRuns: 300 },
    );
  });

  it('writes IPv6 addresses, with a zone and with IPv4 inside', () => {
    const mapped = (host: string) => {
      const bytes = writeStun({ kind: 'success', transaction: TRANSACTION, mapped: { host, port: 9 } }, PASSWORD);
      return readStun(bytes).mapped?.host;
    };
    expect(mapped('2001:db8::1')).toBe('2001:db8::1');
    expect(mapped('fe80::1%eth0')).toBe('fe80::1');
    expect(mapped('::ffff:192.0.2.1')).toBe('::ffff:c000:201');
  });

  it('refuses what is no address and no transaction id', () => {
    const mapped = { host: 'example.com', port: 1 };
    expect(codeOf(() => writeStun({ kind: 'success', transaction: TRANSACTION, mapped }, ''))).toBe('unwritable-stun');
    expect(codeOf(() => writeStun({ kind: 'success', transaction: Buffer.alloc(11) }, ''))).toBe('unwritable-stun');
  });
});

describe('crc32', () => {
  it('is that of ITU V.42', () => {
    expect(crc32(Buffer.from('123456789'))).toBe(0xcbf43926);
    expect(crc32(Buffer.from('123456789 and more'), 9)).toBe(0xcbf43926);
  });
});

describe('ipBytes', () => {
  it('gives back every address', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (address) => {
        const bytes = ipBytes(address);
        expect(bytes).toHaveLength(address.includes(':') ? 16 : 4);
        const text = ipText(bytes ?? Buffer.alloc(0));
        expect(ipBytes(text)?.equals(bytes ?? Buffer.alloc(0))).toBe(true);
      }),
    );
  });

  it.each([
    ['0:0:0:0:0:0:0:0', '::'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['1:0:0:0:0:0:0:0', '1::'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['10:0:0:10:100:0:0:100', '10::10:100:0:0:100'],
  ])('writes %s as %s (RFC 5952)', (long, short) => {
    expect(ipText(ipBytes(long) ?? Buffer.alloc(0))).toBe(short);
  });

  it('knows the short forms', () => {
    expect(ipBytes('::')).toEqual(Buffer.alloc(16));
    expect(ipBytes('::1')?.at(15)).toBe(1);
    expect(ipBytes('1::')?.at(1)).toBe(1);
    expect(ipBytes('example.com')).toBeUndefined();
    expect(ipBytes('1.2.3')).toBeUndefined();
  });
});
