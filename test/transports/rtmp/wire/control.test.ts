import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  controlMessage,
  peerBandwidthMessage,
  readControlNumber,
  readUserControl,
  USER_CONTROL,
  userControlMessage,
} from '../../../../src/transports/rtmp/wire/control.js';
import { isCommand, isControl } from '../../../../src/transports/rtmp/wire/message.js';

const SHORT = expect.objectContaining({ name: 'WireError', code: 'control-short' });

describe('control messages with one number', () => {
  it.each([0, 1, 0x7fffffff, 0x80000000, 0xffffffff])('come back as %i', (value) => {
    const message = controlMessage(3, value);
    expect(message).toMatchObject({ chunkStreamId: 2, streamId: 0, timestamp: 0, type: 3 });
    expect(readControlNumber(message.payload)).toBe(value);
  });

  it('RTMP-50, RTMP-51: count modulo 2^32', () => {
    expect(readControlNumber(controlMessage(3, 2 ** 32 + 5).payload)).toBe(5);
    expect(readControlNumber(controlMessage(3, 3 * 2 ** 31).payload)).toBe(2 ** 31);
  });

  it('may have more bytes than they need, not fewer', () => {
    expect(readControlNumber(Buffer.from([0, 0, 1, 0, 99]))).toBe(256);
    for (let size = 0; size < 4; size += 1) expect(() => readControlNumber(Buffer.alloc(size))).toThrow(SHORT);
  });

  it('set the bandwidth with the limit type dynamic', () => {
    expect([...peerBandwidthMessage(2_500_000).payload]).toEqual([0, 0x26, 0x25, 0xa0, 2]);
  });
});

describe('user control messages', () => {
  it('come back as they were', () => {
    const control = fc.record(
      { event: fc.nat(0xffff), value: fc.nat(0xffffffff), extra: fc.nat(0xffffffff) },
      { requiredKeys: ['event', 'value'] },
    );
    fc.assert(
      fc.property(control, (wanted) => expect(readUserControl(userControlMessage(wanted).payload)).toEqual(wanted)),
    );
  });

  it('are refused without an event, and the known ones without a value', () => {
    for (let size = 0; size < 6; size += 1) expect(() => readUserControl(Buffer.alloc(size))).toThrow(SHORT);
    expect(() => readUserControl(Buffer.from([0, USER_CONTROL.pingResponse, 0, 0, 1]))).toThrow(SHORT);
  });

  it('of events that have no value say 0', () => {
    expect(readUserControl(Buffer.from([0, 26]))).toEqual({ event: 26, value: 0 });
  });
});

describe('message types', () => {
  it('1 to 6 speak to the hop, 17 and 20 are commands', () => {
    const types = Array.from({ length: 256 }, (_, type) => type);
    expect(types.filter(isControl)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(types.filter(isCommand)).toEqual([17, 20]);
  });
});
