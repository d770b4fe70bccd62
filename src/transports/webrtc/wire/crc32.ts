const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = (value & 1) === 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value >>> 0;
});

/** The CRC-32 of the first `length` bytes, unsigned. @see ITU-T V.42, RFC 8489 §14.7 */
export function crc32(bytes: Buffer, length = bytes.length): number {
  let crc = 0xffffffff;
  for (let at = 0; at < length; at++) crc = (TABLE[(crc ^ (bytes[at] ?? 0)) & 0xff] ?? 0) ^ (crc >>> 8);
  return ~crc >>> 0;
}
