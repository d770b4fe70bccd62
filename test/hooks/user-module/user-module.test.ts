import { describe, expect, it } from '@jest/globals';
import { createPipeline } from '../../../src/hooks/pipeline.js';
import { readUserModule, type UserModuleOptions } from '../../../src/hooks/user-module/index.js';
import type { Decision } from '../../../src/model/decision.js';
import type { Hook } from '../../../src/model/hook.js';
import type { Identity } from '../../../src/model/identity.js';
import type { ConnectionRequest } from '../../../src/model/request.js';
import { fakeClock } from '../../fakes/clock.js';
import { makeIdentity, makeRequest } from '../requests.js';

const never = new AbortController().signal;
const given = (more: Partial<UserModuleOptions> = {}): UserModuleOptions => ({
  ...{ id: 'mine', options: {}, tools: { now: () => 1_000_000, log: () => undefined } },
  ...more,
});
const decide = (): unknown => ({ allow: true });

async function hookOf(exported: unknown, more: Partial<UserModuleOptions> = {}): Promise<Hook> {
  const read = await readUserModule(exported, given(more));
  if (!read.ok) throw new Error(read.problem);
  return read.hook;
}

/** The verdict of a module through the whole pipeline, as the gateway has it. */
async function verdictOf(answer: () => unknown, identity?: Identity): Promise<Decision> {
  const before: Hook = {
    ...{ name: 'before', actions: ['publish'] },
    decide: () => ({ ok: true, ...(identity && { identity }) }),
  };
  const hook = await hookOf({ decide: answer });
  return createPipeline([before, hook], { clock: fakeClock(1_000_000), hookTimeoutMs: 1000 })(makeRequest());
}

