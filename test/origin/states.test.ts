import { describe, expect, it } from '@jest/globals';
import { createOriginStates } from '../../src/origin/states.js';

function bed() {
  const lines: unknown[] = [];
  const gauges: unknown[] = [];
  const log = { write: (...line: unknown[]) => void lines.push(line), enabled: () => true };
  const metrics = {
    count: () => undefined,
    observe: () => undefined,
    gauge: (...set: unknown[]) => void gauges.push(set),
  };
  return { lines, gauges, states: createOriginStates(log, metrics) };
}

describe('the state of origins', () => {
  it('is told once each way, not with every call', () => {
    const { lines, gauges, states } = bed();
    states.answered('a');
    states.answered('a');
    states.failed('a', 'refused');
    states.failed('a', 'refused');
    states.answered('a');
    expect(lines).toEqual([
      ['warn', 'origin.state', { origin: 'a', state: 'down', detail: 'refused' }],
      ['info', 'origin.state', { origin: 'a', state: 'up' }],
    ]);
    expect(gauges).toEqual([
      ['origin_up', { origin: 'a' }, 1],
      ['origin_up', { origin: 'a' }, 0],
      ['origin_up', { origin: 'a' }, 1],
    ]);
  });
});
