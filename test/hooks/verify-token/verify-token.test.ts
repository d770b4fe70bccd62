import { describe, expect, it } from '@jest/globals';
import { judgeToken, verifyToken, type TokenPolicy } from '../../../src/hooks/verify-token/index.js';
import { signatureHolds } from '../../../src/hooks/verify-token/verify.js';
import { mintToken } from '../../../src/hooks/verify-token/mint.js';
import { Secret } from '../../../src/model/secret.js';
import { fakeClock } from '../../fakes/clock.js';
import { compact, hmac, signedBy } from '../../vectors/forge.js';
import { keySetOf, makePolicy, NOW_S, SECRET } from '../policy.js';
import { makeRequest } from '../requests.js';

const signal = new AbortController().signal;

function tokenOf(claims: object, header: object = { alg: 'HS256' }, secret: string = SECRET): Secret {
  return new Secret(compact(JSON.stringify(header), JSON.stringify({ exp: NOW_S + 60, ...claims }), secret));
}

function judge(token: Secret, policy: TokenPolicy, nowMs = NOW_S * 1000): string {
  const verdict = judgeToken(token, policy, nowMs);
  return verdict.ok ? 'ok' : verdict.rejection.code;
}

describe('verify-token', () => {
  const hook = verifyToken({ policy: makePolicy(), clock: fakeClock(NOW_S * 1000) });

  it('lets a connect without token through without an identity, and nothing else', () => {
    expect(hook.decide(makeRequest({ action: 'connect' }), undefined, signal)).toEqual({ ok: true });
    for (const action of ['publish', 'subscribe'] as const) {
      const decision = hook.decide(makeRequest({ action }), undefined, signal);
      expect(decision).toMatchObject({ ok: false, rejection: { code: 'token-missing', kind: 'unauthenticated' } });
    }
  });

  it('refuses a bad token at connect already', () => {
    const decision = hook.decide(makeRequest({ action: 'connect', token: 'x' }), undefined, signal);
    expect(decision).toMatchObject({ ok: false, rejection: { code: 'token-malformed' } });
  });

  it('refuses what has been revoked, after all else is right', () => {
    const asked: unknown[] = [];
    const policy = makePolicy({
      whyRevoked: (identity) => {
        asked.push(identity);
        return identity.tokenId === 't1' ? 'its token id is revoked' : undefined;
      },
    });
    const revoked = verifyToken({ policy, clock: fakeClock(NOW_S * 1000) });
    for (const action of ['connect', 'publish', 'subscribe'] as const) {
      const token = tokenOf({ jti: 't1', iat: NOW_S - 5 }).reveal();
      expect(revoked.decide(makeRequest({ action, token }), undefined, signal)).toMatchObject({
        rejection: { code: 'token-revoked', kind: 'unauthenticated', detail: 'its token id is revoked' },
      });
    }
    expect(asked[0]).toMatchObject({ tokenId: 't1', issuedAtS: NOW_S - 5 });
    expect(judge(tokenOf({ jti: 't2' }), policy)).toBe('ok');
    expect(judge(tokenOf({ jti: 't1', exp: NOW_S - 1 }), policy)).toBe('token-expired');
  });

  it.each([
    [1500, 'ok'],
    [0.5, 'ok'],
    [0, 'token-malformed'],
    [-1, 'token-malformed'],
    ['1500', 'token-malformed'],
    [null, 'token-malformed'],
  ])('reads a bit rate of %j as %s', (kbps, code) => {
    const token = tokenOf({ 'portcullis-max-kbps': kbps });
    expect(judge(token, makePolicy())).toBe(code);
    const verdict = judgeToken(token, makePolicy(), NOW_S * 1000);
    if (verdict.ok) expect(verdict.identity.maxKbps).toBe(kbps);
  });

  it('makes an identity of the claims', () => {
    const token = tokenOf({
      sub: 'zoe',
      iss: 'https://issuer.example',
      jti: 7,
      roles: 'red5-publisher, editor',
      'red5-transport': 'rtmp,whip',
      'red5-room': 'room1, a/b',
    }).reveal();
    expect(hook.decide(makeRequest({ token }), undefined, signal)).toEqual({
      ok: true,
      identity: {
        subject: 'zoe',
        issuer: 'https://issuer.example',
        tokenId: '7',
        expiresAtS: NOW_S + 60,
        roles: new Set(['red5-publisher']),
        transports: new Set(['RTMP', 'WHIP']),
        rooms: new Set(['room1', 'a/b']),
      },
    });
  });

  it('leaves out what the token does not say', () => {
    const token = tokenOf({ sub: null, iss: 5 }).reveal();
    expect(hook.decide(makeRequest({ token }), undefined, signal)).toEqual({
      ok: true,
      identity: { expiresAtS: NOW_S + 60 },
    });
  });
});

