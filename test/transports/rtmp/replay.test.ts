import { describe, expect, it } from '@jest/globals';
import { listen, settle } from '../../fakes/byte-stream.js';
import { makeGate, quiet, type Gate } from '../../fakes/gate.js';
import { GOLDEN, HANDSHAKE_BYTES, publishTwice } from './golden.js';
import { video, verdicts } from './scenes.js';

/** All that can be seen of a session from outside. */
interface Outcome {
  readonly verdicts: readonly unknown[];
  /** How it ended, and how many sessions there were. */
  readonly ends: readonly unknown[];
  /** Everything each origin got behind the handshake, in hex. */
  readonly origins: readonly string[];
  /** Everything the client got. */
  readonly client: string;
  readonly isOpen: boolean;
}

type Sent = Pick<ReturnType<Gate['raw']>, 'stream'> & { readonly bytes: () => Buffer };

function outcomeOf(gate: Gate, client: Sent): Outcome {
  return {
    verdicts: verdicts(gate),
    ends: gate.ends().map((line) => line['reason']),
    origins: gate.origins.map((origin) => origin.peer.received.toString('hex')),
    client: client.bytes().toString('hex'),
    isOpen: !client.stream.closed,
  };
}

const AT_ONCE = 100;

/** What is sent of a session: pieces between which everything comes to rest, then what the origin sends, then the goodbye. */
interface Run {
  readonly pieces: readonly Buffer[];
  readonly goodbye?: readonly Buffer[];
}

async function sendAll(clients: readonly Sent[], pieces: readonly (readonly Buffer[])[]): Promise<void> {
  const longest = Math.max(...pieces.map(({ length }) => length));
  for (let turn = 0; turn < longest; turn++) {
    clients.forEach(({ stream }, index) => stream.write(pieces[index]?.[turn] ?? Buffer.alloc(0)));
    await settle();
  }
  await quiet();
}

/** Plays each run against a gate of its own, and gives what came of it. */
async function replay(runs: readonly Run[], pieceBytes = Infinity): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  for (let from = 0; from < runs.length; from += AT_ONCE) {
    const batch = runs.slice(from, from + AT_ONCE);
    const gates = batch.map(() => makeGate());
    const clients = gates.map((gate) => {
      const { stream } = gate.raw({ pieceBytes });
      return { stream, ...listen(stream) };
    });
    await sendAll(
      clients,
      batch.map(({ pieces }) => pieces),
    );
    for (const { origins } of gates) for (const time of [0, 40]) origins[0]?.peer.send(video(time, 200));
    await sendAll(
      clients,
      batch.map(({ goodbye = [] }) => goodbye),
    );
    outcomes.push(...gates.map((gate, index) => outcomeOf(gate, clients[index]!)));
  }
  return outcomes;
}

/** Cut at `first` and every `step` bytes behind it. */
function cutOften(bytes: Buffer, first: number, step: number): readonly Buffer[] {
  const pieces = [bytes.subarray(0, first)];
  for (let at = first; at < bytes.length; at += step) pieces.push(bytes.subarray(at, at + step));
  return pieces;
}

/** Runs in which each byte from `from` on is where a cut is, in exactly one of them; a run has about `cuts` of them. */
function cutEverywhere(bytes: Buffer, from: number, cuts: number): readonly (readonly Buffer[])[] {
  const step = Math.ceil((bytes.length - from) / cuts);
  return Array.from({ length: step }, (_, index) => cutOften(bytes, from + index, step));
}

const singly = (bytes: Buffer): readonly Buffer[] => Array.from(bytes, (byte) => Buffer.from([byte]));

/** The index of the first that differs, and both; equal things compare equal. */
function firstDifferent(outcomes: readonly Outcome[]): readonly unknown[] {
  const [expected] = outcomes;
  const index = outcomes.findIndex((outcome) => JSON.stringify(outcome) !== JSON.stringify(expected));
  return [index, outcomes[index], expected];
}
const NO_DIFFERENCE = [-1, undefined, expect.anything()];

