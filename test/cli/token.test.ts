import { describe, expect, it } from '@jest/globals';
import jwt from 'jsonwebtoken';
import { runMint } from '../../src/cli/token-mint.js';
import { runWhy } from '../../src/cli/token-why.js';
import { configText, fakeIo, SECRET } from './fake-io.js';

const NOW_S = 1_700_000_000;

async function mint(args: readonly string[], parts: Readonly<Record<string, unknown>> = {}) {
  const io = fakeIo({ files: { 'g.yaml': configText(parts) } });
  const code = await runMint(['--config', 'g.yaml', ...args], io);
  return { code, out: io.out(), err: io.err() };
}

async function why(token: string, args: readonly string[], parts: Readonly<Record<string, unknown>> = {}) {
  const io = fakeIo({ files: { 'g.yaml': configText(parts) }, stdin: `${token}\n` });
  const code = await runWhy(['-', '--config', 'g.yaml', ...args], io);
  return { code, out: io.out(), err: io.err() };
}

const decode = (text: string) => jwt.decode(text.trim(), { complete: true });

describe('token mint', () => {
  it('prints a token alone on standard output, and its life on standard error', async () => {
    const { code, out, err } = await mint([
      '--role',
      'publisher',
      '--room',
      'room1,room2',
      '--transport',
      'rtmp,WHIP',
      '--subject',
      'me',
    ]);
    expect(code).toBe(0);
    expect(out).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
    expect(decode(out)).toMatchObject({
      header: { alg: 'HS256', typ: 'JWT' },
      payload: {
        sub: 'me',
        roles: 'red5-publisher',
        'red5-transport': 'RTMP,WHIP',
        'red5-room': 'room1,room2',
        iat: NOW_S,
        exp: NOW_S + 600,
      },
    });
    expect(decode(out)?.header.kid).toBeUndefined();
    expect(err).toBe('HS256, good until 2023-11-14T22:23:20.000Z (600 s)\n');
  });

  it('leaves claims out that were not asked for, and says what that means', async () => {
    const red5 = await mint([]);
    expect(Object.keys(decode(red5.out)?.payload ?? {}).sort()).toEqual(['exp', 'iat']);
    expect(red5.err).toContain('without --role, --transport, --room: no limit in profile red5');
    const auth = { profile: 'strict', keys: [{ id: 'main', secret: { value: SECRET } }] };
    expect((await mint(['--role', 'both'], { auth })).err).toContain(
      'without --transport, --room: refused by profile strict',
    );
  });

  it('takes issuer, audience and the named key from the config', async () => {
    const keys = [
      { id: 'old', secret: { value: SECRET } },
      { id: 'new', secret: { value: `new${SECRET}` } },
    ];
    const { out } = await mint(['--key', 'new'], { auth: { keys, issuers: ['i'], audiences: ['a'] } });
    expect(decode(out)).toMatchObject({ header: { kid: 'new' }, payload: { iss: 'i', aud: 'a' } });
    expect(() => jwt.verify(out.trim(), `new${SECRET}`, { clockTimestamp: NOW_S })).not.toThrow();
  });

  it.each([
    ['90', 90],
    ['90s', 90],
    ['2m', 120],
    ['1h', 3600],
  ])('reads the time %s', async (ttl, seconds) => {
    expect(decode((await mint(['--ttl', ttl])).out)).toMatchObject({ payload: { exp: NOW_S + seconds } });
  });

  it('stays below a low ceiling by itself', async () => {
    const auth = { maxTtlMinutes: 1, keys: [{ id: 'main', secret: { value: SECRET } }] };
    expect(decode((await mint([], { auth })).out)).toMatchObject({ payload: { exp: NOW_S + 60 } });
  });

  it.each<[readonly string[], number, string]>([
    [['--role', 'publishr'], 2, '--role is publisher, subscriber or both; did you mean "publisher"?'],
    [['--role', 'constructor'], 2, '--role is publisher, subscriber or both'],
    [['--transport', 'RTMP,FTP'], 2, '--transport knows RTMP, RTSP, WHIP, WHEP'],
    [['--ttl', 'soon'], 2, '--ttl is a time such as 90s, 10m or 2h'],
    [['--ttl', '0'], 2, '--ttl is a time'],
    [['--room', 'a,,b'], 2, '--room has an empty entry'],
    [['--banana'], 2, 'unknown flag "--banana"'],
    [['--ttl', '2h'], 1, 'a token of 7200 s would be refused: auth.maxTtlMinutes is 60'],
    [['--key', 'other'], 1, 'there is no key other with a secret; there is: main'],
  ])('refuses %j', async (args, code, problem) => {
    const result = await mint(args);
    expect(result).toMatchObject({ code, out: '' });
    expect(result.err).toContain(problem);
  });

  it('says so when the config holds no secret', async () => {
    expect(await mint([], { hooks: ['open'], auth: {} })).toMatchObject({
      code: 1,
      err: expect.stringContaining('holds no secret') as unknown,
    });
  });
});

