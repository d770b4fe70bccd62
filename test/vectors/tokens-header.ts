import {
  compact,
  ecSign,
  encode,
  goodClaims,
  HEADER,
  hmac,
  signedBy,
  withHeader,
  type VectorContext,
} from './forge.js';
import { row } from './row.js';
import type { TokenVector } from './tokens.js';

const M = 'token-malformed';
const A = 'token-algorithm';
const S = 'token-signature';

const show = (value: unknown): string => (value === undefined ? 'absent' : JSON.stringify(value));

/** All sixteen spellings of none. */
const NONES: readonly string[] = Array.from({ length: 16 }, (_, bits) =>
  Array.from('none', (letter, at) => ((bits >> at) & 1 ? letter.toUpperCase() : letter)).join(''),
);

const unsigned = (header: object) => (context: VectorContext) =>
  `${encode(JSON.stringify(header))}.${encode(JSON.stringify(goodClaims(context)))}.`;

const noneVectors: readonly TokenVector[] = [
  ...NONES.map((alg) =>
    row(
      A,
      `alg ${alg}, no signature`,
      'none in every case mix is refused (RFC 8725 §3.2)',
      unsigned({ ...HEADER, alg }),
    ),
  ),
  row(A, 'alg none, signed', 'the algorithm is the key’s, never the token’s', (context) =>
    withHeader(context, { ...HEADER, alg: 'none' }),
  ),
  row(A, 'alg none with the kid of a key', 'the algorithm is the key’s', unsigned({ alg: 'none', kid: 'main' })),
  row(A, 'alg none with a space', 'exact', unsigned({ alg: 'none ' })),
  row(S, 'alg HS256, no signature', 'Wycheproof 3', unsigned(HEADER)),
  row(A, 'no alg, no signature', 'CVE-2022-23540', unsigned({ typ: 'JWT' })),
];

const ALGS: readonly (readonly [alg: unknown, why: string])[] = [
  [undefined, 'alg is required'],
  [null, 'alg is a text'],
  ['', 'alg is a text of one algorithm'],
  [256, 'alg is a text'],
  [true, 'alg is a text'],
  [['HS256'], 'an array of one prints like its element'],
  [{ toString: 'HS256' }, 'alg is a text'],
  ['hs256', 'case counts (RFC 7515 §4.1.1)'],
  ['Hs256', 'case counts'],
  ['HS256 ', 'exact'],
  [' HS256', 'exact'],
  ['HS256\0', 'exact'],
  ['HS-256', 'exact'],
  ['НS256', 'a Cyrillic letter'],
  ['HS1', 'unknown'],
  ['HS384', 'pinned: no key of it'],
  ['HS512', 'pinned: no key of it'],
  ['PS256', 'pinned: the RSA key is for RS256'],
  ['RS384', 'pinned: the RSA key is for RS256'],
  ['RS512', 'pinned: the RSA key is for RS256'],
  ['ES384', 'pinned: the EC key is for ES256'],
  ['ES512', 'pinned: the EC key is for ES256'],
  ['ES256K', 'unknown'],
  ['EdDSA', 'not implemented by jsonwebtoken'],
  ['dir', 'an encryption algorithm'],
  ['RSA1_5', 'an encryption algorithm'],
  ['A256GCM', 'an encryption algorithm (Wycheproof 25)'],
  ['PBES2-HS256+A128KW', 'iteration count of the sender’s choice (CVE-2022-36083)'],
  ['__proto__', 'no look-up on prototypes'],
  ['constructor', 'no look-up on prototypes'],
];

const algVectors: readonly TokenVector[] = ALGS.map(([alg, why]) =>
  row(A, `alg ${show(alg)}`, why, (context) => withHeader(context, { ...HEADER, alg })),
);

const FORBIDDEN: readonly (readonly [name: string, value: unknown, why: string])[] = [
  ['crit', [], 'an empty list is an error too (RFC 7515 §4.1.11)'],
  ['crit', ['exp'], 'we understand no extension'],
  ['crit', ['b64'], 'we understand no extension'],
  ['crit', 'exp', 'not even a list'],
  ['crit', null, 'its presence refuses'],
  ['b64', false, 'unencoded payload (RFC 7797)'],
  ['b64', true, 'its presence refuses'],
  ['zip', 'DEF', 'decompression of what strangers send'],
  ['cty', 'JWT', 'nested tokens are not opened'],
  ['enc', 'A256GCM', 'encrypted tokens are not opened'],
  ['jwk', { kty: 'oct', k: 'AAAA' }, 'a key from the sender'],
  ['jwk', null, 'its presence refuses'],
  ['jku', 'https://evil.example/jwks.json', 'a fetch of the sender’s choice'],
  ['jku', 'http://169.254.169.254/latest/meta-data', 'a fetch of the sender’s choice (SSRF)'],
  ['x5u', 'https://evil.example/cert.pem', 'a fetch of the sender’s choice'],
  ['x5c', ['MIIB'], 'a key from the sender'],
];

