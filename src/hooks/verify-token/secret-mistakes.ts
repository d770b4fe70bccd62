import { createSecretKey } from 'node:crypto';
import { quote } from './finding.js';
import type { TokenKey } from './keys.js';
import { signatureHolds } from './verify.js';

type Reading = readonly [how: string, bytes: Buffer];

/**
 * Other ways to read the text of a secret. Loose on purpose: Java's and Node's decoders skip letters that are not base64,
 * and that is just what happened where a plain secret was given to a library that wanted base64.
 */
function otherReadings(text: string, encoding: string): readonly Reading[] {
  const readings: readonly Reading[] = [
    ['utf8', Buffer.from(text)],
    ['base64', Buffer.from(text.replace(/[^A-Za-z0-9+/]/g, ''), 'base64')],
    ['base64url', Buffer.from(text, 'base64url')],
    ['hex', Buffer.from(text, 'hex')],
  ];
  return readings.filter(([how, bytes]) => how !== encoding && bytes.length > 0);
}

/** The same secret with the white space that files and copying add or lose. */
function spacedReadings(text: string): readonly Reading[] {
  return [text.trim(), `${text}\n`, `${text}\r\n`].map((spaced) => ['spaced', Buffer.from(spaced)]);
}

function fits(token: string, key: TokenKey, bytes: Buffer): boolean {
  return signatureHolds(token, { algorithm: key.algorithm, material: createSecretKey(bytes) });
}

/** Says whether the signature of a token fits a secret once that is read in another way than the config says. */
export function findSecretMistakes(token: string, key: TokenKey): readonly string[] {
  if (key.written === undefined) return [];
  const { secret, encoding } = key.written;
  const text = secret.reveal();
  const other = otherReadings(text, encoding).find(([, bytes]) => fits(token, key, bytes));
  if (other !== undefined) {
    return [
      `the signature fits when the secret of key ${quote(key.id)} is read as ${other[0]} (configured: ${encoding}): the issuer decodes it; give the issuer the same bytes, or set encoding: ${other[0]}`,
    ];
  }
  if (!spacedReadings(text).some(([, bytes]) => fits(token, key, bytes))) return [];
  return [`the signature fits when the secret of key ${quote(key.id)} gains or loses white space at its end`];
}
