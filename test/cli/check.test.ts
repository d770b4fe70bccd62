import { describe, expect, it } from '@jest/globals';
import { runCheck } from '../../src/cli/check.js';
import { configText, fakeIo, SECRET } from './fake-io.js';

async function check(text: string, ...flags: readonly string[]) {
  const io = fakeIo({ files: { 'g.yaml': text } });
  const code = await runCheck(['--config', 'g.yaml', ...flags], io);
  return { code, out: io.out(), err: io.err() };
}

describe('check', () => {
  it('sums a config up', async () => {
    const { code, out, err } = await check(configText());
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toContain('listens     rtmp 0.0.0.0:1935\n');
    expect(out).toContain('origin      a (red5pro) rtmp://10.0.0.5:1935, all apps, rooms: app, credentials: strip\n');
    expect(out).toMatch(/key {9}main, HS256, secret:[0-9a-f]{8} \(utf8\)\n/);
    expect(out).toContain('The config is fine.\n');
  });

  it('prints every default with --full, and no secret', async () => {
    const { out } = await check(configText(), '--full');
    expect(out).toContain('handshakeTimeoutSeconds: 5\n');
    expect(out).not.toContain(SECRET);
  });

  it('shows what the options of a module are called, and no text of them', async () => {
    const options = { from: 9, key: { env: 'MY_KEY' }, in: { place: 'canary' } };
    const hooks = ['verify-token', { name: 'module', file: 'my.mjs', options }];
    const files = { 'g.yaml': configText({ hooks }), 'my.mjs': '' };
    const io = fakeIo({ files, env: { MY_KEY: 'canary-by-name' } });
    expect(await runCheck(['--config', 'g.yaml', '--full'], io)).toBe(0);
    expect(io.out()).toMatch(/options:\n +from: 9\n +key: secret:[0-9a-f]{8}\n +in:\n +place: secret:[0-9a-f]{8}\n/);
    expect(io.out() + io.err()).not.toContain('canary');
    expect(await runCheck(['--config', 'g.yaml'], fakeIo({ files }))).toBe(78);
  });

  it('tells warnings on standard error', async () => {
    const { code, out, err } = await check(configText({ hooks: ['open'], auth: {} }));
    expect(code).toBe(0);
    expect(err).toBe('warning: g.yaml:1: hooks: is open: EVERYBODY may publish and play, without a token\n');
    expect(out).toContain('The config is fine, with 1 warning.\n');
  });

  it('tells each fault in one line, with exit code 78', async () => {
    expect(await check(configText({ log: { level: 'loud' }, banana: 1 }))).toEqual({
      code: 78,
      out: '',
      err: expect.stringMatching(/^g\.yaml:1: log\.level: [^\n]+\ng\.yaml:1: banana: [^\n]+\n$/) as unknown,
    });
  });

  it('finds what the hook that uses the keys would refuse', async () => {
    const key = { id: 'main', secret: { value: 'changeme-to-a-strong-32-byte-secret-key' } };
    const { code, err } = await check(configText({ auth: { keys: [key] } }));
    expect(code).toBe(78);
    expect(err).toContain('auth.keys[0].secret: the secret is the sample of public documentation');
  });

  it('says when the file is missing', async () => {
    const io = fakeIo();
    expect(await runCheck(['--config', 'g.yaml'], io)).toBe(78);
    expect(io.err()).toBe('g.yaml: does not exist; expected a readable file in YAML or JSON\n');
  });

  it('takes a config that is all in the environment', async () => {
    const io = fakeIo({
      env: {
        PORTCULLIS_LISTEN__RTMP__PORT: '0',
        PORTCULLIS_HOOKS: '[open]',
        PORTCULLIS_ORIGINS__0__NAME: 'a',
        PORTCULLIS_ORIGINS__0__RTMP: 'rtmp://h',
      },
    });
    expect(await runCheck([], io)).toBe(0);
    expect(io.err()).toContain('PORTCULLIS_HOOKS: hooks: is open');
  });
});
