import type { Log, LogEvent, LogFields, LogLevel } from '../model/telemetry.js';

/** Somebody who hears what the log is told. */
export interface LogListener {
  /** Whether lines of this level are to be made for it, also where the log writes none. */
  wants(level: LogLevel): boolean;
  /** Hears of every line that is made. Never throws. */
  hear(event: LogEvent, fields: LogFields): void;
}

/** Makes a log that tells `listeners` of each event too, whatever level is written. */
export function tapLog(log: Log, listeners: readonly LogListener[]): Log {
  return {
    enabled: (level) => log.enabled(level) || listeners.some((one) => one.wants(level)),
    write(level, event, fields) {
      log.write(level, event, fields);
      for (const one of listeners) one.hear(event, fields);
    },
  };
}
