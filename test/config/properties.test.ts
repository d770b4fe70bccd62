import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseProperties } from '../../src/config/properties.js';

function read(text: string): Readonly<Record<string, string>> | string {
  const result = parseProperties(Buffer.from(text, 'latin1'));
  if (result.fault !== undefined) return `${result.fault.line}: ${result.fault.problem}`;
  return Object.fromEntries(result.properties.map(({ key, value }) => [key, value]));
}

describe('a Java property file', () => {
  // From the documentation of java.util.Properties.load, and the corners it leaves.
  it.each<[string, string, Readonly<Record<string, string>>]>([
    ['equals', 'Truth = Beauty', { Truth: 'Beauty' }],
    ['a colon', ' Truth:Beauty', { Truth: 'Beauty' }],
    ['colon with spaces', 'Truth                    :Beauty', { Truth: 'Beauty' }],
    ['white space alone', 'Truth Beauty', { Truth: 'Beauty' }],
    ['only the first separator', 'a = = b', { a: '= b' }],
    [
      'continued lines',
      'fruits     apple, banana, pear, \\\n    cantaloupe, watermelon, \\\n kiwi',
      { fruits: 'apple, banana, pear, cantaloupe, watermelon, kiwi' },
    ],
    ['a key without a value', 'cheeses', { cheeses: '' }],
    ['comments', '# a=1\n! b=2\n  # c=3\nd=4', { d: '4' }],
    ['no comment inside a value', 'a=1 # b', { a: '1 # b' }],
    ['escaped separators in keys', 'a\\:b\\=c\\ d=1', { 'a:b=c d': '1' }],
    ['escapes', 'a=\\t\\n\\r\\f\\\\\\q', { a: '\t\n\r\f\\q' }],
    ['unicode escapes', 'a=\\u00e4\\u20AC', { a: 'ä€' }],
    ['an escaped backslash before u', 'a=\\\\u12', { a: '\\u12' }],
    ['white space at the end', 'a=b  ', { a: 'b  ' }],
    ['the last of equal keys', 'a=1\na=2', { a: '2' }],
    ['Windows and old Mac line ends', 'a=1\r\nb=2\rc=3', { a: '1', b: '2', c: '3' }],
    ['an even number of backslashes at the end', 'a=1\\\\\nb=2', { a: '1\\', b: '2' }],
    ['a continuation at the end of the file', 'a=1\\', { a: '1' }],
    ['a continuation into an empty line', 'a=1\\\n\nb=2', { a: '1', b: '2' }],
    ['bytes as ISO 8859-1', 'a=\xe4', { a: 'ä' }],
    ['nothing', '', {}],
    ['a prototype', '__proto__=1', { ['__proto__']: '1' }],
  ])('is read with %s', (_, text, expected) => {
    expect(read(text)).toEqual(expected);
  });

  it('tells the line on which an escape is broken', () => {
    expect(read('a=1\nb=\\\n  \\u12')).toBe('2: has a \\u escape without four hex digits');
  });

  it('tells the line of each key', () => {
    const result = parseProperties(Buffer.from('\n# x\na=1\\\n2\nb=3'));
    expect(result).toMatchObject({
      properties: [
        { key: 'a', line: 3 },
        { key: 'b', line: 5 },
      ],
    });
  });

  it('is bounded', () => {
    expect(read(' '.repeat(1_048_577))).toBe('1: is too large');
    expect(read('\\'.repeat(500_000))).toEqual({ ['\\'.repeat(250_000)]: '' });
    expect(read(`${'\\'.repeat(500_000)}x`)).toBeInstanceOf(Object);
  });

  it('comes back as it was written', () => {
    const escape = (text: string) =>
      text.replace(/[^A-Za-z0-9]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'binary' }), fc.string({ unit: 'binary' }), (key, value) => {
        expect(read(`${escape(key)}=${escape(value)}`)).toEqual({ [key]: value });
      }),
      { numRuns: 200 },
    );
  });

  it('never throws', () => {
    const piece = fc.constantFrom('\\', 'u', '0041', '=', ':', ' ', '\n', '\r', '#', '!', 'a', '\f');
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        read(pieces.join(''));
      }),
      { numRuns: 500 },
    );
  });
});
