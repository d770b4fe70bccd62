import { describe, expect, it, jest } from '@jest/globals';
import { createPipeline } from '../../src/hooks/pipeline.js';
import type { Decision } from '../../src/model/decision.js';
import type { Hook } from '../../src/model/hook.js';
import { reject, type RejectionCode } from '../../src/model/rejection.js';
import { fakeClock } from '../fakes/clock.js';
import { makeIdentity, makeRequest } from './requests.js';

const ALL = ['connect', 'publish', 'subscribe'] as const;

/** A hook that gives any answer at all; user modules are not held back by types. */
function hook(decide: (...args: Parameters<Hook['decide']>) => unknown, changed: Partial<Hook> = {}): Hook {
  return { name: 'test', actions: ALL, decide: decide as Hook['decide'], ...changed };
}

function no(code: RejectionCode): Decision {
  return { ok: false, rejection: reject(code, 'because') };
}

function run(hooks: readonly Hook[], onHookError?: (failed: Hook, error: unknown) => void) {
  const clock = fakeClock();
  const decide = createPipeline(hooks, { clock, hookTimeoutMs: 100, ...(onHookError && { onHookError }) });
  return { clock, decide };
}

function codeOf(decision: Decision): string {
  return decision.ok ? 'ok' : decision.rejection.code;
}

