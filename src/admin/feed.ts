import { adviceOn } from './advice.js';

/** Most refusals that are remembered. */
export const MAX_REMEMBERED = 500;

/** The sorts of events that clients can choose from. */
export const EVENT_TYPES = ['decision', 'session', 'origin', 'config', 'gateway', 'admin'] as const;

/** One sort of events. */
export type EventType = (typeof EVENT_TYPES)[number];

/** Values that JSON can hold, without secrets. */
export type PlainFields = Readonly<Record<string, unknown>>;

/** Something that has happened. */
export interface LiveEvent {
  /** Counts up from 1 within one run of the gateway. */
  readonly id: number;
  /** Milliseconds since 1970. */
  readonly atMs: number;
  readonly type: EventType;
  /** Its name in the log. */
  readonly event: string;
  readonly fields: PlainFields;
}

/** What has happened: a memory of refusals, and listeners for all of it. */
export interface Feed {
  /** Takes an event of the log; those of no sort are passed over. Never throws. `fields` hold no secrets. */
  take(event: string, fields: () => PlainFields): void;
  /** Newest first. */
  refusals(): readonly LiveEvent[];
  /** Calls with each event; the function that comes back ends it. */
  listen(call: (event: LiveEvent) => void): () => void;
}

const TYPE_OF: ReadonlyMap<string, EventType> = new Map<string, EventType>([
  ['decision', 'decision'],
  ['session.start', 'session'],
  ['session.end', 'session'],
  ['session.note', 'session'],
  ['origin.state', 'origin'],
  ['config.reload', 'config'],
  ['revocations.read', 'config'],
  ['gateway.drain', 'gateway'],
  ['admin.action', 'admin'],
]);

/** Makes a feed that remembers the last `MAX_REMEMBERED` refusals. `now`: milliseconds since 1970. */
export function createFeed(now: () => number): Feed {
  const refusals: LiveEvent[] = [];
  const listeners = new Set<(event: LiveEvent) => void>();
  let ids = 0;
  return {
    take(event, fieldsOf) {
      const type = TYPE_OF.get(event);
      if (type === undefined) return;
      const fields = withAdvice(fieldsOf());
      const live: LiveEvent = { id: ++ids, atMs: now(), type, event, fields };
      if (isRefusal(live)) {
        refusals.push(live);
        if (refusals.length > MAX_REMEMBERED) refusals.shift();
      } else if (fields['note'] === 'token-cut-off') {
        addHint(refusals, fields);
      }
      for (const call of [...listeners]) call(live);
    },
    refusals: () => refusals.toReversed(),
    listen(call) {
      listeners.add(call);
      return () => void listeners.delete(call);
    },
  };
}

/** The law has said no, or the origin has. Other notes with a code are about one that is there already. */
function isRefusal({ type, fields }: LiveEvent): boolean {
  return fields['code'] !== undefined && (type === 'decision' || (type === 'session' && fields['note'] === 'refused'));
}

/** What is noticed about a refusal right behind it. */
function addHint(refusals: LiveEvent[], { session, hint }: PlainFields): void {
  const last = refusals.at(-1);
  if (last === undefined || session === undefined || last.fields['session'] !== session) return;
  refusals[refusals.length - 1] = { ...last, fields: { ...last.fields, hint } };
}

function withAdvice(fields: PlainFields): PlainFields {
  const { code } = fields;
  return typeof code === 'string' ? { ...fields, ...adviceOn(code) } : fields;
}
