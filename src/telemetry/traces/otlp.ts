import type * as Api from '@opentelemetry/api';
import type * as Transformer from '@opentelemetry/otlp-transformer';
import type * as Resources from '@opentelemetry/resources';
import type * as Sdk from '@opentelemetry/sdk-trace';
import { GatewayError } from '../../model/errors.js';
import { Secret } from '../../model/secret.js';
import { callHttp, type HttpCall } from '../../net/http-client.js';
import { isMetadataAddress } from '../../wire/metadata-addresses.js';
import type { SpanRecord } from './spans.js';

/** Packages that are loaded when traces are on; the version is the newest that runs on every Node of ours. */
export const TRACE_PACKAGES = [
  '@opentelemetry/api@^1.9.1',
  '@opentelemetry/sdk-trace@^2.12.1',
  '@opentelemetry/resources@^2.12.1',
  '@opentelemetry/otlp-transformer@^0.223.1',
] as const;

/** Spans that wait to be sent; what comes on top is dropped. */
const MAX_QUEUED = 4096;
const MAX_BATCH = 512;
const SEND_EVERY_MS = 5_000;
const TIMEOUT_MS = 5_000;

/** Where spans are sent. */
export interface OtlpOptions {
  readonly endpoint: Pick<HttpCall, 'host' | 'port' | 'secure'> & { readonly path: string };
  readonly headers: readonly { readonly name: string; readonly value: Secret }[];
  /** Authorities to trust instead of the system's, PEM. */
  readonly ca?: string;
  /** `service.name` and others of the process. */
  readonly resource: Readonly<Record<string, string>>;
  /** After each batch; an error says why it did not arrive. */
  readonly onSent: (spans: number, error: Error | undefined) => void;
  /** A span was not taken: too many wait. */
  readonly onDropped: () => void;
}

/** Sends spans by OTLP over HTTP, in batches. */
export interface SpanSender {
  /** Never throws, waits for nothing. */
  send(span: SpanRecord): void;
  /** Sends what waits, and ends; resolves however that went. */
  close(): Promise<void>;
}

/**
 * Loads OpenTelemetry and makes the sender. Rejects with GatewayError `config-traces` where its packages are not installed.
 * @see OpenTelemetry Protocol specification, OTLP/HTTP
 */
export async function loadOtlp(options: OtlpOptions): Promise<SpanSender> {
  const { api, sdk, resources, transformer } = await loadTracePackages();
  const nextId = { trace: '', span: '' };
  const random = new sdk.RandomIdGenerator();
  const { resource, onSent, onDropped } = options;
  let waiting = 0;
  const exporter: Sdk.SpanExporter = {
    export(spans, done) {
      const body = Buffer.from(transformer.JsonTraceSerializer.serializeRequest(spans) ?? []).toString();
      void post(options, body).then((error) => {
        waiting -= spans.length;
        onSent(spans.length, error);
        // 0 and 1 of an enum in a package that is none of ours.
        const result: unknown = { code: error === undefined ? 0 : 1, error };
        done(result as Parameters<typeof done>[0]);
      });
    },
    shutdown: () => Promise.resolve(),
  };
  const provider = new sdk.TracerProvider({
    resource: resources.resourceFromAttributes(resource),
    sampler: new sdk.AlwaysOnSampler(),
    idGenerator: {
      generateTraceId: () => nextId.trace,
      generateSpanId: () => nextId.span,
    },
    spanProcessors: [
      new sdk.BatchSpanProcessor({
        exporter,
        ...{ maxQueueSize: MAX_QUEUED, maxExportBatchSize: MAX_BATCH },
        ...{ scheduledDelayMillis: SEND_EVERY_MS, exportTimeoutMillis: TIMEOUT_MS },
      }),
    ],
  });
  const tracer = provider.getTracer('portcullis');
  const kinds: Readonly<Record<SpanRecord['kind'], Api.SpanKind>> = {
    server: api.SpanKind.SERVER,
    client: api.SpanKind.CLIENT,
    internal: api.SpanKind.INTERNAL,
  };
  return {
    send({ traceId, spanId, parentId, name, kind, startMs, endMs, attributes, failure }) {
      if (waiting >= MAX_QUEUED) {
        onDropped();
        return;
      }
      waiting += 1;
      nextId.trace = traceId;
      nextId.span = spanId ?? random.generateSpanId();
      const above = parentId && { traceId, spanId: parentId, traceFlags: api.TraceFlags.SAMPLED };
      const context = above ? api.trace.setSpanContext(api.ROOT_CONTEXT, above) : api.ROOT_CONTEXT;
      const span = tracer.startSpan(name, { kind: kinds[kind], startTime: startMs, attributes }, context);
      if (failure !== undefined) span.setStatus({ code: api.SpanStatusCode.ERROR, message: failure });
      span.end(endMs);
    },
    close: () => provider.shutdown().catch(() => undefined),
  };
}

/** What is wrong; undefined when they were taken. Never rejects. @see OTLP specification, OTLP/HTTP Response */
async function post({ endpoint, headers, ca }: OtlpOptions, body: string): Promise<Error | undefined> {
  const { path, ...at } = endpoint;
  try {
    const { status } = await callHttp({
      ...{ ...at, method: 'POST', target: new Secret(path), body, timeoutMs: TIMEOUT_MS },
      headers: [['Content-Type', 'application/json'], ...headers.map(({ name, value }) => [name, value] as const)],
      signal: new AbortController().signal,
      isForbidden: isMetadataAddress,
      ...(ca !== undefined && { ca }),
    });
    // 200 in the specification; some collectors put spans into a queue and say 202.
    const isTaken = status >= 200 && status < 300;
    return isTaken ? undefined : new Error(`the collector answered with status ${status}`);
  } catch (error) {
    return error instanceof Error ? error : new Error('unknown');
  }
}

/** The packages of traces, loaded. */
export interface TracePackages {
  readonly api: typeof Api;
  readonly sdk: typeof Sdk;
  readonly resources: typeof Resources;
  readonly transformer: typeof Transformer;
}

/** Loads them. Rejects with GatewayError `config-traces` where one is not installed. */
export async function loadTracePackages(): Promise<TracePackages> {
  try {
    const [api, sdk, resources, transformer] = await Promise.all([
      import('@opentelemetry/api'),
      import('@opentelemetry/sdk-trace'),
      import('@opentelemetry/resources'),
      import('@opentelemetry/otlp-transformer'),
    ]);
    return { api, sdk, resources, transformer };
  } catch (cause) {
    const message = `log.traces needs packages that are not installed; install them: npm install ${TRACE_PACKAGES.join(' ')}`;
    throw new GatewayError('config-traces', 'gateway', message, { cause });
  }
}
