import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A span as OTLP has it in JSON. */
export interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];
  readonly status: { readonly code?: number; readonly message?: string };
}

/** A collector of traces on a port of its own. */
export interface Collector {
  readonly port: number;
  readonly spans: OtlpSpan[];
  readonly resources: Readonly<Record<string, unknown>>[];
  readonly calls: {
    readonly url: string;
    readonly headers: Readonly<Record<string, unknown>>;
    readonly body: string;
  }[];
  /** What it answers with; 200 takes them. */
  status: number;
  close(): Promise<void>;
}

interface Payload {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: OtlpSpan['attributes'] };
    readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[];
  }[];
}

/** Opens it on loopback. */
export async function openCollector(): Promise<Collector> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      collector.calls.push({ url: request.url ?? '', headers: request.headers, body });
      if (collector.status === 200) {
        for (const { resource, scopeSpans } of (JSON.parse(body) as Payload).resourceSpans) {
          collector.resources.push(valuesOf(resource));
          for (const { spans } of scopeSpans) collector.spans.push(...spans);
        }
      }
      response.writeHead(collector.status, { 'content-type': 'application/json' }).end('{}');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const collector: Collector = {
    ...{ port: (server.address() as AddressInfo).port, spans: [], resources: [], calls: [], status: 200 },
    close: async () => {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
  return collector;
}

/** Attributes by name. */
export function valuesOf({ attributes }: Pick<OtlpSpan, 'attributes'>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}
