import { describe, expect, it } from '@jest/globals';
import { createWaitingRoom } from '../../src/net/waiting-room.js';
import { fakeClock } from '../fakes/clock.js';
import { streamPair } from '../fakes/byte-stream.js';

describe('the waiting room', () => {
  it('turns away beyond its size, and has room again when one is let in', () => {
    const counted: unknown[] = [];
    const metrics = {
      count: (...count: unknown[]) => void counted.push(count),
      gauge: () => undefined,
      observe: () => undefined,
    };
    const room = createWaitingRoom({
      transport: 'RTMP',
      max: () => 1,
      metrics,
      clock: fakeClock(),
      setupStarted: () => () => undefined,
    });
    const first = room.enter(streamPair()[0], () => undefined);
    const gone: string[] = [];
    const [second] = streamPair();
    expect(room.enter(second, () => gone.push('second'))).toBeUndefined();
    expect([second.ending, gone]).toEqual(['destroy', ['second']]);
    expect(counted).toEqual([['connections_refused_total', { transport: 'RTMP', reason: 'limit-connections' }]]);
    first?.onLetIn();
    expect(room.enter(streamPair()[0], () => undefined)).toBeDefined();
  });

  it('ends the set-up once, however often it is told', () => {
    let ended = 0;
    const metrics = { count: () => undefined, gauge: () => undefined, observe: () => undefined };
    const room = createWaitingRoom({
      transport: 'RTSP',
      max: () => 9,
      metrics,
      clock: fakeClock(),
      setupStarted: () => () => ended++,
    });
    const watcher = room.enter(streamPair()[0], () => undefined);
    watcher?.onSetUp();
    watcher?.onSetUp();
    expect(ended).toBe(1);
  });

  it('takes a connected client for idle after a second, so that paced relays do not cover its publish', () => {
    let ended = 0;
    const clock = fakeClock();
    const metrics = { count: () => undefined, gauge: () => undefined, observe: () => undefined };
    const room = createWaitingRoom({ transport: 'RTMP', max: () => 9, metrics, clock, setupStarted: () => () => ended++ });
    const quick = room.enter(streamPair()[0], () => undefined);
    const idle = room.enter(streamPair()[0], () => undefined);
    quick?.onConnected();
    idle?.onConnected();
    clock.advance(999);
    expect(ended).toBe(0);
    quick?.onSetUp();
    expect(ended).toBe(1);
    clock.advance(1);
    expect(ended).toBe(2);
    expect(clock.pending).toBe(0);
  });
});
