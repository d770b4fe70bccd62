import { describe, expect, it } from '@jest/globals';
import { Secret } from '../../src/model/secret.js';
import type { Action } from '../../src/model/transport.js';
import { createQuota, type QuotaLimits } from '../../src/session/quota.js';
import { requestFor } from './door-bed.js';

const NONE: QuotaLimits = { sessionsPerToken: 0, sessionsPerSubject: 0, viewersPerStream: 0 };

const publish: Action = 'publish';

function entrant({ token = 'T', subject = 'sam', path = 'live/cam', action = publish } = {}) {
  const credential = { token: new Secret(token), carrier: 'bearer' } as const;
  return { request: requestFor('cam', { credential, action }), path, subject };
}

const leave = (answer: unknown): void => {
  if (typeof answer === 'function') (answer as () => void)();
};

describe('the quota', () => {
  it('counts nothing where no limit is set', () => {
    const quota = createQuota(() => NONE);
    for (let times = 0; times < 100; times += 1) expect(quota.enter(entrant())).toBeInstanceOf(Function);
  });

  it.each([
    ['sessionsPerToken', entrant({ subject: 'other', path: 'live/other' }), entrant({ token: 'other' })],
    ['sessionsPerSubject', entrant({ token: 'other', path: 'live/other' }), entrant({ subject: 'other' })],
    [
      'viewersPerStream',
      entrant({ token: 'other', subject: 'other', action: 'subscribe' }),
      entrant({ path: 'live/other', action: 'subscribe' }),
    ],
  ] as const)('refuses the next one beyond %s, and nobody else', (limit, same, other) => {
    const quota = createQuota(() => ({ ...NONE, [limit]: 2 }));
    const first = quota.enter(entrant({ action: limit === 'viewersPerStream' ? 'subscribe' : 'publish' }));
    expect(first).toBeInstanceOf(Function);
    expect(quota.enter(same)).toBeInstanceOf(Function);
    expect(quota.enter(same)).toMatchObject({ code: 'limit-connections' });
    expect(quota.enter(other)).toBeInstanceOf(Function);
    leave(first);
    leave(first);
    expect(quota.enter(same)).toBeInstanceOf(Function);
    expect(quota.enter(same)).toMatchObject({ code: 'limit-connections' });
  });

  it('counts no publisher among the viewers', () => {
    const quota = createQuota(() => ({ ...NONE, viewersPerStream: 1 }));
    expect(quota.enter(entrant({ action: 'subscribe' }))).toBeInstanceOf(Function);
    expect(quota.enter(entrant())).toBeInstanceOf(Function);
  });

  it('takes nothing of one limit when another one is full', () => {
    let limits: QuotaLimits = { ...NONE, sessionsPerToken: 1, sessionsPerSubject: 1 };
    const quota = createQuota(() => limits);
    quota.enter(entrant({ token: 'A', subject: 'sam' }));
    expect(quota.enter(entrant({ token: 'B', subject: 'sam' }))).toMatchObject({ code: 'limit-connections' });
    limits = { ...NONE, sessionsPerToken: 1 };
    expect(quota.enter(entrant({ token: 'B', subject: 'sam' }))).toBeInstanceOf(Function);
  });
});
