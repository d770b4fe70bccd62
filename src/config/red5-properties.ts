import type { PathStep } from './fault.js';
import type { Property } from './properties.js';

/** What an imported property sets: a key of ours, and where it came from. */
export interface Imported {
  readonly path: readonly PathStep[];
  readonly value: unknown;
  readonly property: string;
  readonly line: number;
}

/** A remark on one property. */
export interface Remark {
  readonly line: number;
  readonly property: string;
  readonly text: string;
}

/** The key under which Red5's secret appears in the log. */
export const RED5_KEY_ID = 'red5';

/** The secret of Red5 Pro's sample file begins so. */
const SAMPLE_SECRET = /^change-?me/i;

interface Answer {
  readonly path?: readonly PathStep[];
  readonly value?: unknown;
  readonly remark?: string;
}

const CLOSED = 'every listener of the gateway stays closed to clients without a token';

/** What each property of Red5 Pro's file means here. @see Red5 Pro, JWT authentication: configuration */
const PROPERTIES: Readonly<Record<string, (value: string) => Answer>> = {
  'jwt.secret': (value) => ({
    path: ['auth', 'keys'],
    value: [{ id: RED5_KEY_ID, algorithm: 'HS256', secret: { value }, encoding: 'utf8' }],
    ...remarkOf(secretRemark(value)),
  }),
  'jwt.ttl.minutes': (value) =>
    /^\d{1,6}$/.test(value.trim())
      ? { path: ['auth', 'maxTtlMinutes'], value: Number(value) }
      : { remark: 'is not a number of minutes; not imported' },
  'jwt.issuer': (value) => (value === '' ? {} : { path: ['auth', 'issuers'], value: [value] }),
  'auth.active': (value) => (isTrue(value) ? {} : { remark: `is off in Red5; ${CLOSED}` }),
  'auth.rtmp': (value) => protocol(value, 'RTMP'),
  'auth.rtsp': (value) => protocol(value, 'RTSP'),
  'auth.rtc': (value) => protocol(value, 'WebRTC'),
  'auth.http': (value) => protocol(value, 'HTTP'),
  'auth.srt': (value) => (isTrue(value) ? { remark: 'could not be mapped: the gateway has no SRT' } : {}),
  'auth.mpegts': (value) => (isTrue(value) ? { remark: 'could not be mapped: the gateway has no MPEG-TS' } : {}),
  'auth.rtmpAllowQueryParamsEnabled': (value) =>
    isTrue(value) ? {} : { remark: 'could not be mapped: the gateway always takes a token from the query too' },
  'auth.streamNameAuth': (value) =>
    isTrue(value) ? {} : { remark: 'could not be mapped: the gateway always takes a token behind the stream name too' },
  'auth.rtmpAuthRoomScopeEnabled': (value) =>
    isTrue(value) ? { remark: 'could not be mapped: the gateway takes no token from the room' } : {},
};

/** Maps the properties to keys of ours; what has no counterpart gets one remark each. */
export function mapRed5Properties(properties: readonly Property[]): {
  readonly imported: readonly Imported[];
  readonly remarks: readonly Remark[];
} {
  const imported: Imported[] = [];
  const remarks: Remark[] = [];
  for (const { key, value, line } of properties) {
    const answer = answerTo(key, value);
    if (answer.remark !== undefined) remarks.push({ line, property: nameOf(key), text: answer.remark });
    if (answer.path !== undefined) imported.push({ path: answer.path, value: answer.value, property: key, line });
  }
  return { imported, remarks };
}

/** A line that lost its key may be a secret: only what looks like a name is repeated. */
function nameOf(key: string): string {
  return /^[A-Za-z][A-Za-z0-9.-]{0,60}$/.test(key) && (key.includes('.') || key.length <= 20) ? key : '(a property)';
}

function answerTo(key: string, value: string): Answer {
  const read = Object.hasOwn(PROPERTIES, key) ? PROPERTIES[key] : undefined;
  if (read === undefined) return { remark: 'could not be mapped: nothing in the gateway corresponds to it' };
  // Spring fills these in from elsewhere, where the gateway cannot look.
  if (/\$\{[^}]*\}/.test(value)) return { remark: 'could not be mapped: it holds a ${…} placeholder' };
  return read(value);
}

function protocol(value: string, words: string): Answer {
  return isTrue(value) ? {} : { remark: `leaves ${words} open in Red5; ${CLOSED}` };
}

function secretRemark(value: string): string | undefined {
  if (SAMPLE_SECRET.test(value)) return "is the secret of Red5's sample file, which everybody knows; make a new one";
  return value === value.trimEnd()
    ? undefined
    : 'ends in white space, which Red5 takes as part of the secret, and so does the gateway';
}

function remarkOf(remark: string | undefined): { readonly remark?: string } {
  return remark === undefined ? {} : { remark };
}

function isTrue(value: string): boolean {
  return value.trim().toLowerCase() === 'true';
}
