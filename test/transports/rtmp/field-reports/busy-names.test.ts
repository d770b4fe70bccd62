import { describe, expect, it } from '@jest/globals';
import { complete, configOf } from '../../../config/loading.js';
import { makeGate, quiet, type Gate } from '../../../fakes/gate.js';
import { askToPublish, lastOrigin, pass, publishing, seen, video, type Visitor } from '../scenes.js';

const START = 'NetStream.Publish.Start';
const BUSY = 'stream-busy: the stream name is still in use';
const IDLE_MS = 15_000;

const publishAs = (gate: Gate, subject: string, address = '192.0.2.7'): Promise<Visitor> =>
  askToPublish(gate, 'live', `cam?token=${gate.token({ subject })}`, { remoteAddress: address });

const goodbyes = (gate: Gate, index: number) => gate.origins[index]?.names().slice(-2);

describe('a name in use', () => {
  it('RTMP-28 frees the name of a publisher whose cable was pulled after seconds of silence', async () => {
    const gate = makeGate();
    const { peer, stream } = await publishing(gate);
    peer.send(video(0));
    await quiet();
    stream.pause();
    expect((await publishAs(gate, 'anna')).peer.lastDescription).toBe(BUSY);
    await pass(gate, IDLE_MS + 2000, 500);
    expect(gate.ends()).toMatchObject([{ reason: 'media-idle' }]);
    expect(goodbyes(gate, 0)).toEqual(['FCUnpublish', 'deleteStream']);
    expect((await publishAs(gate, 'anna')).peer.codes.at(-1)).toBe(START);
  });

  it('RTMP-29 refuses the second publisher of a name without touching the first', async () => {
    const gate = makeGate();
    const first = await publishing(gate);
    const before = first.origin.peer.received.length;
    const second = await publishAs(gate, 'ben');
    expect(second.peer.codes.at(-1)).toBe('NetStream.Publish.BadName');
    expect(gate.origins).toHaveLength(1);
    expect(first.origin.peer.received).toHaveLength(before);
    first.peer.send(video(40));
    await quiet();
    expect(seen(first.origin.peer)).toEqual([[40, 300]]);
    expect([first.peer.closed, gate.ends()]).toEqual([false, []]);
  });

  it('RTMP-30 tells the origin of an end at once, and asks again where it is slow to forget', async () => {
    const gate = makeGate();
    const first = await publishing(gate);
    first.peer.command('FCUnpublish', 6, null, 'cam');
    first.peer.command('deleteStream', 7, null, 1);
    first.stream.destroy();
    await quiet();
    expect(goodbyes(gate, 0)).toEqual(['FCUnpublish', 'deleteStream']);
    gate.behaviour = { refuseStream: 'NetStream.Publish.BadName' };
    const again = await publishAs(gate, 'anna');
    await pass(gate, 500, 250);
    expect(again.peer.codes).toEqual(['NetConnection.Connect.Success']);
    gate.behaviour = {};
    await pass(gate, 250);
    expect(again.peer.codes.at(-1)).toBe(START);
  });

  it('RTMP-31 lets a flaky client back in after a reset, and words busy and denied differently', async () => {
    const gate = makeGate();
    const first = await publishing(gate);
    first.gateSide.fail(new Error('read ECONNRESET'));
    await quiet();
    expect(gate.ends()).toMatchObject([{ reason: 'client-error' }]);
    expect(goodbyes(gate, 0)).toEqual(['FCUnpublish', 'deleteStream']);
    expect((await publishAs(gate, 'anna')).peer.codes.at(-1)).toBe(START);
    expect((await publishAs(gate, 'anna')).peer.lastDescription).toBe(BUSY);
    const denied = await askToPublish(gate, 'live', `cam?token=${gate.token({ roles: ['red5-subscriber'] })}`);
    expect(denied.peer.codes.at(-1)).toBe('NetStream.Publish.BadName');
    expect(denied.peer.lastDescription).toBe('role-denied: the token does not allow this action');
  });

  it('RTMP-32 reaps a session that is half open for hours, so that its name does not stay taken', async () => {
    const gate = makeGate();
    const first = await publishing(gate);
    for (let hour = 0; hour < 3; hour++) {
      first.peer.send(video(hour * 3_600_000));
      await pass(gate, 10_000);
    }
    // From here on nothing passes in either direction: what the gateway says stays with it as well.
    first.stream.pause();
    first.stream.stall();
    first.gateSide.stall();
    await pass(gate, IDLE_MS + 2000, 500);
    expect(gate.ends()).toMatchObject([{ reason: 'media-idle' }]);
    await pass(gate, 1000);
    expect([first.gateSide.closed, gate.open]).toEqual([true, 0]);
    expect((await publishAs(gate, 'anna')).peer.codes.at(-1)).toBe(START);
  });

  it('RTMP-33 lets the same identity take its name over at once, the old leg closed first', async () => {
    const gate = makeGate({ door: { publisherConflict: 'takeover-same-subject' } });
    const old = await publishAs(gate, 'anna');
    old.stream.pause();
    gate.behaviour = { silentTo: ['connect'] };
    const back = await publishAs(gate, 'anna', '198.51.100.9');
    expect(goodbyes(gate, 0)).toEqual(['FCUnpublish', 'deleteStream']);
    expect(gate.origins[0]?.peer.closed).toBe(true);
    expect(gate.origins[1]?.names()).toEqual(['connect']);
    expect(gate.ends()).toMatchObject([{ reason: 'taken-over' }]);
    expect(back.peer.codes).toEqual(['NetConnection.Connect.Success']);
  });

  it('RTMP-34 notices silence within the configured seconds, whoever changed its network', async () => {
    const config = configOf(complete({ limits: { idleTimeoutSeconds: 5 } }));
    expect(configOf(complete()).limits.idleTimeoutSeconds).toBe(15);
    const gate = makeGate({ idleTimeoutMs: config.limits.idleTimeoutSeconds * 1000 });
    await publishAs(gate, 'anna', '192.0.2.7');
    await pass(gate, 4000, 500);
    expect((await publishAs(gate, 'anna', '198.51.100.9')).peer.lastDescription).toBe(BUSY);
    await pass(gate, 1500, 500);
    expect((await publishAs(gate, 'anna', '198.51.100.9')).peer.codes.at(-1)).toBe(START);
  });

  it('RTMP-35 lets nobody else take a live name over', async () => {
    const gate = makeGate({ door: { publisherConflict: 'takeover-same-subject' } });
    const anna = await publishAs(gate, 'anna');
    const ben = await publishAs(gate, 'ben');
    const nobody = await askToPublish(gate, 'live', `cam?token=${gate.token()}`);
    for (const other of [ben, nobody]) {
      expect(other.peer.codes.at(-1)).toBe('NetStream.Publish.BadName');
      expect(other.peer.lastDescription).toBe(BUSY);
    }
    anna.peer.send(video(0));
    await quiet();
    expect(seen(lastOrigin(gate).peer)).toEqual([[0, 300]]);
    expect((await publishAs(makeGate(), 'anna')).peer.codes.at(-1)).toBe(START);
  });

  it('RTMP-36 asks the origin for a few seconds, then says that the name is busy', async () => {
    const gate = makeGate();
    const first = await publishing(gate);
    first.stream.destroy();
    await quiet();
    gate.behaviour = { refuseStream: 'NetStream.Publish.BadName' };
    const { peer } = await publishAs(gate, 'anna');
    await pass(gate, 2500, 250);
    expect(peer.closed).toBe(false);
    await pass(gate, 1000, 250);
    expect(peer.codes.at(-1)).toBe('NetStream.Publish.BadName');
    expect(peer.lastDescription).toBe(BUSY);
    expect(gate.origins.every((origin) => origin.peer.closed)).toBe(true);
  });

  it('RTMP-37 does not ask again for a name it has not held itself: that one is somebody else’s', async () => {
    const gate = makeGate({ origin: { refuseStream: 'NetStream.Publish.BadName' } });
    const { peer } = await publishAs(gate, 'anna');
    expect(peer.lastDescription).toBe(BUSY);
    expect(gate.origins).toHaveLength(1);
  });

  it('RTMP-37 lets a user keep the name: publish, stop, publish, ten times over', async () => {
    const gate = makeGate();
    for (let round = 1; round <= 10; round++) {
      const { peer, stream } = await publishing(gate);
      expect(peer.codes.at(-1)).toBe(START);
      stream.destroy();
      await quiet();
      expect([gate.origins.length, gate.open]).toEqual([round, 0]);
    }
  });

  it('RTMP-38 gives a restarted encoder its name back before the origin would, or at once by its subject', async () => {
    // Red5 waits 60 seconds for a client that has gone without a word.
    expect(configOf(complete()).limits.idleTimeoutSeconds).toBeLessThan(60);
    const gate = makeGate({ door: { publisherConflict: 'takeover-same-subject' } });
    const old = await publishAs(gate, 'encoder');
    old.stream.pause();
    expect((await publishAs(gate, 'encoder')).peer.codes.at(-1)).toBe(START);
    expect(gate.origins[0]?.peer.closed).toBe(true);
  });
});
