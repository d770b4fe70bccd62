import { describe, expect, it } from '@jest/globals';
import { settle } from '../../fakes/byte-stream.js';
import { ANSWER, FRAGMENT_TYPE, fragment, makeBed, OFFER, quiet, sdp, type OriginAnswer } from './bed.js';

const SDP_TYPE = { 'content-type': 'application/sdp' } as const;

describe('a publisher', () => {
  it('gets a session on the public base and the origin gets its offer', async () => {
    const bed = makeBed();
    const { got, url } = await bed.open('/live/room1/whip/endpoint/cam');
    expect(got.status).toBe(201);
    expect(got.headers.get('location')).toMatch(/^https:\/\/media\.example\.com\/edge\/session\/[\w-]{32}$/);
    expect(got.headers.get('etag')).toMatch(/^"[\w-]{12}"$/);
    expect(got.headers.get('content-type')).toBe('application/sdp');
    expect(got.body).toContain('a=x-for-client');
    expect(bed.asked).toEqual([
      expect.objectContaining({
        method: 'POST',
        target: '/live/room1/cam/whip',
        body: expect.stringContaining('a=x-for-origin'),
      }),
    ]);
    expect(bed.asked[0]?.body).not.toContain('candidate');
    expect(bed.media.sessions[0]?.calls).toEqual(['open', 'answer', 'run']);
    expect((await bed.send('DELETE', url)).status).toBe(200);
    await quiet();
    expect(bed.media.sessions[0]?.calls.slice(3)).toEqual(['stop', 'end']);
    expect(bed.asked[1]).toMatchObject({ method: 'DELETE', target: '/live/room1/cam/whip/origin-session' });
    expect(bed.ends()).toMatchObject([{ reason: 'client-finished', clientBytes: 1000 }]);
    expect((await bed.send('DELETE', url)).status).toBe(404);
    expect((await bed.send('PATCH', url)).status).toBe(404);
    expect(bed.clock.pending).toBe(0);
  });

  it('is told nothing of what the origin says about itself', async () => {
    const { got } = await makeBed().open('/live/whip/cam');
    const text = JSON.stringify([[...got.headers], got.body]);
    expect(text).not.toMatch(/origin\.example|origin-session|origin-tag|origin=1|turn:|Basic|origin\/1/);
    expect(got.headers.get('access-control-allow-origin')).toBe('*');
  });

  it.each<[string, string]>([
    ['/live/whip/endpoint/room1/cam', 'room1'],
    ['/live/room1/whip/endpoint/cam', 'room1'],
    ['/live/whip/room1/cam', 'room1'],
    ['/live/room1/cam/whip', 'room1'],
    ['/as/v1/proxy/whip/live/room1/cam', 'room1'],
  ])('%s asks for the same stream and gets the same verdict', async (target) => {
    const bed = makeBed();
    const send = (room: string) =>
      bed.send('POST', target, {
        headers: SDP_TYPE,
        body: OFFER.WHIP,
        authorization: `Bearer ${bed.token({ rooms: [room] })}`,
      });
    expect(await send('lobby')).toMatchObject({ status: 403, code: 'room-denied' });
    expect((await send('room1')).status).toBe(201);
    expect(bed.decisions()).toMatchObject([{ path: 'live/room1/cam' }, { path: 'live/room1/cam' }]);
    expect(bed.asked[0]?.target).toBe('/live/room1/cam/whip');
  });

  it('that is refused costs no origin and no media', async () => {
    const bed = makeBed();
    const got = await bed.send('POST', '/live/whip/cam', { headers: SDP_TYPE, body: OFFER.WHIP });
    expect(got).toMatchObject({ status: 401, code: 'token-missing' });
    expect(bed.asked).toEqual([]);
    expect(bed.media.sessions).toEqual([]);
  });

  it('waits for nobody: the verdict comes before the origin is asked', async () => {
    let says: (() => void) | undefined;
    const bed = makeBed({
      door: { decide: () => new Promise((done) => (says = () => done({ ok: true }))) },
    });
    const posting = bed.send('POST', '/live/whip/cam', { headers: SDP_TYPE, body: OFFER.WHIP });
    await quiet();
    expect(bed.asked).toEqual([]);
    says?.();
    expect((await posting).status).toBe(201);
  });

  it('that leaves while the origin is asked leaves nothing behind', async () => {
    let answer: ((reply: Awaited<ReturnType<OriginAnswer>>) => void) | undefined;
    const bed = makeBed({
      origin: ({ method }) => (method === 'POST' ? new Promise((done) => (answer = done as never)) : {}),
    });
    const gone = new AbortController();
    const posting = bed.open('/live/whip/cam', { gone: gone.signal }).catch(() => 'none');
    await quiet();
    gone.abort();
    expect(await posting).toBe('none');
    answer?.({ status: 201, headers: { location: '/late' }, body: ANSWER.WHIP });
    await quiet();
    expect(bed.asked.map(({ method, target }) => `${method} ${target}`)).toEqual([
      'POST /live/cam/whip',
      'DELETE /late',
    ]);
    expect(bed.media.sessions[0]?.calls.at(-1)).toBe('end');
    expect(bed.door.sessions()).toEqual([]);
    expect(bed.clock.pending).toBe(0);
  });

  it('keeps its session when the connection of its POST ends', async () => {
    const bed = makeBed();
    const gone = new AbortController();
    const { url } = await bed.open('/live/whip/cam', { gone: gone.signal });
    gone.abort();
    await quiet();
    expect(bed.door.sessions()).toHaveLength(1);
    expect((await bed.send('DELETE', url)).status).toBe(200);
  });

  it('is told how long its name is taken', async () => {
    const bed = makeBed();
    await bed.open('/live/whip/cam');
    const second = await bed.send('POST', '/live/whip/cam', {
      headers: SDP_TYPE,
      body: OFFER.WHIP,
      authorization: `Bearer ${bed.token()}`,
    });
    expect(second).toMatchObject({ status: 409, code: 'stream-busy' });
    expect(second.headers.get('retry-after')).toBe('2');
  });

  it('is refused while the gateway drains', async () => {
    const bed = makeBed();
    bed.isDraining = true;
    const got = await bed.send('POST', '/live/whip/cam', { headers: SDP_TYPE, body: OFFER.WHIP });
    expect(got).toMatchObject({ status: 503, code: 'draining' });
    expect(got.headers.get('retry-after')).toBe('2');
  });

  it('is cut when its token expires, at the origin too', async () => {
    const bed = makeBed({ door: { onExpiry: 'close' } });
    await bed.open('/live/whip/cam');
    bed.clock.advance(61_000);
    await quiet();
    expect(bed.ends()).toMatchObject([{ reason: 'expired' }]);
    expect(bed.media.sessions[0]?.calls.slice(-2)).toEqual(['stop', 'end']);
    expect(bed.asked.at(-1)?.method).toBe('DELETE');
  });

  it('cannot make more than it may', async () => {
    const bed = makeBed();
    bed.media.isFull = true;
    const got = await bed.send('POST', '/live/whip/cam', {
      headers: SDP_TYPE,
      body: OFFER.WHIP,
      authorization: `Bearer ${bed.token()}`,
    });
    expect(got).toMatchObject({ status: 429, code: 'limit-connections' });
    expect(got.headers.get('retry-after')).toBe('5');
  });

  it('waits in no queue beyond its length', async () => {
    const bed = makeBed({ options: { maxPending: 1 }, door: { decide: () => new Promise(() => undefined) } });
    void bed.send('POST', '/live/whip/cam', { headers: SDP_TYPE, body: OFFER.WHIP });
    const got = await bed.send('POST', '/live/whip/dog', { headers: SDP_TYPE, body: OFFER.WHIP });
    expect(got).toMatchObject({ status: 429, code: 'limit-connections' });
    expect(bed.metrics).toContain('connections_refused_total{"transport":"WHIP","reason":"limit-connections"}');
  });

  it('lets one address have no more than its share of the queue', async () => {
    const options = { maxPending: 9, maxPendingPerAddress: () => 1 };
    const bed = makeBed({ options, door: { decide: () => new Promise(() => undefined) } });
    void bed.send('POST', '/live/whip/cam', { headers: SDP_TYPE, body: OFFER.WHIP });
    const got = await bed.send('POST', '/live/whip/dog', { headers: SDP_TYPE, body: OFFER.WHIP });
    expect(got).toMatchObject({ status: 429, code: 'limit-connections' });
  });
});