describe('a module of the operator', () => {
  it.each<[string, unknown]>([
    ['decide by name', { decide }],
    ['an object by default', { default: { decide } }],
    ['a function by default, which makes it', { default: () => ({ decide }) }],
    ['createHook by name', { createHook: () => ({ decide }) }],
    ['createHook in the default', { default: { createHook: () => Promise.resolve({ decide }) } }],
    [
      'an instance of a class',
      {
        default: new (class {
          readonly answer = { allow: true };
          decide(): unknown {
            return this.answer;
          }
        })(),
      },
    ],
  ])('may export %s', async (_, exported) => {
    const hook = await hookOf(exported);
    expect(hook.name).toBe('mine');
    expect(hook.actions).toEqual(['connect', 'publish', 'subscribe']);
    expect(await hook.decide(makeRequest(), undefined, never)).toEqual({ ok: true });
  });

  it.each<[string, unknown, RegExp]>([
    ['nothing', undefined, /exports nothing/],
    ['a text', 'hook', /exports nothing/],
    ['no decide', {}, /has no decide/],
    ['a decide that is none', { decide: true }, /has no decide/],
    ['a createHook that is none', { createHook: {} }, /no function/],
    ['a createHook that makes nothing', { createHook: () => undefined }, /has no decide/],
    [
      'a createHook that throws',
      {
        createHook: () => {
          throw new Error('from is missing');
        },
      },
      /has a createHook that threw: from is missing/,
    ],
    ['a createHook that rejects', { createHook: () => Promise.reject(new Error('no database')) }, /no database/],
    ['no action', { decide, actions: [] }, /has actions that/],
    ['an action there is not', { decide, actions: ['play'] }, /has actions that/],
    ['an onEnd that is none', { decide, onEnd: 1 }, /has an onEnd/],
  ])('with %s is none', async (_, exported, expected) => {
    expect(await readUserModule(exported, given())).toEqual({ ok: false, problem: expect.stringMatching(expected) });
  });

  it('is given its options, and asked what it or the config names', async () => {
    const seen: unknown[] = [];
    const createHook = (options: unknown) => {
      seen.push(options);
      return { decide, actions: ['publish'] };
    };
    expect((await hookOf({ createHook }, { options: { from: 9 } })).actions).toEqual(['publish']);
    expect((await hookOf({ createHook }, { actions: ['connect'] })).actions).toEqual(['connect']);
    expect(seen).toEqual([{ from: 9 }, {}]);
  });

  it('is told when a stream is over', async () => {
    const told: string[] = [];
    const hook = await hookOf({ decide, onEnd: (...args: readonly unknown[]) => void told.push(String(args[2])) });
    await hook.onEnd?.(makeRequest(), undefined, 'kicked');
    expect(told).toEqual(['kicked']);
    expect('onEnd' in (await hookOf({ decide }))).toBe(false);
  });

  it.each<[string, unknown, string]>([
    ['no', { allow: false }, 'hook-denied'],
    ['no, with a code', { allow: false, code: 'limit-rate' }, 'limit-rate'],
    ['no, with a code of nobody', { allow: false, code: 'toString' }, 'hook-denied'],
    ['true', true, 'hook-failed'],
    ['nothing', undefined, 'hook-failed'],
    ['allow: 1', { allow: 1 }, 'hook-failed'],
    ['a Decision', { ok: true }, 'hook-failed'],
    ['limits of nobody', { allow: true, limits: { speed: 1 } }, 'hook-failed'],
    ['limits that leave the room out', { allow: true, limits: { rooms: ['other'] } }, 'room-denied'],
    ['limits that have passed', { allow: true, limits: { expiresAtS: 999 } }, 'hook-denied'],
  ])('that says %s lets nobody in', async (_, answer, code) => {
    expect(await verdictOf(() => answer)).toMatchObject({ ok: false, rejection: { code } });
    expect(await verdictOf(() => Promise.resolve(answer))).toMatchObject({ ok: false, rejection: { code } });
  });

  it('that throws or rejects lets nobody in', async () => {
    const failed = { ok: false, rejection: { code: 'hook-failed' } };
    const thrower = (): never => {
      throw new Error('x');
    };
    expect(await verdictOf(thrower)).toMatchObject(failed);
    expect(await verdictOf(() => Promise.reject(new Error('x')))).toMatchObject(failed);
  });

  it('can take away, and never give', async () => {
    const identity = makeIdentity({
      ...{ subject: 'anna', issuer: 'i', tokenId: 't', expiresAtS: 5000 },
      ...{
        rooms: new Set(['room1']),
        roles: new Set(['red5-publisher' as const]),
        transports: new Set(['RTMP' as const]),
      },
    });
    const wide = {
      rooms: ['room1', 'room2'],
      roles: ['red5-publisher', 'red5-subscriber'],
      transports: ['RTMP', 'WHIP'],
    };
    const answer = {
      allow: true,
      limits: { ...wide, expiresAtS: 9000 },
      identity: { subject: 'root' },
      subject: 'root',
    };
    expect(await verdictOf(() => answer, identity)).toEqual({ ok: true, identity });
    const narrow = { allow: true, limits: { expiresAtS: 4000, roles: new Set(['red5-publisher']) } };
    expect(await verdictOf(() => narrow, identity)).toEqual({ ok: true, identity: { ...identity, expiresAtS: 4000 } });
  });

  it('cannot change the request or the identity that others see', async () => {
    const roles = new Set(['red5-subscriber' as const]);
    const seen: [ConnectionRequest, Identity | undefined][] = [];
    const meddler = await hookOf({
      decide: (request: { target: { app: string } }, identity: { subject: string; roles: Set<string> }) => {
        request.target.app = 'admin';
        identity.subject = 'root';
        identity.roles.add('red5-publisher');
        return { allow: true };
      },
    });
    const first: Hook = {
      ...meddler,
      decide: () => ({ ok: true, identity: makeIdentity({ subject: 'anna', roles }) }),
    };
    const last: Hook = {
      ...meddler,
      decide: (request, identity) => {
        seen.push([request, identity]);
        return { ok: true };
      },
    };
    const pipeline = createPipeline([first, meddler, last], { clock: fakeClock(), hookTimeoutMs: 1000 });
    expect(await pipeline(makeRequest())).toMatchObject({ ok: true });
    expect(seen).toEqual([[makeRequest(), makeIdentity({ subject: 'anna', roles: new Set(['red5-subscriber']) })]]);
  });
});
