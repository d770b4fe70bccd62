import { expect, it } from '@jest/globals';
import { watchEventLoop } from '../../src/telemetry/event-loop.js';
import { fakeClock } from '../fakes/clock.js';

it('tells the longest delay of the last seconds, forgets it later, and takes no set clock for a delay', () => {
  const clock = fakeClock();
  const told: number[] = [];
  const stop = watchEventLoop(clock, (seconds) => told.push(seconds));
  clock.advance(500);
  expect(told.at(-1)).toBe(0);
  clock.jump(250);
  clock.advance(500);
  expect(told.at(-1)).toBe(0.25);
  clock.advance(9_000);
  expect(told.at(-1)).toBe(0.25);
  clock.advance(20_000);
  expect(told.at(-1)).toBe(0);
  clock.jump(3_600_000);
  clock.advance(500);
  clock.jump(-3_600_000);
  clock.advance(500);
  expect(told.at(-1)).toBe(0);
  stop();
  expect(clock.pending).toBe(0);
});
