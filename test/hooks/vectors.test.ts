import { describe, expect, it } from '@jest/globals';
import { createHooks, DEFAULT_HOOKS } from '../../src/hooks/index.js';
import { createPipeline } from '../../src/hooks/pipeline.js';
import { explainToken } from '../../src/hooks/verify-token/explain.js';
import type { Decide } from '../../src/model/hook.js';
import { TRANSPORT_NAMES } from '../../src/model/transport.js';
import { fakeClock } from '../fakes/clock.js';
import { conformanceFor } from '../vectors/conformance.js';
import { vectorMaterial, withClaims } from '../vectors/forge.js';
import { actionFor, TOKEN_VECTORS, travelsEverywhere } from '../vectors/tokens.js';
import { NOW_S, vectorPolicy } from './policy.js';
import { makeRequest } from './requests.js';

const clock = fakeClock(NOW_S * 1000);
const policies = { red5: vectorPolicy('red5'), strict: vectorPolicy('strict') } as const;
const decide = (profile: 'red5' | 'strict'): Decide =>
  createPipeline(
    createHooks(
      DEFAULT_HOOKS.map((name) => ({ name })),
      { policy: policies[profile], clock },
    ),
    { clock, hookTimeoutMs: 1000 },
  );
const pipelines = { red5: decide('red5'), strict: decide('strict') } as const;

describe.each(TRANSPORT_NAMES)('the token vectors over %s', (transport) => {
  const context = { nowS: NOW_S, transport, material: vectorMaterial() };
  const askable = TOKEN_VECTORS.flatMap((vector) => {
    const action = actionFor(vector, transport);
    return action === undefined ? [] : [{ ...vector, action }];
  });

  it.each(askable)('$expect: $name', async ({ build, expect: expected, question, action, profile = 'red5' }) => {
    const token = build(context);
    const target = { app: 'live', room: question.room, name: 'cam' };
    const decision = await pipelines[profile](makeRequest({ token, transport, action, target }));
    expect(decision.ok ? 'ok' : decision.rejection.code).toBe(expected);

    const explained = explainToken(token, { transport, action, target }, policies[profile], NOW_S * 1000);
    expect(explained.code ?? 'ok').toBe(expected);
    expect(explained.ok).toBe(expected === 'ok');
    // The first rung that broke is the verdict, so the ladder can be believed.
    const broken = explained.steps.find((step) => step.outcome === 'failed');
    expect(broken === undefined ? 'ok' : broken.code).toBe(expected);
    const told = JSON.stringify([decision, explained]);
    for (const part of token.split('.')) if (part.length > 20) expect(told).not.toContain(part);
  });

  it.each(['red5', 'strict'] as const)('answers the whole conformance table of profile %s', async (profile) => {
    for (const { name, claims, action, room, expect: expected } of conformanceFor(transport, profile)) {
      const target = { app: 'live', room, name: 'cam' };
      const token = withClaims(context, claims);
      const decision = await pipelines[profile](makeRequest({ token, transport, action, target }));
      expect([name, decision.ok ? 'ok' : decision.rejection.code]).toEqual([name, expected]);
    }
  });
});

describe('the list of token vectors', () => {
  it('has at least 300 refused tokens, each with a name of its own and a reason', () => {
    expect(TOKEN_VECTORS.filter(({ expect: expected }) => expected !== 'ok').length).toBeGreaterThanOrEqual(300);
    expect(new Set(TOKEN_VECTORS.map(({ name }) => name)).size).toBe(TOKEN_VECTORS.length);
    expect(TOKEN_VECTORS.filter(({ why }) => why === '')).toEqual([]);
  });

  it('mostly travels in any carrier', () => {
    const context = { nowS: NOW_S, transport: 'RTMP', material: vectorMaterial() } as const;
    const everywhere = TOKEN_VECTORS.filter(({ build }) => travelsEverywhere(build(context)));
    expect(everywhere.length).toBeGreaterThanOrEqual(250);
  });
});
