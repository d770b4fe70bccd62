import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isPathPattern, matchesPath, MAX_PATTERN_LENGTH, weightOfPattern } from '../../src/wire/path-pattern.js';

describe('a pattern of paths', () => {
  it.each([
    ['live/cam', 'live/cam', true],
    ['live/cam', 'live/cam2', false],
    ['live/cam', 'Live/cam', false],
    ['live/*', 'live/cam', true],
    ['live/*', 'live/', true],
    ['live/*', 'live/room/cam', false],
    ['live/eu-*/**', 'live/eu-west/cam', true],
    ['live/eu-*/**', 'live/eu-west/a/b/cam', true],
    ['live/eu-*/**', 'live/us-west/cam', false],
    ['live/eu-*/**', 'live/eu-', true],
    ['**', 'live/cam', true],
    ['**/cam', 'live/a/b/cam', true],
    ['**/cam', 'cam', true],
    ['live/**/cam', 'live/cam', true],
    ['live/**/cam', 'live/a/cam/b', false],
    ['live/**/a/**/cam', 'live/x/a/y/a/cam', true],
    ['*-a-*', 'x-a-b-a-y', true],
    ['a*b*c', 'aXbYc', true],
    ['a*b*c', 'aXbY', false],
  ])('%s and the path %s: %s', (pattern, path, fits) => {
    expect(isPathPattern(pattern)).toBe(true);
    expect(matchesPath(pattern, path)).toBe(fits);
  });

  it.each(['', '/live', 'live/', 'live//a', 'live/a**', '***', 'live/../a', 'a?b', 'a b', 'a%41', 'a'.repeat(513)])(
    'is none: %j',
    (text) => {
      expect(isPathPattern(text)).toBe(false);
    },
  );

  it('without stars fits itself and nothing else', () => {
    const path = fc.stringMatching(/^[a-z]{1,4}(\/[a-z]{1,4}){0,4}$/);
    fc.assert(
      fc.property(path, path, (one, other) => matchesPath(one, other) === (one === other)),
      { numRuns: 200 },
    );
  });

  it('agrees with a regular expression, whatever stars there are', () => {
    const segment = fc.stringMatching(/^[ab*]{1,5}$/).filter((text) => text === '**' || !text.includes('**'));
    const pattern = fc.array(segment, { minLength: 1, maxLength: 5 });
    const path = fc.array(fc.stringMatching(/^[ab]{1,4}$/), { minLength: 1, maxLength: 6 });
    const regexOf = (parts: readonly string[]) =>
      new RegExp(
        `^${parts.map((part) => (part === '**' ? '(/[^/]+)*' : `/${part.replace(/\*/g, '[^/]*')}`)).join('')}$`,
      );
    fc.assert(
      fc.property(pattern, path, (parts, text) => {
        const expected = regexOf(parts).test(`/${text.join('/')}`);
        return matchesPath(parts.join('/'), text.join('/')) === expected;
      }),
      { numRuns: 500 },
    );
  });

  it('of many stars is refused by a long path in no time', () => {
    const started = performance.now();
    expect(matchesPath('a*'.repeat(200) + 'b', 'a'.repeat(2000))).toBe(false);
    expect(matchesPath(`${'**/a/'.repeat(80)}b`, 'a/'.repeat(500) + 'c')).toBe(false);
    expect(performance.now() - started).toBeLessThan(500);
    expect(MAX_PATTERN_LENGTH).toBe(512);
  });

  it('weighs by its plain characters', () => {
    expect(weightOfPattern('live/eu-*/**')).toBeGreaterThan(weightOfPattern('live/**'));
    expect(weightOfPattern('**')).toBe(0);
  });
});
