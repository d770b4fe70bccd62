import { describe, expect, it } from '@jest/globals';
import { controlMessage, readControlNumber, userControlMessage } from '../../../../src/transports/rtmp/wire/control.js';
import { MESSAGE } from '../../../../src/transports/rtmp/wire/message.js';
import type { FakeByteStream } from '../../../fakes/byte-stream.js';
import { makeGate, quiet } from '../../../fakes/gate.js';
import type { OriginDouble } from '../../../fakes/rtmp-origin.js';
import { pass, publishing, seen, video, viewing } from '../scenes.js';

const MEGABYTE = 1 << 20;
const streamOf = (origin: OriginDouble): FakeByteStream => origin.peer.stream as FakeByteStream;

describe('backpressure', () => {
  it('RTMP-67 drops a viewer that takes too little at the byte cap, and leaves the others alone', async () => {
    const gate = makeGate({ viewerBufferBytes: MEGABYTE });
    const slow = await viewing(gate);
    const quick = await viewing(gate);
    slow.gateSide.stall();
    let most = 0;
    for (let sent = 0; sent < 40; sent++) {
      for (const { origin } of [slow, quick]) origin.peer.send(video(sent, 50_000));
      await quiet();
      most = Math.max(most, slow.gateSide.bufferedBytes);
    }
    expect(most).toBeLessThan(MEGABYTE + 60_000);
    expect(gate.ends()).toMatchObject([{ reason: 'slow-viewer' }]);
    expect([slow.origin.peer.closed, quick.peer.closed]).toEqual([true, false]);
    expect(seen(quick.peer)).toHaveLength(40);
    await pass(gate, 1000);
    expect([slow.gateSide.closed, gate.open]).toEqual([true, 1]);
  });

  it('RTMP-67 drops a viewer that takes nothing for some seconds, long before the cap', async () => {
    const gate = makeGate();
    const viewer = await viewing(gate);
    viewer.gateSide.stall();
    for (let second = 0; second < 12; second++) {
      viewer.origin.peer.send(video(second * 1000, 100));
      await pass(gate, 1000);
    }
    expect(gate.ends()).toMatchObject([{ reason: 'slow-viewer' }]);
  });

  it('RTMP-68 drops acknowledgements first for a publisher that never reads, and lets it publish on', async () => {
    const gate = makeGate();
    const { peer, stream, gateSide, origin } = await publishing(gate);
    peer.setChunkSize(65_536);
    peer.send(controlMessage(MESSAGE.windowAckSize, 1));
    await quiet();
    const told = peer.messages.length;
    gateSide.stall();
    for (let sent = 0; sent < 60; sent++) {
      peer.send(video(sent, 66_000));
      await quiet();
    }
    expect([stream.closed, seen(origin.peer).length]).toEqual([false, 60]);
    expect(gateSide.bufferedBytes).toBeLessThan(100);
    gateSide.unstall();
    peer.send(video(60, 66_000));
    await quiet();
    // The next one says the sum of all, so nothing was lost.
    const acks = peer.messages.slice(told).filter(({ type }) => type === MESSAGE.acknowledgement);
    expect(acks).toHaveLength(2);
    expect(readControlNumber(acks[1]!.payload)).toBeGreaterThan(60 * 66_000);
  });

  it('RTMP-68 ends a publisher that asks and never reads the answers, at a small cap', async () => {
    const gate = makeGate();
    const { peer, gateSide } = await publishing(gate);
    gateSide.stall();
    for (let second = 0; second < 100 && gate.ends().length === 0; second++) {
      for (let asked = 0; asked < 90; asked++) peer.send(userControlMessage({ event: 6, value: asked }));
      await pass(gate, 1000);
      expect(gateSide.bufferedBytes).toBeLessThan(80_000);
    }
    expect(gate.ends()).toMatchObject([{ reason: 'client-error' }]);
  });

  it('RTMP-69 holds a fast publisher back for a slow origin and loses nothing', async () => {
    const gate = makeGate({ originPair: { windowBytes: 100_000 } });
    const { peer, stream, gateSide, origin } = await publishing(gate, 'cam', { windowBytes: 100_000 });
    streamOf(origin).pause();
    const times = Array.from({ length: 40 }, (_, index) => index * 40);
    for (const time of times) peer.send(video(time, 50_000));
    await quiet();
    expect(gateSide.paused).toBe(true);
    // What is too much waits at the client, not here.
    expect(stream.bufferedBytes).toBeGreaterThan(1_500_000);
    streamOf(origin).resume();
    await quiet();
    expect(seen(origin.peer)).toEqual(times.map((time) => [time, 50_000]));
    expect([gateSide.paused, gate.ends()]).toEqual([false, []]);
  });

  it('RTMP-69 ends a stream whose origin takes nothing at all, and blames the origin', async () => {
    const gate = makeGate({ originPair: { windowBytes: 10_000 } });
    const { peer, origin } = await publishing(gate, 'cam', { windowBytes: 10_000 });
    streamOf(origin).pause();
    for (let time = 0; time < 10; time++) peer.send(video(time, 50_000));
    await pass(gate, 20_000, 1000);
    expect(gate.ends()).toMatchObject([{ reason: 'origin-error', error: expect.stringContaining('took nothing') }]);
  });

  it('acknowledgements and pings may go on for as long as a stream does', async () => {
    const gate = makeGate();
    const viewer = await viewing(gate);
    const publisher = await publishing(gate);
    for (let minute = 0; minute < 40; minute++) {
      for (let count = 0; count < 30; count++) {
        viewer.peer.send(controlMessage(MESSAGE.acknowledgement, minute * 30 + count));
        publisher.origin.peer.send(controlMessage(MESSAGE.acknowledgement, minute * 30 + count));
        publisher.origin.peer.send(userControlMessage({ event: 6, value: count }));
      }
      viewer.origin.peer.send(video(minute));
      publisher.peer.send(video(minute));
      await pass(gate, 10_000);
    }
    expect(gate.ends()).toEqual([]);
  });
});
