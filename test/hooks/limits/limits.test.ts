import { describe, expect, it } from '@jest/globals';
import { createLimiter, type LimitRules } from '../../../src/hooks/limits/index.js';
import { createRates } from '../../../src/hooks/limits/rates.js';
import { createFailures } from '../../../src/hooks/limits/failures.js';
import type { Decision } from '../../../src/model/decision.js';
import { REJECTIONS, reject, type RejectionCode } from '../../../src/model/rejection.js';
import { Secret } from '../../../src/model/secret.js';
import { fakeClock } from '../../fakes/clock.js';
import { makeIdentity, makeRequest } from '../requests.js';

const NONE: LimitRules = {
  ...{ allow: [], deny: [], attemptsPerAddress: 0, attemptsPerSubject: 0 },
  ...{ failuresPerToken: 0, failuresPerAddress: 0 },
};
const MINUTE_MS = 60_000;
type Asked = Parameters<typeof makeRequest>[0];

/** A guarded law that says what the test tells it to, and how often it was asked. */
function bed(rules: Partial<LimitRules>) {
  const clock = fakeClock();
  const limiter = createLimiter(clock);
  const law = { asked: 0, answer: { ok: true } as Decision };
  const decide = (): Promise<Decision> => {
    law.asked += 1;
    return Promise.resolve(law.answer);
  };
  const guard = (more: Partial<LimitRules>) => limiter.guard(decide, { ...NONE, ...more });
  let guarded = guard(rules);
  const ask = async (request: Asked = {}): Promise<string> => {
    const decision = await guarded(makeRequest(request));
    return decision.ok ? 'yes' : decision.rejection.code;
  };
  const answer = (code: RejectionCode | 'yes', subject?: string): void => {
    law.answer =
      code !== 'yes'
        ? { ok: false, rejection: reject(code, 'of the test') }
        : { ok: true, ...(subject !== undefined && { identity: makeIdentity({ subject }) }) };
  };
  const many = async (times: number, request?: Asked): Promise<string[]> => {
    const answers: string[] = [];
    for (let time = 0; time < times; time++) answers.push(await ask(request));
    return answers;
  };
  const reload = (more: Partial<LimitRules>): void => void (guarded = guard(more));
  const detail = async (request: Asked = {}): Promise<string> => {
    const decision = await guarded(makeRequest(request));
    return decision.ok ? 'yes' : decision.rejection.detail;
  };
  return { clock, law, ask, many, answer, reload, detail };
}

describe('the lists of addresses', () => {
  it.each([
    ['lets everybody in where there is none', {}, '192.0.2.1', 'yes'],
    ['lets in what is allowed', { allow: ['192.0.2.0/24'] }, '192.0.2.1', 'yes'],
    ['refuses what is not allowed', { allow: ['192.0.2.0/24'] }, '192.0.3.1', 'address-denied'],
    ['refuses what is denied', { deny: ['192.0.2.1'] }, '192.0.2.1', 'address-denied'],
    ['lets in what is not denied', { deny: ['192.0.2.1'] }, '192.0.2.2', 'yes'],
    ['denies what is allowed too', { allow: ['192.0.2.1'], deny: ['192.0.2.0/24'] }, '192.0.2.1', 'address-denied'],
    ['knows IPv4 in IPv6', { deny: ['192.0.2.0/24'] }, '::ffff:192.0.2.1', 'address-denied'],
    ['knows IPv6', { allow: ['2001:db8::/32'] }, '2001:db8:1::1', 'yes'],
    ['does not take an IPv6 list for IPv4', { allow: ['::/0'] }, '192.0.2.1', 'address-denied'],
    ['has no way around for loopback', { allow: ['192.0.2.0/24'] }, '127.0.0.1', 'address-denied'],
    ['has no way around for loopback by IPv6', { deny: ['::1'] }, '::1', 'address-denied'],
    ['refuses what is no address', { deny: ['192.0.2.1'] }, '', 'address-denied'],
  ])('%s', async (_what, rules, remoteAddress, code) => {
    const { ask, law } = bed(rules);
    expect(await ask({ remoteAddress })).toBe(code);
    expect(law.asked).toBe(code === 'yes' ? 1 : 0);
  });

  it('says which entry it was, for the log', async () => {
    const guard = createLimiter(fakeClock()).guard(() => Promise.resolve({ ok: true }), {
      ...NONE,
      deny: ['192.0.2.0/24'],
    });
    expect(await guard(makeRequest())).toMatchObject({
      rejection: { detail: '192.0.2.0/24 of limits.deny holds the address' },
    });
  });
});

