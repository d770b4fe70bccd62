import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { inspect } from 'node:util';
import { WireError } from '../../../../src/model/errors.js';
import { Secret } from '../../../../src/model/secret.js';
import { readAuthorization, writeBasic, writeBearer } from '../../../../src/transports/rtsp/wire/authorization.js';
import {
  MAX_CHALLENGE_PARTS,
  pickChallenge,
  readChallenges,
  writeBasicChallenge,
  type Challenge,
  type DigestChallenge,
} from '../../../../src/transports/rtsp/wire/challenge.js';
import { digestResponse, writeDigest } from '../../../../src/transports/rtsp/wire/digest.js';

const base64 = (text: string) => Buffer.from(text).toString('base64');

/** What a credential says, its secrets told. */
function shown(value: string): object {
  const read = readAuthorization(value);
  switch (read.scheme) {
    case 'basic':
      return { ...read, password: read.password.reveal() };
    case 'bearer':
      return { ...read, token: read.token.reveal() };
    default:
      return read;
  }
}

describe('readAuthorization', () => {
  it.each<[string, string, object]>([
    ['Basic', `Basic ${base64('jwt:a.b.c')}`, { scheme: 'basic', username: 'jwt', password: 'a.b.c' }],
    [
      'Basic in any case and more blanks',
      ` bAsIc   ${base64('u:p')} `,
      { scheme: 'basic', username: 'u', password: 'p' },
    ],
    ['a password with colons', `Basic ${base64('u:p:q:')}`, { scheme: 'basic', username: 'u', password: 'p:q:' }],
    ['an empty user', `Basic ${base64(':p')}`, { scheme: 'basic', username: '', password: 'p' }],
    ['an empty password', `Basic ${base64('u:')}`, { scheme: 'basic', username: 'u', password: '' }],
    ['Basic without padding', 'Basic dTpwcQ', { scheme: 'basic', username: 'u', password: 'pq' }],
    ['Basic in UTF-8', `Basic ${base64('ü:✓')}`, { scheme: 'basic', username: 'ü', password: '✓' }],
    [
      'a token cut off by ffmpeg at 127 characters (RTSP-01)',
      `Basic ${base64(`jwt:${'x'.repeat(127)}`)}`,
      { scheme: 'basic', username: 'jwt', password: 'x'.repeat(127) },
    ],
    ['Bearer', 'Bearer a.b-c_d', { scheme: 'bearer', token: 'a.b-c_d' }],
    ['bearer with padding', 'bearer  ab+/~== ', { scheme: 'bearer', token: 'ab+/~==' }],
    [
      'Digest (RTSP-13)',
      'Digest username="u", realm="r", nonce="n", uri="/live/cam", response="0"',
      { scheme: 'digest', username: 'u', realm: 'r', uri: '/live/cam' },
    ],
    ['Digest with nothing', 'Digest', { scheme: 'digest', username: '', realm: '', uri: '' }],
    ['another scheme', 'Negotiate abc', { scheme: 'other' }],
    ['nothing', '', { scheme: 'other' }],
    ['blanks', '  ', { scheme: 'other' }],
  ])('reads %s', (_, value, expected) => {
    expect(shown(value)).toEqual(expected);
  });

  it.each([
    'Basic',
    'Basic !!!',
    `Basic ${base64('no colon')}`,
    `Basic ${base64('u:p')} x`,
    `Basic ${base64('u:pq').replace('=', '*')}`,
    'Basic /zr/',
    `Basic ${base64('u\r\n:p')}`,
    'Basic dTpw====',
    'Bearer',
    'Bearer a b',
    'Bearer a"b',
    'Bearer =',
    'Bearer ä',
  ])('refuses %j, and does not repeat it', (value) => {
    const read = () => readAuthorization(value);
    expect(read).toThrow(/^authorization-invalid at byte 0: [a-z :0-9A-Z]+$/);
  });

  it('shows no secret when it is printed (RTSP-03)', () => {
    for (const value of ['Bearer canary', `Basic ${base64('u:canary')}`]) {
      const read = readAuthorization(value);
      expect(inspect(read) + JSON.stringify(read)).not.toContain('canary');
    }
  });

  it('reads what was written', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (user, password) => {
        const username = user.replace(/[:\p{C}]/gu, '');
        expect(shown(writeBasic(username, new Secret(password)))).toEqual({ scheme: 'basic', username, password });
      }),
      { numRuns: 100 },
    );
    expect(shown(writeBearer(new Secret('a.b.c')))).toEqual({ scheme: 'bearer', token: 'a.b.c' });
  });

  it('is not written with what would be read differently', () => {
    expect(() => writeBasic('a:b', new Secret('c'))).toThrow(/^unwritable-header/);
    expect(() => writeBasic('a\nb', new Secret('c'))).toThrow(/^unwritable-header/);
    expect(() => writeBearer(new Secret('a\r\nB: c'))).toThrow(/^unwritable-header/);
    expect(() => writeBearer(new Secret(''))).toThrow(/^unwritable-header/);
  });

  it('answers anything with credentials or a WireError', () => {
    const unit = fc.constantFrom('Basic ', 'Bearer ', 'Digest ', 'dTpw', '=', '"', ',', ' ', '\\', '\n', '\0', 'é');
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 12 }), (value) => {
        try {
          readAuthorization(value);
        } catch (error) {
          expect(error).toBeInstanceOf(WireError);
        }
      }),
      { numRuns: 500 },
    );
  });
});

