import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Secret } from '../../../src/model/secret.js';
import { loadOtlp, type SpanSender } from '../../../src/telemetry/traces/otlp.js';
import type { SpanRecord } from '../../../src/telemetry/traces/spans.js';
import { openCollector, valuesOf, type Collector } from '../../fakes/collector.js';

let collector: Collector;
let sender: SpanSender | undefined;
let sent: [number, string | undefined][];
let dropped: number;
beforeEach(async () => {
  collector = await openCollector();
  [sent, dropped] = [[], 0];
});
afterEach(async () => {
  await sender?.close();
  await collector.close();
});

const SPAN: SpanRecord = {
  traceId: 'a'.repeat(32),
  spanId: 'b'.repeat(16),
  parentId: undefined,
  name: 'publish',
  kind: 'server',
  startMs: 1_795_600_000_000.25,
  endMs: 1_795_600_000_020.75,
  attributes: { 'portcullis.path': 'live/cam', 'portcullis.bytes': 7, 'portcullis.secure': true },
  failure: undefined,
};

async function load(): Promise<SpanSender> {
  sender = await loadOtlp({
    endpoint: { host: '127.0.0.1', port: collector.port, secure: false, path: '/v1/traces' },
    headers: [{ name: 'authorization', value: new Secret('Bearer of the collector') }],
    resource: { 'service.name': 'edge' },
    onSent: (spans, error) => sent.push([spans, error?.message]),
    onDropped: () => (dropped += 1),
  });
  return sender;
}

describe('the sender of spans', () => {
  it('sends them as they are, with ids, times, resource and headers as told', async () => {
    const one = await load();
    one.send(SPAN);
    one.send({ ...SPAN, spanId: undefined, parentId: SPAN.spanId, name: 'dial', kind: 'client', failure: 'gone' });
    await one.close();
    expect(collector.calls[0]).toMatchObject({
      url: '/v1/traces',
      headers: { authorization: 'Bearer of the collector' },
    });
    const [root, child] = collector.spans;
    expect(root).toMatchObject({ traceId: SPAN.traceId, spanId: SPAN.spanId, name: 'publish', kind: 2 });
    expect(root?.parentSpanId ?? '').toBe('');
    expect(Number(BigInt(root?.endTimeUnixNano ?? 0) - BigInt(root?.startTimeUnixNano ?? 0)) / 1e6).toBeCloseTo(
      20.5,
      2,
    );
    expect(root && valuesOf(root)).toEqual(SPAN.attributes);
    expect(child).toMatchObject({ traceId: SPAN.traceId, parentSpanId: SPAN.spanId, kind: 3 });
    expect(child?.status).toMatchObject({ code: 2, message: 'gone' });
    expect(child?.spanId).toMatch(/^[0-9a-f]{16}$/);
    expect(collector.resources[0]).toMatchObject({ 'service.name': 'edge' });
    expect(sent).toEqual([[2, undefined]]);
  });

  it.each([
    [200, undefined],
    [202, undefined],
    [307, expect.stringContaining('status 307')],
    [400, expect.any(String)],
    [503, expect.any(String)],
  ])('tells whether a collector that answers %s takes them', async (status, problem) => {
    collector.status = status;
    const one = await load();
    one.send(SPAN);
    await one.close();
    expect(sent).toEqual([[1, problem]]);
  });

  it('keeps a bounded number while nobody takes them, and tells of those it drops', async () => {
    const one = await load();
    for (let index = 0; index < 5000; index += 1) one.send(SPAN);
    await one.close();
    expect(dropped).toBe(5000 - 4096);
    expect(collector.spans).toHaveLength(4096);
  });

  it('ends in time when the collector is not there', async () => {
    await collector.close();
    const one = await load();
    one.send(SPAN);
    await expect(one.close()).resolves.toBeUndefined();
    collector = await openCollector();
  });
});
