import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ANSWER, FRAGMENT_TYPE, fragment, makeBed, OFFER, quiet, sdp } from './bed.js';

const CANARY = 'canary0canary1.canary2canary3.canary4canary5';

/** Texts with what parsers trip over. */
const nasty = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.constantFrom(
    '..',
    '%2e%2e',
    '%2f',
    '%',
    '%zz',
    '\\',
    ';',
    '//',
    'whip',
    'whep',
    'endpoint',
    'session',
    'é',
    '\u0000',
  ),
);
const path = fc.array(nasty, { maxLength: 8 }).map((parts) => `/${parts.join('/')}`);
const query = fc
  .array(fc.tuple(nasty, nasty), { maxLength: 6 })
  .map((all) => all.map((one) => one.join('=')).join('&'));
const method = fc.constantFrom('GET', 'HEAD', 'POST', 'PATCH', 'DELETE', 'OPTIONS', 'PUT', 'BREW');
const type = fc.constantFrom('', 'application/sdp', FRAGMENT_TYPE, 'application/json', 'text/plain;;;');

/** A text with bytes changed, taken out and put in. */
function mutated(text: string): fc.Arbitrary<string> {
  const edit = fc.tuple(fc.nat(text.length), fc.nat(6), nasty);
  return fc
    .array(edit, { minLength: 1, maxLength: 6 })
    .map((edits) => edits.reduce((now, [at, length, put]) => now.slice(0, at) + put + now.slice(at + length), text));
}

describe('nonsense by HTTP', () => {
  it('gets an answer that any page can read, whatever it is', async () => {
    const bed = makeBed();
    await fc.assert(
      fc.asyncProperty(method, path, query, type, nasty, async (verb, where, more, kind, text) => {
        const got = await bed.send(verb, `${where}?${more}`, {
          headers: { 'content-type': kind, 'if-match': text },
          authorization: `Bearer ${text}`,
          body: text,
        });
        expect(got.headers.get('access-control-allow-origin')).toBe('*');
        expect([200, 201, 204, 400, 401, 403, 404, 405, 415, 422]).toContain(got.status);
        if (got.status >= 400) expect(got.code).toMatch(/^[a-z-]+$/);
      }),
      { numRuns: 500 },
    );
    expect(bed.asked).toEqual([]);
    expect(bed.door.sessions()).toEqual([]);
  });

  it('as an offer opens nothing, or a session that can be ended', async () => {
    const bed = makeBed();
    const token = bed.token();
    await fc.assert(
      fc.asyncProperty(mutated(OFFER.WHIP), async (body) => {
        const got = await bed.send('POST', '/live/whip/cam', {
          headers: { 'content-type': 'application/sdp' },
          body,
          authorization: `Bearer ${token}`,
        });
        expect([201, 400, 422]).toContain(got.status);
        const url = /\/session\/.+$/.exec(got.headers.get('location') ?? '')?.[0];
        if (url !== undefined) {
          await quiet();
          expect((await bed.send('DELETE', url)).status).toBe(200);
        }
        expect(bed.door.sessions()).toEqual([]);
      }),
      { numRuns: 300 },
    );
    await quiet();
    expect(bed.clock.pending).toBe(0);
  });

  it('from an origin opens nothing, or a session that can be ended', async () => {
    const bed = makeBed();
    const headers = fc.record({ location: nasty, etag: nasty, 'session-host': nasty }, { requiredKeys: [] });
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 200, max: 599 }),
        headers,
        mutated(ANSWER.WHIP),
        async (status, more, body) => {
          bed.origin = ({ method: verb }) => (verb === 'POST' ? { status, headers: more, body } : { status: 500 });
          const got = await bed.send('POST', '/live/whip/cam', {
            headers: { 'content-type': 'application/sdp' },
            body: OFFER.WHIP,
            authorization: `Bearer ${bed.token()}`,
          });
          // The origin's 409 right after our own DELETE is tried again for a while.
          if (got.status === 201) {
            await quiet();
            await bed.send('DELETE', /\/session\/.+$/.exec(got.headers.get('location') ?? '')?.[0] ?? '');
          }
          expect([201, 409, 422, 503]).toContain(got.status);
          expect(bed.door.sessions()).toEqual([]);
          bed.clock.advance(6000);
        },
      ),
      { numRuns: 300, examples: [[200, { location: '//[' }, ANSWER.WHIP]] },
    );
  }, 20_000);

  it('as a PATCH leaves the session as it is', async () => {
    const bed = makeBed();
    const { url } = await bed.open('/live/whip/cam');
    const bodies = fc.oneof(mutated(fragment()), mutated(sdp('recvonly', 'active')), nasty);
    await fc.assert(
      fc.asyncProperty(type, bodies, async (kind, body) => {
        const got = await bed.send('PATCH', url, { headers: { 'content-type': kind }, body });
        expect([200, 204, 400, 415, 422]).toContain(got.status);
        expect(bed.door.sessions()).toHaveLength(1);
      }),
      { numRuns: 300 },
    );
  });
});

describe('a token', () => {
  it('is nowhere but where it belongs, whatever way it came and whatever became of it', async () => {
    const bed = makeBed();
    const heard: string[] = [];
    const targets = [
      `/live/whip/cam?token=${CANARY}`,
      `/live/whip/cam?username=u&password=${CANARY}`,
      `/live/${CANARY}?token=x`,
      `/session/${CANARY}?token=${CANARY}`,
      `/live/whip/cam?${CANARY}`,
    ];
    for (const target of targets) {
      for (const verb of ['POST', 'OPTIONS', 'PATCH', 'DELETE', 'GET', 'BREW']) {
        for (const authorization of [[], [`Bearer ${CANARY}`], [`Basic ${CANARY}`], [CANARY, `bearer ${CANARY}1`]]) {
          const got = await bed.send(verb, target, {
            ...{ authorization, body: OFFER.WHIP },
            headers: { 'content-type': 'application/sdp', 'user-agent': 'test' },
          });
          heard.push(JSON.stringify([...got.headers]), got.body);
        }
      }
    }
    expect(heard.length).toBeGreaterThan(200);
    const told = [...heard, JSON.stringify(bed.lines), ...bed.metrics, JSON.stringify(bed.asked)].join();
    expect(told.match(/.{0,60}canary\d.{0,20}/)?.[0]).toBeUndefined();
  });
});
