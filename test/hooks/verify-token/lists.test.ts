import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readList, trimSpaces } from '../../../src/hooks/verify-token/lists.js';

describe('readList', () => {
  it.each<[unknown, unknown]>([
    [undefined, 'absent'],
    ['', 'absent'],
    [' ', []],
    [',', []],
    [' , ', []],
    ['a', ['a']],
    [' a ,\tb\r\n', ['a', 'b']],
    ['a,,b,', ['a', 'b']],
    ['a b', ['a b']],
    ['\u00a0a', ['\u00a0a']],
    [
      ['a', ' b '],
      ['a', 'b'],
    ],
    [[], []],
    [['', 'a'], ['a']],
    [['a,b'], 'bad'],
    [['a', 'b,'], 'bad'],
    [['a', 1], 'bad'],
    [[['a']], 'bad'],
    [null, 'bad'],
    [0, 'bad'],
    [{}, 'bad'],
  ])('of %j is %j', (value, expected) => {
    const list = readList(value);
    expect(list.kind === 'list' ? list.entries : list.kind).toEqual(expected);
  });

  it('never makes more entries of an array than it has elements', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (elements) => {
        const list = readList(elements);
        expect(list.kind === 'list' ? list.entries.length : 0).toBeLessThanOrEqual(elements.length);
      }),
    );
  });
});

describe('trimSpaces', () => {
  it('cuts ASCII white space only, and a long run of it at once', () => {
    expect(trimSpaces(' \t\r\n x y \n')).toBe('x y');
    expect(trimSpaces('\u2003x')).toBe('\u2003x');
    expect(trimSpaces(`${' '.repeat(100_000)}x${' '.repeat(100_000)}`)).toBe('x');
    expect(trimSpaces('   ')).toBe('');
  });
});
