import { beforeAll, describe, expect, it } from '@jest/globals';
import { vectorPolicy } from '../../hooks/policy.js';
import { conformanceFor } from '../../vectors/conformance.js';
import { vectorMaterial, withClaims, type VectorContext } from '../../vectors/forge.js';
import { actionFor, TOKEN_VECTORS, travelsEverywhere } from '../../vectors/tokens.js';
import { makeBed, OFFER, type Bed } from './bed.js';

const PROFILES = ['red5', 'strict'] as const;
const TRANSPORTS = ['WHIP', 'WHEP'] as const;
const CARRIERS = ['bearer', 'query', 'both'] as const;
type Carrier = (typeof CARRIERS)[number];

/** All forms of an endpoint. */
const FORMS: readonly ((kind: string, room: string, name: string) => string)[] = [
  (kind, room, name) => `/live/${kind}/endpoint/${room}${name}`,
  (kind, room, name) => `/live/${room}${kind}/endpoint/${name}`,
  (kind, room, name) => `/live/${kind}/${room}${name}`,
  (kind, room, name) => `/live/${room}${name}/${kind}`,
  (kind, room, name) => `/as/v1/proxy/${kind}/live/${room}${name}`,
];

interface Question {
  readonly transport: 'WHIP' | 'WHEP';
  readonly room: string | null;
  readonly token: string;
  readonly carrier: Carrier;
  readonly index: number;
}

async function ask(bed: Bed, { transport, room, token, carrier, index }: Question) {
  const form = FORMS[index % FORMS.length]!;
  const path = form(transport.toLowerCase(), room === null ? '' : `${room}/`, `cam${index}`);
  const query = carrier === 'bearer' ? '' : `?token=${travelsEverywhere(token) ? token : encodeURIComponent(token)}`;
  return bed.send('POST', path + query, {
    headers: { 'content-type': 'application/sdp' },
    body: OFFER[transport],
    ...(carrier !== 'query' && { authorization: `Bearer ${token}` }),
  });
}

const STATUS: Readonly<Record<string, number>> = {
  ok: 201,
  'transport-denied': 403,
  'role-denied': 403,
  'room-denied': 403,
};

describe.each(TRANSPORTS)('over %s', (transport) => {
  let context: VectorContext;
  beforeAll(() => {
    context = { nowS: makeBed().clock.now() / 1000, transport, material: vectorMaterial() };
  });

  describe.each(PROFILES)('claims × action × room in profile %s', (profile) => {
    it.each(CARRIERS)('are answered as the table says, with the token in %s', async (carrier) => {
      const bed = makeBed({ policy: vectorPolicy(profile) });
      const wrong: unknown[] = [];
      for (const [index, row] of conformanceFor(transport, profile).entries()) {
        const token = withClaims(context, row.claims);
        const got = await ask(bed, { transport, room: row.room, token, carrier, index });
        const code = got.code ?? 'ok';
        if (code !== row.expect || got.status !== STATUS[row.expect]) wrong.push({ ...row, code, status: got.status });
      }
      expect(wrong).toEqual([]);
    });
  });

  describe.each(['bearer', 'query'] as const)('the token vectors in %s', (carrier) => {
    it('get the verdict they should, each with its code', async () => {
      const wrong: unknown[] = [];
      for (const profile of PROFILES) {
        const bed = makeBed({ policy: vectorPolicy(profile) });
        for (const [index, vector] of TOKEN_VECTORS.entries()) {
          if ((vector.profile ?? 'red5') !== profile || actionFor(vector, transport) === undefined) continue;
          const token = vector.build(context);
          // No header takes these: the listener refuses them before anybody looks.
          if (carrier === 'bearer' && /[^\t\x20-\x7e]/.test(token)) continue;
          const got = await ask(bed, { transport, room: vector.question.room, token, carrier, index });
          const wanted = expected(token, carrier, vector.expect);
          if ((got.code ?? 'ok') !== wanted)
            wrong.push({ name: vector.name, wanted, got: got.code, status: got.status });
        }
        const told = JSON.stringify(bed.lines) + bed.metrics.join();
        const words = new Set(told.match(/[\w-]{20,}/g));
        const parts = TOKEN_VECTORS.flatMap(({ build }) => build(context).split(/[^\w-]+/)).filter(
          (part) => part.length > 20,
        );
        expect([...words].filter((word) => parts.some((part) => part.includes(word) || word.includes(part)))).toEqual(
          [],
        );
      }
      expect(wrong).toEqual([]);
    });
  });
});

/** Where the carrier has its own say before the law. */
function expected(token: string, carrier: 'bearer' | 'query', fallback: string): string {
  // Web clients send these words when their token is not set.
  if (carrier === 'bearer' && ['', 'undefined', 'null'].includes(token.trim())) return 'token-missing';
  // White space around a header's value is no part of it.
  if (carrier === 'bearer' && /^ | $/.test(token)) return 'ok';
  if (token === '') return 'token-missing';
  return carrier === 'query' && /^bearer /i.test(token) ? 'ok' : fallback;
}
