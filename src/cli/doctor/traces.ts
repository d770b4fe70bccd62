import type { Config } from '../../config/config.js';
import { TRACE_PACKAGES, type loadTracePackages } from '../../telemetry/traces/otlp.js';
import { findingsOf, type Finding } from './finding.js';

/** Looks whether what `log.traces` needs is installed; nothing where the config names no traces. Never rejects. */
export async function checkTraces({ log }: Config, load: typeof loadTracePackages): Promise<readonly Finding[]> {
  if (log.traces === undefined) return [];
  const { fine, fault } = findingsOf('traces', '');
  try {
    await load();
    return [fine('the packages of OpenTelemetry are installed')];
  } catch {
    return [fault('log.traces needs packages that are not installed', `npm install ${TRACE_PACKAGES.join(' ')}`)];
  }
}
