import { describe, expect, it } from '@jest/globals';
import { createUsedTokens } from '../../src/store/used-tokens.js';
import { fakeClock } from '../fakes/clock.js';

describe('the memory of one-time tokens', () => {
  it('takes a token once', () => {
    const clock = fakeClock();
    const used = createUsedTokens(clock, () => 0);
    expect(used.take('a', clock.now() / 1000 + 60)).toBe(true);
    expect(used.take('a', clock.now() / 1000 + 60)).toBe(false);
    expect(used.take('b', clock.now() / 1000 + 60)).toBe(true);
  });

  it('takes it again when it was given back', () => {
    const clock = fakeClock();
    const used = createUsedTokens(clock, () => 0);
    used.take('a', clock.now() / 1000 + 60);
    used.giveBack('a');
    expect(used.take('a', clock.now() / 1000 + 60)).toBe(true);
  });

  it('forgets it only when it has expired, leeway included', () => {
    const clock = fakeClock();
    const used = createUsedTokens(clock, () => 120);
    const expiresAtS = clock.now() / 1000 + 60;
    used.take('a', expiresAtS);
    clock.advance(179_000);
    expect(used.take('a', expiresAtS)).toBe(false);
    clock.advance(61_000);
    expect(used.take('a', expiresAtS)).toBe(true);
  });
});
