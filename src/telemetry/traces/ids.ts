import { createHash } from 'node:crypto';

/**
 * Ids that follow from the session, so that a server which a hook asks can be told of them before there is a span.
 * Nobody can guess them who cannot guess the session's.
 */
export interface TraceIds {
  /** 32 hex digits. */
  readonly traceId: string;
  /** Of the span of one action, that all others are below; 16 hex digits. */
  readonly rootSpanId: string;
}

/** The ids of one action of a session. @see W3C Trace Context §3.2.2 */
export function traceIdsOf(session: string, action: string): TraceIds {
  return { traceId: hex(16, 'trace', session), rootSpanId: hex(8, 'action', session, action) };
}

/** The id of the span of one hook that is asked; 16 hex digits. */
export function hookSpanIdOf(session: string, action: string, hook: string): string {
  return hex(8, 'hook', session, action, hook);
}

/** Whether a trace is among the share that is kept; the same on every gateway. `ratio`: 0 to 1. */
export function isSampled(traceId: string, ratio: number): boolean {
  return Number.parseInt(traceId.slice(0, 8), 16) < ratio * 0x1_0000_0000;
}

/** What another server is told. @see W3C Trace Context §3.2 */
export function writeTraceParent(traceId: string, spanId: string, sampled: boolean): string {
  return `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;
}

function hex(bytes: number, ...parts: readonly string[]): string {
  return createHash('sha256')
    .update(JSON.stringify(parts))
    .digest('hex')
    .slice(0, bytes * 2);
}
