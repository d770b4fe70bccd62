import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import type { HookConfig } from '../../src/config/config.js';
import { revealOptions } from '../../src/config/resolve-options.js';
import { complete, configOf, faultsOf, warningsOf, type Around } from './loading.js';

const RULES = ['verify-token', 'require-transport', 'require-role', 'require-room'];
const URL = 'https://policy.example/allow?v=1';

const text = (...entries: readonly unknown[]): string => complete({ hooks: [...RULES, ...entries] });
const faults = (entry: unknown, around: Around = {}): readonly string[] => faultsOf(text(entry), around);
const hookOf = (entry: unknown, around: Around = {}): HookConfig | undefined => configOf(text(entry), around).hooks[4];

describe('an entry of hooks', () => {
  it('is a bare name, or a group of keys with the same name', () => {
    const { hooks } = configOf(complete({ hooks: ['verify-token', { name: 'require-role' }] }));
    expect(hooks).toEqual([
      { name: 'verify-token', id: 'verify-token' },
      { name: 'require-role', id: 'require-role' },
    ]);
  });

  it.each<[string, unknown, RegExp]>([
    [
      'no name that is known',
      { name: 'call-htttp' },
      /hooks\[4\]\.name: "call-htttp" is not known here; .*did you mean "call-http"/,
    ],
    [
      'no word that is known',
      'verify-tokens',
      /hooks\[4\]: "verify-tokens" is not known here; .*did you mean "verify-token"/,
    ],
    ['a number', 7, /hooks\[4\]: is the number 7/],
    ['a list', ['open'], /hooks\[4\]: is a list/],
    ['a key nobody knows', { name: 'call-http', url: URL, timeout: 1 }, /hooks\[4\]\.timeout: is not a known key/],
    [
      'a key of another hook',
      { name: 'call-http', url: URL, file: 'x' },
      /hooks\[4\]\.file: is not a key of call-http/,
    ],
    [
      'keys beside a plain hook',
      { name: 'require-room', id: 'b', url: URL },
      /hooks\[4\]\.url: is not a key of require-room/,
    ],
    ['a plain hook twice', { name: 'require-room', id: 'b' }, /hooks\[4\]: names require-room twice/],
    ['a call without url', { name: 'call-http' }, /hooks\[4\]: has no url/],
    ['a call by its bare name', 'call-http', /hooks\[4\]: has no url/],
    ['a module without file', 'module', /hooks\[4\]: has no file/],
    ['no URL', { name: 'call-http', url: 'policy' }, /hooks\[4\]\.url: is not a URL/],
    ['another scheme', { name: 'call-http', url: 'file:///etc/passwd' }, /hooks\[4\]\.url: is not an address of HTTP/],
    [
      'a password in the URL',
      { name: 'call-http', url: 'https://a:b@c/' },
      /hooks\[4\]\.url: holds a username or password/,
    ],
    ['a fragment', { name: 'call-http', url: 'https://c/#a' }, /hooks\[4\]\.url: has a fragment/],
    [
      'a metadata address',
      { name: 'call-http', url: 'http://169.254.169.254/' },
      /hooks\[4\]\.url: is a link-local address/,
    ],
    [
      'one that is written otherwise',
      { name: 'call-http', url: 'http://0xA9FEA9FE/' },
      /hooks\[4\]\.url: is a link-local/,
    ],
    ['one in IPv6', { name: 'call-http', url: 'http://[::ffff:169.254.169.254]/' }, /hooks\[4\]\.url: is a link-local/],
    [
      'more time than hooks have',
      { name: 'call-http', url: URL, timeoutSeconds: 3 },
      /timeoutSeconds: is 3, but every hook is late/,
    ],
    [
      'a header that breaks lines',
      { name: 'call-http', url: URL, headers: [{ name: 'X', value: { value: 'a\r\nb' } }] },
      /headers\[0\]\.value: is not one line/,
    ],
    [
      'no name of a header',
      { name: 'call-http', url: URL, headers: [{ name: 'X:', value: { value: 'a' } }] },
      /is not the name of a header/,
    ],
    [
      'a header whose secret is not there',
      { name: 'call-http', url: URL, headers: [{ name: 'X', value: { env: 'NONE' } }] },
      /NONE, which is not set/,
    ],
    [
      'what only the other form has',
      { name: 'call-http', url: URL, invalidateUrl: URL },
      /invalidateUrl: belongs to the form round-trip/,
    ],
    [
      'a token for a form that sends it anyway',
      { name: 'call-http', url: URL, form: 'round-trip', sendToken: true },
      /sendToken: belongs to the form json/,
    ],
    [
      'a module that is not there',
      { name: 'module', file: 'my.mjs' },
      /hooks\[4\]\.file: names the file my\.mjs, which does not exist/,
    ],
    [
      'an action there is not',
      { name: 'module', file: 'my.mjs', actions: ['play'] },
      /actions\[0\]: "play" is not known/,
    ],
  ])('with %s is a fault', (_, entry, expected) => {
    expect(faults(entry).join('\n')).toMatch(expected);
  });

  it('gets an id of its own where a hook stands twice', () => {
    const call = { name: 'call-http', url: URL };
    expect(faultsOf(text(call, call)).join()).toContain('hooks[5]: is called call-http, as another is');
    expect(faultsOf(text(call, { ...call, id: 'second' }))).toEqual([]);
  });

  it('keeps the order: who judges claims comes behind who reads them', () => {
    expect(faultsOf(complete({ hooks: ['require-role', 'verify-token'] })).join()).toContain('before verify-token');
    expect(faultsOf(complete({ hooks: [{ name: 'call-http', url: URL }, ...RULES] }))).toEqual([]);
    expect(faultsOf(complete({ hooks: ['open', { name: 'call-http', url: URL }] })).join()).toContain('open beside');
  });
});

