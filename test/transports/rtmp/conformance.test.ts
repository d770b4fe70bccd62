import { beforeAll, describe, expect, it } from '@jest/globals';
import type { RejectionCode } from '../../../src/model/rejection.js';
import { vectorPolicy } from '../../hooks/policy.js';
import { settle } from '../../fakes/byte-stream.js';
import { makeGate, quiet, type Gate } from '../../fakes/gate.js';
import type { RtmpPeer } from '../../fakes/rtmp-peer.js';
import { conformanceFor } from '../../vectors/conformance.js';
import { vectorMaterial, withClaims, type VectorContext } from '../../vectors/forge.js';
import { actionFor, TOKEN_VECTORS, travelsEverywhere } from '../../vectors/tokens.js';

const PROFILES = ['red5', 'strict'] as const;
const CARRIERS = ['name-query', 'app-query', 'tcurl-query', 'amf-arguments'] as const;
type Carrier = (typeof CARRIERS)[number];

/** One question as a client puts it. */
interface Question {
  readonly action: 'publish' | 'subscribe';
  readonly room: string | null;
  readonly token: string;
  readonly carrier: Carrier;
  /** Which of the client's slashes divides app and name. */
  readonly split: number;
}

/** What the client got to see. */
interface Answer {
  readonly code: RejectionCode | 'ok' | undefined;
  /** The code of the status or error, in RTMP's words. */
  readonly words: string | undefined;
}

const AT_ONCE = 160;

/** Puts all questions, many at once, and gives the answers in their order. */
async function answers(gate: Gate, questions: readonly Question[]): Promise<readonly Answer[]> {
  const all: Answer[] = [];
  for (let from = 0; from < questions.length; from += AT_ONCE) {
    const batch = questions.slice(from, from + AT_ONCE);
    const asked = await Promise.all(batch.map((question, index) => ask(gate, question, `cam${from + index}`)));
    await quiet();
    for (const { peer, stream } of asked) {
      all.push(answerOf(peer));
      stream.destroy();
    }
    await quiet();
  }
  return all;
}

async function ask(gate: Gate, question: Question, name: string): Promise<ReturnType<Gate['client']>> {
  const { action, room, token, carrier, split } = question;
  const segments = ['live', ...(room?.split('/') ?? []), name];
  const at = 1 + (split % segments.length);
  const app = segments.slice(0, at).join('/');
  const key = segments.slice(at).join('/');
  const query = `?token=${travelsEverywhere(token) ? token : encodeURIComponent(token)}`;
  const client = gate.client();
  const { peer } = client;
  await settle();
  switch (carrier) {
    case 'name-query':
      peer.connect(app);
      break;
    case 'app-query':
      peer.connect(app + query, { tcUrl: `rtmp://gate.example/${app}${query}` });
      break;
    case 'tcurl-query':
      peer.connect(app, { tcUrl: `rtmp://gate.example/${app}${query}` });
      break;
    case 'amf-arguments':
      peer.connect(app, {}, 'jwt', 'jwt', token);
  }
  await settle();
  if (peer.closed) return client;
  peer.command('createStream', 2, null);
  const fullKey = carrier === 'name-query' ? key + query : key;
  if (action === 'publish') peer.commandOn(1, 'publish', 3, null, fullKey, 'live');
  else peer.commandOn(1, 'play', 3, null, fullKey, -2000);
  return client;
}

function answerOf(peer: RtmpPeer): Answer {
  const words = peer.codes.at(-1);
  if (words === 'NetStream.Publish.Start' || words === 'NetStream.Play.Start') return { code: 'ok', words };
  return { code: /^([a-z-]+): /.exec(peer.lastDescription)?.[1] as RejectionCode | undefined, words };
}

const gates = new Map<(typeof PROFILES)[number], Gate>();
const gateOf = (profile: (typeof PROFILES)[number] = 'red5'): Gate => {
  const known = gates.get(profile) ?? makeGate({ policy: vectorPolicy(profile) });
  gates.set(profile, known);
  return known;
};
let context: VectorContext;
beforeAll(() => {
  context = { nowS: gateOf().clock.now() / 1000, transport: 'RTMP', material: vectorMaterial() };
});

