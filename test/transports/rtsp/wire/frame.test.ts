import { describe, expect, it } from '@jest/globals';
import { InterleavedFrame, writeFrame, writeFrameHeader } from '../../../../src/transports/rtsp/wire/frame.js';

describe('InterleavedFrame', () => {
  it('shows channel, payload and bytes of a frame inside of a buffer', () => {
    const source = Buffer.from('xx$\x05\x00\x02abyy', 'latin1');
    const frame = new InterleavedFrame(source, 2, 8);
    expect([frame.kind, frame.channel, frame.payload.toString(), frame.bytes.toString('latin1')]).toEqual([
      'frame',
      5,
      'ab',
      '$\x05\x00\x02ab',
    ]);
  });

  it('takes the channel of the other leg in place (RTSP-16)', () => {
    const source = writeFrame(2, Buffer.from('ab'));
    const frame = new InterleavedFrame(source, 0, source.length);
    frame.channel = 4;
    expect(source.toString('latin1')).toBe('$\x04\x00\x02ab');
  });
});

describe('writeFrame', () => {
  it('writes mark, channel, length and payload', () => {
    expect(writeFrame(255, Buffer.alloc(258)).subarray(0, 4).toString('hex')).toBe('24ff0102');
    expect(writeFrame(0, Buffer.alloc(0xffff))).toHaveLength(0x10003);
  });

  it('writes the header alone where a payload stands already', () => {
    const bytes = Buffer.from('....ab');
    writeFrameHeader(bytes, 0, 1, 2);
    expect(bytes.toString('latin1')).toBe('$\x01\x00\x02ab');
  });

  it('refuses a payload that the length field cannot tell', () => {
    expect(() => writeFrame(0, Buffer.alloc(0x10000))).toThrow(/^frame-too-long/);
  });
});
