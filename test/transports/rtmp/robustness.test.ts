import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { AmfValue } from '../../../src/transports/rtmp/wire/amf-value.js';
import { MESSAGE } from '../../../src/transports/rtmp/wire/message.js';
import type { FakeByteStream } from '../../fakes/byte-stream.js';
import { listen, settle } from '../../fakes/byte-stream.js';
import { makeGate, quiet, type Gate } from '../../fakes/gate.js';
import type { OriginDouble } from '../../fakes/rtmp-origin.js';
import { GOLDEN, HANDSHAKE_BYTES, publishTwice } from './golden.js';
import {
  askToPlay,
  askToPublish,
  chunk,
  lastOrigin,
  pass,
  publishing,
  seen,
  video,
  viewing,
  visit,
  type Guest,
} from './scenes.js';
import { Dice, StrictReader } from './wire/reference.js';

/** More by hand or at night. */
const ROUNDS = Number(process.env['FUZZ_ROUNDS'] ?? 1);
const MANY_MS = 5000 * ROUNDS;
const MEDIA_COMMANDS = /^(pause|pauseRaw|seek|receiveAudio|receiveVideo)$/;
const OWN_COMMANDS =
  /^(connect|releaseStream|FCPublish|createStream|publish|play|FCUnpublish|deleteStream|_checkbw|_result)$/;

/** Where a publisher or viewer can stand when it goes; `reach` brings it there. */
const STAGES = ['handshake', 'connect', 'createStream', 'publish', 'live'] as const;
type Stage = (typeof STAGES)[number];

const silentTo = (stage: Stage): readonly string[] =>
  stage === 'publish' ? ['publish', 'play'] : stage === 'live' ? [] : [stage];

const unhandled: unknown[] = [];
const keep = (reason: unknown): void => void unhandled.push(reason);
beforeAll(() => void process.on('unhandledRejection', keep));
afterAll(() => {
  process.off('unhandledRejection', keep);
  expect(unhandled).toEqual([]);
});

/** Changes bytes as an attacker or a bad line would: flips, cuts, repeats, moves, numbers at their limits. */
function mutate(dice: Dice, original: Buffer, from: number): Buffer {
  let bytes: Buffer = Buffer.from(original);
  for (let times = 1 + dice.below(4); times > 0; times--) {
    const at = from + dice.below(Math.max(1, bytes.length - from));
    const size = 1 + dice.below(40);
    const [head, tail] = [bytes.subarray(0, at), bytes.subarray(at)];
    switch (dice.below(7)) {
      case 0:
        if (at < bytes.length) bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << dice.below(8)), at);
        break;
      case 1:
        bytes = Buffer.concat([head, dice.bytes(size), tail]);
        break;
      case 2:
        bytes = Buffer.concat([head, tail.subarray(size)]);
        break;
      case 3:
        bytes = Buffer.concat([head, tail.subarray(0, 200), tail]);
        break;
      case 4:
        bytes = Buffer.concat([head, dice.bytes(size), tail.subarray(size)]);
        break;
      case 5:
        bytes.fill(dice.pick([0, 0xff, 0x7f, 0x80]), at, Math.min(bytes.length, at + dice.below(5)));
        break;
      default:
        bytes = Buffer.concat([head, tail.subarray(0, dice.below(tail.length + 1))]);
    }
  }
  return bytes;
}

/** A publisher and a viewer who have nothing to do with it all. */
async function innocents(gate: Gate): Promise<{ publisher: Guest; viewer: Guest; check: () => Promise<void> }> {
  const publisher = await publishing(gate, 'innocent');
  const viewer = await viewing(gate, 'innocent');
  let time = 0;
  const check = async (): Promise<void> => {
    time += 40;
    publisher.peer.send(video(time));
    viewer.origin.peer.send(video(time));
    await settle();
    expect(seen(publisher.origin.peer).at(-1)).toEqual([time, 300]);
    expect(seen(viewer.peer).at(-1)).toEqual([time, 300]);
  };
  return { publisher, viewer, check };
}

const textOf = (value: AmfValue): string => (typeof value === 'string' ? value : 'no text');

/** Every origin was told what was decided, in framing that nobody can misread, and nothing else. */
function expectOnlyWhatWasDecided(gate: Gate): void {
  const paths = gate
    .decisions()
    .filter((line) => line['outcome'] === 'yes' && line['action'] !== 'connect')
    .map((line) => line['path']);
  for (const origin of gate.origins) {
    expect(origin.peer.error).toBeUndefined();
    expect(() => new StrictReader().push(origin.peer.received)).not.toThrow();
    for (const { name, args } of origin.peer.commands) {
      expect(OWN_COMMANDS.test(name) || MEDIA_COMMANDS.test(name) ? 'known' : name).toBe('known');
      if (/^(publish|play|releaseStream|FCPublish|FCUnpublish)$/.test(name)) {
        expect(paths).toContain([origin.app, args[0]].map(textOf).join('/'));
      }
    }
    expect(origin.names().filter((name) => name === 'publish' || name === 'play').length).toBeLessThanOrEqual(1);
  }
}