describe('an offer', () => {
  const post = async (body: string, type = 'application/sdp') => {
    const bed = makeBed();
    const got = await bed.send('POST', '/live/whip/cam', {
      headers: { 'content-type': type },
      body,
      authorization: `Bearer ${bed.token()}`,
    });
    return { bed, got };
  };
  it.each<[string, string, string, number]>([
    ['of another type', OFFER.WHIP, 'text/plain', 415],
    ['without a type', OFFER.WHIP, '', 415],
    ['that is empty', '', 'application/sdp', 400],
    ['that is no SDP', 'hello', 'application/sdp', 400],
    ['without DTLS', OFFER.WHIP.replace(/^a=fingerprint.*$/m, 'a=x'), 'application/sdp', 400],
    ['that wants to receive', OFFER.WHEP, 'application/sdp', 422],
    ['without rtcp-mux', OFFER.WHIP.replace('a=rtcp-mux', 'a=x'), 'application/sdp', 422],
  ])('%s never reaches an origin', async (_, body, type, status) => {
    const { bed, got } = await post(body, type);
    expect(got).toMatchObject({ status, code: 'malformed-request' });
    if (status === 415) expect(got.headers.get('accept-post')).toBe('application/sdp');
    expect(bed.asked).toEqual([]);
    expect(bed.door.sessions()).toEqual([]);
    expect(bed.decisions()).toHaveLength(1);
  });

  it('with a parameter in its type is one', async () => {
    expect((await post(OFFER.WHIP, 'Application/SDP; charset=utf-8')).got.status).toBe(201);
  });
});

