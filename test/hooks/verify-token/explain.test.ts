import { describe, expect, it } from '@jest/globals';
import { explainToken, type Explanation, type TokenQuestion } from '../../../src/hooks/verify-token/explain.js';
import { quote, span } from '../../../src/hooks/verify-token/finding.js';
import type { TokenPolicy } from '../../../src/hooks/verify-token/index.js';
import { Secret } from '../../../src/model/secret.js';
import { compact, hmac, signedBy, rsaSign, vectorMaterial } from '../../vectors/forge.js';
import { keySetOf, makePolicy, NOW_S, SECRET } from '../policy.js';

const QUESTION: TokenQuestion = {
  transport: 'RTMP',
  action: 'publish',
  target: { app: 'live', room: 'room1', name: 'cam' },
};

function tokenOf(
  claims: object,
  secret: string | Buffer = SECRET,
  header: object = { alg: 'HS256', typ: 'JWT' },
): string {
  return compact(JSON.stringify(header), JSON.stringify({ exp: NOW_S + 60, ...claims }), secret);
}

function explain(
  token: string,
  policy: Partial<TokenPolicy> = {},
  question: Partial<TokenQuestion> = {},
  hooks?: readonly string[],
): Explanation {
  return explainToken(token, { ...QUESTION, ...question }, makePolicy(policy), NOW_S * 1000, hooks);
}

function stepsOf(explanation: Explanation): Record<string, string> {
  return Object.fromEntries(explanation.steps.map(({ name, outcome, text }) => [name, `${outcome}: ${text}`]));
}

describe('explainToken', () => {
  it('goes claim by claim through a token that is let in', () => {
    const explanation = explain(
      tokenOf({ nbf: NOW_S - 5, iat: NOW_S, iss: 'me', aud: 'gate', roles: 'red5-publisher' }),
      {
        issuers: ['me'],
        audiences: ['gate'],
      },
    );
    expect(explanation).toMatchObject({ ok: true, profile: 'red5', mistakes: [] });
    expect(explanation.code).toBeUndefined();
    expect(stepsOf(explanation)).toEqual({
      shape: expect.stringMatching(/^ok: 3 parts, \d+ characters$/),
      header: 'ok: only known header parameters',
      algorithm: 'ok: alg is HS256, as a key has it',
      signature: 'ok: signed with key "main"',
      exp: 'ok: exp is 60 s ahead',
      ceiling: 'ok: exp is within the ceiling of 3600 s',
      nbf: 'ok: nbf passed 5 s ago',
      iat: 'ok: iat is a number',
      iss: 'ok: iss is "me"',
      aud: 'ok: aud names this gateway',
      'sub, jti': 'ok: sub and jti are absent or plain texts',
      'portcullis-max-kbps': 'skipped: no portcullis-max-kbps',
      revocation: 'skipped: no revocations are known here',
      'red5-transport': 'ok: no red5-transport: no limit (profile red5)',
      roles: 'ok: roles has 1 entries, 1 understood',
      'red5-room': 'ok: no red5-room: no limit (profile red5)',
    });
  });

  it('says everything that is wrong at once, and by how much', () => {
    const explanation = explain(
      tokenOf({
        exp: NOW_S - 90,
        nbf: NOW_S + 7.25,
        iss: 'you',
        roles: 'editor',
        'red5-room': 'lobby',
        'red5-transport': [5],
      }),
      { issuers: ['me'] },
    );
    expect(explanation).toMatchObject({ ok: false, code: 'token-expired', detail: 'exp passed 90 s ago' });
    expect(stepsOf(explanation)).toMatchObject({
      exp: 'failed: exp passed 90 s ago',
      nbf: 'failed: nbf is still 7.25 s ahead',
      iss: 'failed: iss is "you", "me" is expected',
      aud: 'skipped: no audience is configured',
      'red5-transport':
        'failed: RTMP is not allowed; red5-transport: none; red5-transport grants nothing: an array with something else than strings',
      roles: 'failed: publish needs red5-publisher; roles: none; roles has 1 entries, 0 understood',
      'red5-room': 'failed: room "room1" is not among the 1 of red5-room; red5-room has 1 entries, 1 understood',
    });
  });

  it('skips the rest when nothing can be read', () => {
    const explanation = explain('x.y');
    expect(explanation).toMatchObject({ ok: false, code: 'token-malformed', detail: '2 parts, a token has 3' });
    expect(explanation.steps.slice(1).every(({ outcome }) => outcome === 'skipped')).toBe(true);
    expect(explanation.steps).toHaveLength(16);
  });

  it('skips the signature when no key has the algorithm, but reads on', () => {
    const steps = stepsOf(explain(tokenOf({}, SECRET, { alg: 'HS512' })));
    expect(steps['signature']).toBe('skipped: no key of this algorithm; all that follows is unverified');
    expect(steps['exp']).toBe('ok: exp is 60 s ahead');
  });

  it('names the profile that decided', () => {
    const explanation = explain(tokenOf({}), { profile: 'strict' });
    expect(explanation).toMatchObject({ ok: false, code: 'transport-denied', profile: 'strict' });
    expect(stepsOf(explanation)['roles']).toContain('nothing is granted (profile strict)');
  });

  it('follows the hooks of the config, in their order', () => {
    const token = tokenOf({ roles: 'x', 'red5-room': 'x' });
    expect(explain(token).code).toBe('role-denied');
    expect(explain(token, {}, {}, ['verify-token', 'require-room', 'require-role']).code).toBe('room-denied');
    const some = explain(token, {}, {}, ['verify-token', 'require-transport']);
    expect(some.ok).toBe(true);
    expect(stepsOf(some)['roles']).toBe('skipped: require-role is not among the hooks');
  });

  it('asks the connect question too', () => {
    const target = { app: 'live', room: 'a', name: null };
    expect(explain(tokenOf({ 'red5-room': 'a/b', roles: 'x' }), {}, { action: 'connect', target }).ok).toBe(true);
  });
});