const faults = (gate: Gate): readonly unknown[] =>
  gate.lines.filter(({ event, fields }) => event === 'gateway.error' || fields['reason'] === 'gateway-error');

/** Time goes by until every deadline is over; those who are alive stay so. */
async function outlast(gate: Gate, check: () => Promise<void>): Promise<void> {
  for (let second = 0; second < 50; second += 2) {
    await pass(gate, 2000);
    await check();
  }
}

describe('bytes that no client would send', () => {
  const BATCHES = 8 * ROUNDS;
  const CLIENTS = 40;

  it.each(Array.from({ length: BATCHES }, (_, seed) => seed))(
    'seed %i: throw nothing, reach no other stream, leave nobody behind',
    async (seed) => {
      const dice = new Dice(1000 + seed);
      const gate = makeGate({ door: { publisherConflict: dice.pick(['reject', 'takeover']) } });
      const others = await innocents(gate);
      const twice = publishTwice(gate.token());
      const sessions = [...GOLDEN.map(({ bytes }) => bytes(gate.token())), twice];
      const streams: FakeByteStream[] = [];
      for (let client = 0; client < CLIENTS; client++) {
        const { live, goodbye, askedAt } = dice.pick(sessions);
        const whole = Buffer.concat(dice.chance(2) ? [live, goodbye] : [live]);
        // Mostly where a stream has been asked for, and the most is at stake.
        const from = dice.pick([0, HANDSHAKE_BYTES, HANDSHAKE_BYTES, askedAt, askedAt, askedAt, askedAt]);
        const bytes = dice.chance(12) ? dice.bytes(4000) : mutate(dice, whole, from);
        const { stream } = gate.raw();
        listen(stream);
        streams.push(stream);
        for (const piece of dice.split(bytes, 3000)) {
          stream.write(piece);
          if (dice.chance(3)) await settle();
        }
      }
      await quiet();
      await others.check();
      for (const stream of streams) if (dice.chance(2)) stream.destroy();
      await outlast(gate, others.check);
      expect(faults(gate)).toEqual([]);
      expect([gate.open, gate.door.sessions().length]).toEqual([2, 2]);
      expectOnlyWhatWasDecided(gate);
    },
  );

  it(
    'may also come from the origin: its client is told or closed, and nobody else hears of it',
    async () => {
      const dice = new Dice(77);
      const gate = makeGate();
      const others = await innocents(gate);
      const guests: Guest[] = [];
      for (let round = 0; round < 60 * ROUNDS; round++) {
        const guest = await (dice.chance(2) ? publishing(gate, `cam${round}`) : viewing(gate, `cam${round}`));
        guests.push(guest);
        const media = Buffer.concat([
          chunk(0, 6, { time: 40, payload: dice.bytes(100) }),
          chunk(1, 6, { time: 40, length: 200, payload: dice.bytes(128) }),
          chunk(3, 6, { payload: dice.bytes(72) }),
          chunk(0, 3, { type: MESSAGE.commandAmf0, streamId: 0, payload: dice.bytes(60) }),
        ]);
        for (const piece of dice.split(mutate(dice, media, 0), 100)) guest.origin.peer.stream.write(piece);
        await settle();
      }
      await others.check();
      for (const { peer } of guests) expect(peer.error).toBeUndefined();
      await outlast(gate, others.check);
      expect(faults(gate)).toEqual([]);
      expect([gate.open, gate.door.sessions().length]).toEqual([2, 2]);
    },
    MANY_MS,
  );

  it(
    'may come from an origin that is being asked, at any step',
    async () => {
      const dice = new Dice(78);
      const gate = makeGate();
      const others = await innocents(gate);
      for (let round = 0; round < 40 * ROUNDS; round++) {
        gate.behaviour = { silentTo: silentTo(dice.pick(['connect', 'createStream', 'publish'])) };
        const ask = dice.chance(2) ? askToPublish : askToPlay;
        const { peer } = await ask(gate, 'live', `cam${round}?token=${gate.token()}`);
        lastOrigin(gate).peer.stream.write(dice.bytes(1 + dice.below(300)));
        await settle();
        if (peer.closed) expect(peer.lastDescription).toMatch(/^origin-(refused|unavailable)/);
      }
      await outlast(gate, others.check);
      expect(faults(gate)).toEqual([]);
      expect([gate.open, gate.door.sessions().length]).toEqual([2, 2]);
    },
    MANY_MS,
  );
});

