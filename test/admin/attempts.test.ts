import { describe, expect, it } from '@jest/globals';
import { ATTEMPTS_SPAN_MS, createAttempts, MAX_ADDRESSES } from '../../src/admin/attempts.js';
import { fakeClock } from '../fakes/clock.js';

function bed(failuresPerAddress = 3) {
  const clock = fakeClock();
  const rules = { failuresPerAddress, isShared: (address: string) => address === '10.0.0.1' };
  const attempts = createAttempts(clock, () => rules);
  const fail = (address: string, times = 1): void => {
    for (let count = 0; count < times; count += 1) attempts.failed(address);
  };
  return { clock, attempts, fail, rules };
}

describe('attempts with wrong tokens', () => {
  it('make an address wait until a minute after the first of them, and no other address', () => {
    const { clock, attempts, fail } = bed();
    fail('192.0.2.1', 2);
    expect(attempts.waitMs('192.0.2.1')).toBe(0);
    clock.advance(20_000);
    fail('192.0.2.1');
    expect(attempts.waitMs('192.0.2.1')).toBe(40_000);
    expect(attempts.waitMs('192.0.2.2')).toBe(0);
    clock.advance(39_999);
    expect(attempts.waitMs('192.0.2.1')).toBe(1);
    clock.advance(1);
    expect(attempts.waitMs('192.0.2.1')).toBe(0);
    fail('192.0.2.1', 2);
    expect(attempts.waitMs('192.0.2.1')).toBe(0);
  });

  it.each([
    ['an IPv6 /64', '2001:db8::1', '2001:db8::ffff:2'],
    ['all of loopback', '127.0.0.1', '127.9.9.9'],
    ['loopback of both families', '127.0.0.1', '::1'],
    ['IPv4 written as IPv6', '192.0.2.1', '::ffff:192.0.2.1'],
  ])('count %s as one', (_, one, other) => {
    const { attempts, fail } = bed();
    fail(one, 3);
    expect(attempts.waitMs(other)).toBeGreaterThan(0);
  });

  it('do not make a proxy wait that many come through', () => {
    const { attempts, fail } = bed();
    fail('10.0.0.1', 50);
    expect(attempts.waitMs('10.0.0.1')).toBe(0);
  });

  it('are not counted where the config says 0, from the next attempt on', () => {
    const { attempts, fail, rules } = bed();
    fail('192.0.2.1', 3);
    rules.failuresPerAddress = 0;
    expect(attempts.waitMs('192.0.2.1')).toBe(0);
  });

  it('are forgotten rather than held against anybody for longer because the clock was set back', () => {
    const { clock, attempts, fail } = bed();
    fail('192.0.2.1', 3);
    clock.jump(-3_600_000);
    expect(attempts.waitMs('192.0.2.1')).toBe(0);
  });

  it('are remembered of so many addresses, the oldest forgotten first', () => {
    const { attempts, fail } = bed(1);
    for (let host = 0; host <= MAX_ADDRESSES; host += 1) fail(`10.${host >> 16}.${(host >> 8) & 255}.${host & 255}`);
    expect(attempts.size).toBe(MAX_ADDRESSES);
    expect(attempts.waitMs('10.0.0.0')).toBe(0);
    expect(attempts.waitMs('10.0.0.2')).toBe(ATTEMPTS_SPAN_MS);
  });
});
