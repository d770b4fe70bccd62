import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { faultIn, type JsonSchema } from '../../src/admin/json-schema.js';
import { PROBLEM_SCHEMA } from '../../src/admin/open-api.js';
import { PROBLEMS } from '../../src/admin/problem.js';
import { fakeAdmin, fakePorts, request, valueOf } from './fixture.js';

interface Operation {
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

  it('remembers only so many refusals', () => {
    const { feed } = fakeAdmin();
    for (let count = 0; count < 600; count += 1)
      feed.take('decision', () => ({ outcome: 'no', code: 'timeout', count }));
    expect(feed.refusals()).toHaveLength(500);
    expect(feed.refusals()[0]?.fields['count']).toBe(599);
  });

  it('gives no two errors one code, and each a status of an error', () => {
    expect(Object.values(PROBLEMS).every(({ status }) => status >= 400 && status < 600)).toBe(true);
  });
});

describe('docs/admin.md', () => {
  it('lists every route of the API, and no other', () => {
    const page = readFileSync('docs/admin.md', 'utf8');
    const told = [...page.matchAll(/^\| `([A-Z]+ \/[^`]+)` \|/gm)].map(([, route]) => route ?? '');
    const routes = fakeAdmin().admin.routes.map(({ method, path }) => `${method} ${path}`);
    expect([...told].sort()).toEqual([...routes].sort());
  });
});
