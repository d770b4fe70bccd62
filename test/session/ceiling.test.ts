import { describe, expect, it } from '@jest/globals';
import { createCeiling } from '../../src/session/ceiling.js';
import { fakeClock } from '../fakes/clock.js';

/** A stream whose rate the test says, second by second. */
function bed(maxKbps = 800) {
  const clock = fakeClock();
  const ceiling = createCeiling(clock, () => clock.now());
  let bytes = 0;
  const over: number[] = [];
  const stop = ceiling.watch({ clientBytes: () => bytes, maxKbps, onOver: (kbps) => over.push(kbps) });
  return {
    clock,
    over,
    stop,
    run: (kbps: number, seconds: number): void => {
      for (let second = 0; second < seconds && over.length === 0; second += 1) {
        bytes += kbps * 125;
        clock.advance(1000);
      }
    },
  };
}

describe('the ceiling of a bit rate', () => {
  it('lets a stream run at its rate for ever', () => {
    const { run, over } = bed();
    run(800, 10_000);
    expect(over).toEqual([]);
  });

  it('bears a burst as of key frames', () => {
    const { run, over } = bed();
    for (let times = 0; times < 100; times += 1) {
      run(2400, 1);
      run(300, 5);
    }
    expect(over).toEqual([]);
  });

  it.each([
    [1600, 6],
    [880, 51],
    [8000, 1],
  ])('ends a stream of %i kbit/s within %i seconds', (kbps, seconds) => {
    const { run, over, clock } = bed();
    const startMs = clock.now();
    run(kbps, 1000);
    expect(over).toEqual([kbps]);
    expect((clock.now() - startMs) / 1000).toBeLessThanOrEqual(seconds);
  });

  it('tells once, and leaves no timer behind', () => {
    const { run, over, clock } = bed();
    run(8000, 3);
    clock.advance(60_000);
    expect(over).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });

  it('measures no more when it is told to stop', () => {
    const { over, stop, run, clock } = bed();
    stop();
    stop();
    run(8000, 20);
    expect(over).toEqual([]);
    expect(clock.pending).toBe(0);
  });
});
