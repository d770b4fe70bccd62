import type { Log, Metrics } from '../model/telemetry.js';
import type { HttpResponse } from '../net/http-request.js';
import type { Caller, RefusalReason } from './guard.js';
import { problemAnswer } from './problem.js';

/** What refusals are told with. */
export interface RefusalsParts {
  readonly log: Log;
  readonly metrics: Metrics;
  /** How long nothing that a caller shows is looked at. */
  readonly waitMs: (caller: Caller) => number;
  /** A path as the log may name it. */
  readonly nameOf: (path: string) => string;
}

/** Turns a caller away: counts it, writes `admin.refused`, and makes the answer. */
export type Refuse = (reason: RefusalReason, caller: Caller & { readonly path: string }) => HttpResponse;

/** Makes the one place where callers are turned away. Nothing that they sent is written but their address and method. */
export function createRefusals({ log, metrics, waitMs, nameOf }: RefusalsParts): Refuse {
  return (reason, caller) => {
    const { method, path, remoteAddress } = caller;
    metrics.count('admin_refused_total', { reason });
    // Whoever opens the page comes without a token first.
    const level = reason === 'token-required' ? 'info' : 'warn';
    if (log.enabled(level))
      log.write(level, 'admin.refused', { address: remoteAddress, method, path: nameOf(path), code: reason });
    return problemAnswer({ problem: reason }, headersOf(reason, waitMs(caller)));
  };
}

/** @see RFC 6750 §3, RFC 6585 §4 */
function headersOf(reason: RefusalReason, waitMs: number): readonly (readonly [string, string])[] {
  switch (reason) {
    case 'token-required':
      return [['WWW-Authenticate', 'Bearer realm="portcullis"']];
    case 'token-wrong':
      return [['WWW-Authenticate', 'Bearer realm="portcullis", error="invalid_token"']];
    case 'token-throttled':
      return [['Retry-After', String(Math.max(1, Math.ceil(waitMs / 1000)))]];
    case 'host-unknown':
    case 'origin-foreign':
      return [];
  }
}
