import type { Clock } from '../model/clock.js';
import type { Log, LogEvent, LogFields, LogLevel } from '../model/telemetry.js';

/** Sorts of lines that are told apart within one second; those beyond share one sort per event. */
export const MAX_KINDS = 1_000;

const WINDOW_MS = 1_000;

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** What strangers can make the gateway say, or a broken part over and over. All else is rare, or an account of streams. */
const SAMPLED: ReadonlySet<LogEvent> = new Set<LogEvent>([
  'connection.open',
  'connection.close',
  'decision',
  'session.note',
  'gateway.warning',
  'gateway.error',
  'hook.note',
  'hook.state',
  'keys.fetched',
  'admin.refused',
]);

/** A log that writes so many lines of one sort a second, and tells how many it left out. */
export interface SampledLog extends Log {
  /** Tells now what was left out; call it before the process ends. */
  flush(): void;
}

/** What is sampled, and how much. */
export interface SamplingOptions {
  /** Lines of one event, code and address in one second; 0: all. Looked up for each line, so that a reload may change it. */
  readonly maxPerSecond: number;
  readonly clock: Clock;
  /** Told of lines that were left out, when they are summed up. */
  readonly onSuppressed?: (event: LogEvent, lines: number) => void;
}

/** Lines of one sort in the current second. */
interface Sort {
  readonly event: LogEvent;
  readonly code: string | undefined;
  readonly address: string | undefined;
  level: LogLevel;
  written: number;
  suppressed: number;
}

/** What one summary line tells. */
interface Summary {
  readonly of: LogEvent;
  readonly code: string | undefined;
  level: LogLevel;
  suppressed: number;
  addresses: number;
  address: string | undefined;
}

/**
 * Keeps floods out of a log: beyond `maxPerSecond` lines of one event, code and address in a second, lines are counted
 * and summed up in one `lines.suppressed` per event and code, at the highest level among them. Never throws.
 */
export function sampleLog(log: Log, options: SamplingOptions): SampledLog {
  const { clock, onSuppressed } = options;
  const sorts = new Map<string, Sort>();
  let startedMs = Number.NEGATIVE_INFINITY;
  let cancel: (() => void) | undefined;

  const flush = (): void => {
    cancel?.();
    cancel = undefined;
    const summaries = summed(sorts.values());
    sorts.clear();
    for (const { level, ...fields } of summaries) {
      log.write(level, 'lines.suppressed', fields);
      onSuppressed?.(fields.of, fields.suppressed);
    }
  };
  const sortOf = (event: LogEvent, fields: LogFields): Sort => {
    const now = clock.now();
    // A wall clock may go back.
    if (now < startedMs || now >= startedMs + WINDOW_MS) {
      flush();
      startedMs = now;
    }
    const code = wordOf(fields);
    const address = textOf(fields, 'address');
    const key = `${event} ${code ?? ''} ${address ?? ''}`;
    const known = sorts.get(key);
    if (known !== undefined) return known;
    const isFull = sorts.size >= MAX_KINDS;
    const sort = (isFull ? sorts.get(event) : undefined) ?? {
      ...{ event, level: 'debug', written: 0, suppressed: 0 },
      code: isFull ? undefined : code,
      address: isFull ? undefined : address,
    };
    sorts.set(isFull ? event : key, sort);
    return sort;
  };
  return {
    enabled: (level) => log.enabled(level),
    write(level, event, fields) {
      if (!log.enabled(level)) return;
      const { maxPerSecond } = options;
      if (maxPerSecond === 0 || !SAMPLED.has(event) || textOf(fields, 'outcome') === 'yes') {
        log.write(level, event, fields);
        return;
      }
      const sort = sortOf(event, fields);
      if (sort.written < maxPerSecond) {
        sort.written += 1;
        log.write(level, event, fields);
        return;
      }
      sort.suppressed += 1;
      sort.level = higher(sort.level, level);
      cancel ??= clock.after(WINDOW_MS, flush);
    },
    flush,
  };
}

function summed(sorts: Iterable<Sort>): readonly Summary[] {
  const summaries = new Map<string, Summary>();
  for (const { event, code, address, level, suppressed } of sorts) {
    if (suppressed === 0) continue;
    const key = `${event} ${code ?? ''}`;
    const one = summaries.get(key) ?? { of: event, code, level, suppressed: 0, addresses: 0, address };
    summaries.set(key, one);
    one.level = higher(one.level, level);
    one.suppressed += suppressed;
    one.addresses += address === undefined ? 0 : 1;
    if (one.addresses > 1) one.address = undefined;
  }
  return [...summaries.values()];
}

function higher(one: LogLevel, other: LogLevel): LogLevel {
  return LEVELS.indexOf(one) >= LEVELS.indexOf(other) ? one : other;
}

/** What tells lines of one event apart: all these words are of closed lists. */
function wordOf(fields: LogFields): string | undefined {
  return textOf(fields, 'code') ?? textOf(fields, 'note') ?? textOf(fields, 'during') ?? textOf(fields, 'outcome');
}

function textOf(fields: LogFields, name: string): string | undefined {
  const value = fields[name];
  return typeof value === 'string' ? value : undefined;
}
