import { WireError } from '../../../model/errors.js';
import { CONTROL_CHUNK_STREAM, MESSAGE, type Message } from './message.js';

/** User control events the gateway knows. @see RTMP 1.0 §7.1.7 */
export const USER_CONTROL = {
  streamBegin: 0,
  streamEof: 1,
  streamDry: 2,
  setBufferLength: 3,
  streamIsRecorded: 4,
  pingRequest: 6,
  pingResponse: 7,
} as const;

/** A user control message: its event and the numbers behind it, unsigned 32 bit. */
export interface UserControl {
  readonly event: number;
  readonly value: number;
  /** Only SetBufferLength has one: milliseconds. */
  readonly extra?: number;
}

/**
 * Reads the one number of types 1, 2, 3, 5 and 6, unsigned 32 bit. Bytes behind it are ignored.
 * Throws WireError `control-short`.
 * @see RTMP 1.0 §5.4
 */
export function readControlNumber(payload: Buffer): number {
  if (payload.length < 4) throw new WireError('control-short', 'four bytes in a control message');
  return payload.readUInt32BE(0);
}

/**
 * Reads a user control message. Events of later inventions may have no value (26 asks for a hash of the player): it is then 0.
 * Throws WireError `control-short` when the event or the value of an event of the specification is missing.
 * @see RTMP 1.0 §7.1.7
 */
export function readUserControl(payload: Buffer): UserControl {
  if (payload.length < 2) throw new WireError('control-short', 'an event in a user control message');
  const event = payload.readUInt16BE(0);
  if (payload.length < 6) {
    if (event <= USER_CONTROL.pingResponse) throw new WireError('control-short', 'four bytes behind the event');
    return { event, value: 0 };
  }
  const head = { event, value: payload.readUInt32BE(2) };
  return payload.length >= 10 ? { ...head, extra: payload.readUInt32BE(6) } : head;
}

/** A control message with one number: types 1, 2, 3 and 5. */
export function controlMessage(type: number, value: number): Message {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(value >>> 0);
  return { chunkStreamId: CONTROL_CHUNK_STREAM, timestamp: 0, type, streamId: 0, payload };
}

/** Set Peer Bandwidth, limit type dynamic. @see RTMP 1.0 §5.4.5 */
export function peerBandwidthMessage(bytes: number): Message {
  const payload = Buffer.alloc(5);
  payload.writeUInt32BE(bytes);
  payload.writeUInt8(2, 4);
  return { chunkStreamId: CONTROL_CHUNK_STREAM, timestamp: 0, type: MESSAGE.setPeerBandwidth, streamId: 0, payload };
}

/** A user control message. */
export function userControlMessage(control: UserControl): Message {
  const payload = Buffer.alloc(control.extra === undefined ? 6 : 10);
  payload.writeUInt16BE(control.event, 0);
  payload.writeUInt32BE(control.value, 2);
  if (control.extra !== undefined) payload.writeUInt32BE(control.extra, 6);
  return { chunkStreamId: CONTROL_CHUNK_STREAM, timestamp: 0, type: MESSAGE.userControl, streamId: 0, payload };
}
