import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { WireError } from '../../../../src/model/errors.js';
import { readAmf0, writeAmf0 } from '../../../../src/transports/rtmp/wire/amf0.js';
import {
  AMF_LIMITS,
  amfObject,
  fieldsOf,
  type AmfFields,
  type AmfValue,
} from '../../../../src/transports/rtmp/wire/amf-value.js';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');

/** One table: every line is decoded, encoded, cut short and used as a fuzz seed. */
const VALUES: readonly [string, string, AmfValue][] = [
  ['a number', '00 3ff8000000000000', 1.5],
  ['true', '01 01', true],
  ['false', '01 00', false],
  ['a string', '02 0004 6c697665', 'live'],
  ['an empty string', '02 0000', ''],
  ['null', '05', null],
  ['undefined', '06', undefined],
  ['a reference', '07 0003', { kind: 'reference', index: 3 }],
  ['an object', '03 0003617070 02 00016c 000009', amfObject({ app: 'l' })],
  ['an empty object', '03 000009', amfObject({})],
  ['an object with an empty name', '03 0000 05 000009', amfObject({ '': null })],
  ['an ecma array', '08 00000001 000161 05 000009', { kind: 'ecma-array', fields: new Map([['a', null]]) }],
  [
    'a strict array (fourCcList, RTMP-53)',
    '0a 00000002 02000461766331 0200012a',
    { kind: 'strict-array', items: ['avc1', '*'] },
  ],
  ['a date', '0b 4062c00000000000 ffc4', { kind: 'date', milliseconds: 150, zone: -60 }],
  ['unsupported', '0d', { kind: 'unsupported' }],
  ['an XML document', '0f 00000004 3c612f3e', { kind: 'xml', text: '<a/>' }],
  ['a typed object', '10 000143 000161 0101 000009', { ...amfObject({ a: true }), className: 'C' }],
];

const nonText = fc.oneof(
  fc.double(),
  fc.boolean(),
  fc.constantFrom<AmfValue>(null, undefined, { kind: 'unsupported' }, { kind: 'reference', index: 7 }),
);
const { value: anyValue } = fc.letrec<{ value: AmfValue; fields: AmfFields }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    nonText,
    fc.string({ unit: 'grapheme' }),
    fc.record({ kind: fc.constant('object' as const), fields: tie('fields') }),
    fc.record({ kind: fc.constant('object' as const), fields: tie('fields'), className: fc.string() }),
    fc.record({ kind: fc.constant('ecma-array' as const), fields: tie('fields') }),
    fc.record({ kind: fc.constant('strict-array' as const), items: fc.array(tie('value'), { maxLength: 4 }) }),
    fc.record({ kind: fc.constant('xml' as const), text: fc.string() }),
  ),
  fields: fc.array(fc.tuple(fc.string(), tie('value')), { maxLength: 4 }).map((pairs) => new Map(pairs)),
}));

