import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { checkSecrets } from '../../../src/cli/doctor/secrets.js';
import type { Config } from '../../../src/config/config.js';
import { Secret } from '../../../src/model/secret.js';

function verdictOf(text: string) {
  const key = { id: 'main', algorithm: 'HS256', kind: 'secret', secret: new Secret(text), encoding: 'utf8' };
  const config = { auth: { keys: [key] }, listen: {}, origins: [] } as unknown as Config;
  const [finding] = checkSecrets(config);
  expect(JSON.stringify(finding)).not.toContain(text);
  return finding?.verdict;
}

describe('the doctor on secrets', () => {
  it.each([
    ['a short one', 'k7Gd93hsPq', 'fault'],
    ['one letter', 'a'.repeat(64), 'warning'],
    ['a short text over and over', 'k7Gd93hs'.repeat(8), 'warning'],
    ['a row of letters and digits', '0123456789abcdefghijklmnopqrstuvwxyz', 'warning'],
    ['one out of a handbook', 'your-256-bit-secret-your-256-bit-secret', 'warning'],
  ])('finds fault with %s', (_, text, verdict) => {
    expect(verdictOf(text)).toBe(verdict);
  });

  it.each(['base64', 'base64url', 'hex'] as const)('is content with what was drawn, in %s', (encoding) => {
    for (let round = 0; round < 50; round += 1) expect(verdictOf(randomBytes(32).toString(encoding))).toBe('fine');
  });

  it('looks at the token of the admin listener and at keys that tokens are made with', () => {
    const config = {
      auth: { keys: [] },
      listen: { admin: { token: new Secret('short') } },
      origins: [{ name: 'o', credentials: { mode: 'remint', key: new Secret('short') } }],
    } as unknown as Config;
    expect(checkSecrets(config).map(({ about, verdict }) => [about, verdict])).toEqual([
      ['listen.admin.token', 'fault'],
      ['origin o, remint', 'fault'],
    ]);
  });
});
