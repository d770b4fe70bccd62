import { compact, encode, goodClaims, HEADER, withClaims, withPayloadText, type VectorContext } from './forge.js';
import { row } from './row.js';
import type { TokenVector } from './tokens.js';

const good = (context: VectorContext): string => withClaims(context, {});
const goodHeader = JSON.stringify(HEADER);
const goodPayload = (context: VectorContext): string => JSON.stringify(goodClaims(context));
const M = 'token-malformed';

/** A valid token of exactly `length` characters: the pad sits in the payload, the rest of the division by 3 in the kid. */
function ofLength(context: VectorContext, length: number): string {
  for (const kid of ['', 'a', 'ab', 'abc']) {
    const header = JSON.stringify({ ...HEADER, kid });
    const rest = length - encode(header).length - 45;
    const bytes = Math.floor((rest * 3) / 4);
    const bare = Buffer.byteLength(JSON.stringify({ ...goodClaims(context), pad: '' }));
    const payload = JSON.stringify({ ...goodClaims(context), pad: 'x'.repeat(bytes - bare) });
    const token = compact(header, payload, context.material.secret);
    if (token.length === length) return token;
  }
  throw new Error(`no token of ${length} characters`);
}

const PART_NAMES = ['header', 'payload', 'signature'] as const;

/** Another text for the same bytes: the unused bits of the last letter set. Only where there are unused bits. */
function strayBits(part: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  if (part.length % 4 === 0) return `${part}A`;
  return part.slice(0, -1) + alphabet.charAt(alphabet.indexOf(part.slice(-1)) + 1);
}

const MUTATIONS: readonly (readonly [name: string, why: string, mutate: (part: string) => string])[] = [
  [
    'padding',
    'base64url in a JWS has none (RFC 7515 §2)',
    (part) => `${part}${'='.repeat((4 - (part.length % 4)) % 4 || 1)}`,
  ],
  ['too much padding', 'no decoder may forgive it', (part) => `${part}===`],
  ['a space before', 'white space is not skipped (RFC 7515 §5.2)', (part) => ` ${part}`],
  ['a space after', 'white space is not skipped', (part) => `${part} `],
  ['a space inside', 'white space is not skipped', (part) => `${part.slice(0, 5)} ${part.slice(5)}`],
  ['a newline at the end', 'a token read from a file keeps it', (part) => `${part}\n`],
  ['a CRLF inside', 'wrapped base64 is not base64url', (part) => `${part.slice(0, 8)}\r\n${part.slice(8)}`],
  ['a tab', 'white space is not skipped', (part) => `\t${part}`],
  ['a NUL', 'C strings end there, ours do not', (part) => `${part}\0`],
  [
    'a plus',
    'standard base64 is a second spelling of the same bytes',
    (part) => `${part.slice(0, 4)}+${part.slice(5)}`,
  ],
  [
    'a slash',
    'standard base64 is a second spelling of the same bytes',
    (part) => `${part.slice(0, 4)}/${part.slice(5)}`,
  ],
  ['a percent escape', 'carriers decode once, the law never', (part) => `${part}%3D`],
  ['a letter outside ASCII', 'the alphabet is ASCII', (part) => `${part.slice(0, 4)}é${part.slice(5)}`],
  ['a zero-width space', 'Node skips letters it does not know', (part) => `${part.slice(0, 4)}\u200b${part.slice(4)}`],
  ['a question mark', 'Wycheproof 372: Node skips letters it does not know', (part) => `${part}?`],
  ['stray bits or a lonely letter', 'one token has one text', strayBits],
];

const partVectors: readonly TokenVector[] = PART_NAMES.flatMap((partName, index) =>
  MUTATIONS.map(([name, why, mutate]) =>
    row(M, `${partName} with ${name}`, why, (context) =>
      good(context)
        .split('.')
        .map((part, at) => (at === index ? mutate(part) : part))
        .join('.'),
    ),
  ),
);