describe.each(PROFILES)('claims × action × room in profile %s', (profile) => {
  const rows = conformanceFor('RTMP', profile);
  const put = (carrierOf: (index: number) => Carrier): Promise<readonly Answer[]> =>
    answers(
      gateOf(profile),
      rows.map(({ claims, action, room }, index) => {
        const split = Math.floor(index / 2);
        return { action, room, token: withClaims(context, claims), carrier: carrierOf(index), split };
      }),
    );

  it('are answered as the table says, in the words of the kind of no, with the token in the stream name', async () => {
    const given = await put(() => 'name-query');
    expect(given.map(({ code }, index) => [rows[index]?.name, code])).toEqual(
      rows.map(({ name, expect: expected }) => [name, expected]),
    );
    expect(new Set(given.map(({ words }, index) => `${rows[index]?.action} ${words}`))).toEqual(
      new Set([
        'publish NetStream.Publish.Start',
        'publish NetStream.Publish.BadName',
        'subscribe NetStream.Play.Start',
        'subscribe NetStream.Failed',
      ]),
    );
  });

  it('are answered the same, only earlier, with the token in connect', async () => {
    const given = await put((index) => CARRIERS[1 + (index % 3)] as Carrier);
    const wrong = rows.flatMap((row, index) => {
      const { code, words } = given[index]!;
      // Who shows token and room at connect is judged by them there, before a role is asked for.
      const isEarlier =
        row.expect === 'role-denied' && code === 'room-denied' && words === 'NetConnection.Connect.Rejected';
      return code === row.expect || isEarlier ? [] : [{ ...row, code, words }];
    });
    expect(wrong).toEqual([]);
    expect(new Set(given.map(({ words }) => words))).toContain('NetConnection.Connect.Rejected');
  });
});

const VECTORS = TOKEN_VECTORS.flatMap((vector) => {
  const action = actionFor(vector, 'RTMP');
  return action === undefined ? [] : [{ ...vector, action }];
});
/** Room for `cam…?token=` before the token in 4096 bytes of stream name. */
const NAME_ROOM = 4000;
const APP_ROOM = 10_000;
const AMF_ROOM = 16_384;

/** Where the carrier has its own say before the law: what is expected then instead. */
function expected(vector: (typeof VECTORS)[number], token: string, carrier: Carrier): Answer['code'] {
  const size =
    carrier === 'amf-arguments' || travelsEverywhere(token) ? token.length : encodeURIComponent(token).length;
  // Nobody could send this: the connection is closed at 64 kB, or at 16 kB of one text.
  if (size > AMF_ROOM) return undefined;
  if (carrier === 'name-query' && size > NAME_ROOM) return 'malformed-request';
  if (carrier !== 'amf-arguments' && size > APP_ROOM) return 'malformed-request';
  // An empty parameter is none.
  if (token === '') return 'token-missing';
  // Users paste the header's value; what stands behind the word is a token like any other.
  if (/^bearer /i.test(token)) return 'ok';
  return vector.expect;
}

describe.each(CARRIERS)('the token vectors in %s', (carrier) => {
  it('get the verdict they should, each with its code', async () => {
    const wrong: unknown[] = [];
    for (const profile of PROFILES) {
      const gate = gateOf(profile);
      const vectors = VECTORS.filter((vector) => (vector.profile ?? 'red5') === profile);
      const tokens = vectors.map(({ build }) => build(context));
      const questions = vectors.map(({ action, question }, index) => {
        return { action, room: question.room, token: tokens[index]!, carrier, split: index };
      });
      const given = await answers(gate, questions);
      vectors.forEach((vector, index) => {
        const wanted = expected(vector, tokens[index]!, carrier);
        const { code, words } = given[index]!;
        if (code !== wanted) wrong.push({ name: vector.name, wanted, code, words });
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
      expect(gate.lines.length).toBeGreaterThan(1000);
      const told = JSON.stringify([gate.lines, [...gate.counts]]);
      const words = new Set(told.match(/[\w-]{20,}/g));
      const leaked = [...words].filter((word) => parts.some((part) => part.includes(word) || word.includes(part)));
      expect(leaked).toEqual([]);
    }
  });
});
