import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startGateway, type Gateway } from '../src/gateway.js';
import { createKeySet } from '../src/hooks/verify-token/index.js';
import { mintToken } from '../src/hooks/verify-token/mint.js';
import { Secret } from '../src/model/secret.js';
import { systemClock } from '../src/net/clock.js';
import { createMetrics } from '../src/telemetry/metrics.js';
import { openCollector, valuesOf, type Collector } from './fakes/collector.js';
import { configFrom, quietDeps } from './fakes/gateway-config.js';
import { eventually, liveOrigin, livePublisher, sendVideo, type LiveOrigin } from './fakes/rtmp-live.js';
import { json, policyServer, type PolicyServer } from './hooks/call-http/policy-server.js';

const SECRET = 'a secret of the tests, long enough for HS256';
const COLLECTOR_KEY = 'key-of-the-collector';

let collector: Collector;
let origin: LiveOrigin;
let policy: PolicyServer;
let gateway: Gateway | undefined;
let metrics: ReturnType<typeof createMetrics>;
let lines: string[];
beforeEach(async () => {
  [collector, origin, policy] = await Promise.all([openCollector(), liveOrigin(), policyServer(json({ allow: true }))]);
  metrics = createMetrics();
  lines = [];
});
afterEach(async () => {
  await gateway?.stop();
  gateway = undefined;
  await Promise.all([collector.close(), origin.close(), policy.close()]);
});

function config(traces?: Readonly<Record<string, unknown>>) {
  return configFrom({
    listen: { rtmp: { host: '127.0.0.1', port: 0 } },
    auth: { keys: [{ id: 'main', secret: { value: SECRET } }] },
    hooks: [
      'verify-token',
      { name: 'call-http', id: 'policy', url: `http://127.0.0.1:${policy.port}/`, actions: ['publish'] },
    ],
    origins: [{ name: 'origin', preset: 'generic', rtmp: `rtmp://127.0.0.1:${origin.port}`, health: 'off' }],
    log: { level: 'error', ...(traces && { traces }) },
  });
}

const toCollector = (more: Readonly<Record<string, unknown>> = {}) => ({
  endpoint: `http://127.0.0.1:${collector.port}`,
  headers: [{ name: 'x-key', value: { value: COLLECTOR_KEY } }],
  ...more,
});

async function start(traces?: Readonly<Record<string, unknown>>): Promise<Gateway> {
  const log = {
    enabled: () => false,
    write: (level: string, event: string, fields: unknown) =>
      void lines.push(`${level} ${event} ${JSON.stringify(fields)}`),
  };
  gateway = await startGateway(config(traces), { log, metrics, clock: systemClock, version: '9.9.9' });
  return gateway;
}

function tokenFor(secret = SECRET): string {
  const made = createKeySet([{ id: 'main', algorithm: 'HS256', secret: new Secret(secret) }]);
  const key = made.ok ? made.keySet.keys[0] : undefined;
  if (key === undefined) throw new Error('the key of the tests was refused');
  return mintToken({ key, ttlS: 60, subject: 'cam-7' }, Date.now() / 1000);
}

const publish = (token: string) => livePublisher(gateway?.addresses['rtmp']?.port ?? 0, `live?token=${token}`, 'one');

/** Stops the gateway, so that all spans are sent. */
async function stop(): Promise<void> {
  await gateway?.stop();
  gateway = undefined;
}

const spanOf = (name: string) => collector.spans.find((span) => span.name === name);

