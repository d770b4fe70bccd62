import { describe, expect, it } from '@jest/globals';
import { Secret } from '../../../../src/model/secret.js';
import {
  ANSWER,
  FRAGMENT_TYPE,
  fragment,
  kindOrigin,
  makeBed,
  OFFER,
  quiet,
  sdp,
  type Bed,
  type OriginAnswer,
} from '../bed.js';

const SDP_TYPE = { 'content-type': 'application/sdp' } as const;
const PATCH = { headers: { 'content-type': FRAGMENT_TYPE }, body: fragment() } as const;

const created =
  (headers: Readonly<Record<string, string>>): OriginAnswer =>
  ({ method }) =>
    method === 'POST' ? { status: 201, headers, body: ANSWER.WHIP } : { status: 200 };

async function deletedAt(bed: Bed, url: string): Promise<string | undefined> {
  expect((await bed.send('DELETE', url)).status).toBe(200);
  await quiet();
  const last = bed.asked.at(-1);
  return last?.method === 'DELETE' ? last.target : undefined;
}

describe('field reports about the HTTP side of WHIP and WHEP', () => {
  it('W1 sends no client elsewhere, and follows no origin that does', async () => {
    const bed = makeBed({ origin: () => ({ status: 307, headers: { location: 'http://192.0.2.9/live/cam/whip' } }) });
    const got = await bed.send('POST', '/live/whip/cam', {
      headers: SDP_TYPE,
      body: OFFER.WHIP,
      authorization: `Bearer ${bed.token()}`,
    });
    expect(got).toMatchObject({ status: 503, code: 'origin-refused' });
    expect(got.headers.has('location')).toBe(false);
    expect(bed.asked).toHaveLength(1);
  });

  it('W2 gives a Location of its own where the origin gives none', async () => {
    const bed = makeBed({ origin: created({}) });
    const { got, url } = await bed.open('/live/whip/cam');
    expect(got.headers.get('location')).toMatch(/^https:\/\/.+\/session\//);
    expect(await deletedAt(bed, url)).toBeUndefined();
  });

  it('W3 reads an origin’s Location in any case', async () => {
    // The client of the HTTP room gives all names in lower case: see its own test.
    const bed = makeBed({ origin: created({ location: '/live/cam/whip/1' }) });
    const { url } = await bed.open('/live/whip/cam');
    expect(await deletedAt(bed, url)).toBe('/live/cam/whip/1');
  });

  it('W4 tells ICE servers before the offer is made', async () => {
    const iceServers = [{ url: 'turn:turn.example', username: 'u', credential: new Secret('p') }];
    const bed = makeBed({ options: { iceServers } });
    const got = await bed.send('OPTIONS', `/live/whip/cam?token=${bed.token()}`);
    expect(got.links).toEqual([
      '<turn:turn.example>; rel="ice-server"; username="u"; credential="p"; credential-type="password"',
    ]);
  });

  it('W5 makes session URLs on the base that clients see', async () => {
    const bed = makeBed({
      origin: created({ location: '/camera/whep/1' }),
      listening: { publicUrl: 'https://example.com/revproxy_folder' },
    });
    const { got } = await bed.open('/live/whip/cam');
    expect(got.headers.get('location')).toMatch(/^https:\/\/example\.com\/revproxy_folder\/session\/[\w-]+$/);
  });

  it('W6 deletes the origin’s session when the client’s is over, however it ended', async () => {
    const bed = makeBed({ listening: { publicUrl: 'https://example.com/webrtc' } });
    await bed.open('/live/whip/cam');
    bed.media.sessions[0]?.over('client-closed');
    await quiet();
    expect(bed.asked.at(-1)).toMatchObject({ method: 'DELETE', target: '/live/cam/whip/origin-session' });
  });

  it('W7 resolves a relative Location of an origin as RFC 3986 has it', async () => {
    const bed = makeBed({ origin: created({ location: 'whip/1' }) });
    const { url } = await bed.open('/live/room1/whip/endpoint/cam');
    expect(await deletedAt(bed, url)).toBe('/live/room1/cam/whip/1');
  });

  it('W8 answers a preflight without token, law or origin', async () => {
    const bed = makeBed();
    const got = await bed.send('OPTIONS', '/live/whip/cam', {
      headers: { origin: 'https://page.example', 'access-control-request-method': 'POST' },
    });
    expect(got.status).toBe(204);
    expect([bed.asked, bed.decisions()]).toEqual([[], []]);
  });

  it('W9 takes candidates without If-Match', async () => {
    const bed = makeBed();
    const { url } = await bed.open('/live/whip/cam');
    const got = await bed.send('PATCH', url, PATCH);
    expect([got.status, got.body, got.headers.has('etag')]).toEqual([204, '', false]);
    const strict = makeBed({ options: { ifMatch: 'strict' } });
    expect((await strict.send('PATCH', (await strict.open('/live/whip/cam')).url, PATCH)).status).toBe(428);
  });

  it('W10 answers candidates itself, whatever the origin thinks of PATCH', async () => {
    const bed = makeBed({ origin: (request) => (request.method === 'PATCH' ? { status: 422 } : kindOrigin(request)) });
    const { url } = await bed.open('/live/whip/cam');
    expect((await bed.send('PATCH', url, PATCH)).status).toBe(204);
    expect(bed.asked.map(({ method }) => method)).toEqual(['POST']);
  });

  it('W11 waits for no origin with a PATCH, and keeps the session when it is JSON', async () => {
    const bed = makeBed({
      origin: (request) => (request.method === 'PATCH' ? new Promise(() => undefined) : kindOrigin(request)),
    });
    const { url } = await bed.open('/live/whip/cam');
    const got = await bed.send('PATCH', url, { headers: { 'content-type': 'application/json' }, body: '{}' });
    expect([got.status, got.headers.get('accept-patch')]).toEqual([415, FRAGMENT_TYPE]);
    expect((await bed.send('PATCH', url, PATCH)).status).toBe(204);
    expect(bed.door.sessions()).toHaveLength(1);
  });

  it('W12 compares media types without parameters and case', async () => {
    const bed = makeBed();
    const { url } = await bed.open('/live/whip/cam');
    for (const type of [`${FRAGMENT_TYPE}; charset=utf-8`, 'Application/Trickle-ICE-SDPfrag', FRAGMENT_TYPE]) {
      expect((await bed.send('PATCH', url, { headers: { 'content-type': type }, body: fragment() })).status).toBe(204);
    }
  });

  it('W24 frees the name of a client that died, here and at the origin', async () => {
    const bed = makeBed();
    await bed.open('/live/whip/cam');
    bed.media.sessions[0]?.over('media-idle');
    await quiet();
    expect(bed.asked.at(-1)?.method).toBe('DELETE');
    expect((await bed.open('/live/whip/cam')).got.status).toBe(201);
  });

  it('W26 takes the token of the query, and keeps it from the origin', async () => {
    const bed = makeBed();
    const token = bed.token();
    await bed.open(`/live/whip/cam?token=${token}`, { authorization: [] });
    expect(bed.asked[0]?.target).toBe('/live/cam/whip');
    expect(JSON.stringify(bed.asked)).not.toContain(token);
  });

  it('W27 takes the bearer of OBS in any case, and refuses two that differ', async () => {
    const bed = makeBed();
    const token = bed.token();
    await bed.open('/live/whip/a', { authorization: `Bearer ${token}` });
    await bed.open('/live/whip/b', { authorization: `bearer ${token}` });
    await bed.open(`/live/whip/c?token=Bearer%20${token}`, { authorization: `BEARER ${token}` });
    await expect(bed.open('/live/whip/d?token=a.b.c', { authorization: `Bearer ${token}` })).rejects.toThrow('400');
  });

  it('W30 shows Red5 its parameters with every request, not with the first alone', async () => {
    const bed = makeBed({
      manners: { preset: 'red5pro', credentials: 'query', media: 'direct' },
      credentials: { mode: 'forward', placement: 'query' },
      origin: created({ location: '/live/whip/resource/1' }),
    });
    const token = bed.token();
    const { url } = await bed.open(`/live/whip/endpoint/cam?signal=true&username=u&password=p&token=${token}`, {
      authorization: [],
    });
    await bed.send('PATCH', url, PATCH);
    await bed.send('DELETE', url);
    await quiet();
    const query = `?signal=true&username=u&password=p&token=${token}`;
    expect(bed.asked.map(({ method, target }) => `${method} ${target}`)).toEqual([
      `POST /live/whip/endpoint/cam${query}`,
      `PATCH /live/whip/resource/1${query}`,
      `DELETE /live/whip/resource/1${query}`,
    ]);
  });

  const clustered = (): Bed =>
    makeBed({
      manners: { preset: 'red5-stream-manager', credentials: 'query', media: 'direct', nodeGroup: 'eu' },
      credentials: { mode: 'static', placement: 'query', username: 'gw', password: new Secret('pw') },
      origin: ({ method }) =>
        method === 'OPTIONS'
          ? { status: 200, headers: { 'session-host': 'node-7.example' } }
          : method === 'POST'
            ? { status: 201, headers: { location: '/as/v1/proxy/whip/1' }, body: ANSWER.WHIP }
            : { status: 204 },
    });

  it('W31 logs in at a Stream Manager with every request', async () => {
    const bed = clustered();
    const { url } = await bed.open('/as/v1/proxy/whip/live/room1/cam');
    await bed.send('PATCH', url, PATCH);
    await bed.send('DELETE', url);
    await quiet();
    expect(bed.asked).toHaveLength(4);
    for (const { target } of bed.asked) expect(target).toContain('username=gw&password=pw');
  });

  it('W32 answers with its own CORS headers once, and none of the origin’s', async () => {
    const { got } = await makeBed({ origin: kindOrigin }).open('/live/whip/cam');
    expect(got.names.filter((name) => name === 'access-control-allow-origin')).toHaveLength(1);
    expect(got.headers.get('access-control-allow-origin')).toBe('*');
  });

  it('W33 stays at the node that the Stream Manager named, whatever host the client asks for', async () => {
    const bed = clustered();
    const { got, url } = await bed.open('/as/v1/proxy/whip/live/cam?host=evil.example&nodeGroup=theirs');
    expect(got.headers.has('session-host')).toBe(false);
    await bed.send('PATCH', url, PATCH);
    await bed.send('DELETE', `${url}?host=evil.example`);
    await quiet();
    const [options, ...rest] = bed.asked.map(({ method, target }) => `${method} ${target}`);
    expect(options).toBe('OPTIONS /as/v1/proxy/whip/live/cam?nodeGroup=eu&username=gw&password=pw');
    const query = 'host=node-7.example&nodeGroup=eu&username=gw&password=pw';
    expect(rest).toEqual([
      `POST /as/v1/proxy/whip/live/cam?${query}`,
      `PATCH /as/v1/proxy/whip/1?${query}`,
      `DELETE /as/v1/proxy/whip/1?${query}`,
    ]);
  });

  it('W34 keeps the lines of SDP in their order and the requestId with every request', async () => {
    const firefox = sdp('recvonly', 'actpass').replace(
      'a=group:BUNDLE 0',
      'a=group:BUNDLE 0\r\na=x-firefox:b\r\na=x-firefox:a',
    );
    const bed = makeBed({
      manners: { preset: 'red5pro', credentials: 'query', media: 'direct' },
      origin: created({ location: '/live/whep/resource/1' }),
    });
    const { url } = await bed.open('/live/whep/endpoint/cam?requestId=viewer-1', { body: firefox });
    await bed.send('PATCH', url, PATCH);
    expect(bed.asked[0]?.body).toBe(firefox);
    expect(bed.asked.map(({ target }) => target)).toEqual([
      '/live/whep/endpoint/cam?requestId=viewer-1',
      '/live/whep/resource/1?requestId=viewer-1',
    ]);
  });

  it('W35 tells a preflight that PATCH and Authorization are fine', async () => {
    const got = await makeBed().send('OPTIONS', '/live/whip/cam', {
      headers: { 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' },
    });
    expect(got.headers.get('access-control-allow-methods')?.split(', ')).toContain('PATCH');
    expect(got.headers.get('access-control-allow-headers')?.split(', ')).toContain('Authorization');
    expect(got.headers.get('access-control-expose-headers')).toContain('Access-Control-Allow-Methods');
  });
});
