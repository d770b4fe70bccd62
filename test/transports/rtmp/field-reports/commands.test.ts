import { describe, expect, it } from '@jest/globals';
import { makeGate, quiet } from '../../../fakes/gate.js';
import { publishing, seen, video, verdicts, visit } from '../scenes.js';

describe('commands', () => {
  it('RTMP-65 answers FCPublish with _result and onFCPublish, both with its transaction id', async () => {
    const gate = makeGate();
    const { peer } = await visit(gate);
    peer.connect('live');
    await quiet();
    peer.command('FCPublish', 3, null, 'cam');
    await quiet();
    expect(peer.commands.slice(1).map(({ name, transactionId }) => [name, transactionId])).toEqual([
      ['_result', 3],
      ['onFCPublish', 3],
    ]);
  });

  it('RTMP-65 answers what other encoders wait for, and stays silent where they want no answer', async () => {
    const gate = makeGate();
    const { peer } = await visit(gate);
    peer.command('_checkbw', 1, null);
    await quiet();
    peer.connect('live');
    await quiet();
    peer.command('createStream', 2, null);
    peer.command('releaseStream', 0, null, 'cam');
    peer.command('FCPublish', 0, null, 'cam');
    peer.command('getStreamLength', 5, null, 'cam');
    await quiet();
    expect(peer.commands.map(({ name, transactionId }) => [name, transactionId])).toEqual([
      ['_result', 1],
      ['_result', 1],
      ['_result', 2],
      ['onFCPublish', 0],
      ['_result', 5],
    ]);
  });

  it('RTMP-66 refuses the second stream of one connection and lets the first go on', async () => {
    const gate = makeGate();
    const token = gate.token();
    const { peer } = await visit(gate);
    peer.connect(`live?token=${token}`);
    await quiet();
    peer.command('createStream', 2, null);
    peer.command('createStream', 3, null);
    await quiet();
    expect(peer.commands.slice(-2).map(({ args }) => args[0])).toEqual([1, 2]);
    peer.commandOn(1, 'publish', 4, null, '1', 'live');
    peer.commandOn(2, 'publish', 5, null, '2', 'live');
    await quiet();
    expect(peer.codes.slice(-2)).toEqual(['NetStream.Publish.Start', 'NetStream.Publish.BadName']);
    expect(peer.messages.at(-1)?.streamId).toBe(2);
    peer.send(video(0));
    peer.send(video(0, 300, { streamId: 2, chunkStreamId: 7 }));
    await quiet();
    expect(gate.origins).toHaveLength(1);
    expect(seen(gate.origins[0]!.peer)).toEqual([[0, 300]]);
    expect([peer.closed, verdicts(gate)]).toEqual([false, ['yes']]);
  });

  it('RTMP-66 asks the law anew for each name that is published one after the other', async () => {
    const gate = makeGate();
    const { peer } = await publishing(gate, 'cam');
    peer.command('deleteStream', 7, null, 1);
    await quiet();
    peer.commandOn(1, 'publish', 8, null, `room1/other?token=${gate.token({ rooms: ['lobby'] })}`, 'live');
    await quiet();
    expect(verdicts(gate)).toEqual(['yes', 'room-denied']);
    expect(gate.origins).toHaveLength(1);
  });
});
