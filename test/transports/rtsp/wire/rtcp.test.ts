import { describe, expect, it } from '@jest/globals';
import { isRtcp, writeBye, writeReceiverReport } from '../../../../src/transports/rtsp/wire/rtcp.js';

describe('isRtcp', () => {
  it.each<[string, string, boolean]>([
    ['a sender report', '80c80006', true],
    ['a receiver report', '81c90007', true],
    ['the first type of RTCP', '80c00000', true],
    ['the last type of RTCP', '80df0000', true],
    ['RTP of type 96', '80600001', false],
    ['RTP of type 96 with a marker', '80e00001', false],
    ['RTP of type 63 with a marker', '80bf0001', false],
    ['another version', '40c80006', false],
    ['a STUN request', '00010000', false],
    ['three bytes', '80c800', false],
    ['nothing', '', false],
  ])('tells %s', (_, hex, expected) => {
    const bytes = Buffer.from(hex, 'hex');
    expect(isRtcp(bytes)).toBe(expected);
    const inside = Buffer.concat([Buffer.from('xx'), bytes, Buffer.from('yyyy')]);
    expect(isRtcp(inside, 2, 2 + bytes.length)).toBe(expected);
  });
});

describe('keep-alives', () => {
  it('are an empty receiver report and a name (RFC 3550 §6.4.2, §6.5)', () => {
    expect(writeReceiverReport(0xdeadbeef, 'ab').toString('hex')).toBe(
      '80c90001deadbeef' + '81ca0003deadbeef' + '01026162' + '00000000',
    );
    expect(writeReceiverReport(1, 'abcde').toString('hex')).toBe(
      '80c9000100000001' + '81ca000300000001' + '01056162636465' + '00',
    );
    expect(writeReceiverReport(0, 'a'.repeat(255)).length % 4).toBe(0);
  });

  it('end with a BYE (RFC 3550 §6.6)', () => {
    const bye = writeBye(1, 'ab');
    expect(bye.subarray(0, -8)).toEqual(writeReceiverReport(1, 'ab'));
    expect(bye.subarray(-8).toString('hex')).toBe('81cb000100000001');
    expect(isRtcp(bye)).toBe(true);
  });

  it('refuse a name that its length field cannot tell', () => {
    expect(() => writeBye(1, 'é'.repeat(128))).toThrow(/^cname-too-long/);
  });
});
