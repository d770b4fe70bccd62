import { describe, expect, it } from '@jest/globals';
import { Secret } from '../../../src/model/secret.js';
import { FRAGMENT_TYPE, fragment, makeBed, OFFER, type Got } from './bed.js';

const SDP_TYPE = { 'content-type': 'application/sdp' } as const;

function expectCors(got: Got): void {
  expect(got.headers.get('access-control-allow-origin')).toBe('*');
  const exposed = got.headers.get('access-control-expose-headers') ?? '';
  for (const name of ['Location', 'ETag', 'Link', 'Accept-Post', 'Accept-Patch', 'WWW-Authenticate', 'Retry-After']) {
    expect(exposed.split(', ')).toContain(name);
  }
}

describe('the challenge', () => {
  const ask = async (claims: Parameters<ReturnType<typeof makeBed>['token']>[0] | undefined, at = '') => {
    const bed = makeBed();
    const authorization = claims && `Bearer ${bed.token(claims)}`;
    bed.clock.advance(5000);
    return bed.send('POST', `/live/room1/whip/endpoint/cam${at}`, {
      headers: SDP_TYPE,
      body: OFFER.WHIP,
      ...(authorization !== undefined && { authorization }),
    });
  };
  it.each([
    ['names no error where nothing was shown', undefined, '', 401, 'Bearer realm="portcullis"'],
    [
      'says what is wrong with a token',
      { ttlS: 1 },
      '',
      401,
      'Bearer realm="portcullis", error="invalid_token", error_description="the token has expired"',
    ],
    [
      'says that a token does not reach',
      { rooms: ['lobby'] },
      '',
      403,
      'Bearer realm="portcullis", error="insufficient_scope"',
    ],
    [
      'says that a token does not reach',
      { transports: ['WHEP'] as const },
      '',
      403,
      'Bearer realm="portcullis", error="insufficient_scope"',
    ],
    [
      'says that two tokens are one too many',
      {},
      '?token=a.b.c',
      400,
      'Bearer realm="portcullis", error="invalid_request"',
    ],
  ])('%s', async (_, claims, at, status, challenge) => {
    const got = await ask(claims, at);
    expect(got.status).toBe(status);
    expect(got.headers.get('www-authenticate')).toBe(challenge);
    expectCors(got);
  });
});

describe('a problem', () => {
  it('is one in the words of RFC 9457, with the stable code', async () => {
    const got = await makeBed().send('POST', '/live/whip/cam', { headers: SDP_TYPE, body: OFFER.WHIP });
    expect(got.headers.get('content-type')).toBe('application/problem+json');
    expect(JSON.parse(got.body)).toEqual({
      type: 'urn:portcullis:token-missing',
      title: 'a token is required',
      status: 401,
      code: 'token-missing',
      session: 's1',
    });
  });

  it('repeats nothing of the request', async () => {
    const bed = makeBed();
    const got = await bed.send('POST', '/live/whip/<script>?token=canary', {
      headers: { ...SDP_TYPE, 'x-a': 'canary' },
      body: 'canary',
      authorization: 'Bearer canary',
    });
    expect(JSON.stringify([...got.headers]) + got.body).not.toMatch(/canary|<script/);
  });
});

describe('an answer', () => {
  it.each([
    ['POST', '/live/whip/cam?token=T'],
    ['POST', '/live/whip/cam'],
    ['GET', '/live/whip/cam?token=T'],
    ['HEAD', '/live/whep/cam?token=T'],
    ['OPTIONS', '/live/whep/cam?token=T'],
    ['DELETE', '/session/none?token=T'],
    ['PUT', '/live/whip/cam?token=T'],
  ])('to %s %s is kept by nobody and read by any page', async (method, target) => {
    const got = await makeBed().send(method, target, { headers: SDP_TYPE, body: OFFER.WHIP });
    expect(got.headers.get('cache-control')).toBe('no-store');
    expectCors(got);
  });

  it('with a session is kept by nobody and read by any page', async () => {
    const bed = makeBed();
    const { got } = await bed.open(`/live/whip/cam?token=${bed.token()}`, { authorization: [] });
    expect(got.status).toBe(201);
    expect(got.headers.get('cache-control')).toBe('no-store');
    expectCors(got);
  });
});

