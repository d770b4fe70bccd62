/** Most characters of a text that are looked at; what lies behind is never written. */
const MAX_LOOKED_AT = 16_384;

/** Longest text that is written, in UTF-16 units. */
export const MAX_TEXT_LENGTH = 512;

/** What stands in the place of a token. */
const TOKEN = '[token]';

/**
 * Base64url that starts with `{"` or `{` and white space, with whatever parts follow: a token, also when its tail is cut off.
 * @see RFC 7515 §7.1
 */
const JWT_START = /(?:eyJ|(?<![A-Za-z0-9])(?:eyA|ewo|ewk|ew0))[A-Za-z0-9_\-+/=]{8,}(?:\.[A-Za-z0-9_\-+/=]*)*/g;

/** Three long parts of base64url: a token whose start is unusual or was cut off. */
const THREE_PARTS = /[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}/g;

/** The other places where clients put a secret: HTTP credentials and query pairs. */
const CREDENTIALS = /\b(Basic|Bearer)\s+[A-Za-z0-9._~+/=-]{16,}/gi;
const PAIRS = /\b((?:access_)?token|password|passwd|secret|jwt)=(?!\[token\]|secret:)[^&\s;,"']+/gi;

/** Control and format characters, line ends of Unicode, halves of pairs: what could forge a line or fool a terminal. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/**
 * Texts that need no look: too short for credentials, no `=` or `%` to hide something behind, nothing unseen. Nearly all that a log line
 * holds is of this sort, and a line is a good part of what a short session costs.
 */
const HARMLESS = /^(?!.*(?:ey[JA]|ew[ok0]))[A-Za-z0-9 ._:/-]{0,21}$/;

/**
 * Makes a text fit for a log: nothing unseen, nothing shaped like a token (also percent-encoded once or twice), at most
 * `MAX_TEXT_LENGTH` characters. It is the net below `Secret`, not a reason to do without.
 */
export function redact(text: string): string {
  if (HARMLESS.test(text)) return text;
  const visible = text.slice(0, MAX_LOOKED_AT).replace(UNSEEN, '');
  const plain = withoutSecrets(visible);
  const decoded = percentDecoded(visible);
  // The decoded form is written only when it held something that the encoded form hid.
  const clean = decoded === visible || withoutSecrets(decoded) === decoded ? plain : withoutSecrets(decoded);
  return clean.length > MAX_TEXT_LENGTH ? `${clean.slice(0, MAX_TEXT_LENGTH - 1)}…` : clean;
}

function withoutSecrets(text: string): string {
  return text
    .replace(JWT_START, TOKEN)
    .replace(THREE_PARTS, TOKEN)
    .replace(CREDENTIALS, `$1 ${TOKEN}`)
    .replace(PAIRS, `$1=${TOKEN}`);
}

/** Decodes visible ASCII, up to twice over; leaves everything else as it is. */
function percentDecoded(text: string): string {
  let decoded = text;
  for (let round = 0; round < 3 && decoded.includes('%'); round += 1) {
    decoded = decoded.replace(/%([2-7][0-9A-Fa-f])/g, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
  }
  return decoded.replace(UNSEEN, '');
}
