import { createAdmin, createFeed, type AdminPorts } from '../../src/admin/index.js';
import type { AdminOptions } from '../../src/admin/index.js';
import type { SessionView } from '../../src/admin/ports.js';
import { Secret } from '../../src/model/secret.js';
import type { Log, LogFields } from '../../src/model/telemetry.js';
import type { HttpRequest } from '../../src/net/http-request.js';
import { createMetrics } from '../../src/telemetry/metrics.js';
import { fakeClock } from '../fakes/clock.js';

/** The admin token of the tests. */
export const TOKEN = 'a-token-for-operators';

/** A session as the door lists it. */
export function session(parts: Partial<SessionView> = {}): SessionView {
  return {
    ...{ id: 's1', transport: 'RTMP', secure: false, action: 'publish', path: 'live/cam', address: '192.0.2.1' },
    ...{ subject: 'ann', issuer: undefined, tokenId: 'j1', token: 'aabbccdd', expiresAtS: 1_800_000_000 },
    ...{ origin: 'o1', isRunning: true, askedAtMs: 1000, sinceMs: 1200, clientBytes: 5000, originBytes: 70 },
    ...parts,
  };
}

/** Ports that have a little of everything, and remember what was done. */
export function fakePorts(parts: Partial<AdminPorts> = {}) {
  const done: unknown[] = [];
  const note = <Value>(what: unknown, value: Value): Value => {
    done.push(what);
    return value;
  };
  const ports: AdminPorts = {
    render: () => 'portcullis_x 1\n',
    notReady: () => undefined,
    sessions: () => [session(), session({ id: 's2', path: 'vod/a/b', action: 'subscribe', askedAtMs: 2000 })],
    kick: (wish) => note({ kick: wish }, wish.id === 'nobody' ? 0 : 1),
    origins: () => [
      { name: 'o1', state: 'down', isDrained: false, failures: 3, detail: 'it refused', offersWhep: true },
    ],
    drainOrigin: (name, drained) => note({ drain: name, drained }, name === 'o1'),
    revocations: {
      list: () => [{ id: 'f1', source: 'file', addedAtS: 5, subject: 'bob' }],
      add: (wish) =>
        note({ revoke: wish }, { revocation: { ...wish, id: 'r1', source: 'call', addedAtS: 9 }, ended: 2 }),
      remove: (id) => note({ unrevoke: id }, id === 'r1'),
    },
    config: () => ({ auth: { keys: [{ secret: 'secret:aabbccdd' }] } }),
    mint: (wish) =>
      wish.key === 'none' ? { ok: false, problem: 'no key' } : { ok: true, token: new Secret('a.b.c'), expiresAtS: 9 },
    why: ({ path }) =>
      path === '..'
        ? { problem: 'path: bad' }
        : {
            ok: false,
            code: 'token-expired',
            detail: 'by 5 s',
            mistakes: [],
            steps: [{ name: 'exp', outcome: 'failed', text: 'old' }],
          },
    reload: () => Promise.resolve(note('reload', { ok: true as const, notes: ['log has changed'] })),
    drain: () => note('drain', undefined),
    watchUrl: () => 'http://127.0.0.1:5080/watch',
    wall: () => ({
      ...{ tileUrl: 'http://127.0.0.1:5080/watch-tile', framedBy: ['http://127.0.0.1:9090'], tokenTtlSeconds: 60 },
    }),
    ...parts,
  };
  return { ports, done };
}

/** A log and metrics that remember. */
export function fakeTelemetry() {
  const lines: [level: string, event: string, fields: LogFields][] = [];
  const log: Log = { enabled: () => true, write: (level, event, fields) => void lines.push([level, event, fields]) };
  const metrics = createMetrics((problem) => {
    throw new Error(problem);
  });
  const countOf = (metric: string): number =>
    Number(
      metrics
        .render()
        .split('\n')
        .find((line) => line.startsWith(`portcullis_${metric} `))
        ?.split(' ')[1] ?? 0,
    );
  return { lines, log, metrics, countOf };
}

/** An admin with fakes around it. */
export function fakeAdmin(options: Partial<AdminOptions> = {}) {
  const clock = fakeClock();
  const feed = createFeed(() => clock.now());
  const { ports, done } = fakePorts();
  const { lines, countOf, ...telemetry } = fakeTelemetry();
  let words = 0;
  const admin = createAdmin({
    ...{ host: '127.0.0.1', openPaths: ['/livez', '/readyz'], ports, feed, clock, ...telemetry },
    attempts: () => ({ failuresPerAddress: 3, isShared: () => false }),
    random: () => `word-${++words}`,
    ...options,
  });
  return { admin, feed, clock, done, lines, countOf };
}

/** A request; the path may have a query, `body` goes as JSON. */
export function request(
  method: string,
  target: string,
  parts: {
    readonly headers?: Readonly<Record<string, string>>;
    readonly authorization?: Secret | undefined;
    readonly body?: unknown;
    readonly address?: string;
  } = {},
): HttpRequest {
  const [path = '', query] = target.split('?');
  const hasBody = parts.body !== undefined;
  return {
    ...{ method, path, query: query === undefined ? undefined : new Secret(query) },
    authorization: parts.authorization === undefined ? [] : [parts.authorization],
    headers: new Map(
      Object.entries({
        host: '127.0.0.1:9090',
        ...(hasBody && { 'content-type': 'application/json' }),
        ...parts.headers,
      }),
    ),
    body: Buffer.from(typeof parts.body === 'string' ? parts.body : hasBody ? JSON.stringify(parts.body) : ''),
    ...{ remoteAddress: parts.address ?? '127.0.0.1', secure: false, gone: new AbortController().signal },
  };
}

/** The value of a JSON answer. */
export function valueOf({ body }: { readonly body?: string | Buffer }): Record<string, unknown> {
  return JSON.parse(String(body)) as Record<string, unknown>;
}