describe('judgeToken', () => {
  it('forgives as many seconds as the policy says, on all three dates', () => {
    const policy = makePolicy({ leewayS: 5 });
    expect(judge(tokenOf({ exp: NOW_S - 4 }), policy)).toBe('ok');
    expect(judge(tokenOf({ exp: NOW_S - 5 }), policy)).toBe('token-expired');
    expect(judge(tokenOf({ nbf: NOW_S + 5 }), policy)).toBe('ok');
    expect(judge(tokenOf({ nbf: NOW_S + 6 }), policy)).toBe('token-not-yet-valid');
    expect(judge(tokenOf({ exp: NOW_S + 3605 }), policy)).toBe('ok');
    expect(judge(tokenOf({ exp: NOW_S + 3606 }), policy)).toBe('token-ttl-exceeded');
  });

  it('says that a signature was cut off, and by how much, and nothing of the kind of one that is whole', () => {
    const detailOf = (token: Secret): string => {
      const verdict = judgeToken(token, makePolicy(), NOW_S * 1000);
      return verdict.ok ? 'ok' : verdict.rejection.detail;
    };
    const whole = tokenOf({}).reveal();
    expect(detailOf(new Secret(whole.slice(0, -11)))).toContain('32 of its 43 characters are there');
    expect(detailOf(new Secret(whole.slice(0, -12)))).toContain('cut it off');
    expect(detailOf(tokenOf({}, { alg: 'HS256' }, 'some other secret, which is long enough too'))).toBe(
      'the signature fits none of 1 keys tried',
    );
  });

  it('counts parts of a second', () => {
    expect(judge(tokenOf({ exp: NOW_S + 1 }), makePolicy(), NOW_S * 1000 + 999)).toBe('ok');
    expect(judge(tokenOf({ exp: NOW_S + 1 }), makePolicy(), NOW_S * 1000 + 1000)).toBe('token-expired');
  });

  it('checks neither issuer nor audience where none is configured', () => {
    expect(judge(tokenOf({ iss: ['x'], aud: 5 }), makePolicy())).toBe('ok');
  });

  it('refuses everything when there is no key, and says so', () => {
    const verdict = judgeToken(tokenOf({}), makePolicy({ keys: { keys: [] } }), NOW_S * 1000);
    expect(verdict).toMatchObject({ ok: false, rejection: { code: 'token-algorithm' } });
    expect(!verdict.ok && verdict.rejection.detail).toContain('none');
  });

  it('tries at most four keys without kid, and finds the fifth by kid', () => {
    const secrets = Array.from({ length: 6 }, (_, n) => `${SECRET}-${n}`);
    const keys = keySetOf(secrets.map((text, n) => ({ id: `k${n}`, algorithm: 'HS256', secret: new Secret(text) })));
    const policy = makePolicy({ keys });
    expect(judge(tokenOf({}, { alg: 'HS256' }, secrets[3]), policy)).toBe('ok');
    expect(judge(tokenOf({}, { alg: 'HS256' }, secrets[4]), policy)).toBe('token-signature');
    expect(judge(tokenOf({}, { alg: 'HS256', kid: 'k4' }, secrets[4]), policy)).toBe('ok');
    expect(judge(tokenOf({}, { alg: 'HS256', kid: 'k5' }, secrets[4]), policy)).toBe('token-signature');
  });

  it('reads a token at its exp as expired in every profile', () => {
    for (const profile of ['red5', 'strict'] as const) {
      expect(judge(tokenOf({ exp: NOW_S }), makePolicy({ profile }))).toBe('token-expired');
    }
  });

  it('accepts what mintToken makes, for a whole lifetime and no longer', () => {
    const policy = makePolicy();
    const [key] = policy.keys.keys;
    const token = new Secret(mintToken({ key: key!, ttlS: 3600 }, NOW_S + 0.9));
    expect(judge(token, policy, NOW_S * 1000 + 900)).toBe('ok');
    expect(judge(token, policy, NOW_S * 1000 + 3_599_999)).toBe('ok');
    expect(judge(token, policy, NOW_S * 1000 + 3_600_000)).toBe('token-expired');
  });
});

describe('signatureHolds', () => {
  it('holds for the algorithm of the key only, whatever the header says', () => {
    const [key] = makePolicy().keys.keys;
    for (const [alg, hash, expected] of [
      ['HS256', 'sha256', true],
      ['HS384', 'sha384', false],
      ['HS512', 'sha512', false],
      ['none', 'sha256', false],
    ] as const) {
      const token = signedBy({ alg }, { exp: NOW_S + 60 }, (input) => hmac(input, SECRET, hash));
      expect([alg, signatureHolds(token, key!)]).toEqual([alg, expected]);
    }
  });
});