describe('an origin', () => {
  const ask = async (origin: OriginAnswer, target = '/live/whip/cam') => {
    const bed = makeBed({ origin });
    const got = await bed.send('POST', target, {
      headers: SDP_TYPE,
      body: /whep/.test(target) ? OFFER.WHEP : OFFER.WHIP,
      authorization: `Bearer ${bed.token()}`,
    });
    await quiet();
    return { bed, got };
  };
  it.each<[string, number, string, string, number]>([
    ['that has no such app', 404, '/live/whip/cam', 'origin-refused', 503],
    ['that fails', 500, '/live/whip/cam', 'origin-refused', 503],
    ['that wants another login', 401, '/live/whip/cam', 'origin-refused', 503],
    ['that sends us elsewhere', 307, '/live/whip/cam', 'origin-refused', 503],
    ['that cannot serve the codecs', 406, '/live/whip/cam', 'origin-refused', 422],
    ['that does not like the offer', 400, '/live/whep/cam', 'origin-refused', 422],
    ['without a publisher', 404, '/live/whep/cam', 'origin-refused', 409],
    ['that has nothing to show', 409, '/live/whep/cam', 'origin-refused', 409],
    ['that says yes to nothing', 200, '/live/whip/cam', 'origin-refused', 503],
  ])('%s', async (_, status, target, code, expected) => {
    const { bed, got } = await ask(({ method }) => (method === 'POST' ? { status, body: 'secret words' } : {}), target);
    expect(got).toMatchObject({ status: expected, code });
    expect(got.body).not.toContain('secret words');
    expect(got.headers.has('retry-after')).toBe(expected !== 422);
    expect(bed.media.sessions[0]?.calls.at(-1)).toBe('end');
    expect(bed.door.sessions()).toEqual([]);
  });

  it('that is not there', async () => {
    const { got } = await ask(() => undefined);
    expect(got).toMatchObject({ status: 503, code: 'origin-unavailable' });
  });

  it('that answers nonsense is told that nothing came of it', async () => {
    const { bed, got } = await ask(({ method }) =>
      method === 'POST' ? { status: 201, headers: { location: '/s/1' }, body: 'v=0\r\nnonsense' } : {},
    );
    expect(got).toMatchObject({ status: 503, code: 'origin-refused' });
    expect(bed.asked.at(-1)).toMatchObject({ method: 'DELETE', target: '/s/1' });
    expect(bed.media.sessions[0]?.calls.at(-1)).toBe('end');
  });

  it('that still holds a name we have just let go of is asked again', async () => {
    let isHeld = false;
    const bed = makeBed({
      origin: (request) => {
        if (request.method === 'DELETE') isHeld = true;
        if (request.method !== 'POST') return {};
        if (!isHeld) return { status: 201, headers: { location: '/s/1' }, body: ANSWER.WHIP };
        isHeld = false;
        return { status: 409 };
      },
    });
    const { url } = await bed.open('/live/whip/cam');
    await bed.send('DELETE', url);
    const again = bed.open('/live/whip/cam');
    await quiet();
    bed.clock.advance(250);
    expect((await again).got.status).toBe(201);
  });

  it('whose DELETE fails is told of in the log', async () => {
    const bed = makeBed();
    const { url } = await bed.open('/live/whip/cam');
    bed.origin = () => ({ status: 500 });
    await bed.send('DELETE', url);
    await bed.transport.settled();
    expect(bed.lines).toContainEqual(
      expect.objectContaining({ level: 'warn', fields: expect.objectContaining({ note: 'origin-not-told' }) }),
    );
  });

  it('that ends the media ends the session', async () => {
    const bed = makeBed();
    const { url } = await bed.open('/live/whep/cam');
    bed.media.sessions[0]?.over('origin-error');
    await quiet();
    expect(bed.ends()).toMatchObject([{ reason: 'origin-error' }]);
    expect((await bed.send('PATCH', url)).status).toBe(404);
  });
});

