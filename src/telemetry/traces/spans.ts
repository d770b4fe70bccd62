import { REJECTIONS } from '../../model/rejection.js';
import type { LogEvent, LogFields } from '../../model/telemetry.js';
import { plainValue } from '../plain-value.js';
import { hookSpanIdOf, isSampled, traceIdsOf, writeTraceParent } from './ids.js';

/** One span, over; without secrets. */
export interface SpanRecord {
  readonly traceId: string;
  /** Undefined: any. */
  readonly spanId: string | undefined;
  /** Undefined: it has none above it. */
  readonly parentId: string | undefined;
  readonly name: string;
  readonly kind: 'server' | 'client' | 'internal';
  /** Milliseconds since 1970, with fractions. */
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  /** What failed; undefined where nothing did. A no of the law is no failure. */
  readonly failure: string | undefined;
}

/** Makes spans out of what the log is told. */
export interface SpanMaker {
  /** Takes an event of the log. Never throws. */
  hear(event: LogEvent, fields: LogFields): void;
  /** What a server that a hook asks on behalf of a session is told. */
  traceParentOf(asked: { readonly session: string; readonly action: string; readonly hook: string }): string;
}

/** What spans are made with. */
export interface SpanMakerOptions {
  /** Share of the sessions whose spans are made, 0 to 1. */
  readonly ratio: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly onSpan: (span: SpanRecord) => void;
}

/** Sessions that are being set up, of which something is remembered; the oldest is forgotten first. */
const MAX_REMEMBERED = 10_000;

/** How fields of the log are called as attributes; others keep their name behind `portcullis.`. @see OpenTelemetry semantic conventions */
const ATTRIBUTE: Readonly<Record<string, string>> = {
  address: 'client.address',
  code: 'error.type',
  subject: 'enduser.id',
};

/** What the span's own times, name and status say already. */
const LEFT_OUT: ReadonlySet<string> = new Set(['ms', 'setupMs', 'durationMs']);

interface Heard {
  readonly session: string;
  readonly action: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/**
 * Makes the spans of each session: one for each action from the question to the yes or no (`connect`, `publish`, `subscribe`), below it
 * `decide`, one for each hook and one for each origin that was called, and `relay` for the stream.
 */
export function createSpanMaker({ ratio, now, onSpan }: SpanMakerOptions): SpanMaker {
  /** Who is being set up, and what was said when the law let it in; undefined: it is over, but the law still thinks. */
  const asked = new Map<string, Heard['fields'] | undefined>();
  const remember = (session: string, fields: Heard['fields'] | undefined): void => {
    asked.set(session, fields);
    const [oldest] = asked.keys();
    if (asked.size > MAX_REMEMBERED && oldest !== undefined) asked.delete(oldest);
  };

  const span = (heard: Heard, name: string, tookMs: number, more: Partial<SpanRecord> = {}): void => {
    const { traceId, rootSpanId } = traceIdsOf(heard.session, heard.action);
    if (!isSampled(traceId, ratio)) return;
    const endMs = now();
    onSpan({
      ...{ traceId, spanId: undefined, parentId: rootSpanId, name, kind: 'internal', failure: undefined },
      ...{ startMs: endMs - tookMs, endMs, attributes: attributesOf(heard.fields) },
      ...more,
    });
  };
  /** The action has its answer. */
  const answered = (heard: Heard, tookMs: number, failure?: string): void => {
    const fields = { ...asked.get(heard.session), ...heard.fields };
    asked.delete(heard.session);
    const { rootSpanId } = traceIdsOf(heard.session, heard.action);
    const more = { spanId: rootSpanId, parentId: undefined, kind: 'server', failure } as const;
    span({ ...heard, fields }, heard.action, tookMs, more);
  };
  const decided = (heard: Heard): void => {
    const { outcome, code, ms, opens } = heard.fields;
    const failure = failureOf(code);
    span(heard, 'decide', numberOf(ms), { failure });
    const isOver = asked.has(heard.session) && asked.get(heard.session) === undefined;
    if (isOver) asked.delete(heard.session);
    if (isOver || opens === false) return;
    if (outcome !== 'yes' || heard.action === 'connect') {
      answered(heard, numberOf(ms), failure);
      return;
    }
    remember(heard.session, heard.fields);
  };
  const noted = (heard: Heard): void => {
    const { note, setupMs, code } = heard.fields;
    // The law had said yes.
    if (note === 'refused') answered(withNo(heard), numberOf(setupMs), failureOf(code));
    if (note !== 'ended-in-setup') return;
    const isDecided = asked.has(heard.session);
    answered(heard, numberOf(setupMs));
    if (!isDecided) remember(heard.session, undefined);
  };
  const take = (event: LogEvent, heard: Heard): void => {
    const { fields } = heard;
    switch (event) {
      case 'hook.asked': {
        const hook = String(fields['hook']);
        const spanId = hookSpanIdOf(heard.session, heard.action, hook);
        span(heard, `hook ${hook}`, numberOf(fields['ms']), { spanId, failure: failureOf(fields['code']) });
        return;
      }
      case 'decision':
        decided(heard);
        return;
      case 'origin.dialled': {
        const more = { kind: 'client', failure: failureOf(fields['code']) } as const;
        span(heard, `dial ${String(fields['origin'])}`, numberOf(fields['ms']), more);
        return;
      }
      case 'session.start':
        answered(heard, numberOf(fields['setupMs']));
        return;
      case 'session.note':
        noted(heard);
        return;
      case 'session.end': {
        const failure = typeof fields['error'] === 'string' ? fields['error'] : undefined;
        span(heard, 'relay', numberOf(fields['durationMs']), { failure });
        return;
      }
      default:
        return;
    }
  };
  return {
    hear(event, fields) {
      const plain = plainValue(fields);
      if (typeof plain !== 'object' || plain === null) return;
      const { session, action } = plain as Heard['fields'];
      if (typeof session !== 'string' || typeof action !== 'string') return;
      take(event, { session, action, fields: plain as Heard['fields'] });
    },
    traceParentOf({ session, action, hook }) {
      const { traceId } = traceIdsOf(session, action);
      return writeTraceParent(traceId, hookSpanIdOf(session, action, hook), isSampled(traceId, ratio));
    },
  };
}

function withNo(heard: Heard): Heard {
  return { ...heard, fields: { ...heard.fields, outcome: 'no' } };
}

function attributesOf(fields: Heard['fields']): SpanRecord['attributes'] {
  const attributes: Record<string, string | number | boolean> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (LEFT_OUT.has(name)) continue;
    const key = ATTRIBUTE[name] ?? `portcullis.${name}`;
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') attributes[key] = value;
  }
  return attributes;
}

/** A no that the client can do something about is no failure of ours. */
function failureOf(code: unknown): string | undefined {
  if (typeof code !== 'string' || !Object.hasOwn(REJECTIONS, code)) return undefined;
  const { side, reason } = REJECTIONS[code as keyof typeof REJECTIONS];
  return side === 'client' ? undefined : reason;
}

function numberOf(value: unknown): number {
  return typeof value === 'number' && value >= 0 ? value : 0;
}
