import { withPayloadText } from './forge.js';
import { claim, row } from './row.js';
import type { TokenVector } from './tokens.js';

const M = 'token-malformed';
const E = 'token-expired';
const T = 'token-ttl-exceeded';
const N = 'token-not-yet-valid';
const I = 'token-issuer';
const U = 'token-audience';

const expiryVectors: readonly TokenVector[] = [
  claim(M, 'no exp', 'exp is required', { exp: undefined }),
  claim(M, 'exp is null', 'a number', { exp: null }),
  claim(M, 'exp is a text', 'a number (RFC 7519 §2)', ({ nowS }) => ({ exp: String(nowS + 60) })),
  claim(M, 'exp is a date in words', 'a number', { exp: '2099-01-01T00:00:00Z' }),
  claim(M, 'exp is an empty text', 'a number', { exp: '' }),
  claim(M, 'exp is true', 'a number', { exp: true }),
  claim(M, 'exp is an array', 'an array of one compares like its element', ({ nowS }) => ({ exp: [nowS + 60] })),
  claim(M, 'exp is an object', 'a number', ({ nowS }) => ({ exp: { $date: nowS + 60 } })),
  row(M, 'exp is 1e999', 'infinite after parsing', (context) => withPayloadText(context, '"exp":1e999', ['exp'])),
  row(M, 'exp is -1e999', 'infinite after parsing', (context) => withPayloadText(context, '"exp":-1e999', ['exp'])),
  row(E, 'exp is minus zero', 'long ago', (context) => withPayloadText(context, '"exp":-0', ['exp'])),
  claim(E, 'exp is zero', 'long ago, not "never"', { exp: 0 }),
  claim(E, 'exp is negative', 'long ago', { exp: -1 }),
  claim(E, 'exp is -1e308', 'long ago', { exp: -1e308 }),
  claim(E, 'exp two seconds ago', 'no leeway by default', ({ nowS }) => ({ exp: nowS - 2 })),
  claim(E, 'exp a day ago', 'NATS CVE-2020-26892: expired but accepted', ({ nowS }) => ({ exp: nowS - 86_400 })),
  claim(E, 'exp is now', 'now must be before exp (RFC 7519 §4.1.4)', ({ nowS }) => ({ exp: nowS }), {
    exactClock: true,
  }),
  claim('ok', 'exp in one second', 'still before exp', ({ nowS }) => ({ exp: nowS + 1 }), { exactClock: true }),
  claim('ok', 'exp with a fraction', 'NumericDate may have one', ({ nowS }) => ({ exp: nowS + 60.5 })),
  claim('ok', 'exp in exponent form', 'the same number in JSON', ({ nowS }) => ({ exp: nowS + 60 })),
  claim('ok', 'exp at the ceiling', 'the ceiling itself is allowed', ({ nowS }) => ({ exp: nowS + 3600 })),
  claim(
    T,
    'exp a second beyond the ceiling',
    'remaining life is what is limited (red5.md §1.1)',
    ({ nowS }) => ({ exp: nowS + 3601 }),
    { exactClock: true },
  ),
  claim(T, 'exp a minute beyond the ceiling', 'remaining life is what is limited', ({ nowS }) => ({
    exp: nowS + 3660,
  })),
  claim(T, 'exp in a year', 'a token for ever', ({ nowS }) => ({ exp: nowS + 31_536_000 })),
  claim(T, 'exp in milliseconds', 'a usual mistake', ({ nowS }) => ({ exp: (nowS + 60) * 1000 })),
  claim(T, 'exp is 1e308', 'a token for ever', { exp: 1e308 }),
  claim(T, 'exp is 2^53', 'a token for ever', { exp: 2 ** 53 }),
  claim(T, 'exp is 2^63', 'a token for ever', { exp: 2 ** 63 }),
  claim(T, 'an old iat does not lengthen the ceiling', 'measured from now', ({ nowS }) => ({
    iat: nowS - 86_400,
    exp: nowS + 7200,
  })),
  claim('ok', 'an old iat does not shorten the life', 'only the remaining life counts', ({ nowS }) => ({
    iat: nowS - 86_400,
  })),
];