const forbiddenVectors: readonly TokenVector[] = [
  ...FORBIDDEN.map(([name, value, why]) =>
    row(M, `header ${name} ${JSON.stringify(value)}`, why, (context) =>
      withHeader(context, { ...HEADER, [name]: value }),
    ),
  ),
  row(M, 'a key of the sender in jwk, signed by it', 'Wycheproof 32; CVE-2018-0114', (context) => {
    const jwk = context.material.strangerEc.publicKey.export({ format: 'jwk' });
    return signedBy({ alg: 'ES256', jwk }, goodClaims(context), ecSign(context.material.strangerEc));
  }),
  row('ok', 'header x5t', 'a thumbprint of a key is only a hint', (context) =>
    withHeader(context, { ...HEADER, x5t: 'abc' }),
  ),
  row('ok', 'header with an unknown name', 'must be ignored (RFC 7515 §4)', (context) =>
    withHeader(context, { ...HEADER, foo: 'bar' }),
  ),
  row('ok', 'header p2c without its algorithm', 'nothing reads it', (context) =>
    withHeader(context, { ...HEADER, p2c: 1e9 }),
  ),
];

const TYPES: readonly (readonly [expect: 'ok' | typeof M, typ: unknown, why: string])[] = [
  ['ok', undefined, 'typ is optional'],
  ['ok', 'jwt', 'any case (RFC 7519 §5.1)'],
  ['ok', 'JwT', 'any case'],
  [M, 'at+jwt', 'another profile of tokens (RFC 9068)'],
  [M, 'dpop+jwt', 'a proof, not a grant'],
  [M, 'JOSE', 'not a JWT'],
  [M, 'application/jwt', 'the short form is the one in use'],
  [M, '', 'neither absent nor JWT'],
  [M, 'JWT ', 'exact but for case'],
  [M, 'JWT\0', 'exact but for case'],
  [M, null, 'a text'],
  [M, 1, 'a text'],
  [M, ['JWT'], 'a text'],
];

const typVectors: readonly TokenVector[] = TYPES.map(([expect, typ, why]) =>
  row(expect, `typ ${show(typ)}`, why, (context) => withHeader(context, { alg: 'HS256', typ })),
);

const kid =
  (name: unknown, secret?: string) =>
  (context: VectorContext): string =>
    compact(
      JSON.stringify({ ...HEADER, kid: name }),
      JSON.stringify(goodClaims(context)),
      secret ?? context.material.secret,
    );

const kidVectors: readonly TokenVector[] = [
  row('ok', 'kid of the key', 'chosen by kid', kid('main')),
  row('ok', 'kid of the other key, signed by it', 'chosen by kid', (context) =>
    kid('previous', context.material.previousSecret)(context),
  ),
  row('ok', 'no kid, signed by the second key', 'chosen by trial', (context) =>
    compact(JSON.stringify(HEADER), JSON.stringify(goodClaims(context)), context.material.previousSecret),
  ),
  row(S, 'kid of one key, signed by the other', 'a known kid is the only key tried', (context) =>
    kid('main', context.material.previousSecret)(context),
  ),
  row(A, 'kid of the RSA key on an HMAC token', 'pinned per key', kid('rsa')),
  row(A, 'kid of the EC key on an HMAC token', 'pinned per key', kid('ec')),
  row('ok', 'kid nobody knows', 'issuers set kids that Red5 Pro never read; tried with the keys', kid('2026-11')),
  row('ok', 'kid in another case', 'unknown, so tried with the keys', kid('MAIN')),
  row('ok', 'an empty kid', 'unknown, so tried with the keys', kid('')),
  row('ok', 'kid that is a path, well signed', 'no file is ever opened', kid('../../../../dev/null')),
  row(S, 'kid that is a path to an empty file', 'HMAC with an empty secret', kid('../../../../dev/null', '')),
  row(
    S,
    'kid that is a path to a known file',
    'HMAC with its content',
    kid('/proc/sys/kernel/randomize_va_space', '2\n'),
  ),
  row(
    S,
    'kid that is SQL',
    'HMAC with the value the query would give',
    kid("x' UNION SELECT 'attacker' -- ", 'attacker'),
  ),
  row(S, 'kid that is a command', 'no shell', kid('|whoami', 'root')),
  row(S, 'kid that is a URL', 'no fetch', kid('https://evil.example/jwks.json', 'evil')),
  row(S, 'unknown kid, empty secret', 'jws CVE-2025-65945', kid('nobody', '')),
  row(S, 'kid __proto__, empty secret', 'no look-up on prototypes', kid('__proto__', '')),
  row(S, 'kid constructor, its text as secret', 'no look-up on prototypes', kid('constructor', String(Object))),
  row(S, 'kid of a key, the kid itself as secret', 'a kid is no secret', kid('main', 'main')),
  row(M, 'kid with NUL', 'no control characters', kid('main\0')),
  row(M, 'kid with a newline', 'no control characters', kid('main\nx: y')),
  row('ok', 'kid of 256 characters', 'the cap itself', kid('k'.repeat(256))),
  row(M, 'kid of 257 characters', 'one above the cap', kid('k'.repeat(257))),
  row(M, 'kid of 10 kB', 'size cap', kid('k'.repeat(10_240))),
  row(M, 'kid is a number', 'a text (RFC 7515 §4.1.4)', kid(1)),
  row(M, 'kid is null', 'a text', kid(null)),
  row(M, 'kid is an array', 'a text', kid(['main'])),
  row(M, 'kid is an object', 'a text', kid({ id: 'main' })),
  row(A, 'kid twice removed: header alone says RS256 over an HMAC with kid main', 'pinned per key', (context) =>
    signedBy({ alg: 'RS256', kid: 'main' }, goodClaims(context), (input) => hmac(input, context.material.secret)),
  ),
];

/** Header parameters: alg, typ, kid, and those that refuse. */
export const HEADER_VECTORS: readonly TokenVector[] = [
  ...noneVectors,
  ...algVectors,
  ...forbiddenVectors,
  ...typVectors,
  ...kidVectors,
];
