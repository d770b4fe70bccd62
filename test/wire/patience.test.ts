import { describe, expect, it } from '@jest/globals';
import { Patience } from '../../src/wire/patience.js';
import { fakeClock } from '../fakes/clock.js';

/** How often it can be spent at once. */
function spent(patience: Patience): number {
  for (let count = 0; ; count++) {
    try {
      patience.spend();
    } catch {
      return count;
    }
  }
}

describe('patience', () => {
  it('ends after 512 messages at once, with a code', () => {
    const patience = new Patience(() => 0);
    expect(spent(patience)).toBe(512);
    expect(() => patience.spend()).toThrow(expect.objectContaining({ code: 'too-many-commands' }));
  });

  it('comes back with time, and to no more than it was', () => {
    const clock = fakeClock();
    const patience = new Patience(() => clock.now());
    spent(patience);
    clock.advance(2000);
    expect(spent(patience)).toBeGreaterThan(190);
    clock.advance(3_600_000);
    expect(spent(patience)).toBe(512);
  });

  it('bears an hour of twenty messages a second', () => {
    const clock = fakeClock();
    const patience = new Patience(() => clock.now());
    for (let second = 0; second < 3600; second++) {
      for (let count = 0; count < 20; count++) patience.spend();
      clock.advance(1000);
    }
    expect(spent(patience)).toBe(512);
  });

  it('gains nothing by a clock that is set back', () => {
    const clock = fakeClock();
    const patience = new Patience(() => clock.now());
    spent(patience);
    clock.jump(-3_600_000);
    expect(spent(patience)).toBe(0);
    clock.advance(1000);
    expect(spent(patience)).toBeGreaterThan(90);
  });
});
