import { describe, expect, it } from '@jest/globals';
import { isWildcardHost } from '../../src/wire/wildcard-host.js';

describe('a host to listen on', () => {
  it.each(['0.0.0.0', '::'])('stands for every address as %s', (host) => {
    expect(isWildcardHost(host)).toBe(true);
  });

  it.each([undefined, '', '127.0.0.1', '::1', 'localhost'])('stands for itself, or for nothing, as %s', (host) => {
    expect(isWildcardHost(host)).toBe(false);
  });
});
