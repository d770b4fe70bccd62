import { describe, expect, it } from '@jest/globals';
import { createHooks, DEFAULT_HOOKS, findHookFaults, HOOK_NAMES, type HookName } from '../../src/hooks/index.js';
import { fakeClock } from '../fakes/clock.js';
import { makePolicy } from './policy.js';
import { makeRequest } from './requests.js';

const deps = { policy: makePolicy(), clock: fakeClock() };

describe('createHooks', () => {
  it('builds every hook by its own name, in the order of the config', () => {
    const names = [...HOOK_NAMES].reverse();
    const hooks = createHooks(
      names.map((name) => ({ name })),
      deps,
    );
    expect(hooks.map((hook) => hook.name)).toEqual(names);
  });

  it('makes the hook open say yes to everything', () => {
    const [hook] = createHooks([{ name: 'open' }], deps);
    for (const action of ['connect', 'publish', 'subscribe'] as const) {
      expect(hook?.actions).toContain(action);
      expect(hook?.decide(makeRequest({ action }), undefined, new AbortController().signal)).toEqual({ ok: true });
    }
  });
});

describe('findHookFaults', () => {
  it.each<[readonly HookName[], readonly [index: number, words: string][]]>([
    [[], []],
    [['open'], []],
    [['verify-token'], []],
    [DEFAULT_HOOKS, []],
    [['verify-token', 'require-room', 'require-role'], []],
    [['verify-token', 'verify-token'], [[1, 'twice']]],
    [['open', 'verify-token'], [[0, 'alone']]],
    [['require-role'], [[0, 'verify-token must come before']]],
    [['require-role', 'verify-token', 'require-room'], [[0, 'verify-token must come before']]],
  ])('of %j are %j', (names, expected) => {
    const faults = findHookFaults(names);
    expect(faults.map(({ index }) => index)).toEqual(expected.map(([index]) => index));
    expected.forEach(([, words], at) => expect(faults[at]?.message).toContain(words));
  });
});