const countVectors: readonly TokenVector[] = [
  row('ok', 'a plain good token', 'the measure of all others', good),
  row(M, 'an empty text', 'Wycheproof 13', () => ''),
  row(M, 'one dot', 'two empty parts', () => '.'),
  row(M, 'two dots', 'three empty parts', () => '..'),
  row(M, 'three dots', 'four empty parts', () => '...'),
  row(M, 'one word', 'no part at all', () => 'token'),
  row(M, 'the word undefined', 'a script without a token sends this', () => 'undefined'),
  row(M, 'the word null', 'a script without a token sends this', () => 'null'),
  row(M, 'an object printed by a script', 'a script without a token sends this', () => '[object Object]'),
  row(M, 'a UUID', 'an API key is no token', () => '123e4567-e89b-12d3-a456-426614174000'),
  row(
    M,
    'a Red5 Cloud digest token',
    'another product with colons (red5.md §1.5)',
    () => 'cam:u:streamer:k=v:live:1999999999:0a1b',
  ),
  row(
    M,
    'a PASETO',
    'three parts but no JWT',
    () => 'v2.local.QAxIpVe-ECVNI1z4xQbm_qQYomyT3h8FtV8bxkz8pBJWkT8f7HtlOpbroPDEZUKop',
  ),
  row(M, 'the header alone', 'cut off by a client', (context) => good(context).split('.')[0] ?? ''),
  row(M, 'header and payload without a dot', 'cut off by a client', (context) =>
    good(context).split('.').slice(0, 2).join('.'),
  ),
  row(M, 'payload and signature', 'Wycheproof 10', (context) => good(context).split('.').slice(1).join('.')),
  row(M, 'cut in the payload', 'ffmpeg cuts at 1023 bytes (red5.md §2.1)', (context) => good(context).slice(0, 90)),
  row(M, 'cut after 127 characters', 'RTSP passwords are cut there (mediamtx#5359)', (context) =>
    good(context).slice(0, 127),
  ),
  row(M, 'no header', 'Wycheproof 9', (context) => good(context).replace(/^[^.]*/, '')),
  row(M, 'no payload', 'Wycheproof 6', (context) => good(context).replace(/\.[^.]*\./, '..')),
  row(M, 'a dot at the end', 'Wycheproof 14', (context) => `${good(context)}.`),
  row(M, 'a dot in front', 'four parts', (context) => `.${good(context)}`),
  row(M, 'four parts', 'Wycheproof 15', (context) => `${good(context)}.foo`),
  row(
    M,
    'five parts',
    'an encrypted token; sign/encrypt confusion (rfc8725bis)',
    (context) => `${good(context)}.foo.bar`,
  ),
  row(M, 'five parts, two empty', 'an encrypted token with a direct key', (context) => `${good(context)}..`),
  row(M, 'six parts', 'nothing has six', (context) => `${good(context)}.a.b.c`),
  row(
    M,
    'two tokens joined by a comma',
    'a list of headers joined by a proxy',
    (context) => `${good(context)},${good(context)}`,
  ),
  row(M, 'flattened JSON serialisation', 'only the compact form is read (Wycheproof 17)', (context) => {
    const [protectedHeader, payload, signature] = good(context).split('.');
    return JSON.stringify({ protected: protectedHeader, payload, signature });
  }),
  row(M, 'general JSON serialisation', 'only the compact form is read', (context) => {
    const [protectedHeader, payload, signature] = good(context).split('.');
    return JSON.stringify({ payload, signatures: [{ protected: protectedHeader, signature }] });
  }),
];

const sizeVectors: readonly TokenVector[] = [
  row('ok', 'exactly 8192 characters', 'the cap itself is allowed', (context) => ofLength(context, 8192)),
  row(M, '8193 characters, well signed', 'one above the cap', (context) => ofLength(context, 8193)),
  row(M, '10 000 characters, well signed', 'size cap before decoding', (context) => ofLength(context, 10_000)),
  row(M, '100 000 letters A', 'size cap before decoding', () => 'A'.repeat(100_000)),
  row(M, '8000 dots', 'counting parts stays cheap', () => '.'.repeat(8000)),
];

const wrapVectors: readonly TokenVector[] = [
  row(
    M,
    'the scheme Bearer in front',
    'the carrier strips it once, the law never',
    (context) => `Bearer ${good(context)}`,
  ),
  row(
    M,
    'the scheme in lower case',
    'the carrier strips it once, the law never',
    (context) => `bearer ${good(context)}`,
  ),
  row(M, 'a parameter name in front', 'token=token=…', (context) => `token=${good(context)}`),
  row(M, 'quotes around it', 'copied from JSON', (context) => `"${good(context)}"`),
  row(M, 'a space in front', 'white space is not skipped', (context) => ` ${good(context)}`),
  row(M, 'a byte order mark in front', 'saved by an editor', (context) => `\ufeff${good(context)}`),
  row(M, 'a fragment behind', 'URL parts do not belong to it', (context) => `${good(context)}#t=1`),
  row(M, 'a parameter behind', 'URL parts do not belong to it', (context) => `${good(context)}&x=1`),
  row(M, 'a semicolon behind', 'SDKs send k=v;', (context) => `${good(context)};`),
  row(M, 'dots as percent escapes', 'decoded once by the carrier, never by the law', (context) =>
    good(context).replaceAll('.', '%2E'),
  ),
  row(M, 'full-width dots', 'no normalisation of Unicode', (context) => good(context).replaceAll('.', '．')),
  row(M, 'encoded in base64 as a whole', 'one layer only', (context) => encode(good(context))),
  row(M, 'in capitals', 'base64url is case-sensitive', (context) => good(context).toUpperCase()),
  row(M, 'backwards', 'nonsense', (context) => Array.from(good(context)).reverse().join('')),
];