/** Nothing of a session is left: no connection, no timer, no name. */
async function expectNothingLeft(gate: Gate): Promise<void> {
  await pass(gate, 2000, 500);
  expect([gate.open, gate.door.sessions().length, gate.clock.pending]).toEqual([0, 0, 0]);
  for (const side of gate.originSides) expect(side.closed).toBe(true);
  expect(faults(gate)).toEqual([]);
  gate.behaviour = {};
  const { peer, stream } = await askToPublish(gate, 'live', `cam?token=${gate.token()}`);
  expect(peer.codes.at(-1)).toBe('NetStream.Publish.Start');
  stream.destroy();
}

describe.each(['publish', 'play'] as const)('a client that goes in the middle of %s', (action) => {
  const ask = action === 'publish' ? askToPublish : askToPlay;
  const ways: readonly (readonly [string, (sides: Guest | Awaited<ReturnType<typeof ask>>) => void])[] = [
    ['with FIN', ({ stream }) => stream.end(1000)],
    ['at once', ({ stream }) => stream.destroy()],
    ['with a reset', ({ gateSide }) => gateSide.fail(new Error('read ECONNRESET'))],
  ];
  const early = [0, 1, 1536, 1537, 3072, 3073, 3090, 3200];

  it.each(ways)('%s, before it has said what it wants, leaves nothing', async (_how, go) => {
    const { live } = GOLDEN[0]!.bytes(makeGate().token());
    for (const bytes of early) {
      const gate = makeGate();
      const sides = gate.raw();
      listen(sides.stream);
      sides.stream.write(live.subarray(0, bytes));
      await settle();
      go({ ...sides, peer: undefined as never });
      await expectNothingLeft(gate);
    }
  });

  it.each(ways)('%s, while the origin is asked or afterwards, leaves nothing', async (_how, go) => {
    for (const stage of STAGES) {
      const gate = makeGate({ origin: { silentTo: silentTo(stage) } });
      const visitor = await ask(gate, 'live', `cam?token=${gate.token()}`);
      expect([gate.open, gate.door.sessions().length]).toEqual([1, 1]);
      go(visitor);
      await quiet();
      expect(gate.door.sessions()).toEqual([]);
      await expectNothingLeft(gate);
    }
  });

  it.each(ways)('%s, while its messages are half sent, leaves nothing', async (_how, go) => {
    const gate = makeGate();
    const visitor = await ask(gate, 'live', `cam?token=${gate.token()}`);
    visitor.stream.write(chunk(0, 6, { time: 40, length: 50_000, payload: Buffer.alloc(60) }));
    await settle();
    go(visitor);
    await expectNothingLeft(gate);
  });
});

describe.each(['publish', 'play'] as const)('an origin that fails in the middle of %s', (action) => {
  const ask = action === 'publish' ? askToPublish : askToPlay;
  const far = (origin: OriginDouble): FakeByteStream => origin.peer.stream as FakeByteStream;
  const ways: readonly (readonly [string, (origin: OriginDouble) => void])[] = [
    ['with FIN', (origin) => far(origin).end(1000)],
    ['at once', (origin) => far(origin).destroy()],
  ];

  it.each(ways)('%s, is told to the client at every step', async (_how, go) => {
    for (const stage of STAGES) {
      const gate = makeGate({ origin: { silentTo: silentTo(stage) } });
      const { peer } = await ask(gate, 'live', `cam?token=${gate.token()}`);
      const told = peer.codes.length;
      go(lastOrigin(gate));
      await quiet();
      expect([stage, peer.closed, peer.error]).toEqual([stage, true, undefined]);
      if (stage === 'live') expect(gate.ends()).toMatchObject([{ reason: 'origin-closed' }]);
      else expect(peer.lastDescription).toMatch(/^origin-(unavailable|refused): /);
      expect(peer.codes.length).toBeGreaterThan(told);
      await expectNothingLeft(gate);
    }
  });

  it('by silence, is told to the client after the deadline at every step', async () => {
    for (const stage of STAGES.slice(0, -1)) {
      const gate = makeGate({ origin: { silentTo: silentTo(stage) } });
      const { peer } = await ask(gate, 'live', `cam?token=${gate.token()}`);
      await pass(gate, 4900, 700);
      expect([stage, peer.closed]).toEqual([stage, false]);
      await pass(gate, 200);
      expect(peer.lastDescription).toBe('origin-unavailable: the origin is not available');
      await expectNothingLeft(gate);
    }
  });

  it('by sending one byte of its answer and no more, is told after the deadline', async () => {
    for (const stage of STAGES.slice(1, -1)) {
      const gate = makeGate({ origin: { silentTo: silentTo(stage) } });
      const { peer } = await ask(gate, 'live', `cam?token=${gate.token()}`);
      far(lastOrigin(gate)).write(Buffer.from([3]));
      await pass(gate, 5100, 1700);
      expect(peer.lastDescription).toContain('origin-unavailable');
      await expectNothingLeft(gate);
    }
  });
});

