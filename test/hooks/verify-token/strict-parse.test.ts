import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  findDuplicateName,
  MAX_TOKEN_BYTES,
  parseObject,
  parseToken,
  splitJws,
} from '../../../src/hooks/verify-token/strict-parse.js';
import { encode, withClaims, vectorMaterial } from '../../vectors/forge.js';
import { NOW_S } from '../policy.js';

const token = withClaims({ nowS: NOW_S, transport: 'RTMP', material: vectorMaterial() }, { sub: 'zoë' });

describe('splitJws', () => {
  it('gives back the bytes that were encoded', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1 }),
        fc.uint8Array({ minLength: 1 }),
        fc.uint8Array(),
        (header, payload, signature) => {
          const text = [header, payload, signature].map((part) => encode(Buffer.from(part))).join('.');
          const split = splitJws(text);
          expect(split.ok && [split.value.header, split.value.payload]).toEqual([
            Buffer.from(header),
            Buffer.from(payload),
          ]);
        },
      ),
    );
  });

  it('measures before it decodes', () => {
    const split = splitJws('.'.repeat(MAX_TOKEN_BYTES + 1));
    expect(split).toEqual({ ok: false, text: '8193 characters, at most 8192 are read' });
  });
});

describe('parseToken', () => {
  it('reads header and claims', () => {
    const parsed = parseToken(token);
    expect(parsed.ok && parsed.value.header.get('alg')).toBe('HS256');
    expect(parsed.ok && parsed.value.claims.get('sub')).toBe('zoë');
  });

  it('refuses the token cut at every point before its signature, and never throws', () => {
    const lastDot = token.lastIndexOf('.');
    for (let length = 0; length <= lastDot; length += 1) expect(parseToken(token.slice(0, length)).ok).toBe(false);
    for (let length = lastDot + 1; length <= token.length; length += 1) parseToken(token.slice(0, length));
  });

  it('never throws and never shows what it read, whatever it is given', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        expect(() => parseToken(text)).not.toThrow();
      }),
      { numRuns: 500 },
    );
    fc.assert(
      fc.property(fc.nat(token.length - 1), fc.nat(0xffff), (at, code) => {
        const changed = token.slice(0, at) + String.fromCharCode(code) + token.slice(at + 1);
        const parsed = parseToken(changed);
        if (!parsed.ok) expect(parsed.text).not.toContain(changed.slice(0, 20));
      }),
      { numRuns: 500 },
    );
  });
});

describe('parseObject', () => {
  it('keeps own properties only', () => {
    const parsed = parseObject(Buffer.from('{"__proto__":{"exp":1},"a":2}'), 'payload');
    expect(parsed.ok && [...parsed.value]).toEqual([
      ['__proto__', { exp: 1 }],
      ['a', 2],
    ]);
    expect(parsed.ok && parsed.value.get('exp')).toBeUndefined();
  });
});

describe('findDuplicateName', () => {
  it.each<[string, string | undefined]>([
    ['{}', undefined],
    ['{"a":1}', undefined],
    ['{"a":1,"b":1}', undefined],
    ['{"a":1,"a":1}', 'a'],
    ['{"a":1,"\\u0061":1}', 'a'],
    ['{"":1,"":1}', ''],
    ['{"a":"a","b":"a"}', undefined],
    ['{"a":["a","a"],"b":{"a":1}}', undefined],
    ['{"a":{"b":1,"c":{"b":1}},"b":1}', undefined],
    ['{"x":{"a":1,"a":2}}', undefined],
    ['{"a":"\\"","\\"":1,"b":"\\\\","a":1}', 'a'],
    ['{"a":",\\"a\\":"}', undefined],
    ['{ "a" : [ { } , [ ] ] , "b" : { } , "a" : 1 }', 'a'],
    ['{"__proto__":1,"__proto__":1}', '__proto__'],
  ])('of %s is %j', (json, expected) => {
    JSON.parse(json);
    expect(findDuplicateName(json)).toBe(expected);
  });

  it('agrees with a count of the names for any object', () => {
    const member = fc.tuple(fc.string({ unit: 'binary', maxLength: 3 }), fc.jsonValue({ maxDepth: 2 }));
    fc.assert(
      fc.property(fc.array(member, { maxLength: 5 }), (members) => {
        const json = `{${members.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join()}}`;
        const hasTwice = new Set(members.map(([name]) => name)).size < members.length;
        expect(findDuplicateName(json) !== undefined).toBe(hasTwice);
      }),
      { numRuns: 300 },
    );
  });
});
