import { randomUUID } from 'node:crypto';
import type { Config, TracesConfig } from '../config/config.js';
import type { Clock } from '../model/clock.js';
import type { ConnectionRequest } from '../model/request.js';
import type { Log, Metrics } from '../model/telemetry.js';
import type { LogListener } from '../telemetry/log-taps.js';
import { redact } from '../telemetry/redact.js';
import { createFineClock } from '../telemetry/traces/fine-clock.js';
import { createSpanMaker, type SpanMaker } from '../telemetry/traces/spans.js';
import type { loadOtlp, SpanSender } from '../telemetry/traces/otlp.js';

/** The traces of OpenTelemetry, from config to config; nothing of it is loaded while no config names `log.traces`. */
export interface Tracing extends LogListener {
  /** What a server that a hook asks is told of the trace; undefined where there are none. */
  traceParentOf(request: ConnectionRequest, hook: string): string | undefined;
  /** Makes what a config wants; what comes back puts it in force. Rejects with GatewayError `config-traces`. */
  prepare(config: Config): Promise<() => void>;
  /** Sends what waits, and ends. Never rejects. */
  close(): Promise<void>;
}

/** What traces are made with. */
export interface TracingDeps {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly clock: Clock;
  /** Milliseconds of a clock that never jumps, with fractions. */
  readonly elapsedMs: () => number;
  readonly version: string | undefined;
  /** Tests hand in another. Default: loads OpenTelemetry. */
  readonly load?: typeof loadOtlp;
}

interface Held {
  readonly wish: string;
  readonly sender: SpanSender;
  readonly spans: SpanMaker;
}

/** Makes it, off. */
export function createTracing(deps: TracingDeps): Tracing {
  const instance = randomUUID();
  let held: Held | undefined;
  const put = (next: Held | undefined): void => {
    // What waits there is still sent.
    void held?.sender.close();
    held = next;
  };
  return {
    wants: () => held !== undefined,
    hear: (event, fields) => held?.spans.hear(event, fields),
    traceParentOf: ({ sessionId: session, action }, hook) => held?.spans.traceParentOf({ session, action, hook }),
    async prepare({ log: { traces } }) {
      // A secret counts by its fingerprint.
      const wish = JSON.stringify(traces);
      if (wish === held?.wish) return () => undefined;
      const next = traces && { wish, ...(await open(traces, instance, deps)) };
      return () => put(next);
    },
    async close() {
      const { sender } = held ?? {};
      held = undefined;
      await sender?.close();
    },
  };
}

async function open(
  traces: TracesConfig,
  instance: string,
  { log, metrics, clock, elapsedMs, version, load }: TracingDeps,
): Promise<Pick<Held, 'sender' | 'spans'>> {
  const state = { isFailing: false };
  const onSent = (spans: number, error: Error | undefined): void => {
    metrics.count('trace_spans_total', { outcome: error === undefined ? 'sent' : 'failed' }, spans);
    const isFailing = error !== undefined;
    if (isFailing === state.isFailing) return;
    state.isFailing = isFailing;
    const detail = error && redact(error.message);
    log.write(isFailing ? 'warn' : 'info', 'traces.state', { state: isFailing ? 'failing' : 'working', detail });
  };
  const loadNow = load ?? (await import('../telemetry/traces/otlp.js')).loadOtlp;
  const sender = await loadNow({
    ...{ endpoint: traces.endpoint, headers: traces.headers },
    ...(traces.ca !== undefined && { ca: traces.ca }),
    resource: {
      'service.name': traces.serviceName,
      'service.instance.id': instance,
      ...(version !== undefined && { 'service.version': version }),
    },
    onSent,
    onDropped: () => metrics.count('trace_spans_total', { outcome: 'dropped' }),
  });
  const now = createFineClock(() => clock.now(), elapsedMs);
  return { sender, spans: createSpanMaker({ ratio: traces.sampleRatio, now, onSpan: (span) => sender.send(span) }) };
}
