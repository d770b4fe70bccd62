import type { Log, LogEvent, LogFields, LogLevel } from '../model/telemetry.js';

/** Somebody who hears what the log is told. */
export interface LogListener {
  /** Whether lines of this level are to be made for it, also where the log writes none; of others it hears nothing. */
  wants(level: LogLevel): boolean;
  /** Never throws. */
  hear(event: LogEvent, fields: LogFields): void;
}

/** Makes a log that tells `listeners` of the events that they want too, whatever level is written. */
export function tapLog(log: Log, listeners: readonly LogListener[]): Log {
  return {
    enabled: (level) => log.enabled(level) || listeners.some((one) => one.wants(level)),
    write(level, event, fields) {
      log.write(level, event, fields);
      for (const one of listeners) if (one.wants(level)) one.hear(event, fields);
    },
  };
}
