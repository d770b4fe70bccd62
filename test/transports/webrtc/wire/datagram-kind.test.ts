import { describe, expect, it } from '@jest/globals';
import { datagramKind, isHandshake, isLateAlert } from '../../../../src/transports/webrtc/wire/datagram-kind.js';

describe('datagramKind', () => {
  it.each([
    [[], 'other'],
    [[0], 'stun'],
    [[3], 'stun'],
    [[4], 'other'],
    [[16], 'other'],
    [[19], 'other'],
    [[20], 'dtls'],
    [[63], 'dtls'],
    [[64], 'other'],
    [[127], 'other'],
    [[128], 'rtp'],
    [[191, 96], 'rtp'],
    [[128, 191], 'rtp'],
    [[128, 192], 'rtcp'],
    [[128, 200], 'rtcp'],
    [[128, 223], 'rtcp'],
    [[128, 224], 'rtp'],
    [[192], 'other'],
    [[255], 'other'],
  ])('takes %j for %s', (bytes, kind) => {
    expect(datagramKind(Buffer.from(bytes))).toBe(kind);
  });
});

describe('isLateAlert', () => {
  const record = (type: number, epoch: number) => Buffer.from([type, 254, 253, 0, epoch, 0, 0, 0, 0, 0, 1, 0, 2, 1, 0]);
  it('knows an alert of epoch 1 from one before encryption, from others and from a stump', () => {
    expect(isLateAlert(record(21, 1))).toBe(true);
    expect(isLateAlert(record(21, 0))).toBe(false);
    expect(isLateAlert(record(23, 1))).toBe(false);
    expect(isLateAlert(record(21, 1).subarray(0, 12))).toBe(false);
  });
  it('knows a handshake', () => {
    expect(isHandshake(record(22, 0))).toBe(true);
    expect(isHandshake(Buffer.alloc(0))).toBe(false);
  });
});
