/** The events of the log. One JSON line each. */
export type LogEvent =
  | 'gateway.start'
  | 'gateway.warning'
  | 'gateway.drain'
  | 'gateway.stop'
  | 'gateway.error'
  | 'config.reload'
  | 'revocations.read'
  | 'certificates.read'
  | 'listener.open'
  | 'listener.closed'
  | 'connection.open'
  | 'connection.close'
  | 'decision'
  | 'session.start'
  | 'session.note'
  | 'session.end'
  | 'keys.fetched'
  | 'hook.asked'
  | 'hook.state'
  | 'hook.note'
  | 'origin.dialled'
  | 'origin.state'
  | 'traces.state'
  | 'admin.action'
  | 'admin.refused'
  | 'lines.suppressed'
  | 'embedded-origin';

/** How much a line matters. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Values a log line may hold; anything secret is a `Secret` and prints as its fingerprint. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Writes events. Never throws. */
export interface Log {
  write(level: LogLevel, event: LogEvent, fields: LogFields): void;
  /** Whether lines of this level are written, to spare the work of making one. */
  enabled(level: LogLevel): boolean;
}

/** Counts. Names are without the `portcullis_` prefix; label values come from closed lists. */
export interface Metrics {
  count(name: string, labels?: Readonly<Record<string, string>>, by?: number): void;
  /** `undefined`: what had these labels is no more. */
  gauge(name: string, labels: Readonly<Record<string, string>>, value: number | undefined): void;
  observe(name: string, labels: Readonly<Record<string, string>>, seconds: number): void;
}
