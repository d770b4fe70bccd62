import type { Log, Metrics } from '../model/telemetry.js';

/** Which origins answered when they were last called. */
export interface OriginStates {
  /** The origin took a connection. */
  answered(name: string): void;
  /** It did not; `detail` is for the log. */
  failed(name: string, detail: string): void;
}

/** Remembers how calls to origins went, and tells changes: one log line each way, `origin_up` in the metrics. */
export function createOriginStates(log: Log, metrics: Metrics): OriginStates {
  const isDown = new Map<string, boolean>();
  return {
    answered(name) {
      if (isDown.get(name) === false) return;
      metrics.gauge('origin_up', { origin: name }, 1);
      if (isDown.get(name) === true) log.write('info', 'origin.state', { origin: name, state: 'up' });
      isDown.set(name, false);
    },
    failed(name, detail) {
      if (isDown.get(name) === true) return;
      metrics.gauge('origin_up', { origin: name }, 0);
      log.write('warn', 'origin.state', { origin: name, state: 'down', detail });
      isDown.set(name, true);
    },
  };
}
