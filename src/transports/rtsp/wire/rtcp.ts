import { WireError } from '../../../model/errors.js';

/** RTCP packet types that the gateway writes or looks for. @see RFC 3550 §12.1 */
export const RTCP = { senderReport: 200, receiverReport: 201, sourceDescription: 202, bye: 203 } as const;

const VERSION = 0x80;
const CNAME = 1;
/** The length of an SDES item has 8 bit. */
const MAX_CNAME_BYTES = 255;

/**
 * Whether the packet in `bytes` from `start` to `end` is RTCP, and not RTP on the same channel or port.
 * @see RFC 5761 §4: types 192–223
 */
export function isRtcp(bytes: Buffer, start = 0, end = bytes.length): boolean {
  if (end - start < 4 || ((bytes[start] as number) & 0xc0) !== VERSION) return false;
  const type = bytes[start + 1] as number;
  return type >= 192 && type <= 223;
}

/**
 * A compound packet that says "still here" and nothing more: an empty receiver report and the name of the sender.
 * `ssrc` is unsigned 32 bit. Throws WireError `cname-too-long`.
 * @see RFC 3550 §6.1, §6.4.2, §6.5
 */
export function writeReceiverReport(ssrc: number, cname: string): Buffer {
  return Buffer.concat([emptyReport(ssrc), sourceDescription(ssrc, cname)]);
}

/** A compound packet that says farewell: an empty receiver report, the name, BYE. Throws WireError `cname-too-long`. @see RFC 3550 §6.6 */
export function writeBye(ssrc: number, cname: string): Buffer {
  return Buffer.concat([writeReceiverReport(ssrc, cname), packet(RTCP.bye, 1, ssrc, 0)]);
}

function emptyReport(ssrc: number): Buffer {
  return packet(RTCP.receiverReport, 0, ssrc, 0);
}

function sourceDescription(ssrc: number, cname: string): Buffer {
  const name = Buffer.from(cname);
  if (name.length > MAX_CNAME_BYTES) throw new WireError('cname-too-long', `at most ${MAX_CNAME_BYTES} bytes`);
  // The list of items ends with at least one zero, and the chunk at a border of four.
  const body = Math.ceil((2 + name.length + 1) / 4) * 4;
  const bytes = packet(RTCP.sourceDescription, 1, ssrc, body);
  bytes[8] = CNAME;
  bytes[9] = name.length;
  name.copy(bytes, 10);
  return bytes;
}

function packet(type: number, count: number, ssrc: number, bodyBytes: number): Buffer {
  const bytes = Buffer.alloc(8 + bodyBytes);
  bytes[0] = VERSION | count;
  bytes[1] = type;
  bytes.writeUInt16BE(bytes.length / 4 - 1, 2);
  bytes.writeUInt32BE(ssrc >>> 0, 4);
  return bytes;
}