describe('the rate of an address', () => {
  it('gives a minute of attempts at once and then as many a minute, without asking the law', async () => {
    const { many, law, clock } = bed({ attemptsPerAddress: 3 });
    expect(await many(5)).toEqual(['yes', 'yes', 'yes', 'limit-rate', 'limit-rate']);
    expect(law.asked).toBe(3);
    clock.advance(20_000);
    expect(await many(2)).toEqual(['yes', 'limit-rate']);
    clock.advance(10 * MINUTE_MS);
    expect(await many(4)).toEqual(['yes', 'yes', 'yes', 'limit-rate']);
  });

  it('is of each address, an IPv6 /64 as one, and not of one that many share', async () => {
    const { ask, many } = bed({ attemptsPerAddress: 1, isShared: (address) => address === '10.0.0.1' });
    const from = (remoteAddress: string): Promise<string> => ask({ remoteAddress });
    expect(await from('192.0.2.1')).toBe('yes');
    expect(await from('192.0.2.2')).toBe('yes');
    expect(await from('::ffff:192.0.2.2')).toBe('limit-rate');
    expect(await from('2001:db8::1')).toBe('yes');
    expect(await from('2001:db8::2')).toBe('limit-rate');
    expect(await many(9, { remoteAddress: '10.0.0.1' })).not.toContain('limit-rate');
  });

  it('is remembered over a new config, whose figure holds at once', async () => {
    const { many, reload } = bed({ attemptsPerAddress: 5 });
    expect(await many(4)).not.toContain('limit-rate');
    reload({ attemptsPerAddress: 2 });
    expect(await many(2)).toEqual(['yes', 'limit-rate']);
    reload({});
    expect(await many(2)).toEqual(['yes', 'yes']);
  });
});

describe('the rate of a subject', () => {
  it('counts what would be let in, from wherever it comes', async () => {
    const { ask, answer } = bed({ attemptsPerSubject: 2 });
    answer('yes', 'anna');
    expect(await ask({ remoteAddress: '192.0.2.1' })).toBe('yes');
    answer('role-denied');
    expect(await ask()).toBe('role-denied');
    answer('yes', 'anna');
    expect(await ask({ remoteAddress: '192.0.2.2' })).toBe('yes');
    expect(await ask({ remoteAddress: '192.0.2.3' })).toBe('limit-rate');
    answer('yes', 'bert');
    expect(await ask()).toBe('yes');
    answer('yes');
    expect(await ask()).toBe('yes');
  });
});

describe('failures of one token', () => {
  it('make it wait from the sixth try on, without asking the law', async () => {
    const { many, answer, law } = bed({ failuresPerToken: 5 });
    answer('token-signature');
    expect(await many(8, { token: 'bad' })).toEqual([
      ...Array<string>(5).fill('token-signature'),
      ...Array<string>(3).fill('limit-rate'),
    ]);
    expect(law.asked).toBe(5);
  });

  it('are told with what failed before, so that the log is no riddle', async () => {
    const { many, answer, detail } = bed({ failuresPerToken: 5, failuresPerAddress: 7 });
    answer('token-expired');
    await many(5, { token: 'bad' });
    expect(await detail({ token: 'bad' })).toContain('last with token-expired');
    answer('token-signature');
    await many(2, { token: 'worse' });
    expect(await detail({ token: 'third' })).toMatch(/^the address has failed 7 times, last with token-signature/);
  });

  it('hold up neither another token nor another address', async () => {
    const { ask, many, answer } = bed({ failuresPerToken: 5 });
    answer('token-signature');
    await many(6, { token: 'bad' });
    expect(await ask({ token: 'other' })).toBe('token-signature');
    expect(await ask({ token: 'bad', remoteAddress: '192.0.2.9' })).toBe('token-signature');
    expect(await ask()).toBe('token-signature');
    answer('yes');
    expect(await ask({ token: 'good' })).toBe('yes');
  });

  it('let it be judged once a minute, so that what was mended is found out', async () => {
    const { ask, many, answer, clock } = bed({ failuresPerToken: 5 });
    answer('token-revoked');
    await many(6, { token: 'bad' });
    clock.advance(MINUTE_MS);
    expect(await many(2, { token: 'bad' })).toEqual(['token-revoked', 'limit-rate']);
    answer('yes');
    clock.advance(MINUTE_MS - 1);
    expect(await ask({ token: 'bad' })).toBe('limit-rate');
    clock.advance(1);
    expect(await many(9, { token: 'bad' })).toEqual(Array<string>(9).fill('yes'));
  });

  it('are forgotten ten minutes after the last', async () => {
    const { many, answer, clock } = bed({ failuresPerToken: 5 });
    answer('token-expired');
    await many(6, { token: 'bad' });
    clock.advance(10 * MINUTE_MS);
    expect(await many(6, { token: 'bad' })).toEqual([...Array<string>(5).fill('token-expired'), 'limit-rate']);
  });

  it.each(
    (Object.keys(REJECTIONS) as RejectionCode[]).map((code) => [
      code,
      REJECTIONS[code].kind === 'unauthenticated' && code !== 'token-missing' && code !== 'token-not-yet-valid',
    ]),
  )('%s counts as one: %s', async (code, counts) => {
    const { ask, many, answer } = bed({ failuresPerToken: 5, failuresPerAddress: 5 });
    answer(code as RejectionCode);
    await many(5, { token: 'bad' });
    answer('yes');
    expect(await ask({ token: 'bad' })).toBe(counts === true ? 'limit-rate' : 'yes');
  });

  it('count each login by itself, with a token or without', async () => {
    const { ask, answer } = bed({ failuresPerToken: 1 });
    const login = (username: string, word: string): Promise<string> =>
      ask({ account: { username, password: new Secret(word) } });
    answer('token-signature');
    expect(await login('anna', 'a')).toBe('token-signature');
    expect(await login('anna', 'a')).toBe('limit-rate');
    expect(await login('anna', 'b')).toBe('token-signature');
    expect(await login('bert', 'a')).toBe('token-signature');
    expect(await ask({ token: 'a' })).toBe('token-signature');
  });
});