describe('readAmf0 and writeAmf0', () => {
  it.each(VALUES)('reads and writes %s', (_, bytes, value) => {
    expect(readAmf0(hex(bytes))).toEqual([value]);
    expect(writeAmf0(value).equals(hex(bytes))).toBe(true);
  });

  it('reads all values of a payload in their order', () => {
    const all = Buffer.concat(VALUES.map(([, bytes]) => hex(bytes)));
    expect(readAmf0(all)).toEqual(VALUES.map(([, , value]) => value));
    expect(readAmf0(Buffer.alloc(0))).toEqual([]);
  });

  it.each(VALUES.filter(([, bytes]) => bytes.length > 2))('refuses %s cut at every byte', (_, bytes) => {
    const whole = hex(bytes);
    for (let size = 1; size < whole.length; size += 1) {
      expect(() => readAmf0(whole.subarray(0, size))).toThrow(/^amf-truncated/);
    }
  });

  it('brings back any value that can be written', () => {
    fc.assert(
      fc.property(fc.array(anyValue, { maxLength: 4 }), (values) => {
        expect(readAmf0(writeAmf0(...values))).toEqual(values);
      }),
      { numRuns: 300 },
    );
  });

  it('writes more than 65535 bytes as a long string and reads them again', () => {
    const text = 'é'.repeat(40_000);
    const bytes = writeAmf0(text);
    expect(bytes[0]).toBe(12);
    expect(readAmf0(bytes, { ...AMF_LIMITS, maxStringBytes: 80_000 })).toEqual([text]);
  });

  it('writes a byte array as unsupported, since AMF0 has no form for it', () => {
    expect(writeAmf0({ kind: 'byte-array', bytes: Buffer.from('x') })).toEqual(hex('0d'));
  });

  it('refuses to write a property name that does not fit', () => {
    expect(() => writeAmf0(amfObject({ ['n'.repeat(65_536)]: 1 }))).toThrow(/^amf-name-too-long/);
  });

  it('does not believe the count of an ecma array', () => {
    expect(readAmf0(hex('08 ffffffff 000161 05 000009'))).toEqual([
      { kind: 'ecma-array', fields: new Map([['a', null]]) },
    ]);
  });

  it('does not allocate what the count of a strict array asks for', () => {
    expect(() => readAmf0(hex('0a ffffffff 05'))).toThrow(/^amf-truncated/);
  });

  it('keeps a property called __proto__ as a name and pollutes nothing', () => {
    const [value] = readAmf0(hex('03 00095f5f70726f746f5f5f 03 000161 0101 000009 000009'));
    expect(fieldsOf(value).get('__proto__')).toEqual(amfObject({ a: true }));
    expect(({} as Record<string, unknown>)['a']).toBeUndefined();
  });

  it('refuses the end of an object in the place of a value (RTMP-54)', () => {
    expect(() => readAmf0(hex('09'))).toThrow(/^amf-object-end/);
    expect(() => readAmf0(hex('03 000161 09'))).toThrow(/^amf-object-end/);
  });

  it.each(['04', '0e', '11', '12', 'ff'])('refuses the reserved or unknown type %s', (marker) => {
    expect(() => readAmf0(hex(marker))).toThrow(/^amf-marker/);
  });

  it('refuses strings that are not UTF-8 rather than mending them', () => {
    for (const bad of ['ff', 'c0af', 'eda080', 'c3']) {
      const size = (bad.length / 2).toString(16).padStart(4, '0');
      expect(() => readAmf0(hex(`02 ${size} ${bad}`))).toThrow(/^amf-not-utf8/);
    }
  });

  it('nests as deep as the limit and no deeper', () => {
    const nested = (depth: number) => hex(`${'0a00000001'.repeat(depth)}05`);
    expect(() => readAmf0(nested(AMF_LIMITS.maxDepth))).not.toThrow();
    expect(() => readAmf0(nested(AMF_LIMITS.maxDepth + 1))).toThrow(/^amf-too-deep/);
    expect(() => readAmf0(nested(100_000))).toThrow(/^amf-too-deep/);
  });

  it('counts values inside of others against the limit', () => {
    const limits = { ...AMF_LIMITS, maxValues: 3 };
    expect(readAmf0(hex('0a 00000002 05 05'), limits)).toHaveLength(1);
    expect(() => readAmf0(hex('0a 00000003 05 05 05'), limits)).toThrow(/^amf-too-many-values/);
  });

  it('refuses strings over the limit before looking at them', () => {
    const limits = { ...AMF_LIMITS, maxStringBytes: 3 };
    expect(() => readAmf0(hex('02 0004 6c697665'), limits)).toThrow(/^amf-string-too-long/);
    expect(() => readAmf0(hex('0c ffffffff'), limits)).toThrow(/^amf-string-too-long/);
    expect(() => readAmf0(hex('03 0004 6c697665 05 000009'), limits)).toThrow(/^amf-string-too-long/);
  });

  it('says at which byte it stopped, and nothing of what stood there', () => {
    try {
      readAmf0(hex('05 02 0002 ffff'));
      throw new Error('read it');
    } catch (error) {
      expect(error).toBeInstanceOf(WireError);
      expect((error as WireError).offset).toBe(6);
      expect((error as WireError).message).toBe('amf-not-utf8 at byte 6: a string in UTF-8');
    }
  });

  it('answers any bytes with values or a WireError', () => {
    const seeds = VALUES.map(([, bytes]) => hex(bytes));
    const mutated = fc
      .tuple(fc.constantFrom(...seeds), fc.nat(), fc.integer({ min: 0, max: 255 }), fc.uint8Array({ maxLength: 12 }))
      .map(([seed, at, byte, tail]) => {
        const bytes = Buffer.concat([seed, tail]);
        bytes[at % bytes.length] = byte;
        return bytes;
      });
    fc.assert(
      fc.property(
        fc.oneof(
          mutated,
          fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)),
        ),
        (bytes) => {
          try {
            readAmf0(bytes);
          } catch (error) {
            expect(error).toBeInstanceOf(WireError);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('fieldsOf', () => {
  it('gives the properties of objects and ecma arrays, and none of anything else', () => {
    const fields = new Map([['a', 1]]);
    expect(fieldsOf({ kind: 'object', fields })).toBe(fields);
    expect(fieldsOf({ kind: 'ecma-array', fields })).toBe(fields);
    for (const value of ['a', 1, null, undefined, { kind: 'unsupported' }] as const) {
      expect(fieldsOf(value).size).toBe(0);
    }
  });
});
