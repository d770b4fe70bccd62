import { describe, expect, it } from '@jest/globals';
import { checkClock, checkDescriptors, checkNode } from '../../../src/cli/doctor/machine.js';

const NOW = Date.parse('2026-06-01T12:00:00Z');

describe('the doctor on Node', () => {
  it.each([
    ['18.20.4', 'fault'],
    ['20.18.3', 'fault'],
    ['20.19.0', 'warning'],
    ['22.20.0', 'fine'],
    ['23.1.0', 'warning'],
    ['24.17.0', 'fine'],
    ['25.1.0', 'warning'],
    ['27.0.0', 'fine'],
  ])('finds %s %s', (version, verdict) => {
    expect(checkNode(version, NOW)).toMatchObject({ check: 'node', verdict });
  });

  it('takes an old line for fine while it gets fixes', () => {
    expect(checkNode('20.19.0', Date.parse('2026-04-01T00:00:00Z')).verdict).toBe('fine');
  });
});

describe('the doctor on descriptors', () => {
  it.each([
    [undefined, 'skipped'],
    ['Max cpu time   unlimited', 'skipped'],
    ['Max open files            unlimited            unlimited            files', 'fine'],
    ['Max open files            1024                 1048576              files', 'warning'],
    ['Max open files            65536                1048576              files', 'fine'],
  ])('reads %p', (limits, verdict) => {
    expect(checkDescriptors(limits, undefined).verdict).toBe(verdict);
  });

  it('counts two for a stream', () => {
    expect(checkDescriptors('Max open files   8100   8100   files', undefined).text).toContain('about 4000 streams');
  });
});

describe('the doctor on the clock', () => {
  it.each([
    ['nobody told the time', [], 'skipped'],
    ['all agree', [200, -700], 'fine'],
    ['one disagrees', [200, 90_000], 'warning'],
    ['all say that we are ahead', [61_000, 90_000], 'fault'],
    ['all say that we are behind', [-61_000], 'fault'],
    ['we are within the leeway of tokens', [20_000], 'warning'],
  ])('when %s', (_, ahead, verdict) => {
    const others = ahead.map((aheadMs, index) => ({ from: `server ${index}`, aheadMs }));
    expect(checkClock(NOW, others, 30).verdict).toBe(verdict);
  });

  it('finds a clock that was never set, whoever agrees', () => {
    expect(checkClock(1_000_000, [{ from: 'a', aheadMs: 0 }], 30)).toMatchObject({ verdict: 'fault' });
  });
});
