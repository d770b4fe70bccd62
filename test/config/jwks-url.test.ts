import { describe, expect, it } from '@jest/globals';
import { generateKeyPairSync } from 'node:crypto';
import { checkKeys } from '../../src/cli/key-specs.js';
import { complete, configOf, faultsOf, SECRET, warningsOf } from './loading.js';

const URL = 'https://issuer.example/keys';
const key = (more: object): string => complete({ auth: { keys: [{ id: 'idp', ...more }] } });

describe('a key with a jwksUrl', () => {
  it('is complete with the URL alone', () => {
    expect(configOf(key({ jwksUrl: URL })).auth.keys).toEqual([
      {
        ...{ id: 'idp', kind: 'jwks-url', algorithm: 'RS256', algorithms: ['RS256'] },
        url: { host: 'issuer.example', port: 443, secure: true, path: '/keys' },
        ...{ refreshSeconds: 300, cooldownSeconds: 30, maxStaleSeconds: 86_400, timeoutSeconds: 2 },
      },
    ]);
  });

  it.each<[object, object]>([
    [{ algorithm: 'ES256' }, { algorithm: 'ES256', algorithms: ['ES256'] }],
    [{ algorithms: ['ES256', 'RS256'] }, { algorithm: 'ES256', algorithms: ['ES256', 'RS256'] }],
    [{ algorithm: 'HS256' }, { algorithms: ['HS256'] }],
  ])('with %j has %j', (more, expected) => {
    expect(configOf(key({ jwksUrl: URL, ...more })).auth.keys).toMatchObject([expected]);
  });

  it.each<[string, object, RegExp]>([
    ['plain http', { jwksUrl: 'http://issuer.example/' }, /jwksUrl: is plain http; expected https/],
    [
      'plain http for secrets',
      { jwksUrl: 'http://127.0.0.1/', algorithm: 'HS256' },
      /jwksUrl: is plain http, and its keys/,
    ],
    ['a metadata address', { jwksUrl: 'https://169.254.169.254/' }, /jwksUrl: is a link-local address/],
    ['no URL', { jwksUrl: 'issuer.example' }, /jwksUrl: is not a URL/],
    ['a secret', { jwksUrl: URL, secret: { value: SECRET } }, /secret: stands beside jwksUrl/],
    ['a file', { jwksUrl: URL, jwks: { file: 'a' } }, /jwks: stands beside jwksUrl/],
    [
      'both ways to name algorithms',
      { jwksUrl: URL, algorithm: 'RS256', algorithms: ['RS256'] },
      /algorithm: stands beside algorithms/,
    ],
    ['a cool-down longer than its refresh', { jwksUrl: URL, refreshSeconds: 10 }, /cooldownSeconds: is 30, more than/],
    ['more time than hooks have', { jwksUrl: URL, timeoutSeconds: 3 }, /timeoutSeconds: is 3, but every hook is late/],
    ['its keys, but no URL', { secret: { value: SECRET }, refreshSeconds: 60 }, /refreshSeconds: is for jwksUrl/],
  ])('with %s is a fault', (_, more, expected) => {
    expect(faultsOf(key(more)).join('\n')).toMatch(expected);
  });

  it('may be plain http on this machine, and elsewhere with a warning', () => {
    expect(warningsOf(key({ jwksUrl: 'http://127.0.0.1:9/' }))).toEqual([]);
    expect(warningsOf(key({ jwksUrl: 'http://[::1]:9/' }))).toEqual([]);
    expect(warningsOf(key({ jwksUrl: 'http://a.example/', allowPlainHttp: true })).join()).toContain('plain http');
  });
});

describe('what the hook says of keys', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey;
  const jwk = { ...rsa.export({ format: 'jwk' }), alg: 'RS256' };

  it('stands at the key it is about, though others hold many keys or are fetched', () => {
    const set = JSON.stringify({ keys: [0, 1, 2, 3, 4].map((index) => ({ ...jwk, kid: `set-${index}` })) });
    const text = complete({
      auth: {
        keys: [
          { id: 'fetched', jwksUrl: URL },
          { id: 'set', algorithm: 'RS256', jwks: { file: 'set.json' } },
          { id: 'spaced', secret: { value: ` ${SECRET}` } },
          { id: 'bad', algorithm: 'RS256', publicKey: { value: 'no PEM' } },
        ],
      },
    });
    const around = { files: { 'set.json': set }, checkKeys };
    expect(faultsOf(text, around).join('\n')).toMatch(/^gateway\.yaml:\d+: auth\.keys\[3\]\.publicKey: /);
    const fine = text.replace('"no PEM"', JSON.stringify(rsa.export({ type: 'spki', format: 'pem' }).toString()));
    const lines = warningsOf(fine, around).map((line) => line.replace(/^gateway\.yaml:\d+: /, ''));
    expect(lines).toEqual([
      expect.stringMatching(/^auth\.keys\[1\]\.id: more than 4 keys of RS256/),
      expect.stringMatching(/^auth\.keys\[2\]\.secret: the secret begins or ends with white space/),
    ]);
  });
});