describe('failures of an address', () => {
  it('make it wait whatever it shows, and a yes makes them forgotten', async () => {
    const { ask, many, answer, clock } = bed({ failuresPerAddress: 3 });
    answer('token-signature');
    for (const token of ['a', 'b', 'c']) expect(await ask({ token })).toBe('token-signature');
    answer('yes');
    expect(await ask({ token: 'good' })).toBe('limit-rate');
    expect(await ask({ token: 'good', remoteAddress: '192.0.2.9' })).toBe('yes');
    clock.advance(MINUTE_MS);
    expect(await many(3, { token: 'good' })).toEqual(['yes', 'yes', 'yes']);
  });

  it('hold up a token no longer than its own minute', async () => {
    const { ask, answer, clock } = bed({ failuresPerAddress: 1, failuresPerToken: 1 });
    answer('token-signature');
    expect(await ask({ token: 'bad' })).toBe('token-signature');
    clock.advance(MINUTE_MS / 2);
    expect(await ask({ token: 'bad' })).toBe('limit-rate');
    clock.advance(MINUTE_MS / 2);
    answer('yes');
    expect(await ask({ token: 'bad' })).toBe('yes');
  });

  it('are neither forgotten nor judged by what shows nothing, as a connect whose token comes with the stream', async () => {
    const { ask, answer, clock } = bed({ failuresPerAddress: 2 });
    for (const token of ['a', 'b']) {
      answer('yes');
      expect(await ask({ action: 'connect' })).toBe('yes');
      answer('token-signature');
      expect(await ask({ token })).toBe('token-signature');
    }
    clock.advance(MINUTE_MS);
    answer('token-missing');
    expect(await ask()).toBe('token-missing');
    answer('token-signature');
    expect(await ask({ token: 'c' })).toBe('token-signature');
    answer('yes');
    expect(await ask({ action: 'connect' })).toBe('yes');
    expect(await ask({ token: 'd' })).toBe('limit-rate');
  });

  it('are not counted for an address that many share', async () => {
    const { ask, many, answer } = bed({ failuresPerAddress: 3, isShared: () => true });
    answer('token-signature');
    await many(9, { token: 'bad' });
    answer('yes');
    expect(await ask({ token: 'good' })).toBe('yes');
  });
});

describe('what is remembered', () => {
  it('is of the latest only', () => {
    const clock = fakeClock();
    const rates = createRates(clock, 2);
    expect(['a', 'b', 'c', 'c', 'b', 'a'].map((key) => rates.take(key, 1))).toEqual([
      true,
      true,
      true,
      false,
      false,
      true,
    ]);
    const failures = createFailures(clock, 2);
    for (const key of ['a', 'b', 'c']) failures.failed(key, 'token-expired');
    expect(['a', 'b', 'c'].map((key) => failures.waitsFor(key, 1))).toEqual([
      undefined,
      'token-expired',
      'token-expired',
    ]);
  });

  it('holds nobody up when the clock is set back', () => {
    let nowMs = 10 * MINUTE_MS;
    const clock = { now: () => nowMs };
    const rates = createRates(clock, 9);
    const failures = createFailures(clock, 9);
    expect([rates.take('a', 1), rates.take('a', 1)]).toEqual([true, false]);
    failures.failed('a', 'token-expired');
    expect(failures.waitsFor('a', 1)).toBe('token-expired');
    nowMs = 0;
    expect(rates.take('a', 1)).toBe(false);
    expect(failures.waitsFor('a', 1)).toBeUndefined();
    nowMs = MINUTE_MS;
    expect(rates.take('a', 1)).toBe(true);
  });
});
