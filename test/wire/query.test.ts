import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { WireError } from '../../src/model/errors.js';
import { cutQuery, MAX_QUERY_PAIRS, readPairs, splitQuery, type QueryPair } from '../../src/wire/query.js';

describe('splitQuery', () => {
  it.each<[string, string, string, QueryPair[]]>([
    ['an address without a query', 'live/cam', 'live/cam', []],
    ['an empty query (RTMP-14)', 'cam?', 'cam', []],
    ['nothing', '', '', []],
    ['a query alone (RTMP-06)', '?token=T', '', [['token', 'T']]],
    ['one parameter', 'cam?token=a.b.c', 'cam', [['token', 'a.b.c']]],
    [
      'several parameters in their order',
      'cam?b=1&a=2&b=3',
      'cam',
      [
        ['b', '1'],
        ['a', '2'],
        ['b', '3'],
      ],
    ],
    ['a value with =', 'cam?s=YQ==', 'cam', [['s', 'YQ==']]],
    [
      'a parameter without a value',
      'cam?a&b=',
      'cam',
      [
        ['a', ''],
        ['b', ''],
      ],
    ],
    ['a value without a name', 'cam?=x', 'cam', [['', 'x']]],
    ['separators side by side', 'cam?&&a=1&', 'cam', [['a', '1']]],
    [
      'a second ? as a separator',
      'live?token=T?authmod=adobe&user=U',
      'live',
      [
        ['token', 'T'],
        ['authmod', 'adobe'],
        ['user', 'U'],
      ],
    ],
    [
      '& before the first ? as part of the path (RTMP-17)',
      's&t?policy=x&signature=y',
      's&t',
      [
        ['policy', 'x'],
        ['signature', 'y'],
      ],
    ],
    ['a plus sign as it is, never as a space', 'cam?p=a+b', 'cam', [['p', 'a+b']]],
    ['percent-encoding, decoded once', 'cam?p%61=%41%2526', 'cam', [['pa', 'A%26']]],
    ['an encoded separator inside of a value', 'cam?p=a%26b%3Dc%3F', 'cam', [['p', 'a&b=c?']]],
    [
      'broken percent-encoding as it is',
      'cam?p=%zz&q=%ff&%=1',
      'cam',
      [
        ['p', '%zz'],
        ['q', '%ff'],
        ['%', '1'],
      ],
    ],
    ['a semicolon as a plain character', 'cam?a=1;b=2', 'cam', [['a', '1;b=2']]],
    ['a slash inside of a value', 'cam?a=1/2', 'cam', [['a', '1/2']]],
  ])('reads %s', (_, text, path, pairs) => {
    expect(splitQuery(text)).toEqual({ path, pairs });
  });

  it('separates by semicolons too where told so (RTSP)', () => {
    expect(splitQuery('cam?username=jwt;password=jwt;token=T;&x=1', { semicolons: true }).pairs).toEqual([
      ['username', 'jwt'],
      ['password', 'jwt'],
      ['token', 'T'],
      ['x', '1'],
    ]);
  });

  it('takes as many parameters as the limit and refuses more', () => {
    const pairs = (count: number) => `cam?${'a=1&'.repeat(count)}`;
    expect(splitQuery(pairs(MAX_QUERY_PAIRS)).pairs).toHaveLength(MAX_QUERY_PAIRS);
    expect(() => splitQuery(pairs(MAX_QUERY_PAIRS + 1))).toThrow(/^query-too-many-pairs/);
    expect(splitQuery(`cam?${'&'.repeat(5000)}token=T`).pairs).toEqual([['token', 'T']]);
  });

  it('brings back every parameter that was encoded', () => {
    const pair = fc.tuple(fc.string({ unit: 'grapheme', minLength: 1 }), fc.string({ unit: 'grapheme' }));
    fc.assert(
      fc.property(fc.array(pair, { maxLength: 5 }), (pairs) => {
        const query = pairs.map((parts) => parts.map(encodeURIComponent).join('=')).join('&');
        expect(splitQuery(`cam?${query}`).pairs).toEqual(pairs);
      }),
      { numRuns: 200 },
    );
  });

  it('answers any text with parameters or a WireError', () => {
    const text = fc.string({
      unit: fc.constantFrom('?', '&', '=', '%', ';', 'a', '4', '\u0000', '\ud800'),
      maxLength: 200,
    });
    fc.assert(
      fc.property(text, (odd) => {
        try {
          splitQuery(odd);
        } catch (error) {
          expect(error).toBeInstanceOf(WireError);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('cutQuery', () => {
  it('cuts at the first ? only, and keeps none of its parts encoded or decoded', () => {
    expect(cutQuery('a%3Fb?c?d')).toEqual({ path: 'a%3Fb', query: 'c?d' });
    expect(cutQuery('a')).toEqual({ path: 'a', query: '' });
  });
});

describe('readPairs', () => {
  it('reads a query without its question mark', () => {
    expect(readPairs('a=1;b=2')).toEqual([['a', '1;b=2']]);
    expect(readPairs('a=1;b=2&c', { semicolons: true })).toEqual([
      ['a', '1'],
      ['b', '2'],
      ['c', ''],
    ]);
  });
});