describe('what a peer costs before the decision', () => {
  const LIMIT = 65_536;
  /** Halves of commands of a megabyte, each on a chunk stream of its own. */
  const half = (id: number, size: number): Buffer =>
    chunk(0, id, { type: MESSAGE.commandAmf0, streamId: 0, length: 1 << 20, payload: Buffer.alloc(size) });

  it('is at most 64 kB of half messages', async () => {
    const gate = makeGate();
    const { stream, peer, gateSide } = await visit(gate);
    for (let id = 3; id < 63 && !peer.closed; id++) {
      expect(gateSide.received.length - HANDSHAKE_BYTES).toBeLessThanOrEqual(LIMIT);
      stream.write(half(id, 128));
      // And on with it, in as many chunks as it takes.
      for (let sent = 0; sent < 12; sent++) stream.write(chunk(3, id, { payload: Buffer.alloc(128) }));
      await settle();
    }
    expect(peer.closed).toBe(true);
    expect(gate.lines.at(-1)?.fields).toMatchObject({ code: 'malformed-request', error: 'too-much-before-decision' });
  });

  it('is not more for one that a token has let in: half messages are held to 64 kB, media is read over', async () => {
    const gate = makeGate();
    const { stream, peer } = await visit(gate);
    peer.connect(`live?token=${gate.token()}`);
    await quiet();
    peer.writeChunkSize = 128;
    for (let time = 0; time < 20; time++) peer.send(video(time, 20_000));
    await quiet();
    expect(peer.closed).toBe(false);
    peer.setChunkSize(1000);
    for (let id = 10; id < 60; id++) stream.write(half(id, 1000));
    await quiet();
    expect(peer.closed).toBe(false);
    for (let id = 10; id < 60; id++) stream.write(chunk(3, id, { payload: Buffer.alloc(1000) }));
    await quiet();
    expect(peer.closed).toBe(true);
    expect(gate.lines.at(-1)?.fields).toMatchObject({ error: 'too-much-before-decision' });
  });

  it('is at most 64 chunk streams, and no message is sized by its sender', async () => {
    const gate = makeGate();
    const { stream, peer } = await visit(gate);
    for (let id = 2; id < 70; id++) {
      stream.write(chunk(0, id, { type: MESSAGE.video, length: 0xffffff, payload: Buffer.alloc(128) }));
    }
    await quiet();
    expect(peer.closed).toBe(true);
    expect(gate.lines.at(-1)?.fields).toMatchObject({ error: 'too-many-chunk-streams' });
  });

  it('is no more than was read while the answer is awaited: the rest waits in the client’s own socket', async () => {
    const gate = makeGate({ origin: { silentTo: ['publish'] } });
    const { stream, gateSide, peer } = await visit(gate, { windowBytes: 16_384 });
    await peer.publish('live', `cam?token=${gate.token()}`);
    await quiet();
    for (let time = 0; time < 20; time++) peer.send(video(time, 20_000));
    await quiet();
    expect([peer.closed, gateSide.paused]).toEqual([false, true]);
    expect(gateSide.received.length).toBeLessThan(HANDSHAKE_BYTES + LIMIT);
    expect(stream.bufferedBytes).toBeGreaterThan(300_000);
    gate.origins[0]?.status('NetStream.Publish.Start');
    await quiet();
    expect(seen(gate.origins[0]!.peer)).toHaveLength(20);
  });

  it('is some hundred commands at once', async () => {
    const gate = makeGate();
    const { stream, peer, gateSide } = await visit(gate);
    peer.connect('live');
    await quiet();
    const before = gateSide.written.length;
    stream.write(chunk(0, 2, { type: MESSAGE.userControl, streamId: 0, payload: Buffer.from([0, 6, 0, 0, 0, 1]) }));
    for (let count = 0; count < 5000; count++) stream.write(chunk(3, 2, { payload: Buffer.from([0, 6, 0, 0, 0, 1]) }));
    await quiet();
    expect(peer.closed).toBe(true);
    expect(gate.lines.at(-1)?.fields).toMatchObject({ error: 'too-many-commands' });
    expect(gateSide.written.length - before).toBeLessThan(600 * 18);
  });

  it('is a few seconds', async () => {
    const gate = makeGate();
    const slow = await visit(gate);
    // One byte at a time, for ever.
    const { live } = GOLDEN[0]!.bytes(gate.token());
    for (let at = HANDSHAKE_BYTES; at < HANDSHAKE_BYTES + 60 && !slow.peer.closed; at++) {
      slow.stream.write(live.subarray(at, at + 1));
      await pass(gate, 100);
    }
    expect(slow.peer.closed).toBe(true);
    expect(gate.lines.at(-1)?.fields).toMatchObject({ code: 'timeout' });
  });
});