const DIGEST: DigestChallenge = {
  scheme: 'digest',
  realm: 'r',
  nonce: 'n',
  algorithm: 'MD5',
  namesAlgorithm: false,
  qop: 'none',
  stale: false,
};

describe('readChallenges', () => {
  it.each<[string, string[], Challenge[]]>([
    ['Basic', ['Basic realm="r"'], [{ scheme: 'basic', realm: 'r' }]],
    ['Digest as cameras send it', ['Digest realm="r", nonce="n"'], [DIGEST]],
    [
      'Digest with everything',
      [
        'Digest realm="a, \\"b\\"", nonce="n==", opaque="o", algorithm=sha-256, qop="auth-int, auth", stale=TRUE, domain="/"',
      ],
      [
        {
          ...DIGEST,
          realm: 'a, "b"',
          nonce: 'n==',
          opaque: 'o',
          algorithm: 'SHA-256',
          namesAlgorithm: true,
          qop: 'auth',
          stale: true,
        },
      ],
    ],
    [
      'two headers (RTSP-14)',
      ['Digest realm="r", nonce="n"', 'Basic realm="r"'],
      [DIGEST, { scheme: 'basic', realm: 'r' }],
    ],
    [
      'several in one header',
      ['Basic realm="r", Digest realm="r", nonce="n", algorithm=MD5, Bearer, Negotiate'],
      [
        { scheme: 'basic', realm: 'r' },
        { ...DIGEST, namesAlgorithm: true },
        { scheme: 'bearer', realm: '' },
        { scheme: 'unusable' },
      ],
    ],
    ['blanks around =', ['Digest realm = "r" , nonce= n , stale ="false"'], [DIGEST]],
    ['no realm', ['basic'], [{ scheme: 'basic', realm: '' }]],
    ['the first of a name twice', ['Basic realm="r", realm="s"'], [{ scheme: 'basic', realm: 'r' }]],
    ['token68', ['NTLM abc=='], [{ scheme: 'unusable' }]],
    ['parameters of no scheme', ['realm="r", =, ,', 'Basic realm="r"'], [{ scheme: 'basic', realm: 'r' }]],
    [
      'an algorithm that nobody here knows',
      ['Digest realm="r", nonce="n", algorithm=MD5-sess'],
      [{ scheme: 'unusable' }],
    ],
    ['a qop that nobody here knows', ['Digest realm="r", nonce="n", qop="auth-int"'], [{ scheme: 'unusable' }]],
    ['Digest without a nonce', ['Digest realm="r"'], [{ scheme: 'unusable' }]],
    ['a scheme that is no token', ['Ba(sic realm="r"'], []],
    ['nothing', [], []],
  ])('reads %s', (_, values, challenges) => {
    expect(readChallenges(values)).toEqual(challenges);
  });

  it('bounds the parts', () => {
    expect(readChallenges(['x,'.repeat(MAX_CHALLENGE_PARTS)])).toHaveLength(MAX_CHALLENGE_PARTS);
    expect(() => readChallenges(['x,'.repeat(MAX_CHALLENGE_PARTS + 1)])).toThrow(/^too-many-parts/);
  });

  it('answers anything with challenges or a WireError', () => {
    const unit = fc.constantFrom('Basic ', 'Digest ', 'realm=', 'nonce=', 'qop=', '"', ',', ' ', '\\', '\n', '=', 'é');
    fc.assert(
      fc.property(fc.array(fc.string({ unit, maxLength: 20 }), { maxLength: 3 }), (values) => {
        try {
          pickChallenge(readChallenges(values));
        } catch (error) {
          expect(error).toBeInstanceOf(WireError);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('pickChallenge', () => {
  it('takes the strongest that can be answered (RTSP-14)', () => {
    const pick = (...values: string[]) => pickChallenge(readChallenges(values));
    expect(pick('Basic realm="r"', 'Digest realm="r", nonce="n"')).toEqual(DIGEST);
    expect(pick('Digest nonce="1"', 'Digest nonce="2", algorithm=SHA-256')).toMatchObject({ nonce: '2' });
    expect(pick('Digest nonce="1", algorithm=MD5-sess', 'Basic realm="r"')).toEqual({ scheme: 'basic', realm: 'r' });
    expect(pick('Bearer', 'Basic realm="r"')).toEqual({ scheme: 'basic', realm: 'r' });
    expect(pick('Bearer realm="r"')).toEqual({ scheme: 'bearer', realm: 'r' });
    expect(pick('Negotiate', 'unusable')).toBeUndefined();
    expect(pick()).toBeUndefined();
  });
});

describe('writeBasicChallenge', () => {
  it('offers Basic alone', () => {
    expect(writeBasicChallenge('a "b"')).toBe('Basic realm="a \\"b\\""');
    expect(readChallenges([writeBasicChallenge('a "b"')])).toEqual([{ scheme: 'basic', realm: 'a "b"' }]);
  });
});

describe('digestResponse', () => {
  const http = {
    username: 'Mufasa',
    method: 'GET',
    uri: '/dir/index.html',
    count: 1,
  };

  it('gives the response of RFC 2617 §3.5', () => {
    const challenge: DigestChallenge = {
      ...DIGEST,
      realm: 'testrealm@host.com',
      nonce: 'dcd98b7102dd2f0e8b11d0f600bfb0c093',
      qop: 'auth',
    };
    const request = { ...http, password: new Secret('Circle Of Life'), cnonce: '0a4f113b' };
    expect(digestResponse(challenge, request)).toBe('6629fae49393a05397450978507c4ef1');
  });

  it('gives the responses of RFC 7616 §3.9.1', () => {
    const challenge: DigestChallenge = {
      ...DIGEST,
      realm: 'http-auth@example.org',
      nonce: '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v',
      qop: 'auth',
    };
    const request = {
      ...http,
      password: new Secret('Circle of Life'),
      cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
    };
    expect(digestResponse(challenge, request)).toBe('8ca523f5e9506fed4657c9700eebdbec');
    expect(digestResponse({ ...challenge, algorithm: 'SHA-256' }, request)).toBe(
      '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1',
    );
  });

  it('gives the response of RFC 2069 §2.4 with its erratum 749', () => {
    const challenge: DigestChallenge = {
      ...DIGEST,
      realm: 'testrealm@host.com',
      nonce: 'dcd98b7102dd2f0e8b11d0f600bfb0c093',
    };
    const request = { ...http, password: new Secret('CircleOfLife'), cnonce: '' };
    expect(digestResponse(challenge, request)).toBe('1949323746fe6a43ef61f9606e7febea');
  });
});

describe('writeDigest', () => {
  const request = {
    username: 'u',
    password: new Secret('canary'),
    method: 'DESCRIBE',
    uri: 'rtsp://h/live/cam',
    count: 31,
    cnonce: 'c0',
  };

  it('writes the short form to whoever did not ask for more', () => {
    expect(writeDigest(DIGEST, request)).toBe(
      `Digest username="u", realm="r", nonce="n", uri="rtsp://h/live/cam", response="${digestResponse(DIGEST, request)}"`,
    );
  });

  it('writes algorithm, opaque and qop where they were told', () => {
    const challenge: DigestChallenge = {
      ...DIGEST,
      realm: 'a"b',
      opaque: 'o',
      algorithm: 'SHA-256',
      namesAlgorithm: true,
      qop: 'auth',
    };
    const value = writeDigest(challenge, request);
    expect(value).toContain('realm="a\\"b"');
    expect(value.endsWith(', algorithm=SHA-256, opaque="o", qop=auth, nc=0000001f, cnonce="c0"')).toBe(true);
    expect(value).not.toContain('canary');
    expect(shown(value)).toEqual({ scheme: 'digest', username: 'u', realm: 'a"b', uri: 'rtsp://h/live/cam' });
  });

  it('refuses what would end a line', () => {
    expect(() => writeDigest(DIGEST, { ...request, username: 'a\r\nb' })).toThrow(/^unwritable-header/);
    expect(() => writeDigest({ ...DIGEST, nonce: 'a\0' }, request)).toThrow(/^unwritable-header/);
    expect(() => writeDigest(DIGEST, { ...request, cnonce: '"' })).toThrow(/^unwritable-header/);
  });
});