describe('a call-http', () => {
  it('is complete with a URL alone', () => {
    expect(hookOf({ name: 'call-http', url: URL })).toEqual({
      ...{ name: 'call-http', id: 'call-http', form: 'json', onFailure: 'refuse' },
      ...{ sendToken: false, clientTokenRequired: false, actions: ['publish', 'subscribe'] },
      url: { host: 'policy.example', port: 443, secure: true, path: '/allow?v=1' },
      ...{ timeoutSeconds: 2, maxConcurrent: 64, cacheSeconds: 0, breakerFailures: 5, breakerSeconds: 10, headers: [] },
    });
  });

  it('takes an IPv6 address without its brackets, and the port of the scheme', () => {
    expect(hookOf({ name: 'call-http', url: 'http://[::1]' })).toMatchObject({
      url: { host: '::1', port: 80, secure: false, path: '/' },
    });
  });

  it('keeps the value of a header secret', () => {
    const headers = [{ name: 'Authorization', value: { env: 'POLICY_KEY' } }];
    const hook = hookOf({ name: 'call-http', url: URL, headers }, { env: { POLICY_KEY: 'canary' } });
    expect(JSON.stringify(hook)).not.toContain('canary');
    expect(hook?.name === 'call-http' ? hook.headers[0]?.value.reveal() : '').toBe('canary');
  });

  it.each<[string, object, string]>([
    ['lets in who cannot be judged', { url: URL, onFailure: 'allow' }, 'LET IN'],
    ['sends tokens in the clear', { url: 'http://policy.example/', sendToken: true }, 'plain http'],
    ['sends passwords in the clear', { url: 'http://policy.example/', form: 'round-trip' }, 'plain http'],
  ])('warns at every start where it %s', (_, keys, words) => {
    expect(warningsOf(text({ name: 'call-http', ...keys })).join()).toContain(words);
  });

  it('does not warn of plain http on this machine, or where nothing secret is sent', () => {
    expect(warningsOf(text({ name: 'call-http', url: 'http://127.0.0.1:8080/', form: 'round-trip' }))).toEqual([]);
    expect(warningsOf(text({ name: 'call-http', url: 'http://10.0.0.9/' }))).toEqual([]);
  });
});

