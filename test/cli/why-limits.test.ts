import { describe, expect, it } from '@jest/globals';
import jwt from 'jsonwebtoken';
import { runWhy } from '../../src/cli/token-why.js';
import { configText, fakeIo } from './fake-io.js';

const NOW_S = 1_700_000_000;
const SECRET = 'a secret of the tests, long enough for HS256';

async function why(limits: object, args: readonly string[] = [], secret = SECRET) {
  const auth = { keys: [{ id: 'main', secret: { value: SECRET } }] };
  const io = fakeIo({ files: { 'g.yaml': configText({ auth, limits }) } });
  const token = jwt.sign({ exp: NOW_S + 300 }, secret, { algorithm: 'HS256' });
  const code = await runWhy([token, '--config', 'g.yaml', '--action', 'publish', '--path', 'live/cam', ...args], io);
  return { code, out: io.out(), err: io.err() };
}

describe('token why, where addresses are limited', () => {
  const lists = { allow: ['192.0.2.0/24'], deny: ['192.0.2.9'] };

  it.each([
    ['192.0.2.1', 0, /^yes: /],
    ['192.0.2.9', 1, /^no: from 192\.0\.2\.9\n {4}address-denied: 192\.0\.2\.9 of limits\.deny holds the address\n/],
    ['2001:db8::1', 1, /^no: from 2001:db8::1\n {4}address-denied: no network of limits\.allow holds the address\n/],
  ])('tells what becomes of %s', async (address, code, words) => {
    expect(await why(lists, ['--address', address])).toMatchObject({ code, out: expect.stringMatching(words) });
  });

  it('says that the address was not asked about when none was given', async () => {
    const { code, out } = await why(lists);
    expect(code).toBe(0);
    expect(out).toContain(
      'Not asked here: whether the address may come in (limits.allow, limits.deny); --address IP does',
    );
    expect((await why({})).out).not.toContain('Not asked');
  });

  it('wants an address', async () => {
    const { code, err } = await why(lists, ['--address', 'localhost']);
    expect(code).toBe(2);
    expect(err).toContain('--address is an IPv4 or IPv6 address');
  });
});

describe('token why, where attempts are limited', () => {
  it('says that only the gateway counts them', async () => {
    const { out } = await why({ attemptsPerAddress: 60, attemptsPerSubject: 6 });
    expect(out).toContain(
      'Not asked here: limit-rate, since only the gateway counts attempts (limits.attemptsPerAddress, limits.attemptsPerSubject)',
    );
  });

  it('says what becomes of a bad token that comes again and again', async () => {
    const words = 'After 5 tries from one address the gateway says limit-rate, and judges it once a minute';
    expect((await why({}, [], 'another secret of the tests, as long as that')).out).toContain(words);
    expect((await why({})).out).not.toContain('limit-rate');
    expect((await why({ failuresPerToken: 0 }, [], 'another secret of the tests, as long as that')).out).not.toContain(
      'limit-rate',
    );
  });
});