describe('a gateway that is traced', () => {
  it('sends the spans of a stream as one trace, and tells the server of a hook which', async () => {
    await start(toCollector());
    const token = tokenFor();
    const client = await publish(token);
    sendVideo(client, 40);
    await eventually(() => (origin.calls[0]?.peer.media.length ?? 0) > 0);
    await stop();
    const names = collector.spans.map(({ name }) => name).sort();
    expect(names).toEqual([
      ...['connect', 'decide', 'decide', 'dial origin', 'hook policy', 'hook verify-token', 'hook verify-token'],
      ...['publish', 'relay'],
    ]);
    const root = spanOf('publish');
    for (const name of ['dial origin', 'hook policy', 'relay']) {
      expect(spanOf(name)).toMatchObject({ traceId: root?.traceId, parentSpanId: root?.spanId });
    }
    const asked = spanOf('hook policy');
    expect(policy.heard[0]?.headers['traceparent']).toBe(`00-${asked?.traceId ?? ''}-${asked?.spanId ?? ''}-01`);
    expect(root && valuesOf(root)).toMatchObject({ 'portcullis.path': 'live/one', 'enduser.id': 'cam-7' });
    expect(collector.resources[0]).toMatchObject({ 'service.name': 'portcullis', 'service.version': '9.9.9' });
    expect(collector.calls[0]).toMatchObject({ url: '/v1/traces', headers: { 'x-key': COLLECTOR_KEY } });
    expect(metrics.render()).toContain('portcullis_trace_spans_total{outcome="sent"} 9\n');
  });

  it('gives a collector no time of its own at the end, beside that of all others who hear of it', async () => {
    const deadlines: number[] = [];
    const clock = {
      now: () => systemClock.now(),
      after: (delayMs: number, call: () => void) => {
        deadlines.push(delayMs);
        return systemClock.after(delayMs, call);
      },
    };
    gateway = await startGateway(config(toCollector()), { log: quietDeps().log, metrics, clock });
    await publish(tokenFor());
    deadlines.length = 0;
    await stop();
    expect(deadlines.filter((delayMs) => delayMs === 2500)).toHaveLength(1);
    expect(spanOf('relay')).toBeDefined();
  });

  it('sends no token, of whatever it refuses', async () => {
    await start(toCollector());
    const token = tokenFor('another secret of the tests, as long as that');
    await publish(token);
    await stop();
    const root = spanOf('connect');
    expect(root && valuesOf(root)).toMatchObject({ 'error.type': 'token-signature', 'portcullis.outcome': 'no' });
    const all = JSON.stringify(collector.calls.map(({ body }) => body));
    for (const part of token.split('.')) expect(all).not.toContain(part);
  });

  it('begins and ends with a reload, streams going on', async () => {
    const running = await start();
    const client = await publish(tokenFor());
    expect(await running.reload(config(toCollector()))).toEqual([]);
    sendVideo(client, 40);
    client.stream.destroy();
    await eventually(() => origin.calls[0]?.peer.closed === true);
    await running.reload(config());
    await eventually(() => collector.spans.length > 0);
    expect(collector.spans.map(({ name }) => name)).toEqual(['relay']);
    await publish(tokenFor());
    expect(policy.heard.at(-1)?.headers['traceparent']).toBeUndefined();
    await stop();
    expect(collector.spans).toHaveLength(1);
  });

  it('goes on when nobody takes the spans, and says so once, without a secret', async () => {
    collector.status = 503;
    await start(toCollector());
    await publish(tokenFor());
    await stop();
    const told = lines.filter((line) => line.includes('traces.state'));
    expect(told).toEqual([expect.stringMatching(/^warn traces\.state .*"failing".*status 503/)]);
    expect(lines.join()).not.toContain(COLLECTOR_KEY);
    expect(metrics.render()).toMatch(/portcullis_trace_spans_total\{outcome="failed"\} \d+/);
  });

  it('keeps the old way when another is not fit', async () => {
    const running = await start(toCollector());
    const keys = [{ id: 'main', algorithm: 'HS512' as const }];
    const next = config();
    const unfit = { ...next, auth: { ...next.auth, keys: next.auth.keys.map((key) => ({ ...key, ...keys[0] })) } };
    await expect(running.reload(unfit)).rejects.toMatchObject({ code: 'config-keys' });
    await publish(tokenFor());
    await stop();
    expect(spanOf('publish')).toBeDefined();
  });
});
