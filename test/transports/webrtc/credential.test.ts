import { describe, expect, it } from '@jest/globals';
import { Secret } from '../../../src/model/secret.js';
import { readCredentials } from '../../../src/transports/webrtc/credential.js';

const [A, B] = ['aaa.bbb.ccc', 'ddd.eee.fff'];

/** The token, or the code of the refusal, and where it was found. */
function found(query: string | undefined, ...authorization: readonly string[]): string {
  const { merged } = readCredentials({
    query: query === undefined ? undefined : new Secret(query),
    authorization: authorization.map((value) => new Secret(value)),
  });
  if (!merged.ok) return merged.rejection.code;
  const { credential } = merged;
  return credential === undefined ? 'none' : `${credential.carrier} ${credential.token.reveal()}`;
}

describe('the token of an HTTP request', () => {
  it.each<[string, string, string | undefined, readonly string[]]>([
    ['nothing', 'none', undefined, []],
    ['a bearer', `bearer ${A}`, undefined, [`Bearer ${A}`]],
    ['a bearer in any case', `bearer ${A}`, undefined, [`bEaReR   ${A}  `]],
    ['the query', `url-query ${A}`, `token=${A}`, []],
    ['the query under its other name', `url-query ${A}`, `jwt=${A}`, []],
    ['the query with username and password', `url-query ${A}`, `username=jwt&password=jwt&token=${A}`, []],
    ['the same in both', `bearer ${A}`, `token=${A}`, [`Bearer ${A}`]],
    ['two different ones', 'token-conflict', `token=${A}`, [`Bearer ${B}`]],
    ['two different ones in the query', 'token-conflict', `token=${A}&token=${B}`, []],
    ['two different bearers', 'token-conflict', undefined, [`Bearer ${A}`, `Bearer ${B}`]],
    ['the same bearer twice', `bearer ${A}`, undefined, [`Bearer ${A}`, `Bearer ${A}`]],
    ['an unset bearer', 'none', undefined, ['Bearer undefined']],
    ['an unset bearer of another language', 'none', undefined, ['Bearer null']],
    ['an unset bearer beside the query', `url-query ${A}`, `token=${A}`, ['Bearer undefined']],
    ['a bearer that is no JWT beside the query', `url-query ${A}`, `token=${A}`, ['Bearer stream-key']],
    ['a bearer that is no JWT', 'bearer stream-key', undefined, ['Bearer stream-key']],
    ['an empty bearer', 'none', undefined, ['Bearer ', 'Bearer']],
    ['another scheme', 'none', undefined, ['Basic YTpi']],
    ['the word Bearer inside the query', `url-query ${A}`, `token=Bearer%20${A}`, []],
    ['a long token', 'token-malformed', undefined, [`Bearer ${'a'.repeat(8193)}`]],
    ['a name of Red5’s own servers', 'malformed-request', `token=${A}&username=cluster-restreamer`, []],
    ['a parameter of Red5’s own servers', 'malformed-request', `cluster-restreamer-name=a`, []],
    ['more parameters than anybody has', 'malformed-request', 'a=b&'.repeat(65), []],
  ])('%s: %s', (_, expected, query, authorization) => {
    expect(found(query, ...authorization)).toBe(expected);
  });

  it('is seen to have come in the query', () => {
    const read = (query: string) => readCredentials({ query: new Secret(query), authorization: [] });
    expect(read(`token=${A}`).isInQuery).toBe(true);
    expect(read('signal=true&password=x').isInQuery).toBe(false);
    expect(read(`signal=true&token=${A}&${A}`).parameterNames).toEqual(['signal', 'token', '?']);
  });
});
