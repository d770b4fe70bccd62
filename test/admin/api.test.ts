import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { faultIn, type JsonSchema } from '../../src/admin/json-schema.js';
import { PROBLEM_SCHEMA } from '../../src/admin/open-api.js';
import { PROBLEMS } from '../../src/admin/problem.js';
import { AUDIT_ACTIONS } from '../../src/admin/route.js';
import { Secret } from '../../src/model/secret.js';
import type { LogFields } from '../../src/model/telemetry.js';
import { fakeAdmin, fakePorts, request, valueOf } from './fixture.js';

interface Operation {
  readonly 'x-audit-action'?: string;
  readonly responses: Readonly<
    Record<
      string,
      { readonly description: string; readonly content: Readonly<Record<string, { readonly schema: JsonSchema }>> }
    >
  >;
}

const API = '/api/v1';
const WHY = { token: 'a.b.c', action: 'publish', transport: 'RTMP', path: 'live/cam' };

/** Route, as described, as asked, with its body; what it answers with: a status, or a code. */
const CALLS: readonly (readonly [string, string, string, unknown, number | string])[] = [
  ['GET', '/sessions', '/sessions', undefined, 200],
  ['GET', '/sessions', '/sessions?app=vod&limit=1', undefined, 200],
  ['GET', '/sessions', '/sessions?limit=0', undefined, 'query-malformed'],
  ['GET', '/sessions', '/sessions?colour=red', undefined, 'query-malformed'],
  ['GET', '/sessions', '/sessions?app=a&app=b', undefined, 'query-malformed'],
  ['GET', '/sessions', '/sessions?__proto__=x', undefined, 'query-malformed'],
  ['GET', '/sessions', '/sessions?address=192.0.2.0%2F24', undefined, 200],
  ['GET', '/sessions', '/sessions?address=192.0.2.1%2F24', undefined, 'query-malformed'],
  ['GET', '/sessions', '/sessions?address=here', undefined, 'query-malformed'],
  ['GET', '/decisions', '/decisions?address=192.0.2.0%2F33', undefined, 'query-malformed'],
  ['POST', '/sessions/kick', '/sessions/kick', { address: '192.0.2.0/24' }, 200],
  ['POST', '/sessions/kick', '/sessions/kick', { address: '192.0.2.1/24' }, 'body-malformed'],
  ['POST', '/sessions/kick', '/sessions/kick', { address: 'here' }, 'body-malformed'],
  ['GET', '/sessions/{id}', '/sessions/s1', undefined, 200],
  ['GET', '/sessions/{id}', '/sessions/nobody', undefined, 'not-found'],
  ['DELETE', '/sessions/{id}', '/sessions/s1', undefined, 200],
  ['DELETE', '/sessions/{id}', '/sessions/nobody', undefined, 'not-found'],
  ['POST', '/sessions/kick', '/sessions/kick', { subject: 'ann' }, 200],
  ['POST', '/sessions/kick', '/sessions/kick', {}, 'body-malformed'],
  ['POST', '/sessions/kick', '/sessions/kick', { subject: '' }, 'body-malformed'],
  ['POST', '/sessions/kick', '/sessions/kick', { everybody: true }, 'body-malformed'],
  ['POST', '/sessions/kick', '/sessions/kick', '{', 'body-malformed'],
  ['GET', '/decisions', '/decisions?code=token-expired', undefined, 200],
  ['GET', '/origins', '/origins', undefined, 200],
  ['PUT', '/origins/{name}/drained', '/origins/o1/drained', { drained: true }, 200],
  ['PUT', '/origins/{name}/drained', '/origins/o2/drained', { drained: true }, 'not-found'],
  ['PUT', '/origins/{name}/drained', '/origins/o1/drained', { drained: 'yes' }, 'body-malformed'],
  ['GET', '/revocations', '/revocations', undefined, 200],
  ['POST', '/revocations', '/revocations', { tokenId: 'j1' }, 201],
  ['POST', '/revocations', '/revocations', {}, 'body-malformed'],
  ['DELETE', '/revocations/{id}', '/revocations/r1', undefined, 200],
  ['DELETE', '/revocations/{id}', '/revocations/f1', undefined, 'not-found'],
  ['POST', '/tokens/mint', '/tokens/mint', { roles: ['publisher'], ttlSeconds: 60 }, 200],
  ['POST', '/tokens/mint', '/tokens/mint', { key: 'none' }, 'mint-refused'],
  ['POST', '/tokens/why', '/tokens/why', WHY, 200],
  ['POST', '/tokens/why', '/tokens/why', { ...WHY, path: '..' }, 'body-malformed'],
  ['GET', '/health', '/health', undefined, 200],
  ['GET', '/wall', '/wall', undefined, 200],
  ['GET', '/config', '/config', undefined, 200],
  ['POST', '/reload', '/reload', {}, 200],
  ['POST', '/drain', '/drain', {}, 202],
  ['POST', '/events/ticket', '/events/ticket', {}, 201],
];

