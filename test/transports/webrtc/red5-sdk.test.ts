import { describe, expect, it } from '@jest/globals';
import { FRAGMENT_TYPE, makeBed, OFFER, quiet, sdp, type Bed, type Got } from './bed.js';

/** What Red5's HTML SDK 15.2.0 does, in its order. It never sends an Authorization header nor If-Match. */
const PAGE = { origin: 'https://page.example', 'user-agent': 'Mozilla/5.0' } as const;

/** Asked by the browser before each request of the page that needs it. */
async function preflight(bed: Bed, target: string, method: string): Promise<void> {
  const got = await bed.send('OPTIONS', target, { headers: { ...PAGE, 'access-control-request-method': method } });
  expect([200, 204]).toContain(got.status);
  expect(got.headers.get('access-control-allow-methods')?.split(', ')).toContain(method);
}

/** The SDK's own reading of Location. */
function resourceOf(endpoint: string, got: Got): string {
  const location = got.headers.get('location');
  if (location?.startsWith('http') === true) return new URL(location).pathname.replace('/edge', '');
  const path = (location ?? endpoint).split('?')[0] ?? '';
  const query = endpoint.split('?')[1];
  return `${path.replace('/endpoint/', '/resource/')}${query === undefined ? '' : `?${query}`}`;
}

/** Candidates as the SDK gathers them into its one PATCH. */
const TRICKLE = [
  'a=ice-ufrag:cl1e',
  'a=ice-pwd:abcdefghijklmnopqrstuvwx',
  'm=audio 9 UDP/TLS/RTP/SAVPF 111',
  'a=mid:0',
  'a=candidate:1 1 udp 2130706431 192.0.2.77 5000 typ host',
  'a=candidate:2 1 tcp 1518280447 192.0.2.77 9 typ host tcptype active',
  'a=end-of-candidates',
].join('\r\n');

describe('Red5’s HTML SDK', () => {
  it('publishes: OPTIONS, POST, PATCH, DELETE', async () => {
    const bed = makeBed({
      manners: { preset: 'red5pro', credentials: 'query' },
      credentials: { mode: 'forward', placement: 'query' },
    });
    const token = bed.token();
    const params = `username=jwt&password=jwt&token=${token}`;
    const endpoint = '/live/whip/endpoint/cam';

    const discovery = `${endpoint}?signal=true&${params}`;
    await preflight(bed, discovery, 'OPTIONS');
    const options = await bed.send('OPTIONS', discovery, { headers: PAGE });
    expect([200, 204]).toContain(options.status);
    expect(options.headers.get('accept-post')).toBe('application/sdp');

    const post = `${endpoint}?signal=true&mode=live&transport=UDP&keyFramerate=3000&videoEncoding=NONE&audioEncoding=NONE&${params}`;
    await preflight(bed, post, 'POST');
    const created = await bed.send('POST', post, {
      headers: { ...PAGE, 'content-type': 'application/sdp' },
      body: OFFER.WHIP,
    });
    expect(created.status).toBe(201);
    expect(bed.asked.at(-1)).toMatchObject({
      method: 'POST',
      target: `/live/whip/endpoint/cam?signal=true&mode=live&transport=UDP&keyFramerate=3000&videoEncoding=NONE&audioEncoding=NONE&${params}`,
    });

    const resource = resourceOf(post, created);
    await preflight(bed, resource, 'PATCH');
    const patched = await bed.send('PATCH', resource, {
      headers: { ...PAGE, 'content-type': FRAGMENT_TYPE },
      body: TRICKLE,
    });
    expect(patched.status).toBe(204);

    await preflight(bed, resource, 'DELETE');
    expect((await bed.send('DELETE', resource, { headers: PAGE })).status).toBe(200);
    await quiet();
    expect(bed.asked.at(-1)?.method).toBe('DELETE');
    expect(bed.ends()).toMatchObject([{ reason: 'client-finished' }]);
  });

  it('watches: the origin makes the offer, PATCH brings the answer and then the candidates', async () => {
    const bed = makeBed({
      manners: { preset: 'red5pro', credentials: 'query' },
      origin: ({ method }) =>
        method === 'POST'
          ? {
              status: 201,
              headers: { location: '/live/whep/resource/77?requestId=r1' },
              body: sdp('sendonly', 'actpass', 'or1g'),
            }
          : { status: 204 },
    });
    const token = bed.token();
    const endpoint = `/live/whep/endpoint/cam?requestId=r1&transport=UDP&doNotSwitch=true&username=jwt&password=jwt&token=${token}`;
    expect((await bed.send('OPTIONS', `${endpoint}&signal=false`, { headers: PAGE })).status).toBe(204);
    const offered = await bed.send('POST', endpoint, {
      headers: { ...PAGE, 'content-type': 'application/sdp' },
      body: OFFER.WHEP,
    });
    expect(offered.status).toBe(201);
    expect(offered.body).toMatch(/^a=setup:actpass\r$/m);

    const resource = resourceOf(endpoint, offered);
    const answered = await bed.send('PATCH', resource, {
      headers: { ...PAGE, 'content-type': 'application/sdp' },
      body: sdp('recvonly', 'active'),
    });
    expect(answered.status).toBe(204);
    expect(bed.asked.at(-1)).toMatchObject({
      method: 'PATCH',
      target: '/live/whep/resource/77?requestId=r1&transport=UDP&doNotSwitch=true',
    });
    const trickled = await bed.send('PATCH', resource, {
      headers: { ...PAGE, 'content-type': FRAGMENT_TYPE },
      body: TRICKLE,
    });
    expect(trickled.status).toBe(204);
    expect((await bed.send('DELETE', resource, { headers: PAGE })).status).toBe(200);
  });

  it('hears 401 and 403 as a lack of rights, and neither 404 nor 409, which are its words for a name', async () => {
    const bed = makeBed();
    const post = (token: string) =>
      bed.send('POST', `/live/whip/endpoint/cam?token=${token}`, {
        headers: { ...PAGE, 'content-type': 'application/sdp' },
        body: OFFER.WHIP,
      });
    expect((await post('')).status).toBe(401);
    expect((await post('a.b.c')).status).toBe(401);
    expect((await post(bed.token({ rooms: ['lobby'] }))).status).toBe(403);
  });
});
