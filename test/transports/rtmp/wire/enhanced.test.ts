import { describe, expect, it } from '@jest/globals';
import type { AmfValue } from '../../../../src/transports/rtmp/wire/amf-value.js';
import { readAmf0, writeAmf0 } from '../../../../src/transports/rtmp/wire/amf0.js';
import { amfObject, fieldsOf } from '../../../../src/transports/rtmp/wire/amf-value.js';
import { readEnhanced } from '../../../../src/transports/rtmp/wire/enhanced.js';

const list = (...items: AmfValue[]): AmfValue => ({ kind: 'strict-array', items });
const read = (fields: Record<string, AmfValue>) => readEnhanced(fieldsOf(amfObject(fields)));

describe('readEnhanced', () => {
  it('picks the four fields out of a connect (RTMP-53) and leaves everything else', () => {
    const fields = {
      app: 'live',
      fourCcList: list('avc1', 'hvc1', '*'),
      videoFourCcInfoMap: amfObject({ '*': 4, hvc1: 1 }),
      audioFourCcInfoMap: amfObject({ Opus: 2 }),
      capsEx: 15,
    };
    const [object] = readAmf0(writeAmf0(amfObject(fields)));
    const { app, ...expected } = fields;
    expect(app).toBe('live');
    expect(readEnhanced(fieldsOf(object))).toEqual(expected);
  });

  it('reads what Red5 writes as CapsEx', () => {
    expect(read({ CapsEx: 4 })).toEqual({ capsEx: 4 });
    expect(read({ CapsEx: 4, capsEx: 2 })).toEqual({ capsEx: 2 });
  });

  it('is empty for a client that says nothing of it', () => {
    expect(read({ app: 'live' })).toEqual({});
  });

  it.each<[string, Record<string, AmfValue>]>([
    ['a list that is a string', { fourCcList: 'avc1' }],
    ['a list that is an object', { fourCcList: amfObject({ a: 'avc1' }) }],
    ['a list that is null', { fourCcList: null }],
    ['a map that is a number', { videoFourCcInfoMap: 4 }],
    ['a map that is null', { videoFourCcInfoMap: null }],
    ['a map without numbers', { audioFourCcInfoMap: amfObject({ a: 'x', b: NaN }) }],
    ['a map with a long name', { audioFourCcInfoMap: amfObject({ ['a'.repeat(17)]: 1 }) }],
    ['capabilities that are no number', { capsEx: '15' }],
    ['capabilities that are infinite', { capsEx: Infinity }],
  ])('leaves out %s', (_, fields) => {
    expect(read(fields)).toEqual({});
  });

  it('keeps of a list and of a map only what the specification allows, and not too much of it', () => {
    const many = Array.from({ length: 100 }, (_, index) => `c${index}`);
    const result = read({
      fourCcList: list('avc1', 7, amfObject({}), 'x'.repeat(17), ...many),
      videoFourCcInfoMap: amfObject({ bad: null, ...Object.fromEntries(many.map((name) => [name, 1])) }),
    });
    expect(result['fourCcList']).toEqual(list('avc1', ...many.slice(0, 63)));
    expect(fieldsOf(result['videoFourCcInfoMap']).size).toBe(64);
  });
});
