import type { Config, TracesConfig } from './config.js';
import { resolveHeaders } from './resolve-headers.js';
import { isLoopback, resolveHttpTarget } from './resolve-url.js';
import type { Resolving } from './resolving.js';
import type { ConfigInput } from './schema.js';

/** Where OTLP is spoken when the address has no path of its own. @see OpenTelemetry Protocol Exporter, OTEL_EXPORTER_OTLP_ENDPOINT */
const TRACES_PATH = '/v1/traces';

/** Reads where traces go. */
export function resolveLog({ traces, ...log }: ConfigInput['log'], to: Resolving): Config['log'] {
  const resolved = traces && resolveTraces(traces, to);
  return { ...log, ...(resolved && { traces: resolved }) };
}

function resolveTraces(
  { endpoint, headers, ca: caRef, sampleRatio, serviceName }: NonNullable<ConfigInput['log']['traces']>,
  to: Resolving,
): TracesConfig | null {
  const path = ['log', 'traces'];
  const target = resolveHttpTarget([...path, 'endpoint'], endpoint, to);
  const read = resolveHeaders([...path, 'headers'], headers, to);
  const ca = caRef && to.text([...path, 'ca'], caRef);
  if (target === null || read === null || ca === null) return null;
  if (!target.secure && !isLoopback(target) && read.length > 0) {
    to.warn([...path, 'endpoint'], 'is plain http: its headers can be read on the way');
  }
  return {
    endpoint: { ...target, path: target.path === '/' ? TRACES_PATH : target.path },
    headers: read,
    ...(ca !== undefined && { ca }),
    ...{ sampleRatio, serviceName },
  };
}
