import { WireError } from '../../../model/errors.js';

/** Characters of a session id; they are a capability, so a long one is somebody's attempt at something. */
export const MAX_SESSION_ID = 256;

/** What a Session header says. */
export interface SessionHeader {
  readonly id: string;
  /** Seconds, 1 or more. Absent: the standard's 60. */
  readonly timeoutS?: number;
}

/**
 * Reads a Session header of either direction; clients repeat the timeout (Larix, RTSP-09), and parameters nobody knows are
 * left out, like a timeout that is no number. Throws WireError `session-invalid` for an id that cannot be.
 * @see RFC 2326 §12.37
 */
export function readSession(value: string): SessionHeader {
  const [id = '', ...parameters] = value.split(';', 8).map((part) => part.trim());
  if (!ID.test(id)) throw new WireError('session-invalid', `an id of 1 to ${MAX_SESSION_ID} letters`);
  const digits = parameters.map((parameter) => /^timeout\s*=\s*(\d{1,9})$/i.exec(parameter)?.[1]).find(Boolean);
  const timeoutS = Number(digits ?? 0);
  return timeoutS > 0 ? { id, timeoutS } : { id };
}

/** Writes a Session header. Throws WireError `unwritable-header` for an id that readSession would not take. */
export function writeSession({ id, timeoutS }: SessionHeader): string {
  if (!ID.test(id)) throw new WireError('unwritable-header', 'a session id');
  return timeoutS === undefined ? id : `${id};timeout=${timeoutS}`;
}

/** More than the standard's alphabet: cameras use braces and slashes. */
const ID = new RegExp(`^[!#-+\\--:<-~]{1,${MAX_SESSION_ID}}$`);
