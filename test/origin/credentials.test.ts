import { describe, expect, it } from '@jest/globals';
import jwt from 'jsonwebtoken';
import type { ConnectionRequest } from '../../src/model/request.js';
import { Secret } from '../../src/model/secret.js';
import { forMediamtxRtmp, originCredentials, type CredentialsOption } from '../../src/origin/credentials.js';

const moment = { nowMs: 1_700_000_000_999, tokenId: 'id-1' };
const key = 'the-origin-has-a-secret-of-its-own';

function request(changes: Partial<ConnectionRequest> = {}): ConnectionRequest {
  return {
    sessionId: 's1',
    action: 'publish',
    transport: 'RTMP',
    secure: false,
    remoteAddress: '192.0.2.1',
    target: { app: 'live', room: 'room1', name: 'cam' },
    credential: { token: new Secret('a.b.c'), carrier: 'name-query' },
    ...changes,
  };
}

function shown(option: CredentialsOption, of: ConnectionRequest) {
  const { placement, pairs } = originCredentials(option, of, moment);
  return [placement, ...pairs.map(([name, value]) => `${name}=${value.reveal()}`)];
}

describe('credentials towards the origin', () => {
  it('shows nothing when stripping', () => {
    expect(shown({ mode: 'strip' }, request())).toEqual(['none']);
  });

  const token = new Secret('a.b.c');
  const forwards: readonly [string, ConnectionRequest['credential'], string[]][] = [
    ['fills what a client left out', { token, carrier: 'bearer' }, ['username=jwt', 'password=jwt', 'token=a.b.c']],
    [
      'fills what a client left empty',
      { token, carrier: 'app-query', username: '', password: new Secret('') },
      ['username=jwt', 'password=jwt', 'token=a.b.c'],
    ],
    [
      'passes what a client gave',
      { token, carrier: 'amf-arguments', username: 'ann', password: new Secret('pw') },
      ['username=ann', 'password=pw', 'token=a.b.c'],
    ],
    [
      'does not let a client call itself a node of the cluster',
      { token, carrier: 'app-query', username: 'cluster-restreamer-7' },
      ['username=jwt', 'password=jwt', 'token=a.b.c'],
    ],
  ];
  it.each(forwards)('%s when forwarding', (_what, credential, expected) => {
    const of = request(credential === undefined ? {} : { credential });
    expect(shown({ mode: 'forward', placement: 'query' }, of)).toEqual(['query', ...expected]);
  });

  it.each([
    ['a b&token=x', 'username=a%20b%26token%3Dx'],
    ['a?b#c/d', 'username=a%3Fb%23c%2Fd'],
    ['k\u00fcche', 'username=k%C3%BCche'],
    ['\ud800', 'username=%EF%BF%BD'],
  ])('lets no name start another pair in the query: %j', (username, expected) => {
    const of = request({ credential: { token, carrier: 'app-query', username } });
    expect(shown({ mode: 'forward', placement: 'query' }, of)[1]).toBe(expected);
    expect(shown({ mode: 'forward', placement: 'arguments' }, of)[1]).toBe(`username=${username}`);
  });

  it('forwards nothing for a client that showed nothing', () => {
    const { sessionId, action, transport, secure, remoteAddress, target } = request();
    const open = { sessionId, action, transport, secure, remoteAddress, target };
    expect(shown({ mode: 'forward', placement: 'arguments' }, open)).toEqual(['none']);
  });

  it('shows only what a static option holds, never an empty value', () => {
    const option: CredentialsOption = {
      mode: 'static',
      placement: 'arguments',
      username: 'edge',
      password: new Secret(''),
      token: new Secret('t'),
    };
    expect(shown(option, request())).toEqual(['arguments', 'username=edge', 'token=t']);
    expect(shown({ mode: 'static', placement: 'query' }, request())).toEqual(['none']);
  });
});

describe('a reminted token', () => {
  const option: CredentialsOption = {
    mode: 'remint',
    placement: 'query',
    key: new Secret(key),
    issuer: 'edge',
    ttlSeconds: 60,
  };

  function claims(of: ConnectionRequest, from: CredentialsOption = option) {
    const [, , last] = originCredentials(from, of, moment).pairs;
    return jwt.verify(last?.[1].reveal() ?? '', key, { algorithms: ['HS256'], clockTimestamp: 1_700_000_000 });
  }

  it('allows exactly the request', () => {
    expect(claims(request())).toEqual({
      sub: 'portcullis',
      iss: 'edge',
      roles: 'red5-publisher',
      'red5-transport': 'RTMP',
      'red5-room': 'room1',
      exp: 1_700_000_060,
      jti: 'id-1',
    });
  });

  it('has no room claim for a stream at the root, which such a claim would shut', () => {
    const target = { app: 'live', room: null, name: 'cam' };
    expect(claims(request({ action: 'subscribe', transport: 'WHEP', target }))).toEqual({
      sub: 'portcullis',
      iss: 'edge',
      roles: 'red5-subscriber',
      'red5-transport': 'WHEP',
      exp: 1_700_000_060,
      jti: 'id-1',
    });
  });

  it('reads the key as its encoding says', () => {
    const encoded: CredentialsOption = {
      ...option,
      key: new Secret(Buffer.from(key).toString('hex')),
      encoding: 'hex',
    };
    expect(claims(request(), encoded)).toMatchObject({ jti: 'id-1' });
  });

  it('does not use the token of the client', () => {
    expect(shown(option, request()).join()).not.toContain('a.b.c');
  });

  it('is not made for a room with a comma, which would read as two rooms', () => {
    const target = { app: 'live', room: 'a,b', name: 'cam' };
    expect(shown(option, request({ target }))).toEqual(['none']);
  });
});

describe('credentials towards MediaMTX by RTMP', () => {
  const pair = (name: string, value: string) => [name, new Secret(value)] as const;
  it.each([
    ['a token as jwt, and no login beside it', ['username=jwt', 'password=jwt', 'token=a.b.c'], ['jwt=a.b.c']],
    ['a login by its own names', ['username=ann', 'password=p%26w'], ['user=ann', 'pass=p%26w']],
    ['a password alone', ['password=pw'], ['pass=pw']],
  ])('are %s, behind the stream name', (_what, given, expected) => {
    const pairs = given.map((text) => pair(text.split('=')[0] ?? '', text.split('=')[1] ?? ''));
    const { placement, pairs: got } = forMediamtxRtmp({ placement: 'query', pairs });
    expect([placement, ...got.map(([name, value]) => `${name}=${value.reveal()}`)]).toEqual([
      'name-query',
      ...expected,
    ]);
  });

  it.each(['none', 'arguments'] as const)('are nothing when nothing is to stand in a query: %s', (placement) => {
    expect(forMediamtxRtmp({ placement, pairs: [] })).toEqual({ placement: 'none', pairs: [] });
  });
});
