import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import type { Carrier } from '../../src/model/request.js';
import { Secret } from '../../src/model/secret.js';
import {
  credentialPart,
  looksLikeJwt,
  MAX_TOKEN_LENGTH,
  mergeCredentials,
  parameterNamesOf,
  partsOfQuery,
  type CredentialPart,
} from '../../src/wire/credential-parts.js';
import { splitQuery } from '../../src/wire/query.js';

const token = (text: string, carrier: Carrier = 'app-query') => credentialPart('token', carrier, text);

/** What a query gives, with secrets told. */
function told(parts: readonly CredentialPart[]): unknown[] {
  return parts.map((part) => {
    if (part.what === 'reserved') return [part.what];
    return [part.what, part.what === 'username' ? part.text : part.value.reveal()];
  });
}
const found = (query: string) => told(partsOfQuery(splitQuery(query).pairs, 'url-query'));

describe('partsOfQuery', () => {
  it.each<[string, string, unknown[]]>([
    ['token', '?token=a.b.c', [['token', 'a.b.c']]],
    ['its alias jwt (RTMP-01)', '?jwt=a.b.c', [['token', 'a.b.c']]],
    [
      'username and password',
      '?username=u&password=p&token=t',
      [
        ['username', 'u'],
        ['password', 'p'],
        ['token', 't'],
      ],
    ],
    [
      'user and pass (RTMP-03)',
      '?user=u&pass=p',
      [
        ['username', 'u'],
        ['password', 'p'],
      ],
    ],
    [
      'every token there is',
      '?token=a&jwt=b&token=c',
      [
        ['token', 'a'],
        ['token', 'b'],
        ['token', 'c'],
      ],
    ],
    ['no empty values', '?token=&username=&password', []],
    ['no names in another case', '?Token=a&USER=b', []],
    ['no other parameters (RTMP-13)', '?vhost=x&host=y&app=z&token=t', [['token', 't']]],
    ['a token behind the word Bearer', '?token=Bearer%20a.b.c', [['token', 'a.b.c']]],
    ['the word in any case, once', '?token=BEARER%20bearer%20a', [['token', 'bearer a']]],
    ['nothing behind the word alone', '?token=bearer%20', []],
    ['a password as it is', '?password=Bearer%20p', [['password', 'Bearer p']]],
    ['a username that Red5 keeps for itself', '?username=cluster-restreamer', [['reserved']]],
    ['its longer forms', '?user=Cluster-Restreamer-2&token=t', [['reserved'], ['token', 't']]],
    ['its short form', '?username=%20restreamer', [['reserved']]],
    ['a parameter that Red5 keeps for itself', '?restreamer=1&cluster-restreamer-x=2', [['reserved'], ['reserved']]],
    ['a username that only begins like it', '?username=restreamer2', [['username', 'restreamer2']]],
  ])('finds %s', (_, query, parts) => {
    expect(found(query)).toEqual(parts);
  });

  it('keeps what it found out of every print', () => {
    const parts = partsOfQuery(splitQuery('?token=canary&password=canary').pairs, 'url-query');
    expect(`${JSON.stringify(parts)}${inspect(parts, { depth: 9, showHidden: true })}`).not.toContain('canary');
  });
});

describe('mergeCredentials', () => {
  it('gives no credential when no token was found, only the account that was', () => {
    expect(mergeCredentials([])).toEqual({ ok: true });
    expect(mergeCredentials(credentialPart('username', 'app-query', 'u'), [])).toEqual({
      ok: true,
      account: { username: 'u' },
    });
  });

  it('takes the same token from several places for one, and names the first place (RTMP-04, RTMP-11)', () => {
    const merged = mergeCredentials([...token('t'), ...token('t', 'tcurl-query')], token('t', 'name-query'));
    expect(merged).toEqual({ ok: true, credential: { token: new Secret('t'), carrier: 'app-query' } });
    expect(merged.ok && merged.credential?.token.reveal()).toBe('t');
  });

  it('puts the first username and password beside the token, wherever they stood', () => {
    const merged = mergeCredentials(
      credentialPart('username', 'app-query', 'u'),
      partsOfQuery(splitQuery('?username=v&password=p&token=t').pairs, 'name-query'),
    );
    expect(merged.ok && merged.credential).toMatchObject({ carrier: 'name-query', username: 'u' });
    expect(merged.ok && merged.credential?.password?.reveal()).toBe('p');
  });

  it.each([
    ['in one place', [...token('a'), ...token('b')], []],
    ['in two places (RTMP-11)', token('a'), token('b', 'name-query')],
    ['as the third of three', [...token('a'), ...token('a')], token('b')],
    ['that differ in case', token('a'), token('A')],
  ])('refuses two different tokens %s', (_, first, second) => {
    expect(mergeCredentials(first, second)).toMatchObject({ ok: false, rejection: { code: 'token-conflict' } });
  });

  it('says where the tokens stood that differ, and not what they are', () => {
    const merged = mergeCredentials(token('canary'), token('canary2', 'name-query'));
    expect(merged.ok ? '' : merged.rejection.detail).toBe('the token in name-query differs from the one in app-query');
  });

  it('takes a token of 8192 characters and refuses a longer one', () => {
    expect(mergeCredentials(token('a'.repeat(MAX_TOKEN_LENGTH))).ok).toBe(true);
    expect(mergeCredentials(token('a'.repeat(MAX_TOKEN_LENGTH + 1)))).toMatchObject({
      ok: false,
      rejection: { code: 'token-malformed' },
    });
  });

  it('refuses the words of a Red5 cluster even beside a good token', () => {
    const parts = partsOfQuery(splitQuery('?token=t&username=cluster-restreamer').pairs, 'name-query');
    expect(mergeCredentials([], parts)).toMatchObject({ ok: false, rejection: { code: 'malformed-request' } });
  });
});

describe('parameterNamesOf', () => {
  it('tells each name once, and none that may be a token', () => {
    const jwt = `eyJ${'a'.repeat(30)}.b.c`;
    const { pairs } = splitQuery(`?token=x&b=1&token=y&${jwt}&bad%0aname=1`);
    expect(parameterNamesOf(pairs)).toEqual(['token', 'b', '?']);
  });

  it('tells no more than sixteen', () => {
    const query = Array.from({ length: 40 }, (_, index) => `p${index}=1`).join('&');
    expect(parameterNamesOf(splitQuery(`?${query}`).pairs)).toHaveLength(16);
  });
});

describe('looksLikeJwt', () => {
  it.each([
    ['a.b.c', true],
    ['eyJh-_.eyJ.s1', true],
    ['a.b', false],
    ['a.b.c.d', false],
    ['a..c', false],
    ['a.b.c ', false],
    ['a/b.b.c', false],
    ['', false],
  ])('of %j is %p', (text, expected) => {
    expect(looksLikeJwt(text)).toBe(expected);
  });
});
