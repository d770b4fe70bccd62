import { beforeAll, describe, expect, it } from '@jest/globals';
import type { RejectionCode } from '../../../src/model/rejection.js';
import { makeRtspGate, quiet, type RtspGate } from '../../fakes/rtsp-gate.js';
import { SDP, type RtspPeer } from '../../fakes/rtsp-peer.js';
import { vectorPolicy } from '../../hooks/policy.js';
import { conformanceFor } from '../../vectors/conformance.js';
import { vectorMaterial, withClaims, type VectorContext } from '../../vectors/forge.js';
import { actionFor, TOKEN_VECTORS, travelsEverywhere } from '../../vectors/tokens.js';
import { HOST, tcp, TYPE } from './scenes.js';

const PROFILES = ['red5', 'strict'] as const;
const CARRIERS = ['query', 'query-semicolon', 'query-before-track', 'query-behind-track', 'bearer', 'basic'] as const;
type Carrier = (typeof CARRIERS)[number];

interface Question {
  readonly action: 'publish' | 'subscribe';
  readonly room: string | null;
  readonly token: string;
  readonly carrier: Carrier;
}

interface Answer {
  readonly code: RejectionCode | 'ok' | undefined;
  readonly status: number | undefined;
}

const AT_ONCE = 120;

async function answers(gate: RtspGate, questions: readonly Question[]): Promise<readonly Answer[]> {
  const all: Answer[] = [];
  for (let from = 0; from < questions.length; from += AT_ONCE) {
    const asked = questions
      .slice(from, from + AT_ONCE)
      .map((question, index) => ask(gate, question, `cam${from + index}`));
    await quiet();
    for (const peer of asked) {
      all.push(answerOf(peer));
      peer.stream.destroy();
    }
    await quiet();
  }
  return all;
}

function ask(gate: RtspGate, { action, room, token, carrier }: Question, name: string): RtspPeer {
  const peer = gate.client();
  const url = `${HOST}/live/${room === null ? '' : `${room}/`}${name}`;
  const value = travelsEverywhere(token) ? token : encodeURIComponent(token);
  const method = action === 'publish' ? 'ANNOUNCE' : 'DESCRIBE';
  const say = (uri: string, headers: Readonly<Record<string, string>> = {}): void =>
    peer.send(method, uri, { ...TYPE, ...headers }, action === 'publish' ? SDP : undefined);
  const bare = (uri: string): void =>
    action === 'publish' ? say(`${url}?token=${value}`) : peer.send('SETUP', uri, tcp('0-1'));
  switch (carrier) {
    case 'query':
      say(`${url}?token=${value}`);
      break;
    case 'query-semicolon':
      say(`${url}/?username=u;password=p;token=${value};`);
      break;
    case 'query-before-track':
      bare(`${url}?token=${value}/trackID=0`);
      break;
    case 'query-behind-track':
      bare(`${url}/trackID=0?token=${value}`);
      break;
    case 'bearer':
      say(url, { Authorization: `Bearer ${token}` });
      break;
    case 'basic':
      say(url, { Authorization: `Basic ${Buffer.from(`user:${token}`).toString('base64')}` });
  }
  return peer;
}

function answerOf(peer: RtspPeer): Answer {
  const { status, reason = '' } = peer.responses[0] ?? {};
  if (status === 200) return { code: 'ok', status };
  return { code: /^([a-z-]+): /.exec(reason)?.[1] as RejectionCode | undefined, status };
}

const gates = new Map<(typeof PROFILES)[number], RtspGate>();
const gateOf = (profile: (typeof PROFILES)[number] = 'red5'): RtspGate => {
  const known = gates.get(profile) ?? makeRtspGate({ policy: vectorPolicy(profile) });
  gates.set(profile, known);
  return known;
};
let context: VectorContext;
beforeAll(() => {
  context = { nowS: gateOf().clock.now() / 1000, transport: 'RTSP', material: vectorMaterial() };
});

describe.each(PROFILES)('claims × action × room in profile %s', (profile) => {
  const rows = conformanceFor('RTSP', profile);

  it('are answered as the table says: 200, or 403 for a good token with wrong claims', async () => {
    const questions = rows.map(({ claims, action, room }, index) => {
      return {
        action,
        room,
        token: withClaims(context, claims),
        carrier: CARRIERS[index % CARRIERS.length] as Carrier,
      };
    });
    const given = await answers(gateOf(profile), questions);
    expect(given.map(({ code, status }, index) => [rows[index]?.name, code, status])).toEqual(
      rows.map(({ name, expect: expected }) => [name, expected, expected === 'ok' ? 200 : 403]),
    );
  });
});

const VECTORS = TOKEN_VECTORS.flatMap((vector) => {
  const action = actionFor(vector, 'RTSP');
  return action === undefined ? [] : [{ ...vector, action }];
});
/** Room for a token in a header line or request line of 16 kB. */
const LINE_ROOM = 16_000;
const TOKEN_68 = /^[A-Za-z0-9._~+/-]+=*$/;

/** Where the carrier has its own say before the law: what is expected then instead. */
function expected(vector: (typeof VECTORS)[number], token: string, carrier: Carrier): Answer['code'] {
  const isQuery = carrier !== 'bearer' && carrier !== 'basic';
  const size = isQuery && !travelsEverywhere(token) ? encodeURIComponent(token).length : Buffer.byteLength(token);
  if ((carrier === 'basic' ? size * 1.34 : size) > LINE_ROOM) return undefined;
  if (carrier === 'bearer') {
    // Line ends and control characters cannot be written in a header at all.
    if (/[\p{Cc}]/u.test(token)) return undefined;
    const trimmed = token.replace(/^[ \t]+|[ \t]+$/g, '');
    if (trimmed === '' || !TOKEN_68.test(trimmed)) return 'malformed-request';
    // Blanks at either end of a header's value belong to nobody.
    return trimmed === token ? vector.expect : 'ok';
  }
  if (token === '') return 'token-missing';
  if (/^bearer /i.test(token)) return 'ok';
  return vector.expect;
}

describe.each(CARRIERS)('the token vectors in %s', (carrier) => {
  it('get the verdict they should, each with its code', async () => {
    const wrong: unknown[] = [];
    for (const profile of PROFILES) {
      const gate = gateOf(profile);
      const vectors = VECTORS.filter((vector) => (vector.profile ?? 'red5') === profile)
        .map((vector) => ({ vector, token: vector.build(context) }))
        .filter(({ vector, token }) => expected(vector, token, carrier) !== undefined);
      expect(vectors.length).toBeGreaterThan(5);
      const questions = vectors.map(({ vector: { action, question }, token }) => {
        return { action, room: question.room, token, carrier };
      });
      const given = await answers(gate, questions);
      vectors.forEach(({ vector, token }, index) => {
        const wanted = expected(vector, token, carrier);
        const { code, status } = given[index]!;
        if (code !== wanted) wrong.push({ name: vector.name, wanted, code, status });
      });
    }
    expect(wrong).toEqual([]);
  });
});

describe('the log of all of these', () => {
  it('holds no part of any token', () => {
    const parts = TOKEN_VECTORS.flatMap(({ build }) => build(context).split(/[^\w-]+/)).filter(
      (part) => part.length > 20,
    );
    for (const gate of gates.values()) {
      const told = JSON.stringify(gate.lines) + [...gate.counts.keys()].join();
      const words = new Set(told.match(/[\w-]{20,}/g));
      expect([...words].filter((word) => parts.some((part) => part.includes(word) || word.includes(part)))).toEqual([]);
    }
  });
});
