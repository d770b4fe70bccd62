import { describe, expect, it } from '@jest/globals';
import { gatherLines } from '../../src/telemetry/line-gatherer.js';
import { fakeClock } from '../fakes/clock.js';

describe('gathering lines', () => {
  it('writes lines of one moment together, in order', () => {
    const clock = fakeClock();
    const written: string[] = [];
    const lines = gatherLines((text) => written.push(text), clock, 20);
    lines.write('a\n');
    lines.write('b\n');
    clock.advance(19);
    expect(written).toEqual([]);
    clock.advance(1);
    expect(written).toEqual(['a\nb\n']);
    lines.write('c\n');
    clock.advance(20);
    expect(written).toEqual(['a\nb\n', 'c\n']);
    expect(clock.pending).toBe(0);
  });

  it('writes at once when asked to, and when much is held', () => {
    const clock = fakeClock();
    const written: string[] = [];
    const lines = gatherLines((text) => written.push(text), clock, 20);
    lines.write('last words\n');
    lines.flush();
    lines.flush();
    expect(written).toEqual(['last words\n']);
    lines.write('x'.repeat(65_536));
    expect(written).toHaveLength(2);
    expect(clock.pending).toBe(0);
  });
});