describe('a viewer whose origin makes the offer', () => {
  const offering: OriginAnswer = ({ method }) =>
    method === 'POST'
      ? { status: 200, headers: { location: '/s/1' }, body: sdp('sendonly', 'actpass', 'or1g') }
      : { status: 204 };
  it.each([
    ['to an offer', OFFER.WHEP],
    ['to an empty request', ''],
  ])('%s answers it by PATCH', async (_, body) => {
    const bed = makeBed({ origin: offering });
    const { got, url } = await bed.open('/live/whep/endpoint/cam', { body });
    expect(got.status).toBe(201);
    expect(got.body).toContain('a=setup:actpass');
    expect(got.body).toContain('a=x-for-client');
    expect(bed.media.sessions.at(-1)?.calls).toEqual(['openForOffer', 'run']);
    const patched = await bed.send('PATCH', url, { headers: SDP_TYPE, body: sdp('recvonly', 'active') });
    expect(patched.status).toBe(204);
    expect(bed.asked.at(-1)).toMatchObject({
      method: 'PATCH',
      target: '/s/1',
      headers: { 'content-type': 'application/sdp' },
      body: expect.stringContaining('a=x-for-origin'),
    });
    expect((await bed.send('PATCH', url, { headers: SDP_TYPE, body: sdp('recvonly', 'active') })).status).toBe(400);
    const trickled = await bed.send('PATCH', url, { headers: { 'content-type': FRAGMENT_TYPE }, body: fragment() });
    expect(trickled.status).toBe(204);
    expect(bed.media.sessions.at(-1)?.calls).toEqual(['openForOffer', 'run', 'answer', 'trickle']);
  });

  it('gets a 406 with an offer as one', async () => {
    const bed = makeBed({
      origin: ({ method }) =>
        method === 'POST'
          ? { status: 406, headers: { location: '/s/1' }, body: sdp('sendonly', 'actpass', 'or1g') }
          : { status: 204 },
    });
    const { got, url } = await bed.open('/live/whep/cam');
    expect(got.status).toBe(406);
    expect(got.headers.get('content-type')).toBe('application/sdp');
    expect((await bed.send('PATCH', url, { headers: SDP_TYPE, body: sdp('recvonly', 'active') })).status).toBe(204);
  });

  it('may try again after an answer that is none', async () => {
    const bed = makeBed({ origin: offering });
    const { url } = await bed.open('/live/whep/cam');
    expect(await bed.send('PATCH', url, { headers: SDP_TYPE, body: 'v=0\r\n' })).toMatchObject({ status: 400 });
    expect((await bed.send('PATCH', url, { headers: SDP_TYPE, body: sdp('recvonly', 'active') })).status).toBe(204);
  });

  it('loses its session when the origin does not take the answer', async () => {
    const bed = makeBed({ origin: (request) => (request.method === 'PATCH' ? { status: 500 } : offering(request)) });
    const { url } = await bed.open('/live/whep/cam');
    const got = await bed.send('PATCH', url, { headers: SDP_TYPE, body: sdp('recvonly', 'active') });
    expect(got).toMatchObject({ status: 503, code: 'origin-refused' });
    expect(bed.ends()).toMatchObject([{ reason: 'origin-error' }]);
  });

  it('is refused an answer where none is awaited', async () => {
    const bed = makeBed();
    const { url } = await bed.open('/live/whep/cam');
    expect((await bed.send('PATCH', url, { headers: SDP_TYPE, body: OFFER.WHEP })).status).toBe(400);
    expect(bed.door.sessions()).toHaveLength(1);
  });
});