const raw =
  (header: string | Buffer, payload?: (context: VectorContext) => string | Buffer) => (context: VectorContext) =>
    compact(header, payload?.(context) ?? goodPayload(context), context.material.secret);
const rawPayload = (payload: (context: VectorContext) => string | Buffer) => raw(goodHeader, payload);
const bytesInSub = (bytes: readonly number[]) =>
  rawPayload((context) => {
    const [before = '', after = ''] = JSON.stringify({ ...goodClaims(context), sub: '@' }).split('@');
    return Buffer.concat([Buffer.from(before), Buffer.from(bytes), Buffer.from(after)]);
  });

const textVectors: readonly TokenVector[] = [
  row(
    M,
    'header with a byte that is no UTF-8',
    'decoding is fatal',
    raw(Buffer.from('{"alg":"HS256","x":"\xff"}', 'latin1')),
  ),
  row(M, 'payload with a byte that is no UTF-8', 'decoding is fatal', bytesInSub([0xff])),
  row(M, 'payload with an overlong slash', 'C0 AF is a slash to careless decoders', bytesInSub([0xc0, 0xaf])),
  row(M, 'payload with a coded surrogate', 'ED A0 80 is not UTF-8', bytesInSub([0xed, 0xa0, 0x80])),
  row(M, 'payload with a cut sequence', 'E2 82 ends too early', bytesInSub([0xe2, 0x82])),
  row(M, 'header with a byte order mark', 'JSON has none (RFC 8259 §8.1)', raw(`\ufeff${goodHeader}`)),
  row(
    M,
    'payload with a byte order mark',
    'JSON has none',
    rawPayload((context) => `\ufeff${goodPayload(context)}`),
  ),
  row(
    M,
    'payload in UTF-16',
    'a token readable in two encodings (rfc8725bis)',
    rawPayload((context) => Buffer.from(goodPayload(context), 'utf16le')),
  ),
  row(M, 'header is an array', 'must be an object', raw('[]')),
  row(M, 'header is null', 'must be an object', raw('null')),
  row(M, 'header is a number', 'must be an object', raw('1')),
  row(M, 'header is a text', 'must be an object', raw('"HS256"')),
  row(M, 'header has a comma too much', 'strict JSON', raw('{"alg":"HS256",}')),
  row(M, 'header has a comment', 'strict JSON', raw('{"alg":"HS256"/**/}')),
  row(M, 'header has single quotes', 'strict JSON', raw("{'alg':'HS256'}")),
  row(M, 'header has two values', 'strict JSON', raw(`${goodHeader}${goodHeader}`)),
  row(M, 'header has alg twice, the same', 'no name twice (RFC 7515 §4)', raw('{"alg":"HS256","alg":"HS256"}')),
  row(M, 'header has alg twice, none first', 'parsers differ in which wins', raw('{"alg":"none","alg":"HS256"}')),
  row(M, 'header has alg twice, none last', 'parsers differ in which wins', raw('{"alg":"HS256","alg":"none"}')),
  row(
    M,
    'header has alg twice, one escaped',
    'escapes are read before names are compared',
    raw('{"alg":"HS256","a\\u006cg":"none"}'),
  ),
  row(M, 'header has kid twice', 'no name twice', raw('{"alg":"HS256","kid":"main","kid":"rsa"}')),
  row(M, 'header has an unknown name twice', 'no name twice', raw('{"x":1,"alg":"HS256","x":2}')),
  row('ok', 'header with white space', 'JSON allows it (Wycheproof 376, 377)', raw('{ "alg" :\n"HS256"\t}')),
  row('ok', 'header with alg escaped', 'the same text in JSON', raw('{"\\u0061lg":"HS256"}')),
  row(
    'ok',
    'header with deep nesting',
    'depth costs nothing',
    raw(`{"alg":"HS256","x":${'['.repeat(900)}${']'.repeat(900)}}`),
  ),
  row(
    'token-algorithm',
    'header with alg on the prototype',
    'own properties only',
    raw('{"__proto__":{"alg":"HS256"}}'),
  ),
  row(
    M,
    'payload is an array',
    'fast-jwt: claim checks skipped',
    rawPayload(() => '[]'),
  ),
  row(
    M,
    'payload is an array with the claims in it',
    'fast-jwt: claim checks skipped',
    rawPayload((context) => `[${goodPayload(context)}]`),
  ),
  row(
    M,
    'payload is null',
    'must be an object',
    rawPayload(() => 'null'),
  ),
  row(
    M,
    'payload is a number',
    'must be an object',
    rawPayload(() => '4102444800'),
  ),
  row(
    M,
    'payload is a text',
    'must be an object',
    rawPayload((context) => JSON.stringify(goodPayload(context))),
  ),
  row(
    M,
    'payload is true',
    'must be an object',
    rawPayload(() => 'true'),
  ),
  row(
    M,
    'payload is a token',
    'nested tokens are not opened',
    rawPayload((context) => good(context)),
  ),
  row(
    M,
    'payload is words',
    'must be JSON (Wycheproof uses "foo")',
    rawPayload(() => 'foo'),
  ),
  row(
    M,
    'payload is white space',
    'must be JSON',
    rawPayload(() => '  '),
  ),
  row(
    M,
    'payload has a comma too much',
    'strict JSON',
    rawPayload((context) => goodPayload(context).replace('}', ',}')),
  ),
  row(M, 'payload has NaN', 'strict JSON', (context) => withPayloadText(context, '"exp":NaN', ['exp'])),
  row(M, 'payload has Infinity', 'strict JSON', (context) => withPayloadText(context, '"exp":Infinity', ['exp'])),
  row(M, 'payload has a hexadecimal exp', 'strict JSON', (context) =>
    withPayloadText(context, '"exp":0xFFFFFFFF', ['exp']),
  ),
  row(M, 'payload has an exp with leading zero', 'strict JSON', ({ nowS, ...rest }) =>
    withPayloadText({ nowS, ...rest }, `"exp":0${nowS + 60}`, ['exp']),
  ),
  row(M, 'payload has exp twice', 'parsers differ in which wins', ({ nowS, ...rest }) =>
    withPayloadText({ nowS, ...rest }, `"exp":${nowS + 60}`),
  ),
  row(M, 'payload has iss twice', 'parsers differ in which wins', (context) =>
    withPayloadText(context, '"iss":"https://evil.example"'),
  ),
  row(M, 'payload has roles twice', 'parsers differ in which wins', (context) =>
    withPayloadText(context, '"roles":"x","roles":"red5-publisher"'),
  ),
  row(M, 'payload has roles twice, one escaped', 'escapes are read before names are compared', (context) =>
    withPayloadText(context, '"roles":"x","r\\u006fles":"red5-publisher"'),
  ),
  row('ok', 'payload with a name twice inside a claim', 'nothing inside unknown claims is read', (context) =>
    withPayloadText(context, '"x":{"a":1,"a":2}'),
  ),
  row('ok', 'payload with braces and quotes in texts', 'the search for doubles reads strings whole', (context) =>
    withPayloadText(context, '"x":"\\\\\\"},{\\"iss\\":","y":["iss","exp",{"exp":1}]'),
  ),
  row(M, 'payload with exp on the prototype', 'own properties only', ({ nowS, ...rest }) =>
    withPayloadText({ nowS, ...rest }, `"__proto__":{"exp":${nowS + 60}}`, ['exp']),
  ),
  row('role-denied', 'payload with bad roles and good ones on the prototype', 'own properties only', (context) =>
    withPayloadText(context, '"roles":"x","__proto__":{"roles":"red5-publisher,red5-subscriber"}'),
  ),
  row('ok', 'payload with names of Object.prototype', 'own properties only', (context) =>
    withPayloadText(context, '"constructor":1,"toString":null,"hasOwnProperty":"x"'),
  ),
  row('ok', 'payload with deep nesting', 'depth costs nothing', (context) =>
    withPayloadText(context, `"x":${'['.repeat(1500)}${']'.repeat(1500)}`),
  ),
  row(
    'ok',
    'payload with white space',
    'JSON allows it',
    rawPayload((context) => JSON.stringify(goodClaims(context), null, 2)),
  ),
];

/** Size, parts, base64url, UTF-8, JSON. */
export const SHAPE_VECTORS: readonly TokenVector[] = [
  ...countVectors,
  ...sizeVectors,
  ...partVectors,
  ...wrapVectors,
  ...textVectors,
];
