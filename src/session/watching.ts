import type { Identity } from '../model/identity.js';
import type { LogFields, LogLevel } from '../model/telemetry.js';
import type { Ceiling } from './ceiling.js';
import type { Expiry } from './expiry.js';

/** What holds for sessions that run; looked up when one begins to. */
export interface WatchRules {
  readonly onExpiry: 'keep' | 'close';
  /** Milliseconds before a session is ended with its token that the log says so; 0: never. */
  readonly expiryWarningMs: number;
  /** Milliseconds after `exp` that a session may go on. */
  readonly expiryGraceMs: number;
  /** kbit/s; 0: no limit. */
  readonly publisherKbps: number;
}

/** What watching is done with. */
export interface WatchDeps {
  readonly expiry: Expiry;
  readonly ceiling: Ceiling;
  readonly rules: () => WatchRules;
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
}

/** A session that runs. */
export interface Watched {
  readonly role: 'publisher' | 'subscriber';
  readonly identity: Identity | undefined;
  readonly clientBytes: () => number;
  readonly write: (level: LogLevel, event: 'session.note', fields: LogFields) => void;
  readonly end: (reason: 'expired' | 'over-bitrate') => void;
}

/** Watches the token's end and the bit rate of a session; the function that comes back ends the watching. */
export function watch(deps: WatchDeps, watched: Watched): () => void {
  const stops = [...watchExpiry(deps, watched), ...watchRate(deps, watched)];
  return () => {
    for (const stop of stops) stop();
  };
}

function watchExpiry({ expiry, rules, nowMs }: WatchDeps, { identity, write, end }: Watched): (() => void)[] {
  const { onExpiry, expiryWarningMs, expiryGraceMs } = rules();
  if (onExpiry === 'keep' || identity === undefined) return [];
  const endMs = identity.expiresAtS * 1000 + expiryGraceMs;
  const stops = [expiry.add(endMs, () => end('expired'))];
  if (expiryWarningMs > 0) {
    const warn = (): void => {
      const leftSeconds = Math.max(0, Math.round((endMs - nowMs()) / 1000));
      write('info', 'session.note', { note: 'expires-soon', leftSeconds });
    };
    stops.push(expiry.add(endMs - expiryWarningMs, warn));
  }
  return stops;
}

function watchRate(
  { ceiling, rules }: WatchDeps,
  { role, identity, clientBytes, write, end }: Watched,
): (() => void)[] {
  if (role !== 'publisher') return [];
  const maxKbps = Math.min(rules().publisherKbps || Infinity, identity?.maxKbps ?? Infinity);
  if (maxKbps === Infinity) return [];
  const onOver = (kbps: number): void => {
    write('warn', 'session.note', { note: 'over-bitrate', kbps, maxKbps });
    end('over-bitrate');
  };
  return [ceiling.watch({ clientBytes, maxKbps, onOver })];
}
