import { describe, expect, it } from '@jest/globals';
import { Secret } from '../../../src/model/secret.js';
import type { LogEvent, LogFields } from '../../../src/model/telemetry.js';
import { createSpanMaker, type SpanRecord } from '../../../src/telemetry/traces/spans.js';

const NOW = 1_795_600_000_000;
const TOKEN = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJl';

function maker(ratio = 1) {
  const spans: SpanRecord[] = [];
  const made = createSpanMaker({ ratio, now: () => NOW, onSpan: (span) => spans.push(span) });
  const hear = (event: LogEvent, fields: LogFields) =>
    made.hear(event, { session: 's1', transport: 'RTMP', action: 'publish', path: 'live/cam', ...fields });
  return { spans, hear, made, named: (name: string) => spans.find((span) => span.name === name) };
}

describe('the spans of a session', () => {
  it('are one for the way in, with the decision, hooks and origins below it, and one for the stream', () => {
    const { spans, hear, named } = maker();
    hear('hook.asked', { hook: 'verify-token', outcome: 'yes', ms: 2 });
    hear('decision', { outcome: 'yes', ms: 3, address: '192.0.2.1', subject: 'cam-7' });
    hear('origin.dialled', { origin: 'a', outcome: 'no', code: 'origin-unavailable', detail: 'gone', ms: 10 });
    hear('origin.dialled', { origin: 'b', outcome: 'yes', ms: 5 });
    hear('session.start', { subject: 'cam-7', origin: 'b', setupMs: 20 });
    hear('session.end', { origin: 'b', reason: 'client-closed', durationMs: 60_000, clientBytes: 7, originBytes: 1 });
    expect(spans.map(({ name, kind }) => `${name} ${kind}`)).toEqual([
      'hook verify-token internal',
      'decide internal',
      'dial a client',
      'dial b client',
      'publish server',
      'relay internal',
    ]);
    const root = named('publish');
    expect(root).toMatchObject({ parentId: undefined, startMs: NOW - 20, endMs: NOW, failure: undefined });
    expect(root?.attributes).toEqual({
      'portcullis.session': 's1',
      'portcullis.transport': 'RTMP',
      'portcullis.action': 'publish',
      'portcullis.path': 'live/cam',
      'portcullis.outcome': 'yes',
      'portcullis.origin': 'b',
      'client.address': '192.0.2.1',
      'enduser.id': 'cam-7',
    });
    const others = spans.filter(({ name }) => name !== 'publish');
    expect(new Set(others.map(({ parentId }) => parentId))).toEqual(new Set([root?.spanId]));
    expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
    expect(named('dial a')?.failure).toBe('the origin is not available');
    expect(named('relay')).toMatchObject({ startMs: NOW - 60_000, attributes: { 'portcullis.clientBytes': 7 } });
  });

  it('have ids as W3C wants them, other ones for each action of a connection', () => {
    const { spans, hear } = maker();
    hear('decision', { action: 'connect', outcome: 'yes', ms: 1 });
    hear('decision', { outcome: 'no', code: 'role-denied', ms: 1 });
    for (const { traceId, spanId, parentId } of spans) {
      expect(traceId).toMatch(/^[0-9a-f]{32}$/);
      for (const id of [spanId, parentId]) if (id !== undefined) expect(id).toMatch(/^[0-9a-f]{16}$/);
    }
    const roots = spans.filter(({ parentId }) => parentId === undefined);
    expect(roots.map(({ name }) => name)).toEqual(['connect', 'publish']);
    expect(roots[0]?.spanId).not.toBe(roots[1]?.spanId);
  });

  it('call what the law refuses no failure, but what the gateway or an origin could not do', () => {
    const refused = maker();
    refused.hear('decision', { outcome: 'no', code: 'token-expired', ms: 1 });
    expect(refused.named('publish')).toMatchObject({
      failure: undefined,
      attributes: { 'error.type': 'token-expired', 'portcullis.outcome': 'no' },
    });
    const failed = maker();
    failed.hear('decision', { outcome: 'no', code: 'hook-failed', ms: 1 });
    expect(failed.named('publish')?.failure).toBe('the policy could not be asked');
    const unserved = maker();
    unserved.hear('decision', { outcome: 'yes', ms: 1 });
    unserved.hear('session.note', { note: 'refused', code: 'origin-refused', setupMs: 9 });
    expect(unserved.named('publish')).toMatchObject({
      ...{ startMs: NOW - 9, failure: 'the origin refused the stream' },
      attributes: { 'portcullis.outcome': 'no' },
    });
  });

  it('end with a client that left while it was set up', () => {
    const { spans, hear, named } = maker();
    hear('decision', { outcome: 'yes', ms: 1 });
    hear('session.note', { note: 'ended-in-setup', reason: 'client-closed', setupMs: 4 });
    expect(named('publish')).toMatchObject({
      failure: undefined,
      attributes: { 'portcullis.reason': 'client-closed' },
    });
    hear('session.note', { note: 'expires-soon', leftSeconds: 4 });
    expect(spans).toHaveLength(2);
  });

  it('have one root where the client left while it was decided, and the decision comes behind', () => {
    for (const outcome of ['yes', 'no']) {
      const { spans, hear } = maker();
      hear('session.note', { note: 'ended-in-setup', reason: 'client-closed', setupMs: 4 });
      hear('decision', { outcome, ...(outcome === 'no' && { code: 'token-expired' }), ms: 9 });
      expect(spans.map(({ name, parentId }) => [name, parentId === undefined])).toEqual([
        ['publish', true],
        ['decide', false],
      ]);
      // Nothing is remembered of it.
      hear('session.start', { setupMs: 1 });
      expect(spans.at(-1)?.attributes['portcullis.outcome']).toBeUndefined();
    }
  });

  it('have no second root where somebody else than its client is asked about', () => {
    const { spans, hear } = maker();
    hear('decision', { outcome: 'yes', subject: 'x', ms: 1 });
    hear('session.start', { setupMs: 2 });
    hear('decision', { outcome: 'no', code: 'token-expired', opens: false, ms: 1 });
    hear('decision', { outcome: 'yes', opens: false, ms: 1 });
    expect(spans.map(({ name }) => name)).toEqual(['decide', 'publish', 'decide', 'decide']);
    hear('session.start', { setupMs: 1 });
    expect(spans.at(-1)?.attributes['portcullis.outcome']).toBeUndefined();
  });

  it('hold no token, however it is handed over, and nothing that is no plain value', () => {
    const { spans, hear } = maker();
    hear('decision', {
      outcome: 'no',
      code: 'token-signature',
      detail: `bad ${TOKEN}`,
      token: new Secret(TOKEN),
      ms: 1,
    });
    hear('session.end', { error: `x ${TOKEN}`, deep: { token: TOKEN }, durationMs: 1 });
    expect(JSON.stringify(spans)).not.toContain('eyJ');
    expect(spans.every(({ attributes }) => attributes['portcullis.deep'] === undefined)).toBe(true);
  });

  it('are made of what belongs to an action of a session only, whatever is told', () => {
    const { spans, made } = maker();
    made.hear('gateway.start', { version: '1' });
    made.hear('decision', { session: 7, action: 'publish' });
    made.hear('decision', { session: 's', action: {} });
    made.hear('session.note', { session: 's', action: 'publish', note: 'x' });
    expect(spans).toEqual([]);
    made.hear('session.start', { session: 's', action: 'publish', setupMs: 'long' });
    expect(spans[0]).toMatchObject({ startMs: NOW, endMs: NOW });
  });

  it('are those of a share of the sessions, the same share everywhere', () => {
    const count = (ratio: number) => {
      const { spans, made } = maker(ratio);
      for (let index = 0; index < 2000; index += 1) {
        made.hear('decision', { session: `s${index}`, action: 'connect', outcome: 'yes', ms: 1 });
      }
      return spans.filter(({ name }) => name === 'connect').map(({ traceId }) => traceId);
    };
    expect(count(0)).toEqual([]);
    expect(count(1)).toHaveLength(2000);
    const some = count(0.25);
    expect(some.length).toBeGreaterThan(400);
    expect(some.length).toBeLessThan(600);
    expect(count(0.25)).toEqual(some);
    expect(count(0.5)).toEqual(expect.arrayContaining(some));
  });

  it('forget the oldest of very many sessions that never get an answer', () => {
    const { hear, named, spans } = maker();
    for (let index = 0; index < 10_001; index += 1)
      hear('decision', { session: `s${index}`, outcome: 'yes', subject: 'x' });
    hear('session.start', { session: 's0', setupMs: 1 });
    expect(named('publish')?.attributes['enduser.id']).toBeUndefined();
    hear('session.start', { session: 's10000', setupMs: 1 });
    expect(spans.at(-1)?.attributes['enduser.id']).toBe('x');
  });
});

describe('what a server is told of a trace', () => {
  it('is the id of the span of the hook that asks it, before there is one', () => {
    const { hear, named, made } = maker();
    const told = made.traceParentOf({ session: 's1', action: 'publish', hook: 'policy' });
    hear('hook.asked', { hook: 'policy', outcome: 'yes', ms: 1 });
    const { traceId = '', spanId = '' } = named('hook policy') ?? {};
    expect(told).toBe(`00-${traceId}-${spanId}-01`);
  });

  it('says whether it is kept', () => {
    expect(maker(0).made.traceParentOf({ session: 's', action: 'publish', hook: 'h' })).toMatch(/-00$/);
  });
});
