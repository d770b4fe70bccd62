import { describe, expect, it } from '@jest/globals';
import { MESSAGE } from '../../../src/transports/rtmp/wire/message.js';
import { settle } from '../../fakes/byte-stream.js';
import { makeGate, quiet, type Gate } from '../../fakes/gate.js';
import type { RtmpPeer } from '../../fakes/rtmp-peer.js';
import { chunk, lastOrigin, publishing, seen, verdicts, video, viewing, visit } from './scenes.js';

/** Ends what is played and plays another stream on the same connection. */
async function zap(gate: Gate, peer: RtmpPeer, name: string): Promise<void> {
  peer.command('deleteStream', 7, null, 1);
  peer.command('createStream', 8, null);
  await settle();
  peer.commandOn(1, 'play', 9, null, `${name}?token=${gate.token()}`, -2000);
  await quiet();
}

describe('a viewer that plays one stream after the other on one connection', () => {
  it.each([
    ['in the middle of a chunk', 4096, chunk(0, 6, { time: 40, length: 300, payload: Buffer.alloc(100, 7) })],
    ['between two chunks', 128, chunk(0, 6, { time: 40, length: 300, payload: Buffer.alloc(128, 7) })],
    [
      'in the middle of two messages',
      128,
      Buffer.concat([
        chunk(0, 6, { time: 0x1000000, length: 1000, payload: Buffer.alloc(128, 7) }),
        chunk(0, 4, { time: 40, type: MESSAGE.audio, length: 500, payload: Buffer.alloc(128, 8) }),
        chunk(3, 6, { extension: 0x1000000, payload: Buffer.alloc(50, 7) }),
      ]),
    ],
  ])('goes on when the first ended %s', async (_where, chunkSize, half) => {
    const gate = makeGate({ origin: { chunkSize } });
    const { peer, origin } = await viewing(gate);
    origin.peer.send(video(0));
    origin.peer.stream.write(half);
    await quiet();
    await zap(gate, peer, 'other');
    expect(peer.error).toBeUndefined();
    expect(peer.codes.slice(-2)).toEqual(['NetStream.Play.Reset', 'NetStream.Play.Start']);
    lastOrigin(gate).peer.send(video(80, 500));
    await quiet();
    expect(seen(peer).at(-1)).toEqual([80, 500]);
    expect(verdicts(gate)).toEqual(['yes', 'yes']);
  });

  it('is closed when the rest of a message is too much to make up', async () => {
    const gate = makeGate();
    const { peer, origin } = await viewing(gate);
    origin.peer.stream.write(chunk(0, 6, { time: 40, length: 4 << 20, payload: Buffer.alloc(128) }));
    await quiet();
    peer.command('deleteStream', 7, null, 1);
    await quiet();
    expect(peer.closed).toBe(true);
    expect(gate.open).toBe(0);
  });

  it.each([
    [60_000, 4096],
    [4096, 60_000],
    [60_000, 128],
    [128, 60_000],
    [1, 60_000],
  ])('reads both, from an origin with chunks of %i and then one with %i bytes', async (first, second) => {
    const gate = makeGate({ origin: { chunkSize: first } });
    const { peer, origin } = await viewing(gate);
    origin.peer.send(video(0, 10_000));
    await quiet();
    gate.behaviour = { chunkSize: second };
    await zap(gate, peer, 'other');
    for (const time of [40, 80]) lastOrigin(gate).peer.send(video(time, 10_000));
    await quiet();
    expect(peer.error).toBeUndefined();
    expect(
      peer.media.map(({ timestamp, payload }) => [timestamp, payload.equals(video(timestamp, 10_000).payload)]),
    ).toEqual([
      [0, true],
      [40, true],
      [80, true],
    ]);
  });

  it('may do so as often as it likes', async () => {
    const gate = makeGate();
    const { peer } = await viewing(gate);
    for (let time = 1; time <= 20; time++) {
      await zap(gate, peer, `cam${time}`);
      lastOrigin(gate).peer.send(video(time));
      await quiet();
    }
    expect(seen(peer).map(([time]) => time)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
    expect(peer.codes).not.toContain('NetConnection.Call.Failed');
  });
});

describe('a publisher with a second stream that was refused', () => {
  it('ends that one without ending the first', async () => {
    const gate = makeGate();
    const { peer, origin } = await publishing(gate);
    const token = gate.token();
    peer.command('createStream', 6, null);
    await quiet();
    peer.commandOn(2, 'publish', 7, null, `second?token=${token}`, 'live');
    peer.command('FCUnpublish', 8, null, `second?token=${token}`);
    peer.command('deleteStream', 9, null, 2);
    peer.command('deleteStream', 9, null, 'second');
    peer.commandOn(2, 'closeStream', 0, null);
    peer.send(video(40));
    await quiet();
    expect([gate.ends(), seen(origin.peer)]).toEqual([[], [[40, 300]]]);
  });

  it.each([
    ['FCUnpublish with the name as published', 'FCUnpublish', 'cam?token=T'],
    ['FCUnpublish without the query', 'FCUnpublish', 'cam'],
    ['FCUnpublish with an alias', 'FCUnpublish', 'mp4:cam'],
    ['FCUnpublish without a name', 'FCUnpublish', null],
    ['deleteStream with the name', 'deleteStream', 'cam?token=T'],
    ['deleteStream with the id', 'deleteStream', 1],
  ])('ends the first by %s', async (_how, name, which) => {
    const gate = makeGate();
    const { peer } = await publishing(gate);
    const token = gate.token();
    peer.command(name, 8, null, typeof which === 'string' ? which.replace('T', token) : which);
    await quiet();
    expect(gate.ends()).toMatchObject([{ reason: 'client-finished' }]);
    expect(peer.closed).toBe(false);
  });
});

describe('a client that asks for stream ids before it asks for a stream', () => {
  it('gets each of them, one up from the last', async () => {
    const gate = makeGate();
    const { peer } = await visit(gate);
    peer.connect('live');
    await quiet();
    for (let id = 1; id <= 12; id++) peer.command('createStream', id + 1, null);
    await quiet();
    expect(peer.commands.slice(1).map(({ args }) => args[0])).toEqual(
      Array.from({ length: 12 }, (_, index) => index + 1),
    );
  });
});