async function operations() {
  const { admin } = fakeAdmin();
  const document = valueOf(await admin.handle(request('GET', `${API}/openapi.json`)));
  return document['paths'] as Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

function withRefusal() {
  const made = fakeAdmin();
  made.feed.take('decision', () => ({
    ...{ session: 's9', transport: 'RTMP', action: 'publish', secure: false, address: '192.0.2.9', path: 'live/cam' },
    ...{ token: 'aabbccdd', carrier: 'query', outcome: 'no', code: 'token-expired', detail: 'exp is 5 s ago', ms: 1 },
  }));
  return made;
}

describe('the API', () => {
  it.each(CALLS)('%s %s asked as %s with %j answers %s, as described', async (method, path, target, body, expected) => {
    const answer = await withRefusal().admin.handle(request(method, API + target, { body }));
    const operation = (await operations())[API + path]?.[method.toLowerCase()];
    const described = operation?.responses[answer.status];
    if (typeof expected === 'number') {
      expect(answer.status).toBe(expected);
      expect(faultIn(described!.content['application/json']!.schema, valueOf(answer))).toBeUndefined();
    } else {
      expect(valueOf(answer)['code']).toBe(expected);
      expect(described?.description.split(', ')).toContain(expected);
      expect(faultIn(PROBLEM_SCHEMA, valueOf(answer))).toBeUndefined();
    }
  });

  it('describes every route, and each of them was asked above', async () => {
    const described = Object.entries(await operations()).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const { admin } = fakeAdmin();
    expect(described.sort()).toEqual(admin.routes.map(({ method, path }) => `${method} ${path}`).sort());
    expect([...new Set(CALLS.map(([method, path]) => `${method} ${API}${path}`))].sort()).toEqual(described);
  });

  it('has no route for what the program around it cannot do', async () => {
    const { ports } = fakePorts({ reload: undefined, drain: undefined });
    const { admin } = fakeAdmin({ ports });
    expect((await admin.handle(request('POST', `${API}/reload`, { body: {} }))).status).toBe(404);
    expect((await admin.handle(request('POST', `${API}/drain`, { body: {} }))).status).toBe(404);
  });

  it('tells why a reload was refused', async () => {
    const { ports } = fakePorts({ reload: () => Promise.resolve({ ok: false, faults: ['listen: is wrong'] }) });
    const answer = await fakeAdmin({ ports }).admin.handle(request('POST', `${API}/reload`, { body: {} }));
    expect(valueOf(answer)).toMatchObject({ status: 409, code: 'reload-refused', detail: 'listen: is wrong' });
  });

  it('filters sessions and pages through them, newest first', async () => {
    const { admin } = fakeAdmin();
    const idsOf = async (query: string) =>
      (valueOf(await admin.handle(request('GET', `${API}/sessions?${query}`)))['items'] as { id: string }[]).map(
        ({ id }) => id,
      );
    expect(await idsOf('subject=ann')).toEqual(['s2', 's1']);
    expect(await idsOf('app=vod')).toEqual(['s2']);
    expect(await idsOf('path=live%2Fcam')).toEqual(['s1']);
    expect(await idsOf('path=live')).toEqual([]);
    expect(await idsOf('limit=1&offset=1')).toEqual(['s1']);
    expect(await idsOf('address=192.0.2.0%2F24&app=vod')).toEqual(['s2']);
    expect(await idsOf('address=192.0.2.2')).toEqual([]);
  });

  it('tells of a refusal with the reason, whose fault it is and what to do', async () => {
    const answer = await withRefusal().admin.handle(request('GET', `${API}/decisions`));
    expect(valueOf(answer)).toMatchObject({
      total: 1,
      items: [
        {
          code: 'token-expired',
          side: 'client',
          detail: 'exp is 5 s ago',
          reason: 'the token has expired',
          fix: expect.stringContaining('fresh'),
        },
      ],
    });
  });

  it('finds refusals by network, and says what is wrong with one that is none', async () => {
    const { admin } = withRefusal();
    const found = async (address: string) =>
      valueOf(await admin.handle(request('GET', `${API}/decisions?address=${encodeURIComponent(address)}`)));
    expect([await found('192.0.2.8/29'), await found('192.0.2.0/29')]).toMatchObject([{ total: 1 }, { total: 0 }]);
    expect(await found('192.0.2.9/29')).toMatchObject({ detail: expect.stringContaining('192.0.2.8/29') });
  });

  it('remembers only so many refusals', () => {
    const { feed } = fakeAdmin();
    for (let count = 0; count < 600; count += 1)
      feed.take('decision', () => ({ outcome: 'no', code: 'timeout', count }));
    expect(feed.refusals()).toHaveLength(500);
    expect(feed.refusals()[0]?.fields['count']).toBe(599);
  });

  it('lists each refusal once, with what was noticed about it', async () => {
    const { admin, feed } = withRefusal();
    const note = (fields: LogFields) => feed.take('session.note', () => ({ session: 's9', ...fields }));
    note({ note: 'token-cut-off', code: 'token-expired', hint: 'it ends at 1023 bytes' });
    note({ session: 's8', note: 'token-cut-off', code: 'token-malformed', hint: 'not of this one' });
    note({ note: 'kept', code: 'of something else' });
    const list = async () => valueOf(await admin.handle(request('GET', `${API}/decisions`)));
    expect(await list()).toMatchObject({
      ...{ total: 1, items: [{ session: 's9', path: 'live/cam', hint: 'it ends at 1023 bytes' }] },
    });
    note({ session: 's7', note: 'refused', code: 'origin-refused', detail: 'it did' });
    expect(await list()).toMatchObject({ total: 2, items: [{ code: 'origin-refused', side: 'origin' }, {}] });
  });

  it('gives no two errors one code, and each a status of an error', () => {
    expect(Object.values(PROBLEMS).every(({ status }) => status >= 400 && status < 600)).toBe(true);
  });
});

describe('the audit trail', () => {
  it('is where every route belongs that is no mere look, and the config, which is full of what not all may know', async () => {
    const { admin } = fakeAdmin();
    const left = admin.routes.filter(({ audit }) => audit === null);
    expect(left.filter(({ method, path }) => method !== 'GET' || path === `${API}/config`)).toEqual([]);
    const told = Object.values(await operations()).flatMap((methods) => Object.values(methods));
    expect(told.filter((one) => one['x-audit-action'] !== undefined)).toHaveLength(admin.routes.length - left.length);
    expect([...new Set(admin.routes.flatMap(({ audit }) => audit ?? []))].sort()).toEqual([...AUDIT_ACTIONS].sort());
  });

  it.each(CALLS)('of %s %s asked as %s with %j has one line or none', async (method, path, target, body, expected) => {
    const { admin, lines } = fakeAdmin();
    await admin.handle(request(method, API + target, { body, address: '192.0.2.77' }));
    const action = (await operations())[API + path]?.[method.toLowerCase()]?.['x-audit-action'];
    const outcome = typeof expected === 'number' ? 'done' : expected;
    const line = ['info', 'admin.action', expect.objectContaining({ action, outcome, address: '192.0.2.77' })];
    expect(lines).toEqual(action === undefined ? [] : [line]);
  });

  const lineOf = async (method: string, target: string, body?: unknown, ports = fakePorts().ports) => {
    const { admin, lines } = fakeAdmin({ ports });
    await admin.handle(request(method, API + target, { body })).catch(() => undefined);
    expect(JSON.stringify(lines)).not.toMatch(/a\.b\.c|canary/);
    return lines[0]?.[2];
  };
  const ADDRESS = { address: '127.0.0.1' };
  const fingerprint = new Secret('a.b.c').fingerprint();

  it.each<[string, string, unknown, LogFields]>([
    [
      'POST',
      '/sessions/kick',
      { subject: 'ann', path: 'live/cam' },
      { aim: { subject: 'ann', path: 'live/cam' }, hit: 1 },
    ],
    ['DELETE', '/sessions/s1', undefined, { aim: { id: 's1' }, hit: 1 }],
    ['DELETE', '/sessions/nobody', undefined, { aim: { id: 'nobody' }, outcome: 'not-found' }],
    ['PUT', '/origins/o1/drained', { drained: false }, { aim: { origin: 'o1', drained: false }, hit: 1 }],
    ['POST', '/revocations', { tokenId: 'j1' }, { aim: { tokenId: 'j1' }, hit: 2, id: 'r1' }],
    ['DELETE', '/revocations/r1', undefined, { aim: { id: 'r1' }, hit: 1 }],
    [
      'POST',
      '/tokens/mint',
      { subject: 'cam-7', roles: ['publisher'], rooms: ['a'], ttlSeconds: 60 },
      {
        aim: { subject: 'cam-7', roles: ['publisher'], rooms: ['a'], ttlSeconds: 60 },
        ...{ hit: 1, token: fingerprint, expiresAtS: 9 },
      },
    ],
    ['POST', '/tokens/mint', { key: 'main' }, { aim: {}, key: 'main', hit: 1 }],
    ['POST', '/tokens/mint', { key: 'none' }, { aim: {}, outcome: 'mint-refused' }],
    [
      'POST',
      '/tokens/why',
      WHY,
      {
        aim: { action: 'publish', transport: 'RTMP', path: 'live/cam', token: fingerprint },
        code: 'token-expired',
      },
    ],
    ['POST', '/sessions/kick', { canary: 'canary' }, { outcome: 'body-malformed', aim: undefined }],
    ['POST', '/tokens/why', { ...WHY, token: '' }, { outcome: 'body-malformed', aim: undefined }],
  ])('of %s %s with %j says at what it was aimed and what it hit', async (method, target, body, told) => {
    expect(await lineOf(method, target, body)).toMatchObject({ outcome: 'done', ...ADDRESS, ...told });
  });

  it('tells also of what failed inside', async () => {
    const ports = fakePorts({
      kick: () => {
        throw new Error('canary');
      },
    }).ports;
    expect(await lineOf('POST', '/sessions/kick', { id: 's1' }, ports)).toMatchObject({
      ...{ action: 'kick', outcome: 'internal-error', aim: { id: 's1' } },
    });
  });
});

describe('docs/admin.md', () => {
  it('lists every route of the API, and no other', () => {
    const page = readFileSync('docs/admin.md', 'utf8');
    const told = [...page.matchAll(/^\| `([A-Z]+ \/[^`]+)` \|/gm)].map(([, route]) => route ?? '');
    const routes = fakeAdmin().admin.routes.map(({ method, path }) => `${method} ${path}`);
    expect([...told].sort()).toEqual([...routes].sort());
  });

  it('names every action of the audit trail', () => {
    const page = readFileSync('docs/admin.md', 'utf8');
    expect(AUDIT_ACTIONS.filter((action) => !page.includes(`\`${action}\``))).toEqual([]);
  });
});
