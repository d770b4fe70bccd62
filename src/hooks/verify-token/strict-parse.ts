import { failed, passed, type Finding } from './finding.js';

/** Tokens of more characters are refused before anything is decoded. Bytes; a token is ASCII. */
export const MAX_TOKEN_BYTES = 8192;

/** Longest `kid` that is looked up. UTF-16 units. */
export const MAX_KID_LENGTH = 256;

/**
 * Header parameters that refuse a token: each would have us fetch, trust or unpack something the sender chose.
 *
 * @see RFC 7515 §4.1, RFC 7516 §4.1, RFC 7797 §3, RFC 8725 §3.10
 */
export const FORBIDDEN_HEADERS = ['crit', 'b64', 'zip', 'cty', 'enc', 'jwk', 'jku', 'x5u', 'x5c'] as const;

/** A JSON object as its own properties only, so that nothing is ever looked up on a prototype. */
export type JsonObject = ReadonlyMap<string, unknown>;

/** The parts of a token, decoded but not believed. */
export interface ParsedToken {
  readonly header: JsonObject;
  readonly claims: JsonObject;
}

/** The three parts of a compact JWS; the text is `header.payload.signature` and each part canonical base64url. */
export interface JwsParts {
  readonly header: Buffer;
  readonly payload: Buffer;
}

type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly text: string };

function fault(text: string): { readonly ok: false; readonly text: string } {
  return { ok: false, text };
}

/** Decodes base64url only from the one text that encodes these bytes: no padding, no spaces, no stray bits. */
function decodeCanonical(part: string): Buffer | undefined {
  const bytes = Buffer.from(part, 'base64url');
  return bytes.toString('base64url') === part ? bytes : undefined;
}

/**
 * Cuts a compact JWS in its parts. The signature may be empty (an unsigned token is refused later, by its algorithm).
 *
 * @see RFC 7515 §7.1, RFC 8725 §3.2
 */
export function splitJws(text: string): Parsed<JwsParts> {
  if (text.length > MAX_TOKEN_BYTES) {
    return fault(`${text.length} characters, at most ${MAX_TOKEN_BYTES} are read`);
  }
  const parts = text.split('.');
  if (parts.length === 5) return fault('5 parts: an encrypted token (JWE) is not accepted');
  if (parts.length !== 3) return fault(`${parts.length} parts, a token has 3`);
  const [header, payload, signature] = parts.map(decodeCanonical);
  if (header === undefined) return fault('the header is not canonical base64url');
  if (payload === undefined) return fault('the payload is not canonical base64url');
  if (signature === undefined)
    return fault('the signature is not canonical base64url: most often a client has cut it off');
  if (header.length === 0 || payload.length === 0) return fault('an empty part');
  return { ok: true, value: { header, payload } };
}

/** Index of the quote that ends the JSON string starting at `start`. */
function endOfString(json: string, start: number): number {
  let at = start + 1;
  while (json[at] !== '"') at += json[at] === '\\' ? 2 : 1;
  return at;
}

/**
 * The first name that a JSON object holds twice, or undefined. Escapes are read, so `"a\u006cg"` is `"alg"` again.
 * Looks at the outermost object only; `json` must be one that JSON.parse accepts.
 */
export function findDuplicateName(json: string): string | undefined {
  const names = new Set<string>();
  let depth = 0;
  let nameComes = false;
  for (let at = 0; at < json.length; at += 1) {
    const char = json[at];
    if (char === '"') {
      const end = endOfString(json, at);
      if (nameComes) {
        const name = String(JSON.parse(json.slice(at, end + 1)));
        if (names.has(name)) return name;
        names.add(name);
        nameComes = false;
      }
      at = end;
    } else if (char === '{' || char === '[') {
      depth += 1;
      nameComes = depth === 1;
    } else if (char === '}' || char === ']') {
      depth -= 1;
    } else if (char === ',') {
      nameComes = depth === 1;
    }
  }
  return undefined;
}

/** Reads bytes as one JSON object: valid UTF-8 without a byte order mark, no name twice, own properties only. */
export function parseObject(bytes: Buffer, what: 'header' | 'payload'): Parsed<JsonObject> {
  let json: string;
  let value: unknown;
  try {
    json = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return fault(`the ${what} is not UTF-8`);
  }
  try {
    value = JSON.parse(json);
  } catch {
    return fault(`the ${what} is not JSON`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return fault(`the ${what} is not a JSON object`);
  }
  if (findDuplicateName(json) !== undefined) return fault(`the ${what} has a name twice`);
  return { ok: true, value: new Map(Object.entries(value)) };
}

/** Splits and reads a whole token. The text of a fault says what was expected and holds none of the token. */
export function parseToken(text: string): Parsed<ParsedToken> {
  const parts = splitJws(text);
  if (!parts.ok) return parts;
  const header = parseObject(parts.value.header, 'header');
  if (!header.ok) return header;
  const claims = parseObject(parts.value.payload, 'payload');
  if (!claims.ok) return claims;
  return { ok: true, value: { header: header.value, claims: claims.value } };
}

/**
 * Checks every header parameter but the algorithm: none of the forbidden ones, `typ` absent or JWT in any case,
 * `kid` absent or a short text without control characters. Code: `token-malformed`.
 */
export function checkHeader(header: JsonObject): Finding {
  const forbidden = FORBIDDEN_HEADERS.filter((name) => header.has(name));
  if (forbidden.length > 0)
    return failed('token-malformed', `header parameter ${forbidden.join(', ')} is not accepted`);
  const typ = header.get('typ');
  if (header.has('typ') && (typeof typ !== 'string' || typ.toLowerCase() !== 'jwt')) {
    return failed('token-malformed', 'typ is not JWT');
  }
  const kid = header.get('kid');
  if (header.has('kid') && (typeof kid !== 'string' || kid.length > MAX_KID_LENGTH || /\p{Cc}/u.test(kid))) {
    return failed('token-malformed', `kid is not a plain text of at most ${MAX_KID_LENGTH} characters`);
  }
  return passed('only known header parameters');
}