const notBeforeVectors: readonly TokenVector[] = [
  claim('ok', 'nbf a minute ago', 'passed', ({ nowS }) => ({ nbf: nowS - 60 })),
  claim('ok', 'nbf is now', 'now may be at nbf (RFC 7519 §4.1.5)', ({ nowS }) => ({ nbf: nowS })),
  claim('ok', 'nbf is negative', 'passed long ago', { nbf: -1 }),
  claim(N, 'nbf in a second', 'no leeway by default', ({ nowS }) => ({ nbf: nowS + 1 }), { exactClock: true }),
  claim(N, 'nbf in five minutes', 'not yet', ({ nowS }) => ({ nbf: nowS + 300 })),
  claim(N, 'nbf in milliseconds', 'a usual mistake', ({ nowS }) => ({ nbf: nowS * 1000 })),
  claim(M, 'nbf is null', 'a number', { nbf: null }),
  claim(M, 'nbf is a text', 'a number', { nbf: '0' }),
  claim(M, 'nbf is true', 'a number', { nbf: true }),
  claim(M, 'nbf is an array', 'a number', { nbf: [0] }),
  row(M, 'nbf is -1e999', 'infinite after parsing', (context) => withPayloadText(context, '"nbf":-1e999')),
];

const issuedAtVectors: readonly TokenVector[] = [
  claim('ok', 'no iat', 'optional', { iat: undefined }),
  claim('ok', 'iat in the future', 'an issuer’s clock may run ahead', ({ nowS }) => ({ iat: nowS + 300 })),
  claim('ok', 'iat in milliseconds', 'checked for type only', ({ nowS }) => ({ iat: nowS * 1000 })),
  claim('ok', 'iat is negative', 'checked for type only', { iat: -5 }),
  claim(M, 'iat is null', 'a number', { iat: null }),
  claim(M, 'iat is a text', 'a number', { iat: '1700000000' }),
  claim(M, 'iat is an array', 'a number', { iat: [1] }),
  row(M, 'iat is 1e999', 'infinite after parsing', (context) => withPayloadText(context, '"iat":1e999', ['iat'])),
];

const ISSUER = 'https://issuer.example';
const ISSUERS: readonly (readonly [name: string, iss: unknown, why: string])[] = [
  ['no iss', undefined, 'required where an issuer is configured'],
  ['iss is null', null, 'a text'],
  ['iss is a number', 1, 'a text'],
  ['iss is true', true, 'a text'],
  ['iss is an array of ours', [ISSUER], 'fast-jwt CVE-2025-30144: an array is no issuer'],
  ['iss is an array of ours and another', [ISSUER, 'https://evil.example'], 'fast-jwt CVE-2025-30144'],
  ['iss is an object', { 0: ISSUER }, 'a text'],
  ['iss is empty', '', 'exact'],
  ['iss of somebody else', 'https://evil.example', 'exact'],
  ['iss in capitals', 'HTTPS://ISSUER.EXAMPLE', 'case-sensitive (red5.md §1.1)'],
  ['iss with a slash at the end', `${ISSUER}/`, 'exact'],
  ['iss with a space in front', ` ${ISSUER}`, 'exact'],
  ['iss with a space behind', `${ISSUER} `, 'exact'],
  ['iss with NUL', `${ISSUER}\0`, 'exact'],
  ['iss with more behind', `${ISSUER}.evil.example`, 'no prefix match'],
  ['iss cut short', ISSUER.slice(0, -1), 'no prefix match'],
  ['iss as a pattern', '.*', 'no pattern'],
  ['iss with a user part', 'https://issuer.example@evil.example', 'no prefix match'],
  ['iss in a list', `${ISSUER},https://evil.example`, 'iss is no list'],
  ['iss with a Cyrillic letter', 'https://issuеr.example', 'no normalisation'],
];

const issuerVectors: readonly TokenVector[] = [
  claim('ok', 'iss is the second issuer', 'any of the list', { iss: 'https://other-issuer.example' }),
  ...ISSUERS.map(([name, iss, why]) => claim(I, name, why, { iss })),
];

