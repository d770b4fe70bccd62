import { describe, expect, it } from '@jest/globals';
import { createExpiry } from '../../src/session/expiry.js';
import { fakeClock } from '../fakes/clock.js';
import { makeBed, makeLeg, never, requestFor, yes } from './door-bed.js';

const DAY_MS = 86_400_000;

describe('a session whose token expires', () => {
  const startS = fakeClock().now() / 1000;

  it('ends with it where the profile closes', async () => {
    const bed = makeBed({ onExpiry: 'close', verdict: () => yes({ expiresAtS: startS + 60 }) });
    const leg = makeLeg(bed);
    await bed.door.open(requestFor('cam'), leg, never);
    bed.clock.advance(59_999);
    expect(leg.calls.at(-1)).toBe('confirm');
    bed.clock.advance(1);
    expect(leg.calls.at(-1)).toBe('goodbye expired');
    expect(bed.clock.pending).toBe(0);
  });

  it('goes on where the profile keeps', async () => {
    const bed = makeBed({ onExpiry: 'keep', verdict: () => yes({ expiresAtS: startS + 60 }) });
    const leg = makeLeg(bed);
    const session = await bed.door.open(requestFor('cam'), leg, never);
    bed.clock.advance(3_600_000);
    expect(leg.calls.at(-1)).toBe('confirm');
    session?.end('kicked');
  });

  it('in the year 2100 does not end now', async () => {
    const bed = makeBed({ onExpiry: 'close', verdict: () => yes({ expiresAtS: 4_102_444_800 }) });
    const leg = makeLeg(bed);
    const session = await bed.door.open(requestFor('cam'), leg, never);
    bed.clock.advance(3_600_000);
    expect(leg.calls.at(-1)).toBe('confirm');
    session?.end('kicked');
    expect(bed.clock.pending).toBe(0);
  });

  it('ends at once when it expired while the origin was dialled', async () => {
    const bed = makeBed({ onExpiry: 'close', verdict: () => yes({ expiresAtS: startS - 1 }) });
    const leg = makeLeg(bed);
    await bed.door.open(requestFor('cam'), leg, never);
    bed.clock.advance(1);
    expect(leg.calls.at(-1)).toBe('goodbye expired');
  });

  it('ends with 4,999 others within the same second', async () => {
    const bed = makeBed({ onExpiry: 'close', verdict: () => yes({ expiresAtS: startS + 10 }) });
    const legs = Array.from({ length: 5000 }, () => makeLeg(bed));
    await Promise.all(legs.map((leg, index) => bed.door.open(requestFor(`cam${index}`), leg, never)));
    bed.clock.advance(10_000);
    const ended = (): number => legs.filter((leg) => leg.calls.at(-1) === 'goodbye expired').length;
    // A slice, then the loop gets its turn.
    expect(ended()).toBe(250);
    bed.clock.advance(250);
    expect(ended()).toBe(5000);
    expect(bed.clock.pending).toBe(0);
  });
});

describe('expiry', () => {
  it('calls in time, however far off it was', () => {
    const clock = fakeClock(0);
    const called: number[] = [];
    const expiry = createExpiry(clock);
    for (const days of [26, 1, 30]) expiry.add(days * DAY_MS, () => called.push(days));
    for (const days of [1, 26, 30]) {
      clock.advance(days * DAY_MS - clock.now() - 1);
      expect(called).not.toContain(days);
      clock.advance(1);
      expect(called).toContain(days);
    }
    expect(clock.pending).toBe(0);
  });

  it('holds one timer for all, and none for nothing', () => {
    const clock = fakeClock(0);
    const expiry = createExpiry(clock);
    const cancels = [5, 3, 9, 3].map((seconds) => expiry.add(seconds * 1000, () => undefined));
    expect(clock.pending).toBe(1);
    for (const cancel of cancels) cancel();
    for (const cancel of cancels) cancel();
    expect(clock.pending).toBe(0);
  });

  it('follows a clock that is set forward within half a minute, and does not fire early when it is set back', () => {
    const clock = fakeClock(0);
    let calls = 0;
    const expiry = createExpiry(clock);
    expiry.add(3_600_000, () => calls++);
    clock.jump(3_600_000);
    clock.advance(30_000);
    expect(calls).toBe(1);
    expiry.add(clock.now() + 60_000, () => calls++);
    clock.jump(-600_000);
    clock.advance(600_000);
    expect(calls).toBe(1);
    clock.advance(60_000);
    expect(calls).toBe(2);
  });

  it('calls what is left when one call throws', () => {
    const clock = fakeClock(0);
    const called: string[] = [];
    const expiry = createExpiry(clock);
    expiry.add(1000, () => {
      throw new Error('a bug');
    });
    expiry.add(1000, () => called.push('second'));
    expect(() => clock.advance(1000)).toThrow('a bug');
    clock.advance(10);
    expect(called).toEqual(['second']);
  });

  it('calls what another call adds for a moment that has passed', () => {
    const clock = fakeClock(0);
    const called: string[] = [];
    const expiry = createExpiry(clock);
    expiry.add(1000, () => expiry.add(500, () => called.push('late')));
    clock.advance(1010);
    expect(called).toEqual(['late']);
    expect(clock.pending).toBe(0);
  });
});
