import { describe, expect, it } from '@jest/globals';
import { WireError } from '../../src/model/errors.js';
import { ByteReader } from '../../src/wire/byte-reader.js';

describe('ByteReader', () => {
  it('reads numbers big-endian and knows where it stands', () => {
    const reader = new ByteReader(Buffer.from('01020380ff00000001400c000000000000aabb', 'hex'), 'short');
    expect(reader.peek()).toBe(1);
    expect(reader.u8()).toBe(1);
    expect(reader.u16()).toBe(0x0203);
    expect(reader.i16()).toBe(-0x7f01);
    expect(reader.u32()).toBe(1);
    expect(reader.f64()).toBe(3.5);
    expect(reader.offset).toBe(17);
    expect(reader.remaining).toBe(2);
    expect(reader.take(2).toString('hex')).toBe('aabb');
    expect(reader.remaining).toBe(0);
  });

  it.each([
    ['peek', 0],
    ['u8', 0],
    ['u16', 1],
    ['i16', 1],
    ['u32', 3],
    ['f64', 7],
  ] as const)('refuses %s when only %i bytes are left, and takes none of them', (method, size) => {
    const reader = new ByteReader(Buffer.alloc(size), 'too-short');
    expect(() => reader[method]()).toThrow(WireError);
    expect(() => reader[method]()).toThrow(/too-short at byte 0/);
    expect(reader.remaining).toBe(size);
  });

  it('refuses to take more than there is, however much is asked for', () => {
    expect(() => new ByteReader(Buffer.alloc(4), 'too-short').take(0xffffffff)).toThrow(/too-short/);
  });
});
