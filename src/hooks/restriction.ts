import type { Decision } from '../model/decision.js';
import type { Identity, Role } from '../model/identity.js';
import { reject } from '../model/rejection.js';
import type { ConnectionRequest } from '../model/request.js';
import { TRANSPORT_NAMES, type TransportName } from '../model/transport.js';
import { narrowIdentity } from './narrow.js';
import { judgeRole } from './require-role/index.js';
import { judgeRoom } from './require-room/index.js';
import { judgeTransport } from './require-transport/index.js';

/** Most entries of one list of a restriction, and the longest room. */
const MAX_ENTRIES = 1000;
const MAX_ROOM_LENGTH = 1024;
/** Seconds since 1970 that no token reaches: the end of the year 9999. */
const NEVER_S = 253_402_300_799;

/** What somebody else's yes may take away from a client. Absent is no limit of its own; nothing here can give. */
export type Restriction = Partial<Pick<Identity, 'expiresAtS' | 'maxKbps' | 'roles' | 'transports' | 'rooms'>>;

const ROLES: readonly Role[] = ['red5-publisher', 'red5-subscriber'];

type Read<T> = { readonly ok: true; readonly value: T } | { readonly ok: false };

const NOT: { readonly ok: false } = { ok: false };

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Set);
}

function readList<T extends string>(value: unknown, fits: (text: string) => text is T): Read<ReadonlySet<T>> {
  const list: unknown = value instanceof Set ? [...value] : value;
  if (!Array.isArray(list) || list.length > MAX_ENTRIES) return NOT;
  const texts = list.filter((entry): entry is string => typeof entry === 'string');
  // A word that is not known grants nothing, as in the claims; what is no word at all is nonsense.
  return texts.length === list.length ? { ok: true, value: new Set(texts.filter(fits)) } : NOT;
}

const isRole = (text: string): text is Role => ROLES.some((role) => role === text);
const isTransport = (text: string): text is TransportName => TRANSPORT_NAMES.some((name) => name === text);
const isRoom = (text: string): text is string => text.length <= MAX_ROOM_LENGTH;

function readNumber(value: unknown): Read<number> {
  return typeof value === 'number' && Number.isFinite(value) ? { ok: true, value } : NOT;
}

const READERS: Readonly<Record<keyof Restriction, (value: unknown) => Read<unknown>>> = {
  expiresAtS: readNumber,
  maxKbps: (value) => (typeof value === 'number' && value > 0 ? readNumber(value) : NOT),
  roles: (value) => readList(value, isRole),
  transports: (value) => readList(value, isTransport),
  rooms: (value) => readList(value, isRoom),
};

/**
 * Reads what limits somebody else's yes has: `roles`, `transports`, `rooms` (lists of words), `expiresAtS` (seconds since
 * 1970) and `maxKbps` (kbit/s, of a publisher). Undefined when a limit is not known or cannot be read: then it is safer to have no yes at all.
 */
export function readRestriction(value: unknown): Restriction | undefined {
  if (value === undefined || value === null) return {};
  if (!isRecord(value)) return undefined;
  const restriction: Record<string, unknown> = {};
  for (const [name, limit] of Object.entries(value)) {
    if (!Object.hasOwn(READERS, name)) return undefined;
    if (limit === undefined || limit === null) continue;
    const read = READERS[name as keyof Restriction](limit);
    if (!read.ok) return undefined;
    restriction[name] = read.value;
  }
  return restriction;
}

/**
 * A yes with limits, judged for this request: who asks for what the limits leave out is refused at once, and the rest of
 * the pipeline and the session see the narrower identity. `nowMs` is milliseconds since 1970.
 * Codes: `transport-denied`, `role-denied`, `room-denied`; `hook-denied` when the limit in time has passed.
 */
export function applyRestriction(
  request: ConnectionRequest,
  identity: Identity | undefined,
  restriction: Restriction,
  nowMs: number,
): Decision {
  if (Object.keys(restriction).length === 0) return { ok: true };
  const limits: Identity = { expiresAtS: NEVER_S, ...restriction };
  if (limits.expiresAtS * 1000 <= nowMs) {
    return { ok: false, rejection: reject('hook-denied', 'the yes came with a limit in time that has passed') };
  }
  const { transport, action, target } = request;
  const verdicts = [judgeTransport(limits, transport), judgeRole(limits, action), judgeRoom(limits, target, action)];
  const refusal = verdicts.find((verdict) => !verdict.ok);
  if (refusal !== undefined) return refusal;
  const narrowed = narrowIdentity(identity, limits);
  return narrowed === undefined ? { ok: true } : { ok: true, identity: narrowed };
}
