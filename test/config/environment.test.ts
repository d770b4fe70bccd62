import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { variableOf } from '../../src/config/environment.js';
import { valuePaths } from '../../src/config/key-tree.js';
import { complete, configOf, faultsOf } from './loading.js';

const withEnv = (env: Readonly<Record<string, string>>) => configOf(complete(), { env });

describe('a PORTCULLIS_ variable', () => {
  it('sets a key over the file', () => {
    expect(withEnv({ PORTCULLIS_LISTEN__RTMP__PORT: '1936' }).listen.rtmp?.port).toBe(1936);
  });

  it.each(['PORTCULLIS_LIMITS__PERADDRESS', 'PORTCULLIS_LIMITS__PER_ADDRESS', 'PORTCULLIS_limits__perAddress'])(
    'matches camelCase keys whatever its case: %s',
    (variable) => {
      expect(withEnv({ [variable]: '7' }).limits.perAddress).toBe(7);
    },
  );

  it('opens a listener that the file does not name', () => {
    expect(withEnv({ PORTCULLIS_LISTEN__ADMIN__PORT: '0' }).listen.admin).toEqual({ host: '127.0.0.1', port: 0 });
  });

  it('indexes lists, and may add the next entry', () => {
    const config = withEnv({
      PORTCULLIS_ORIGINS__0__NAME: 'b',
      PORTCULLIS_ORIGINS__1__NAME: 'c',
      PORTCULLIS_ORIGINS__1__RTMP: 'rtmp://h',
      PORTCULLIS_AUTH__ISSUERS__0: 'https://issuer.example',
    });
    expect(config.origins.map(({ name }) => name)).toEqual(['b', 'c']);
    expect(config.auth.issuers).toEqual(['https://issuer.example']);
  });

  it('may hold one entry of a list whose entries are a word or a group of keys', () => {
    expect(withEnv({ PORTCULLIS_HOOKS__0: 'verify-token' }).hooks).toMatchObject([{ name: 'verify-token' }]);
    expect(withEnv({ PORTCULLIS_HOOKS__0__NAME: 'verify-token' }).hooks).toMatchObject([{ name: 'verify-token' }]);
  });

  it('may hold a list of words', () => {
    const { hooks } = withEnv({ PORTCULLIS_HOOKS: '[verify-token, require-room]' });
    expect(hooks.map(({ name }) => name)).toEqual(['verify-token', 'require-room']);
  });

  it('keeps text that looks like a number', () => {
    const digits = '12345678901234567890123456789012';
    const key = withEnv({ PORTCULLIS_AUTH__KEYS__0__SECRET__VALUE: digits }).auth.keys[0];
    expect(key?.kind === 'secret' && key.secret.reveal()).toBe(digits);
  });

  it.each<[string, Readonly<Record<string, string>>, string]>([
    [
      'an unknown key',
      { PORTCULLIS_LISTEN__RTMP__PROT: '1' },
      'PORTCULLIS_LISTEN__RTMP__PROT: sets no known key; did you mean PORTCULLIS_LISTEN__RTMP__PORT?',
    ],
    ['single underscores', { PORTCULLIS_LISTEN_RTMP_PORT: '1' }, 'did you mean PORTCULLIS_LISTEN__RTMP__PORT?'],
    ['nothing known', { PORTCULLIS_BANANA: '1' }, 'PORTCULLIS_BANANA: sets no known key; see docs/configuration.md'],
    [
      'a group',
      { PORTCULLIS_LISTEN__RTMP: 'x' },
      'PORTCULLIS_LISTEN__RTMP: names a group of keys; expected one key of it, such as PORTCULLIS_LISTEN__RTMP__HOST',
    ],
    [
      'a wrong value',
      { PORTCULLIS_LISTEN__RTMP__PORT: 'many' },
      'PORTCULLIS_LISTEN__RTMP__PORT: listen.rtmp.port: is text; expected a whole number',
    ],
    [
      'an empty value',
      { PORTCULLIS_LISTEN__RTMP__PORT: '' },
      'PORTCULLIS_LISTEN__RTMP__PORT: listen.rtmp.port: is empty',
    ],
    [
      'a gap in a list',
      { PORTCULLIS_ORIGINS__5__NAME: 'x' },
      'PORTCULLIS_ORIGINS__5__NAME: origins[5].name: is entry 5 of a list that has 1',
    ],
    ['a word as index', { PORTCULLIS_ORIGINS__FIRST__NAME: 'x' }, 'PORTCULLIS_ORIGINS__FIRST__NAME: sets no known key'],
    [
      'one key twice',
      { PORTCULLIS_LIMITS__PERADDRESS: '1', PORTCULLIS_LIMITS__PER_ADDRESS: '2' },
      'PORTCULLIS_LIMITS__PER_ADDRESS: limits.perAddress: PORTCULLIS_LIMITS__PERADDRESS sets the same key',
    ],
    [
      'a secret with two sources',
      { PORTCULLIS_AUTH__KEYS__0__SECRET__FILE: 'f' },
      'auth.keys[0].secret: names none or several sources',
    ],
  ])('is a fault when it has %s', (_, env, expected) => {
    expect(faultsOf(complete(), { env }).join('\n')).toContain(expected);
  });

  it('goes through no plain value of the file', () => {
    const env = { PORTCULLIS_LISTEN__RTMP__PORT: '1' };
    expect(faultsOf(complete({ listen: 5 }), { env }).join('\n')).toContain('goes through a key that the file sets');
    expect(faultsOf(complete({ listen: [] }), { env }).join('\n')).toContain('goes through a key that the file sets');
    expect(faultsOf(complete({ listen: { rtmp: null } }), { env })).toEqual([]);
  });

  it('is left alone when the config names it as the source of a secret', () => {
    const PORTCULLIS_SECRET = '0123456789abcdef0123456789abcdef';
    const auth = { keys: [{ id: 'main', secret: { env: 'PORTCULLIS_SECRET' } }] };
    expect(faultsOf(complete({ auth }), { env: { PORTCULLIS_SECRET } })).toEqual([]);
    const env = { PORTCULLIS_SECRET, PORTCULLIS_AUTH__KEYS__0__SECRET__ENV: 'PORTCULLIS_SECRET' };
    expect(faultsOf(complete({ auth: { keys: [{ id: 'main' }] } }), { env })).toEqual([]);
  });

  it('exists for every key of the schema', () => {
    for (const path of valuePaths()) {
      const found = faultsOf(complete(), { env: { [variableOf(path)]: 'x' } }).join('\n');
      expect(found).not.toContain('sets no known key');
    }
  });

  it('never makes the loader throw, whatever it is called and holds', () => {
    const segment = fc.oneof(
      fc.constantFrom('LISTEN', 'ORIGINS', '0', '1', 'NAME', 'HOOKS', '__PROTO__', ''),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(segment, { maxLength: 5 }), fc.string(), (segments, value) => {
        faultsOf(complete(), { env: { [`PORTCULLIS_${segments.join('__')}`]: value } });
      }),
      { numRuns: 200 },
    );
    expect(Object.prototype).not.toHaveProperty('name');
  });
});
