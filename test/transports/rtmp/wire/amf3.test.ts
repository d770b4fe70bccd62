import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { WireError } from '../../../../src/model/errors.js';
import { readAmf3Payload, readMixedAmf } from '../../../../src/transports/rtmp/wire/amf3.js';
import { AMF_LIMITS, amfObject, type AmfValue } from '../../../../src/transports/rtmp/wire/amf-value.js';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
const object = (fields: Record<string, AmfValue>, className: string) => ({ ...amfObject(fields), className });

/** AMF3 bytes behind marker 17, and what they mean. */
const VALUES: readonly [string, string, AmfValue][] = [
  ['undefined', '00', undefined],
  ['null', '01', null],
  ['false', '02', false],
  ['true', '03', true],
  ['an integer of one byte', '04 7f', 127],
  ['an integer of two bytes', '04 8100', 128],
  ['an integer of three bytes', '04 818000', 16384],
  ['the largest integer', '04 bfffffff', 268435455],
  ['the smallest integer', '04 c0808000', -268435456],
  ['minus one', '04 ffffffff', -1],
  ['a double', '05 3ff8000000000000', 1.5],
  ['a string', '06 09 6c697665', 'live'],
  ['an empty string', '06 01', ''],
  ['a date', '08 01 4062c00000000000', { kind: 'date', milliseconds: 150, zone: 0 }],
  ['a dense array', '09 05 01 03 02', { kind: 'strict-array', items: [true, false] }],
  ['a byte array', '0c 05 cafe', { kind: 'byte-array', bytes: hex('cafe') }],
  ['a dynamic object', '0a 0b 01 0361 03 01', amfObject({ a: true })],
  ['a sealed object with a class', '0a 13 0343 0361 02', object({ a: false }, 'C')],
  ['an object both sealed and dynamic', '0a 1b 0343 0361 02 0362 03 01', object({ a: false, b: true }, 'C')],
];

/** All of them as one payload of a type-17 message. */
const payload = (...values: string[]) => hex(`00${values.map((value) => `11${value}`).join('')}`);

describe('readAmf3Payload', () => {
  it.each(VALUES)('reads %s', (_, bytes, value) => {
    expect(readAmf3Payload(payload(bytes))).toEqual([value]);
  });

  it.each(VALUES)('refuses %s cut at every byte', (_, bytes) => {
    const whole = payload(bytes);
    for (let size = 2; size < whole.length; size += 1) {
      expect(() => readAmf3Payload(whole.subarray(0, size))).toThrow(/^amf-truncated/);
    }
  });

  it('reads AMF0 values and AMF3 values side by side', () => {
    expect(readAmf3Payload(hex('00 0200026869 05 11 0603 78 0101'))).toEqual(['hi', null, 'x', true]);
  });

  it('refuses a payload without the zero byte, and an empty one', () => {
    expect(() => readAmf3Payload(hex('02 0001 61'))).toThrow(/^amf3-lead/);
    expect(() => readAmf3Payload(hex('11 01'))).toThrow(/^amf3-lead/);
    expect(() => readAmf3Payload(hex(''))).toThrow(/^amf-truncated/);
  });

  it('finds a string again by its number, also across values', () => {
    expect(readAmf3Payload(payload('06 09 6c697665', '06 00', '0a 0b 01 00 03 01'))).toEqual([
      'live',
      'live',
      amfObject({ live: true }),
    ]);
  });

  it('gives the empty string no number', () => {
    expect(readAmf3Payload(payload('06 01', '06 0361', '06 00'))).toEqual(['', 'a', 'a']);
  });

  it('finds traits again by their number', () => {
    expect(readAmf3Payload(payload('0a 13 0343 0361 02', '0a 01 03'))).toEqual([
      object({ a: false }, 'C'),
      object({ a: true }, 'C'),
    ]);
  });

  it('leaves references to objects as they are, so a ring costs nothing', () => {
    // The first object's only property points at the object itself.
    expect(readAmf3Payload(payload('0a 0b 01 0361 0a00 01', '09 00'))).toEqual([
      amfObject({ a: { kind: 'reference', index: 0 } }),
      { kind: 'reference', index: 0 },
    ]);
  });

  it.each([
    ['a string', '06 02'],
    ['an object', '0a 02'],
    ['an array', '09 00'],
    ['traits', '0a 05'],
  ])('refuses a reference to %s that was never sent', (_, bytes) => {
    expect(() => readAmf3Payload(payload(bytes))).toThrow(/^amf3-reference/);
  });

  it.each([
    ['an XML document', '07 01', 'amf3-marker'],
    ['XML of the other kind', '0b 01', 'amf3-marker'],
    ['a vector', '0d 01', 'amf3-marker'],
    ['an unknown type', 'ff', 'amf3-marker'],
    ['an externalizable object', '0a 07 0343', 'amf3-externalizable'],
    ['an associative array', '09 01 0361 03 01', 'amf3-associative-array'],
  ])('refuses %s', (_, bytes, code) => {
    expect(() => readAmf3Payload(payload(bytes))).toThrow(new RegExp(`^${code}`));
  });

  it('keeps within the limits of depth, values and sizes', () => {
    const limits = { maxDepth: 2, maxValues: 6, maxStringBytes: 3 };
    expect(() => readAmf3Payload(payload('09 03 01 09 03 01 09 01 01'), limits)).not.toThrow();
    expect(() => readAmf3Payload(payload('09 03 01 09 03 01 09 03 01 01'), limits)).toThrow(/^amf-too-deep/);
    expect(() => readAmf3Payload(payload(`09 0f 01 ${'01'.repeat(7)}`), limits)).toThrow(/^amf-too-many-values/);
    expect(() => readAmf3Payload(payload('06 09 6c697665'), limits)).toThrow(/^amf-string-too-long/);
    expect(() => readAmf3Payload(payload('0c 09 6c697665'), limits)).toThrow(/^amf-string-too-long/);
  });

  it('refuses traits that announce more names than values are allowed', () => {
    expect(() => readAmf3Payload(payload('0a bffffffb'))).toThrow(/^amf-too-many-values/);
  });

  it('does not keep bytes of the input in a byte array', () => {
    const bytes = payload('0c 05 cafe');
    const [value] = readAmf3Payload(bytes);
    bytes.fill(0);
    expect(value).toEqual({ kind: 'byte-array', bytes: hex('cafe') });
  });

  it('answers any bytes with values or a WireError', () => {
    const seed = payload(...VALUES.map(([, bytes]) => bytes));
    const mutated = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }), fc.nat()).map(([at, byte, from]) => {
      const bytes = Buffer.from(seed);
      bytes[at % bytes.length] = byte;
      return Buffer.concat([hex('00'), bytes.subarray(1 + (from % 40))]);
    });
    const raw = fc.uint8Array({ maxLength: 48 }).map((bytes) => Buffer.concat([hex('0011'), bytes]));
    fc.assert(
      fc.property(fc.oneof(mutated, raw), (bytes) => {
        try {
          readAmf3Payload(bytes, { ...AMF_LIMITS, maxDepth: 4 });
        } catch (error) {
          expect(error).toBeInstanceOf(WireError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('readMixedAmf', () => {
  it('needs no zero byte and still follows marker 17', () => {
    expect(readMixedAmf(hex('0200026869 11 0603 78'))).toEqual(['hi', 'x']);
  });
});