describe('the mistakes it recognises', () => {
  const bytes = Buffer.from(SECRET);
  const hs = (secret: string, encoding?: 'utf8' | 'base64' | 'hex'): Partial<TokenPolicy> => ({
    keys: keySetOf([{ id: 'main', algorithm: 'HS256', secret: new Secret(secret), ...(encoding && { encoding }) }]),
  });
  const dashed = 'a-secret+with_letters/that-are-no-base64-0123456789';

  it.each<[string, string, Partial<TokenPolicy>, readonly string[], Partial<TokenQuestion>?]>([
    ['nothing', tokenOf({}), {}, []],
    ['Bearer in front', `Bearer ${tokenOf({})}`, {}, ['begins with "Bearer "']],
    ['a whole header line', `Authorization: bearer ${tokenOf({})}`, {}, ['begins with "Bearer "']],
    ['quotes', `"${tokenOf({})}"`, {}, ['quotes, spaces or a parameter name']],
    ['a parameter name', `?token=${tokenOf({})}`, {}, ['quotes, spaces or a parameter name']],
    ['a newline', `${tokenOf({})}\n`, {}, ['quotes, spaces or a parameter name']],
    ['a token cut in its header', tokenOf({}).slice(0, 20), {}, ['cut off in its payload, after 20 characters']],
    ['a token cut in its payload', tokenOf({}).slice(0, 50), {}, ['cut off in its payload']],
    [
      'a token cut before its signature',
      tokenOf({}).split('.').slice(0, 2).join('.'),
      {},
      ['cut off in its signature'],
    ],
    ['a token cut in its signature', tokenOf({}).slice(0, -4), {}, ['cut off in its signature']],
    [
      'a secret the issuer read as base64',
      tokenOf({}, Buffer.from(SECRET.replaceAll('-', ''), 'base64')),
      {},
      ['read as base64 (configured: utf8)'],
    ],
    [
      'a secret Node read as base64',
      tokenOf({}, Buffer.from(dashed, 'base64url')),
      hs(dashed),
      ['read as base64url (configured: utf8)'],
    ],
    [
      'a secret the issuer read as hex',
      tokenOf({}, bytes),
      hs(bytes.toString('hex')),
      ['read as hex (configured: utf8)'],
    ],
    [
      'a secret the issuer did not decode',
      tokenOf({}, bytes.toString('base64')),
      hs(bytes.toString('base64'), 'base64'),
      ['read as utf8 (configured: base64)'],
    ],
    ['a secret with a newline', tokenOf({}, `${SECRET}\n`), {}, ['gains or loses white space']],
    ['a secret without its newline', tokenOf({}), hs(`${SECRET}\n`), ['gains or loses white space']],
    ['another secret', tokenOf({}, 'x'.repeat(40)), {}, []],
    [
      'another algorithm',
      signedBy({ alg: 'HS384' }, { exp: NOW_S + 60 }, (input) => hmac(input, SECRET, 'sha384')),
      {},
      ['the token says alg "HS384", the keys are for HS256'],
    ],
    ['another algorithm and no keys', tokenOf({}), { keys: { keys: [] } }, ['the keys are for nothing']],
    ['exp in milliseconds', tokenOf({ exp: NOW_S * 1000 }), {}, ['exp is in milliseconds']],
    [
      'all dates in milliseconds',
      tokenOf({ exp: NOW_S * 1000, nbf: NOW_S * 1000, iat: NOW_S * 1000 }),
      {},
      ['exp is in', 'nbf is in', 'iat is in'],
    ],
    ['exp as text', tokenOf({ exp: String(NOW_S * 1000) }), {}, ['exp is a text']],
    ['exp beyond the ceiling', tokenOf({ exp: NOW_S + 7200 }), {}, ['exp is 3600 s beyond the ceiling']],
    [
      'exp a little beyond the ceiling',
      tokenOf({ exp: NOW_S + 3630 }),
      {},
      ['exp is 30 s beyond', 'compare the clocks'],
    ],
    ['exp a little beyond the ceiling, forgiven', tokenOf({ exp: NOW_S + 3630 }), { leewayS: 30 }, []],
    ['exp a little ago', tokenOf({ exp: NOW_S - 60 }), {}, ['compare the clocks']],
    ['exp long ago', tokenOf({ exp: NOW_S - 61 }), {}, []],
    ['nbf a little ahead', tokenOf({ nbf: NOW_S + 1 }), {}, ['compare the clocks']],
    ['exp a little ago, forgiven', tokenOf({ exp: NOW_S - 5 }), { leewayS: 10 }, []],
    [
      'another issuer',
      tokenOf({ iss: 'https://other.example' }),
      { issuers: ['https://issuer.example'] },
      ['of another issuer: "https://other.example"'],
    ],
    [
      'an issuer with a slash',
      tokenOf({ iss: 'https://issuer.example/' }),
      { issuers: ['https://issuer.example'] },
      ['case and the last slash count'],
    ],
    ['the right issuer', tokenOf({ iss: 'a' }), { issuers: ['a'] }, []],
    [
      'a role in the wrong case',
      tokenOf({ roles: 'RED5-Publisher' }),
      {},
      ['the role "RED5-Publisher" is not known, "red5-publisher" is meant'],
    ],
    [
      'a role without red5-',
      tokenOf({ roles: ['subscriber', 'red5_publisher'] }),
      {},
      ['"red5-subscriber" is meant', '"red5-publisher" is meant'],
    ],
    ['another role', tokenOf({ roles: 'editor,red5-publisher' }), {}, []],
    ['a transport with TLS', tokenOf({ 'red5-transport': 'rtmps,RTMP' }), {}, ['unknown word "rtmps": RTMP covers it']],
    [
      'a transport nobody knows',
      tokenOf({ 'red5-transport': 'SRT' }),
      {},
      ['unknown word "SRT": the words are RTMP, RTSP, WHIP, WHEP'],
    ],
    ['a room in the wrong case', tokenOf({ 'red5-room': 'ROOM1' }), {}, ['rooms differ by case']],
    ['a room with a slash', tokenOf({ 'red5-room': '/room1' }), {}, ['without slashes at its ends']],
    ['a room with the app', tokenOf({ 'red5-room': 'x,live/room1' }), {}, ['only what stands between app and name']],
    [
      'a room with the name',
      tokenOf({ 'red5-room': 'room1/cam,lobby' }),
      {},
      ['only what stands between app and name'],
    ],
    ['another room', tokenOf({ 'red5-room': 'room2' }), {}, []],
    [
      'lost segments',
      tokenOf({ 'red5-room': 'a/b,c/d/e' }),
      {},
      ['the path has 1 room segments, each room of the token at least 2'],
    ],
    [
      'no room left',
      tokenOf({ 'red5-room': 'room1' }),
      {},
      ['the path has 0 room segments'],
      { target: { app: 'live', room: null, name: 'cam' } },
    ],
    ['a payload that is no object', compact('{"alg":"HS256"}', '5', SECRET), {}, []],
    ['a header that is no JSON', `${Buffer.from('x').toString('base64url')}.e30.e30`, {}, []],
  ])('%s', (_what, token, policy, expected, question = {}) => {
    const explanation = explain(token, policy, question);
    const { mistakes } = explanation;
    expect([mistakes.length, ...mistakes]).toEqual([
      expected.length,
      ...expected.map((words) => expect.stringContaining(words)),
    ]);
    const told = JSON.stringify(explanation);
    for (const part of token.split('.')) if (part.length > 15) expect(told).not.toContain(part);
    expect(told).not.toContain(SECRET);
  });

  it('a kid that names one key where another signed', () => {
    const keys = keySetOf([
      { id: 'old', algorithm: 'HS256', secret: new Secret(`${SECRET}old`) },
      { id: 'new', algorithm: 'HS256', secret: new Secret(`${SECRET}new`) },
    ]);
    const token = tokenOf({}, `${SECRET}new`, { alg: 'HS256', kid: 'old' });
    expect(explain(token, { keys }).mistakes).toEqual(['kid names key "old", but key "new" signed the token']);
    const right = tokenOf({}, `${SECRET}new`, { alg: 'HS256', kid: 'new' });
    expect(explain(right, { keys })).toMatchObject({ ok: true, mistakes: [] });
    expect(explain(tokenOf({}, 'x'.repeat(40), { alg: 'HS256', kid: 'new' }), { keys }).mistakes).toEqual([]);
  });

  it('looks at written secrets only', () => {
    const jwks = JSON.stringify({ keys: [{ kty: 'oct', alg: 'HS256', k: Buffer.from(SECRET).toString('base64url') }] });
    expect(explain(tokenOf({}, `${SECRET}\n`), { keys: keySetOf([{ id: 'set', jwks }]) }).mistakes).toEqual([]);
  });

  it('does not measure the signature of RSA, whose length is the key’s', () => {
    const { rsa } = vectorMaterial();
    const keys = keySetOf([{ id: 'rsa', algorithm: 'RS256', pem: rsa.pem }]);
    const token = signedBy({ alg: 'RS256' }, { exp: NOW_S + 60 }, rsaSign(rsa));
    expect(explain(token, { keys })).toMatchObject({ ok: true, mistakes: [] });
  });
});

describe('quote and span', () => {
  it.each<[unknown, string]>([
    ['a', '"a"'],
    ['a"\n', '"a\\"\\n"'],
    ['\u001b[2J\u2028é', '"\\u001b[2J\\u2028\\u00e9"'],
    ['x'.repeat(100), `"${'x'.repeat(64)}…"`],
    [5, '5'],
    [null, 'null'],
    [undefined, 'of type undefined'],
    [['x'], 'an array'],
    [{}, 'of type object'],
    [true, 'of type boolean'],
  ])('of %j', (value, expected) => expect(quote(value)).toBe(expected));

  it('rounds to the millisecond', () => expect(span(1.23456)).toBe('1.235 s'));
});