describe('a module', () => {
  const entry = { name: 'module', id: 'mine', file: 'my.mjs', options: { from: 9, days: ['mo'] } };

  it('is named with its options, and a digest that tells when the file has changed', () => {
    const first = hookOf(entry, { files: { 'my.mjs': 'export const a = 1' } });
    const second = hookOf(entry, { files: { 'my.mjs': 'export const a = 2' } });
    expect(first).toMatchObject({ name: 'module', id: 'mine', file: 'my.mjs', options: { from: 9 } });
    expect(first?.name === 'module' && revealOptions(first.options)).toEqual({ from: 9, days: ['mo'] });
    expect(first).not.toEqual(second);
    expect(first).toEqual(hookOf(entry, { files: { 'my.mjs': 'export const a = 1' } }));
  });

  const files = { 'my.mjs': 'export const a = 1', 'key.txt': 'canary-of-the-file\n' };
  const optionsOf = (options: object, around: Around = { files }) => {
    const hook = hookOf({ ...entry, options }, { ...around, files });
    if (hook?.name !== 'module') throw new Error('it is no module');
    return hook;
  };
  const env = { MY_KEY: 'canary-of-the-environment' };

  it('gets every kind of value as it is written, and what its references name', () => {
    const options = {
      ...{ text: 'canary', number: 1.5, yes: true, none: null, list: ['canary', 2, { deep: 'canary' }], empty: {} },
      ...{ key: { env: 'MY_KEY' }, other: { env: 'PORTCULLIS_KEY' }, list2: [{ file: 'key.txt' }] },
      ...{ both: { env: 'A', file: 'B' }, more: { file: 'a.txt', encoding: 'utf8' }, count: { env: 7 } },
    };
    const prefixed = { PORTCULLIS_KEY: 'canary-with-our-prefix' };
    const hook = optionsOf(options, { env: { ...env, ...prefixed } });
    expect(revealOptions(hook.options)).toEqual({
      ...options,
      ...{ key: env.MY_KEY, other: prefixed.PORTCULLIS_KEY, list2: ['canary-of-the-file'] },
    });
  });

  it('shows none of its texts, while numbers, flags and keys can be seen', () => {
    const hook = optionsOf(
      { from: 9, on: true, key: { env: 'MY_KEY' }, apps: ['canary'], deep: { url: 'http://canary@policy.example/' } },
      { env },
    );
    const shown = JSON.stringify(hook);
    expect(shown + inspect(hook, { depth: 9, showHidden: true })).not.toContain('canary');
    expect(JSON.parse(shown)).toMatchObject({
      options: { from: 9, on: true, key: expect.stringMatching(/^secret:[0-9a-f]{8}$/), apps: [expect.anything()] },
    });
  });

  it('is another entry when what a reference names has changed, so that a reload makes it anew', () => {
    const textWith = (value: string) =>
      JSON.stringify(optionsOf({ key: { env: 'MY_KEY' } }, { env: { MY_KEY: value } }));
    expect(textWith('one')).toBe(textWith('one'));
    expect(textWith('one')).not.toBe(textWith('two'));
  });

  it('knows by name what must not be said: what comes by reference, and every long text', () => {
    const hook = optionsOf({ zone: 'Europe/Berlin', url: 'https://x.example/', key: { env: 'MY_KEY' } }, { env });
    expect(hook.hidden.map((secret) => secret.reveal())).toEqual(['https://x.example/', env.MY_KEY]);
  });

  it.each<[object, RegExp]>([
    [
      { key: { env: 'NOT_SET' } },
      /hooks\[4\]\.options\.key\.env: names the environment variable NOT_SET, which is not set/,
    ],
    [
      { a: [{ file: 'gone.txt' }] },
      /hooks\[4\]\.options\.a\[0\]\.file: names the file gone\.txt, which does not exist/,
    ],
    [{ key: { env: '' } }, /which is not set/],
    [{ key: { file: '' } }, /hooks\[4\]\.options\.key\.file/],
  ])('cannot be had with %j', (options, words) => {
    expect(faultsOf(text({ ...entry, options }), { files }).join()).toMatch(words);
  });
});
