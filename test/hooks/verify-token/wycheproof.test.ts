import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { createKeySet } from '../../../src/hooks/verify-token/index.js';
import { checkHeader, parseObject, splitJws } from '../../../src/hooks/verify-token/strict-parse.js';
import { checkAlgorithm, checkSignature } from '../../../src/hooks/verify-token/verify.js';

interface Vector {
  readonly tcId: number;
  readonly comment: string;
  readonly jws: string | object;
  readonly result: 'valid' | 'invalid';
}
type Jwk = Readonly<Record<string, unknown>>;
interface Group {
  readonly file: string;
  readonly comment: string;
  readonly private?: Jwk;
  readonly public?: Jwk;
  readonly tests: readonly Vector[];
}

/** Vectors that are answered otherwise, by file and id. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  'json_web_signature_test.json 367': 'its text is letter for letter that of 357, which is valid',
  'json_web_signature_test.json 370': 'its text is letter for letter that of 357, which is valid',
  'json_web_signature_test.json 372':
    'valid to lenient decoders; we read canonical base64url only, and ? is no letter of it',
  'json_web_signature_test.json 373':
    'valid to lenient decoders; we read canonical base64url only, and ? is no letter of it',
};

const { testGroups } = JSON.parse(readFileSync(join(__dirname, '../../vectors/wycheproof-jws-hs256.json'), 'utf8')) as {
  readonly testGroups: readonly Group[];
};

/** Everything but the claims: these payloads are no claims. */
function accepts(jws: string | object, key: Jwk): boolean {
  const jwks = JSON.stringify(Array.isArray(key['keys']) ? key : { keys: [key] });
  const keys = createKeySet([{ id: 'jwks', jwks }]);
  const text = typeof jws === 'string' ? jws : JSON.stringify(jws);
  const parts = splitJws(text);
  if (!keys.ok || !parts.ok) return false;
  const header = parseObject(parts.value.header, 'header');
  if (!header.ok) return false;
  return [
    checkHeader(header.value),
    checkAlgorithm(header.value, keys.keySet),
    checkSignature(text, header.value, keys.keySet),
  ].every((finding) => finding.outcome === 'ok');
}

describe('the Wycheproof vectors', () => {
  const rows = testGroups.flatMap(({ file, tests, ...group }) =>
    tests.map((vector) => ({ ...vector, id: `${file} ${vector.tcId}`, key: group.private ?? group.public ?? {} })),
  );

  it.each(rows.filter(({ id }) => EXCEPTIONS[id] === undefined))('$id $comment is $result', ({ jws, key, result }) => {
    expect(accepts(jws, key)).toBe(result === 'valid');
  });

  it.each(rows.filter(({ id }) => EXCEPTIONS[id] !== undefined))(
    '$id $comment is answered otherwise',
    ({ jws, key, result }) => {
      expect(accepts(jws, key)).toBe(result !== 'valid');
    },
  );

  it('are all there', () => expect(rows).toHaveLength(74));
});
