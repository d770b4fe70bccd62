import { MESSAGE } from './message.js';

/** Tag header before, and back pointer behind each message inside an aggregate. */
const TAG_HEADER_BYTES = 11;
const BACK_POINTER_BYTES = 4;

/**
 * Whether an aggregate message is whole and holds nothing but audio, video and data: what a publisher may send one by one.
 * @see RTMP 1.0 §7.1.6
 */
export function onlyHoldsMedia(payload: Buffer): boolean {
  let at = 0;
  while (at < payload.length) {
    if (payload.length - at < TAG_HEADER_BYTES) return false;
    const type = payload.readUInt8(at);
    if (type !== MESSAGE.audio && type !== MESSAGE.video && type !== MESSAGE.dataAmf0) return false;
    at += TAG_HEADER_BYTES + payload.readUIntBE(at + 1, 3) + BACK_POINTER_BYTES;
  }
  return payload.length > 0 && at === payload.length;
}