describe('createPipeline', () => {
  it('refuses when the list is empty, and says that an open gateway must be written down', async () => {
    const decision = await run([]).decide(makeRequest());
    expect(decision).toMatchObject({ ok: false, rejection: { code: 'hook-denied' } });
    expect(!decision.ok && decision.rejection.detail).toContain('open gateway must be written in the config');
  });

  it('lets a connect pass that nobody wants to judge, since it opens nothing', async () => {
    const hook: Hook = { name: 'streams', actions: ['publish'], decide: () => no('hook-denied') };
    const pipeline = createPipeline([hook], { clock: fakeClock(), hookTimeoutMs: 1000 });
    expect(await pipeline(makeRequest({ action: 'connect' }))).toEqual({ ok: true });
    expect(await pipeline(makeRequest({ action: 'publish' }))).toMatchObject({ ok: false });
    expect(await pipeline(makeRequest({ action: 'subscribe' }))).toMatchObject({ ok: false });
    const empty = createPipeline([], { clock: fakeClock(), hookTimeoutMs: 1000 });
    expect(await empty(makeRequest({ action: 'connect' }))).toMatchObject({ ok: false });
  });

  it('refuses when no hook wants the action', async () => {
    const { decide } = run([hook(() => ({ ok: true }), { actions: ['publish'] })]);
    expect(codeOf(await decide(makeRequest({ action: 'subscribe' })))).toBe('hook-denied');
    expect(codeOf(await decide(makeRequest({ action: 'publish' })))).toBe('ok');
  });

  it('asks in order, skips hooks that do not want the action, and stops at the first no', async () => {
    const asked: string[] = [];
    const note = (name: string, answer: Decision, actions: Hook['actions'] = ALL): Hook =>
      hook(() => (asked.push(name), answer), { name, actions });
    const { decide } = run([
      note('a', { ok: true }),
      note('not asked', no('role-denied'), ['connect']),
      note('b', no('room-denied')),
      note('c', no('role-denied')),
    ]);
    expect(codeOf(await decide(makeRequest()))).toBe('room-denied');
    expect(asked).toEqual(['a', 'b']);
  });

  it('passes the identity of a yes on to the hooks behind and out', async () => {
    const identity = makeIdentity({ subject: 'zoe' });
    const seen: unknown[] = [];
    const watch = hook((_request, given) => (seen.push(given), { ok: true }));
    const { decide } = run([
      watch,
      hook(() => ({ ok: true, identity })),
      watch,
      hook(() => Promise.resolve({ ok: true })),
      watch,
    ]);
    expect(await decide(makeRequest())).toEqual({ ok: true, identity });
    expect(seen).toEqual([undefined, identity, identity]);
  });

  it('says yes without identity when no hook gave one', async () => {
    expect(await run([hook(() => ({ ok: true }))]).decide(makeRequest())).toEqual({ ok: true });
  });

  it('lets a later hook narrow the identity, never widen it', async () => {
    const first = makeIdentity({
      subject: 'zoe',
      expiresAtS: 100,
      roles: new Set(['red5-publisher'] as const),
      rooms: new Set(['a', 'b']),
    });
    const second = makeIdentity({
      subject: 'zoe@example',
      expiresAtS: 200,
      roles: new Set(['red5-publisher', 'red5-subscriber'] as const),
      transports: new Set(['RTMP'] as const),
    });
    const { decide } = run([hook(() => ({ ok: true, identity: first })), hook(() => ({ ok: true, identity: second }))]);
    expect(await decide(makeRequest())).toEqual({
      ok: true,
      identity: {
        subject: 'zoe@example',
        expiresAtS: 100,
        roles: new Set(['red5-publisher']),
        transports: new Set(['RTMP']),
        rooms: new Set(['a', 'b']),
      },
    });
  });

  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['null', null],
    ['true', true],
    ['a text', 'ok'],
    ['an empty object', {}],
    ['ok that only looks true', { ok: 1 }],
    ['ok as text', { ok: 'true' }],
    ['a no without rejection', { ok: false }],
    ['a no with null', { ok: false, rejection: null }],
    ['a no with an unknown code', { ok: false, rejection: { code: 'nope', detail: '' } }],
    ['a no with a code of Object.prototype', { ok: false, rejection: { code: 'toString', detail: '' } }],
    ['a no with a numeric code', { ok: false, rejection: { code: 1, detail: '' } }],
    ['a no without detail', { ok: false, rejection: { code: 'role-denied' } }],
    ['a yes with null as identity', { ok: true, identity: null }],
    ['a yes with a text as identity', { ok: true, identity: 'zoe' }],
    ['a yes with an identity that never expires by type', { ok: true, identity: { expiresAtS: '1' } }],
    ['a yes with an identity that expires never', { ok: true, identity: { expiresAtS: Number.NaN } }],
    ['a function', () => ({ ok: true })],
  ])('takes %s for a no', async (_what, answer) => {
    const failures: unknown[] = [];
    const onHookError = (failed: Hook, error: unknown): void => void failures.push([failed.name, error]);
    expect(codeOf(await run([hook(() => answer)], onHookError).decide(makeRequest()))).toBe('hook-failed');
    expect(codeOf(await run([hook(() => Promise.resolve(answer))], onHookError).decide(makeRequest()))).toBe(
      'hook-failed',
    );
    expect(failures).toEqual(Array(2).fill(['test', new TypeError('not a Decision')]));
  });

  it('takes the kind of a no from the table, not from the hook', async () => {
    const lie = { ok: false, rejection: { code: 'role-denied', kind: 'unavailable', detail: 'x' } };
    expect(await run([hook(() => lie)]).decide(makeRequest())).toEqual({
      ok: false,
      rejection: { code: 'role-denied', kind: 'forbidden', detail: 'x' },
    });
  });

  it.each<[string, (error: Error) => unknown]>([
    [
      'throws',
      (error) => {
        throw error;
      },
    ],
    ['rejects', (error) => Promise.reject(error)],
    [
      'gives an answer that throws when read',
      (error) =>
        Object.defineProperty({}, 'ok', {
          get: () => {
            throw error;
          },
        }),
    ],
    [
      'gives a thenable that throws',
      (error) => ({
        then: () => {
          throw error;
        },
      }),
    ],
  ])('takes a hook that %s for a no, without its words', async (_what, decide) => {
    const error = new Error('canary');
    const onHookError = jest.fn();
    const failing = hook(() => decide(error));
    const decision = await run([failing, hook(() => ({ ok: true }))], onHookError).decide(makeRequest());
    expect(decision).toEqual({ ok: false, rejection: reject('hook-failed', 'hook test threw') });
    expect(onHookError).toHaveBeenCalledWith(failing, error);
  });

  it('takes a late answer for a no, aborts the hook and sets no timer that stays', async () => {
    let signal: AbortSignal | undefined;
    const onHookError = jest.fn();
    const { clock, decide } = run(
      [hook((_request, _identity, given) => ((signal = given), new Promise(() => undefined)))],
      onHookError,
    );
    const pending = decide(makeRequest());
    clock.advance(99);
    expect(signal?.aborted).toBe(false);
    clock.advance(1);
    expect(await pending).toEqual({
      ok: false,
      rejection: reject('hook-failed', 'hook test missed its deadline of 100 ms'),
    });
    expect(signal?.aborted).toBe(true);
    expect(onHookError).toHaveBeenCalledTimes(1);
    expect(clock.pending).toBe(0);
  });

  it('does not mind what a late hook does afterwards', async () => {
    let fail = (): void => undefined;
    const { clock, decide } = run([
      hook(() => new Promise((_resolve, refuse) => (fail = () => refuse(new Error('too late'))))),
    ]);
    const pending = decide(makeRequest());
    clock.advance(100);
    expect(codeOf(await pending)).toBe('hook-failed');
    fail();
    await new Promise((resolve) => setImmediate(resolve));
  });

  it('takes an answer in time, gives each hook its own deadline, and leaves no timer', async () => {
    let answers: (() => void)[] = [];
    const slow = (): Promise<Decision> =>
      new Promise((resolve) => (answers = [...answers, () => resolve({ ok: true })]));
    const { clock, decide } = run([hook(slow), hook(slow)]);
    const pending = decide(makeRequest());
    for (let turn = 0; turn < 2; turn += 1) {
      clock.advance(80);
      answers[turn]?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(codeOf(await pending)).toBe('ok');
    expect(clock.pending).toBe(0);
  });

  it.each<[string, () => unknown]>([
    ['at once', () => ({ ok: true })],
    ['by a promise that fails', () => Promise.reject(new Error('x'))],
  ])('takes a hook that blocked beyond its deadline and answers %s for a no', async (_what, answer) => {
    const clock = fakeClock();
    const blocking = hook(() => (clock.jump(101), answer()));
    const pending = createPipeline([blocking], { clock, hookTimeoutMs: 100 })(makeRequest());
    expect(codeOf(await pending)).toBe('hook-failed');
  });

  it('is not moved by a wall clock that jumps while a hook thinks', async () => {
    let answer = (): void => undefined;
    const { clock, decide } = run([hook(() => new Promise((resolve) => (answer = () => resolve({ ok: true }))))]);
    const pending = decide(makeRequest());
    clock.jump(3_600_000);
    answer();
    expect(codeOf(await pending)).toBe('ok');
  });

  it('does not let a clock set back lengthen a deadline', async () => {
    const clock = fakeClock();
    const stuck = hook(() => (clock.jump(-3_600_000), new Promise(() => undefined)));
    const pending = createPipeline([stuck], { clock, hookTimeoutMs: 100 })(makeRequest());
    clock.advance(100);
    expect(codeOf(await pending)).toBe('hook-failed');
  });

  it('does not let who listens veto or break', async () => {
    const broken = (): never => {
      throw new Error('listener');
    };
    expect(codeOf(await run([hook(() => undefined)], broken).decide(makeRequest()))).toBe('hook-failed');
  });

  it('keeps the list it was given', async () => {
    const hooks = [hook(() => no('role-denied'))];
    const { decide } = run(hooks);
    hooks.length = 0;
    expect(codeOf(await decide(makeRequest()))).toBe('role-denied');
  });
});