describe('media that does not pass through here', () => {
  const direct = { manners: { media: 'direct' } } as const;
  it('goes by the origin’s own words, and its session is ours', async () => {
    const bed = makeBed(direct);
    const { got, url } = await bed.open('/live/whip/cam');
    expect(got.body).toBe(ANSWER.WHIP);
    expect(bed.asked[0]?.body).toBe(OFFER.WHIP);
    expect(bed.media.sessions).toEqual([]);
    await bed.send('DELETE', url);
    await quiet();
    expect(bed.asked.at(-1)?.method).toBe('DELETE');
    expect(bed.clock.pending).toBe(0);
  });

  it('needs no port for media', async () => {
    expect((await makeBed({ ...direct, noMedia: true }).open('/live/whep/cam')).got.status).toBe(201);
    await expect(makeBed({ noMedia: true }).open('/live/whep/cam')).rejects.toThrow('503');
  });

  it('is checked before an origin sees the offer', async () => {
    const bed = makeBed(direct);
    await expect(bed.open('/live/whip/cam', { body: OFFER.WHEP })).rejects.toThrow('422');
    expect(bed.asked).toEqual([]);
  });

  it('has its candidates passed on, with the origin’s own tag', async () => {
    const bed = makeBed(direct);
    const { url } = await bed.open('/live/whip/cam');
    const patch = { headers: { 'content-type': FRAGMENT_TYPE, 'if-match': '*' }, body: fragment() };
    expect((await bed.send('PATCH', url, patch)).status).toBe(204);
    expect(bed.asked.at(-1)).toMatchObject({
      target: '/live/cam/whip/origin-session',
      headers: { 'if-match': '"origin-tag"' },
      body: fragment(),
    });
    bed.origin = () => ({ status: 405 });
    expect((await bed.send('PATCH', url, patch)).status).toBe(204);
    bed.origin = () => undefined;
    expect((await bed.send('PATCH', url, patch)).status).toBe(204);
  });

  it('has ICE restarted by the origin', async () => {
    const bed = makeBed(direct);
    const { got, url } = await bed.open('/live/whip/cam');
    const patch = { headers: { 'content-type': FRAGMENT_TYPE }, body: fragment('n3w1') };
    bed.origin = () => ({ status: 200, headers: { etag: '"second"' }, body: 'a=ice-ufrag:orig2\r\n' });
    const restarted = await bed.send('PATCH', url, patch);
    expect(restarted).toMatchObject({ status: 200, body: 'a=ice-ufrag:orig2\r\n' });
    expect(restarted.headers.get('etag')).not.toBe(got.headers.get('etag'));
    expect(bed.asked.at(-1)?.headers['if-match']).toBe('*');
    bed.origin = () => ({ status: 405 });
    expect((await bed.send('PATCH', url, { ...patch, body: fragment('n3w2') })).status).toBe(422);
  });

  it('ends when the origin knows it no more, which is asked from time to time', async () => {
    const bed = makeBed(direct);
    await bed.open('/live/whip/cam');
    bed.clock.advance(15_000);
    await quiet();
    expect(bed.asked.at(-1)).toMatchObject({
      method: 'PATCH',
      body: fragment()
        .replace(/a=candidate[^]*/, '')
        .replace('SAVPF 0', 'SAVPF 111'),
    });
    bed.origin = ({ method }) => (method === 'PATCH' ? { status: 404 } : {});
    bed.clock.advance(15_000);
    await quiet();
    expect(bed.ends()).toMatchObject([{ reason: 'origin-finished' }]);
    expect(bed.clock.pending).toBe(0);
  });

  it('ends when a PATCH finds it gone', async () => {
    const bed = makeBed(direct);
    const { url } = await bed.open('/live/whip/cam');
    bed.origin = () => ({ status: 404 });
    expect(
      (await bed.send('PATCH', url, { headers: { 'content-type': FRAGMENT_TYPE }, body: fragment() })).status,
    ).toBe(404);
    expect(bed.ends()).toHaveLength(1);
  });

  it('waits only so long for the answer to an offer', async () => {
    const bed = makeBed({
      ...direct,
      origin: ({ method }) => (method === 'POST' ? { status: 201, headers: { location: '/s' }, body: OFFER.WHIP } : {}),
    });
    await bed.open('/live/whep/cam');
    bed.clock.advance(30_000);
    await settle();
    expect(bed.ends()).toMatchObject([{ reason: 'client-error' }]);
  });
});
