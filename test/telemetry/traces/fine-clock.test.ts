import { describe, expect, it } from '@jest/globals';
import { createFineClock } from '../../../src/telemetry/traces/fine-clock.js';

describe('a fine clock', () => {
  it('tells fractions, and goes evenly however coarse the wall clock is', () => {
    const at = { wall: 1_795_600_000_000, elapsed: 7.25 };
    const now = createFineClock(
      () => at.wall,
      () => at.elapsed,
    );
    expect(now()).toBe(1_795_600_000_000);
    at.elapsed += 0.5;
    expect(now()).toBe(1_795_600_000_000.5);
  });

  it('follows a wall clock that is set, or that runs away from it', () => {
    const at = { wall: 1_795_600_000_000, elapsed: 0 };
    const now = createFineClock(
      () => at.wall,
      () => at.elapsed,
    );
    at.wall -= 3_600_000;
    expect(now()).toBe(at.wall);
    at.elapsed += 10.5;
    expect(now()).toBe(at.wall + 10.5);
  });
});