describe('an endpoint', () => {
  it('answers GET with nothing, and HEAD so that a player knows it', async () => {
    const bed = makeBed();
    expect((await bed.send('GET', '/live/whip/cam')).status).toBe(204);
    expect((await bed.send('HEAD', '/live/whip/cam')).status).toBe(204);
    const head = await bed.send('HEAD', '/live/whep/cam');
    expect([head.status, head.headers.get('content-type'), head.body]).toEqual([200, 'application/sdp', '']);
  });

  it.each(['PUT', 'DELETE', 'PATCH', 'QUERY'])('does not allow %s and says what it does', async (method) => {
    const got = await makeBed().send(method, '/live/whip/cam');
    expect(got.status).toBe(405);
    expect(got.headers.get('allow')).toBe('GET, HEAD, OPTIONS, POST');
    expectCors(got);
  });

  it.each(['GET', 'HEAD', 'POST', 'PUT'])('and a session does not allow %s', async (method) => {
    const bed = makeBed();
    const { url } = await bed.open('/live/whip/cam');
    const got = await bed.send(method, url);
    expect([got.status, got.headers.get('allow')]).toEqual([405, 'OPTIONS, PATCH, DELETE']);
  });

  it('that is none is not found', async () => {
    const got = await makeBed().send('POST', '/live/cam', { headers: SDP_TYPE, body: OFFER.WHIP });
    expect(got.status).toBe(404);
    expectCors(got);
  });

  it.each([
    '/live/whip/endpoint/%2e%2e/cam',
    '/live/whip/endpoint/a%2Fb',
    '/live/whip/endpoint/',
    '/live/whip',
    '/live//cam/whip',
  ])('refuses the path %s before the law is asked', async (target) => {
    const bed = makeBed();
    const got = await bed.send('POST', target, {
      headers: SDP_TYPE,
      body: OFFER.WHIP,
      authorization: `Bearer ${bed.token()}`,
    });
    expect(got.status === 404 || got.code === 'path-invalid').toBe(true);
    expect(bed.asked).toEqual([]);
  });
});

describe('OPTIONS', () => {
  const iceServers = [
    { url: 'stun:stun.example' },
    { url: 'turn:turn.example?transport=udp', username: 'u', credential: new Secret('pass') },
  ];
  it('as a preflight asks nobody and for nothing', async () => {
    const bed = makeBed({ options: { iceServers } });
    for (const target of ['/live/whip/cam', '/session/none', '/nothing']) {
      const got = await bed.send('OPTIONS', target, { headers: { 'access-control-request-method': 'POST' } });
      expect(got.status).toBe(204);
      expectCors(got);
      expect(got.links).toEqual([]);
      expect(got.headers.get('access-control-allow-methods')).toMatch(/OPTIONS.*POST.*PATCH.*DELETE/);
      expect(got.headers.get('access-control-allow-headers')).toBe('Authorization, Content-Type, If-Match, ETag');
    }
    expect(bed.decisions()).toEqual([]);
  });

  it('as a question tells what is possible', async () => {
    const got = await makeBed({ options: { iceServers } }).send('OPTIONS', '/live/whip/cam');
    expect(got.status).toBe(204);
    expect(got.headers.get('accept-post')).toBe('application/sdp');
    expect(got.links).toEqual(['<stun:stun.example>; rel="ice-server"']);
  });

  it('tells the password of a TURN server to those only whose token is good', async () => {
    const bed = makeBed({ options: { iceServers } });
    const links = async (token: string) => (await bed.send('OPTIONS', `/live/whip/cam?token=${token}`)).links.length;
    expect(await links(bed.token())).toBe(2);
    expect(await links(bed.token({ roles: ['red5-subscriber'] }))).toBe(1);
    expect(await links('nonsense')).toBe(1);
    expect((await bed.open('/live/whip/cam')).got.links[1]).toBe(
      '<turn:turn.example?transport=udp>; rel="ice-server"; username="u"; credential="pass"; credential-type="password"',
    );
  });

  it('of a session tells what it takes', async () => {
    const bed = makeBed();
    const { url } = await bed.open('/live/whip/cam');
    const got = await bed.send('OPTIONS', url);
    expect([got.status, got.headers.get('accept-patch')]).toEqual([204, FRAGMENT_TYPE]);
  });
});