const AUDIENCE = 'portcullis-vectors';
const AUDIENCES: readonly (readonly [expect: 'ok' | typeof U, name: string, aud: unknown, why: string])[] = [
  ['ok', 'aud is a list with ours', ['other', AUDIENCE], 'one match is enough (RFC 7519 §4.1.3)'],
  [U, 'no aud', undefined, 'required where an audience is configured'],
  [U, 'aud is null', null, 'a text or a list of texts'],
  [U, 'aud is a number', 7, 'a text or a list of texts'],
  [U, 'aud is an object', { 0: AUDIENCE }, 'a text or a list of texts'],
  [U, 'aud is empty', '', 'exact'],
  [U, 'aud is an empty list', [], 'nobody is named'],
  [U, 'aud is a list of others', ['a', 'b'], 'not for us'],
  [U, 'aud is a list with a list of ours', [[AUDIENCE]], 'texts only'],
  [U, 'aud is a list with ours and a number', [AUDIENCE, 1], 'texts only'],
  [U, 'aud in capitals', AUDIENCE.toUpperCase(), 'case-sensitive'],
  [U, 'aud with more behind', `${AUDIENCE}-2`, 'no prefix match'],
  [U, 'aud cut short', AUDIENCE.slice(0, -1), 'no prefix match'],
  [U, 'aud with spaces', `other ${AUDIENCE}`, 'not a list of words'],
  [U, 'aud with commas', `other,${AUDIENCE}`, 'not a comma list'],
];

const audienceVectors: readonly TokenVector[] = AUDIENCES.map(([expect, name, aud, why]) =>
  claim(expect, name, why, { aud }),
);

const TEXTS: readonly (readonly [expect: 'ok' | typeof M, name: string, value: unknown, why: string])[] = [
  ['ok', 'absent', undefined, 'recommended only (red5.md §1.1)'],
  ['ok', 'null', null, 'as if absent'],
  ['ok', 'empty', '', 'a text'],
  ['ok', 'a whole number', 42, 'issuers put user numbers there'],
  ['ok', 'with letters of the world', 'Zoë 🎥 шлюз', 'Unicode is fine'],
  ['ok', 'of 512 characters', 's'.repeat(512), 'the cap itself'],
  [M, 'of 513 characters', 's'.repeat(513), 'goes into logs and headers'],
  [M, 'a fraction', 1.5, 'has no one spelling'],
  [M, 'a number beyond 2^53', 2 ** 60, 'has no one spelling'],
  [M, 'true', true, 'a text'],
  [M, 'an object', { id: 1 }, 'a text'],
  [M, 'an array', ['a'], 'a text'],
  [M, 'with CR LF', 'a\r\nX-Role: admin', 'header injection'],
  [M, 'with NUL', 'a\0b', 'goes into AMF and RTSP lines'],
  [M, 'with an escape code', 'a\u001b[2J', 'goes to terminals'],
  [M, 'with a C1 control', 'a\u0085b', 'a line end to some'],
  [M, 'with a line separator', 'a\u2028b', 'a line end to some'],
  [M, 'with half a surrogate pair', 'a\ud800b', 'not writable as UTF-8'],
];

const textVectors: readonly TokenVector[] = ['sub', 'jti'].flatMap((name) =>
  TEXTS.map(([expect, what, value, why]) => claim(expect, `${name} ${what}`, why, { [name]: value })),
);

const orderVectors: readonly TokenVector[] = [
  row(E, 'expired and of another issuer', 'the first rung decides', (context) =>
    withPayloadText(context, '"exp":1,"iss":"x"', ['exp', 'iss']),
  ),
  claim(E, 'expired and without the role', 'who you are comes before what you may', { exp: 1, roles: 'x' }),
  claim(I, 'of another issuer and without the role', 'who you are comes before what you may', { iss: 'x', roles: 'x' }),
];

/** Dates, issuer, audience, texts. */
export const CLAIM_VECTORS: readonly TokenVector[] = [
  ...expiryVectors,
  ...notBeforeVectors,
  ...issuedAtVectors,
  ...issuerVectors,
  ...audienceVectors,
  ...textVectors,
  ...orderVectors,
];