describe.each(GOLDEN)('$name', (golden) => {
  const token = makeGate().token();
  const { live, goodbye } = golden.bytes(token);
  const whole = Buffer.concat([live, goodbye]);
  const refused = golden.bytes(`${token.slice(0, -4)}AAAA`);

  it('comes out as it should in one piece', async () => {
    const [finished, running, no] = await replay([{ pieces: [whole] }, { pieces: [live] }, { pieces: [refused.live] }]);
    expect(finished).toMatchObject({ verdicts: ['yes'], ends: ['client-finished'], isOpen: true });
    expect(running).toMatchObject({ verdicts: ['yes'], ends: [], isOpen: true });
    for (const { origins } of [finished!, running!]) {
      expect(origins).toHaveLength(1);
      for (const text of golden.media) expect(origins[0]).toContain(Buffer.from(text).toString('hex'));
    }
    const words = Buffer.from(no!.client, 'hex').toString('latin1');
    expect(no).toMatchObject({ ends: [], origins: [], isOpen: false });
    expect(words).toContain('token-signature');
    expect(words).not.toMatch(/(Publish|Play)\.Start/);
  });

  it('comes out the same when its words are cut at any byte', async () => {
    const runs = cutEverywhere(live, HANDSHAKE_BYTES - 3, 8).map((pieces): Run => ({ pieces, goodbye: [goodbye] }));
    expect(firstDifferent(await replay([{ pieces: [live], goodbye: [goodbye] }, ...runs]))).toEqual(NO_DIFFERENCE);
  });

  it('comes out the same when its goodbye is cut at any byte, and comes at once', async () => {
    const runs = cutEverywhere(whole, live.length, 3).map((pieces): Run => ({ pieces }));
    expect(firstDifferent(await replay([{ pieces: [whole] }, ...runs]))).toEqual(NO_DIFFERENCE);
  });

  it('comes out the same when its handshake is cut at any byte', async () => {
    const [handshake, words] = [live.subarray(0, HANDSHAKE_BYTES), live.subarray(HANDSHAKE_BYTES)];
    const runs = cutEverywhere(handshake, 1, 192).map((pieces): Run => ({ pieces: [...pieces, words] }));
    expect(firstDifferent(await replay([{ pieces: [live] }, ...runs]))).toEqual(NO_DIFFERENCE);
  });

  it.each([
    ['that is let in', live, goodbye],
    ['that is refused', refused.live, refused.goodbye],
  ])('comes out the same byte for byte, with a token %s', async (_what, words, last) => {
    const often = [2, 3, 7, 64].map((step): Run => ({ pieces: cutOften(words, step, step), goodbye: [last] }));
    const slowly = { pieces: singly(words), goodbye: singly(last) };
    const outcomes = await replay([{ pieces: [words], goodbye: [last] }, slowly, ...often]);
    const quickly = await replay(
      [
        { pieces: [words], goodbye: [last] },
        { pieces: cutOften(words, 2000, 300), goodbye: [last] },
      ],
      1,
    );
    expect(firstDifferent([...outcomes, ...quickly])).toEqual(NO_DIFFERENCE);
  });
});

describe('an encoder that ends its stream and publishes again on the same connection', () => {
  const gate = makeGate();
  const { live, goodbye } = publishTwice(gate.token());
  const bytes = Buffer.concat([live, goodbye]);

  it('comes out the same however its bytes are cut, with two verdicts and two origins', async () => {
    const expected = { pieces: [bytes] };
    const slowly = { pieces: [bytes.subarray(0, HANDSHAKE_BYTES), ...singly(bytes.subarray(HANDSHAKE_BYTES))] };
    const runs = cutEverywhere(bytes, HANDSHAKE_BYTES, 8).map((pieces): Run => ({ pieces }));
    // All in one go, yet in many reads: what comes behind the goodbye must not fall between relay and connection.
    const inTwo = { pieces: [live, goodbye] };
    const outcomes = [...(await replay([expected, slowly, ...runs])), ...(await replay([expected, inTwo], 1))];
    expect(firstDifferent(outcomes)).toEqual(NO_DIFFERENCE);
    expect(outcomes[0]).toMatchObject({ verdicts: ['yes', 'yes'], ends: ['client-finished'], isOpen: true });
    const media = outcomes[0]!.origins.map((hex) =>
      Buffer.from(hex, 'hex')
        .toString('latin1')
        .match(/first!|second/g),
    );
    expect(media).toEqual([['first!'], ['second']]);
  });
});
