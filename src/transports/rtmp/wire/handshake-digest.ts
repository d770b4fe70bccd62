import { createHmac, timingSafeEqual } from 'node:crypto';

const PLAYER_KEY = Buffer.from('Genuine Adobe Flash Player 001');
const SERVER_WORDS = Buffer.from('Genuine Adobe Flash Media Server 001');
const SERVER_KEY = Buffer.concat([
  SERVER_WORDS,
  Buffer.from('f0eec24a8068bee82e00d0d1029e7e576eec5d2d29806fab93b8e636cfeb31ae', 'hex'),
]);
const DIGEST_BYTES = 32;

/** Where the four bytes stand whose sum says where the digest is: 772 (key block first) or 8 (digest block first). */
export type DigestLayout = 772 | 8;

/** A digest that was found valid: the layout, and its 32 bytes. */
export interface FoundDigest {
  readonly layout: DigestLayout;
  readonly digest: Buffer;
}

/** Finds the digest of a client's C1; undefined when it holds none in either layout. */
export function findClientDigest(c1: Buffer): FoundDigest | undefined {
  for (const layout of [772, 8] as const) {
    const at = digestOffset(c1, layout);
    const digest = c1.subarray(at, at + DIGEST_BYTES);
    if (timingSafeEqual(digest, digestOf(c1, at, PLAYER_KEY))) return { layout, digest };
  }
  return undefined;
}

/** Puts the server's digest into S1, in place. */
export function signS1(s1: Buffer, layout: DigestLayout): void {
  const at = digestOffset(s1, layout);
  digestOf(s1, at, SERVER_WORDS).copy(s1, at);
}

/** Puts the answer to a client's digest into the last 32 bytes of S2, in place. */
export function signS2(s2: Buffer, clientDigest: Buffer): void {
  const key = hmac(SERVER_KEY, clientDigest);
  const end = s2.length - DIGEST_BYTES;
  hmac(key, s2.subarray(0, end)).copy(s2, end);
}

/** It always lies inside of the 1536 bytes. */
function digestOffset(packet: Buffer, layout: DigestLayout): number {
  let sum = 0;
  for (const byte of packet.subarray(layout, layout + 4)) sum += byte;
  return layout + 4 + (sum % 728);
}

function digestOf(packet: Buffer, at: number, key: Buffer): Buffer {
  return hmac(key, packet.subarray(0, at), packet.subarray(at + DIGEST_BYTES));
}

function hmac(key: Buffer, ...parts: readonly Buffer[]): Buffer {
  const mac = createHmac('sha256', key);
  for (const part of parts) mac.update(part);
  return mac.digest();
}