describe('token why', () => {
  const sign = (claims: Readonly<Record<string, unknown>>, secret = SECRET) =>
    jwt.sign({ exp: NOW_S + 300, ...claims }, secret, { noTimestamp: true });
  const publish = ['--transport', 'RTMP', '--action', 'publish', '--path', 'live/room1/cam'];

  it('says yes, with every step', async () => {
    const { code, out } = await why(sign({ roles: 'red5-publisher', 'red5-room': 'room1' }), publish);
    expect(code).toBe(0);
    expect(out).toMatch(/^yes: RTMP publish of live\/room1\/cam, profile red5\n/);
    for (const step of ['shape', 'signature', 'exp', 'roles', 'red5-transport', 'red5-room'])
      expect(out).toContain(`  ${step}`);
    expect(out).not.toContain('FAIL');
  });

  it.each<[string, Readonly<Record<string, unknown>>, readonly string[], string, RegExp]>([
    ['another role', { roles: 'red5-subscriber' }, publish, 'role-denied', /FAIL {2}roles/],
    ['another room', { 'red5-room': 'room2' }, publish, 'room-denied', /FAIL {2}red5-room/],
    ['another transport', { 'red5-transport': 'WHIP' }, publish, 'transport-denied', /FAIL {2}red5-transport/],
    ['an old token', { exp: NOW_S - 10 }, publish, 'token-expired', /FAIL {2}exp.*10 s/],
    [
      'a role in the wrong case',
      { roles: 'Red5-Publisher' },
      publish,
      'role-denied',
      /What this looks like:\n {2}\* .*case/,
    ],
    ['milliseconds', { exp: (NOW_S + 60) * 1000 }, publish, 'token-ttl-exceeded', /\* .*milliseconds/],
  ])('says no to %s, and by how much', async (_, claims, args, code, text) => {
    const result = await why(sign(claims), args);
    expect(result.code).toBe(1);
    expect(result.out).toMatch(/^no: /);
    expect(result.out).toContain(code);
    expect(result.out).toMatch(text);
  });

  it('never prints the token', async () => {
    const token = sign({ sub: 'x' }, `other${SECRET}`);
    const io = fakeIo({ files: { 'g.yaml': configText() } });
    expect(await runWhy([token, '--config', 'g.yaml', ...publish], io)).toBe(1);
    for (const part of token.split('.')) expect(io.out() + io.err()).not.toContain(part);
  });

  it('recognises a cut-off token', async () => {
    const { code, out } = await why(sign({}).slice(0, -20), publish);
    expect(code).toBe(1);
    expect(out).toContain('What this looks like:');
  });

  it('asks about a connect with what is known then', async () => {
    expect(await why(sign({}), ['--action', 'connect', '--path', 'live'])).toMatchObject({ code: 0 });
  });

  it('follows the hooks of the config', async () => {
    const token = sign({ roles: 'red5-subscriber' });
    expect(await why(token, publish, { hooks: ['verify-token'] })).toMatchObject({ code: 0 });
    expect(await why(token, publish, { hooks: ['open'] })).toMatchObject({
      code: 0,
      out: expect.stringContaining('open') as unknown,
    });
    expect(await why(token, publish, { hooks: [] })).toMatchObject({
      code: 1,
      out: expect.stringContaining('everybody is refused') as unknown,
    });
  });

  it.each<[readonly string[], string]>([
    [['--path', 'live/cam'], 'what does it want? --action is connect, publish or subscribe'],
    [['--action', 'play', '--path', 'live/cam'], 'did you mean "subscribe"?'],
    [['--action', 'pubish', '--path', 'live/cam'], 'did you mean "publish"?'],
    [['--action', 'publish'], 'which stream? give --path'],
    [['--action', 'publish', '--path', 'live'], '--path: a stream path has the form app[/room…]/name'],
    [['--action', 'publish', '--path', 'live/../x'], '--path: '],
    [['--action', 'publish', '--path', 'live/x', '--transport', 'SRT'], '--transport is RTMP, RTSP, WHIP or WHEP'],
  ])('refuses the question %j', async (args, problem) => {
    const result = await why('x', args);
    expect(result).toMatchObject({ code: 2, out: '' });
    expect(result.err).toContain(problem);
  });

  it('asks for the token', async () => {
    const io = fakeIo();
    expect(await runWhy(['--config', 'g.yaml'], io)).toBe(2);
    expect(io.err()).toContain('which token?');
  });
});

describe('token why and revocations', () => {
  const asked = ['--action', 'publish', '--path', 'live/cam'];
  const token = jwt.sign({ exp: NOW_S + 60, jti: 't1', sub: 'sam' }, SECRET, { noTimestamp: true });
  const ask = async (args: readonly string[], list: string, auth: object = {}) => {
    const parts = { auth: { keys: [{ id: 'main', secret: { value: SECRET } }], ...auth } };
    const io = fakeIo({ files: { 'g.yaml': configText(parts), 'list.jsonl': list }, stdin: token });
    return { code: await runWhy(['-', '--config', 'g.yaml', ...asked, ...args], io), out: io.out(), err: io.err() };
  };

  it.each([
    ['{"jti": "t1"}', 'its token id is revoked'],
    ['{"sub": "sam"}', 'its subject is revoked'],
    ['{"before": 1700000000}', 'all tokens are revoked up to a later moment'],
  ])('says that %s shuts it out', async (list, detail) => {
    for (const { code, out } of [
      await ask(['--revocations', 'list.jsonl'], list),
      await ask([], list, { revocations: { file: 'list.jsonl' } }),
    ]) {
      expect(code).toBe(1);
      expect(out).toContain(`token-revoked: ${detail}`);
    }
  });

  it('says that another list does not, and that one cannot be read', async () => {
    expect((await ask(['--revocations', 'list.jsonl'], '{"jti": "t2"}')).out).toContain('it is not revoked');
    expect(await ask(['--revocations', 'list.jsonl'], 'nonsense')).toMatchObject({
      code: 2,
      err: expect.stringContaining('no JSON object (line 1)'),
    });
    expect((await ask(['--revocations', 'other.jsonl'], '')).err).toContain('other.jsonl does not exist');
  });
});
