import type { Log, LogEvent, LogFields, LogLevel } from '../model/telemetry.js';
import type { PlainValue } from './plain-value.js';
import { plainValue } from './plain-value.js';

/** What a log is made of; level and format are looked up for each line, so that a reload may change them. */
export interface LogOptions {
  readonly level: LogLevel;
  readonly format: 'json' | 'text';
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Takes one line with its line end; its throw is swallowed. */
  readonly write: (line: string) => void;
}

const LEVELS: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

/** Names that every line has; a field of that name gets a `_` behind it. */
const OWN_NAMES: ReadonlySet<string> = new Set(['time', 'level', 'event']);

/**
 * Makes the log: one line an event, as JSON (`time`, `level`, `event`, then the fields) or as text for terminals.
 * Secrets print as fingerprints, anything shaped like a token as `[token]`. Never throws.
 */
export function createLog(options: LogOptions): Log {
  const { now, write } = options;
  const enabled = (wanted: LogLevel) => LEVELS[wanted] >= LEVELS[options.level];
  return {
    enabled,
    write: (wanted, event, fields) => {
      if (!enabled(wanted)) return;
      try {
        const line = options.format === 'json' ? jsonLine : textLine;
        write(line(timeText(now()), wanted, event, plainFields(fields)));
      } catch {
        // A log that cannot be written must not end what it reports on.
      }
    },
  };
}

type PlainFields = readonly (readonly [name: string, value: PlainValue])[];

function plainFields(fields: LogFields): PlainFields {
  const plain = plainValue(fields);
  if (typeof plain !== 'object' || plain === null) return [['fields', plain ?? null]];
  return Object.entries(plain).map(([name, value]) => [OWN_NAMES.has(name) ? `${name}_` : name, value]);
}

function jsonLine(time: string, level: LogLevel, event: LogEvent, fields: PlainFields): string {
  return `${JSON.stringify(Object.fromEntries([['time', time], ['level', level], ['event', event], ...fields]))}\n`;
}

function textLine(time: string, level: LogLevel, event: LogEvent, fields: PlainFields): string {
  const head = `${time.slice(11, 23)} ${level.toUpperCase().padEnd(5)} ${event}`;
  return `${[head, ...fields.map(([name, value]) => `${name}=${textValue(value)}`)].join(' ')}\n`;
}

function textValue(value: PlainValue): string {
  if (typeof value === 'string' && /^[^\s"=]+$/.test(value)) return value;
  return JSON.stringify(value);
}

function timeText(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? '1970-01-01T00:00:00.000Z' : date.toISOString();
}
