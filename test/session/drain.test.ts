import { describe, expect, it } from '@jest/globals';
import { drain } from '../../src/session/drain.js';
import { fakeClock } from '../fakes/clock.js';
import { turns } from './door-bed.js';

/** Sessions that note when they were let go. */
function bed(count: number, graceMs: number, spreadMs: number) {
  const clock = fakeClock();
  const startMs = clock.now();
  const endedMs: number[] = [];
  const here = new Set<{ end(): void }>();
  for (let index = 0; index < count; index += 1) {
    const one = {
      end: () => {
        endedMs.push(clock.now() - startMs);
        here.delete(one);
      },
    };
    here.add(one);
  }
  let isDone = false;
  void drain({ clock, graceMs, spreadMs, present: () => [...here] }).then(() => (isDone = true));
  const advance = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 50) {
      clock.advance(50);
      await turns(5);
    }
  };
  return { clock, endedMs, here, advance, isDone: () => isDone };
}

describe('draining', () => {
  it('ends nobody before the limit', async () => {
    const { endedMs, advance } = bed(10, 30_000, 5_000);
    await advance(29_900);
    expect(endedMs).toEqual([]);
  });

  it('is done as soon as all have gone by themselves', async () => {
    const { here, advance, isDone, clock } = bed(10, 30_000, 5_000);
    here.clear();
    await advance(200);
    expect(isDone()).toBe(true);
    expect(clock.pending).toBe(0);
  });

  it('lets those that are left go evenly, the last within the spread', async () => {
    const { endedMs, advance, isDone } = bed(100, 1_000, 5_000);
    await advance(7_000);
    expect(isDone()).toBe(true);
    expect(endedMs).toHaveLength(100);
    expect(endedMs[0]).toBeGreaterThanOrEqual(1_000);
    expect(endedMs[99]).toBeLessThanOrEqual(6_000);
    for (let second = 1; second <= 5; second += 1) {
      const inSecond = endedMs.filter((ms) => ms >= second * 1000 && ms < (second + 1) * 1000).length;
      expect(inSecond).toBeGreaterThanOrEqual(16);
      expect(inSecond).toBeLessThanOrEqual(24);
    }
  });

  it('lets all go at once where no spread is wanted', async () => {
    const { endedMs, advance, isDone } = bed(100, 0, 0);
    await advance(200);
    expect(isDone()).toBe(true);
    expect(new Set(endedMs).size).toBe(1);
  });
});