describe('Location', () => {
  const locate = async (
    publicUrl: string | undefined,
    headers: Readonly<Record<string, string>> = {},
    secure = false,
  ) =>
    (await makeBed({ listening: { publicUrl } }).open('/live/whip/cam', { headers, secure })).got.headers.get(
      'location',
    );
  it.each<[string | undefined, Readonly<Record<string, string>>, boolean, RegExp]>([
    ['https://media.example.com', {}, false, /^https:\/\/media\.example\.com\/session\/[\w-]{32}$/],
    ['https://example.com/a/b', {}, false, /^https:\/\/example\.com\/a\/b\/session\/[\w-]{32}$/],
    [undefined, { host: 'gw.example:5080' }, false, /^http:\/\/gw\.example:5080\/session\//],
    [undefined, { host: '[2001:db8::7]:5443' }, true, /^https:\/\/\[2001:db8::7\]:5443\/session\//],
    [undefined, { host: 'a"b@c' }, false, /^\/session\//],
    [
      undefined,
      { host: 'gw', 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'gopher' },
      false,
      /^http:\/\/gw\/session\//,
    ],
  ])('with base %s and %j is our own', async (base, headers, secure, expected) => {
    expect(await locate(base, headers, secure)).toMatch(expected);
  });
});

describe('the session URL', () => {
  const patch = { headers: { 'content-type': FRAGMENT_TYPE }, body: fragment() };
  it('is enough by itself', async () => {
    const bed = makeBed();
    const { url } = await bed.open('/live/whip/cam');
    expect((await bed.send('PATCH', url, patch)).status).toBe(204);
    expect((await bed.send('PATCH', url, { ...patch, authorization: 'Bearer undefined' })).status).toBe(204);
    expect((await bed.send('DELETE', url)).status).toBe(200);
  });

  it('takes the token it began with, even when that has expired', async () => {
    const bed = makeBed();
    const token = bed.token();
    const { url } = await bed.open('/live/whip/cam', { authorization: `Bearer ${token}` });
    bed.clock.advance(100_000);
    expect((await bed.send('PATCH', `${url}?token=${token}`, patch)).status).toBe(204);
    expect((await bed.send('DELETE', url, { authorization: `Bearer ${token}` })).status).toBe(200);
  });

  it('takes a fresh token of the same subject for the same stream', async () => {
    const bed = makeBed();
    const { url } = await bed.open('/live/whip/cam', { authorization: `Bearer ${bed.token({ subject: 'ann' })}` });
    bed.clock.advance(1000);
    const fresh = bed.token({ subject: 'ann' });
    expect((await bed.send('DELETE', url, { authorization: `Bearer ${fresh}` })).status).toBe(200);
  });

  it.each([
    ['of another subject', { subject: 'bob' }, 403, 'hook-denied'],
    ['for viewers', { subject: 'ann', roles: ['red5-subscriber'] as const }, 403, 'role-denied'],
    ['for another room', { subject: 'ann', rooms: ['lobby'] }, 403, 'room-denied'],
    ['that has expired', { subject: 'ann', ttlS: 1 }, 401, 'token-expired'],
  ])('refuses a token %s, and the session goes on', async (_, claims, status, code) => {
    const bed = makeBed();
    const { url } = await bed.open('/live/whip/cam', { authorization: `Bearer ${bed.token({ subject: 'ann' })}` });
    const authorization = `Bearer ${bed.token(claims)}`;
    bed.clock.advance(5000);
    expect(await bed.send('DELETE', url, { authorization })).toMatchObject({ status, code });
    expect(await bed.send('PATCH', url, { ...patch, authorization })).toMatchObject({ status, code });
    expect(bed.door.sessions()).toHaveLength(1);
  });

  it('refuses nonsense as a token, and two of them', async () => {
    const bed = makeBed();
    const token = bed.token();
    const { url } = await bed.open('/live/whip/cam', { authorization: `Bearer ${token}` });
    expect(await bed.send('DELETE', url, { authorization: 'Bearer x' })).toMatchObject({
      status: 401,
      code: 'token-malformed',
    });
    expect(await bed.send('DELETE', `${url}?token=a.b.c`, { authorization: `Bearer ${token}` })).toMatchObject({
      status: 400,
      code: 'token-conflict',
    });
  });

  it('differs for two sessions of one name', async () => {
    const bed = makeBed();
    expect((await bed.open('/live/whep/cam')).url).not.toBe((await bed.open('/live/whep/cam')).url);
  });
});

describe('a strict gateway', () => {
  it('wants to hear the version that a PATCH is about', async () => {
    const bed = makeBed({ options: { ifMatch: 'strict' } });
    const { got, url } = await bed.open('/live/whip/cam');
    const tag = got.headers.get('etag') ?? '';
    const patch = async (match: string | undefined, body = fragment()) => {
      const headers = { 'content-type': FRAGMENT_TYPE, ...(match !== undefined && { 'if-match': match }) };
      return bed.send('PATCH', url, { headers, body });
    };
    expect((await patch(undefined)).status).toBe(428);
    expect((await patch('"other"')).status).toBe(412);
    expect((await patch('*')).status).toBe(412);
    const trickled = await patch(tag);
    expect([trickled.status, trickled.headers.has('etag')]).toEqual([204, false]);
    expect((await patch(tag, fragment('n3w1'))).status).toBe(412);
    const restarted = await patch('*', fragment('n3w1'));
    expect(restarted.status).toBe(200);
    expect((await patch(tag, fragment('n3w1'))).status).toBe(412);
    expect((await patch(restarted.headers.get('etag'), fragment('n3w1'))).status).toBe(204);
    // The tag does not matter to DELETE.
    expect((await bed.send('DELETE', url, { headers: { 'if-match': '"other"' } })).status).toBe(200);
  });
});

describe('an ICE restart', () => {
  it('is answered by the gateway itself, with a new tag', async () => {
    const bed = makeBed();
    const { got, url } = await bed.open('/live/whip/cam');
    const before = bed.asked.length;
    const restarted = await bed.send('PATCH', url, {
      headers: { 'content-type': FRAGMENT_TYPE },
      body: fragment('n3w1'),
    });
    expect(restarted.status).toBe(200);
    expect(restarted.headers.get('content-type')).toBe(FRAGMENT_TYPE);
    expect(restarted.headers.get('etag')).toMatch(/^"[\w-]{12}"$/);
    expect(restarted.headers.get('etag')).not.toBe(got.headers.get('etag'));
    expect(restarted.body).toContain('a=ice-ufrag:GW1');
    expect(bed.asked).toHaveLength(before);
  });

  it('that is nonsense leaves the session as it is', async () => {
    const bed = makeBed();
    const { url } = await bed.open('/live/whip/cam');
    const got = await bed.send('PATCH', url, { headers: { 'content-type': FRAGMENT_TYPE }, body: 'nonsense' });
    expect(got).toMatchObject({ status: 400, code: 'malformed-request' });
    expect(bed.door.sessions()).toHaveLength(1);
  });
});

describe('what the listener does not take', () => {
  it('is refused in the same words, with CORS', () => {
    const { transport } = makeBed();
    for (const status of [400, 408, 413, 414, 417, 431, 500] as const) {
      const answer = transport.refuse(status);
      expect(answer.status).toBe(status);
      expect(answer.headers).toContainEqual(['Access-Control-Allow-Origin', '*']);
      expect(answer.headers).toContainEqual(['Content-Type', 'application/problem+json']);
    }
  });
});
