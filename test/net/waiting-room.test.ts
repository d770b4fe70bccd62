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
      maxPerAddress: () => 0,
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

  it('turns away beyond what one address may have, and nobody else', () => {
    const metrics = { count: () => undefined, gauge: () => undefined, observe: () => undefined };
    const room = createWaitingRoom({
      ...{ transport: 'RTSP', metrics, clock: fakeClock(), setupStarted: () => () => undefined },
      max: () => 3,
      maxPerAddress: () => 1,
    });
    const enter = (remoteAddress: string) => room.enter(streamPair({ remoteAddress })[0], () => undefined);
    const first = enter('192.0.2.1');
    expect(enter('192.0.2.1')).toBeUndefined();
    expect(enter('192.0.2.2')).toBeDefined();
    first?.onLetIn();
    expect(enter('192.0.2.1')).toBeDefined();
    // Who was turned away did not count.
    expect(enter('192.0.2.3')).toBeDefined();
    expect(enter('192.0.2.4')).toBeUndefined();
  });

  it('ends the set-up once, however often it is told', () => {
    let ended = 0;
    const metrics = { count: () => undefined, gauge: () => undefined, observe: () => undefined };
    const room = createWaitingRoom({
      transport: 'RTSP',
      max: () => 9,
      maxPerAddress: () => 0,
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
    const room = createWaitingRoom({
      transport: 'RTMP',
      max: () => 9,
      maxPerAddress: () => 0,
      metrics,
      clock,
      setupStarted: () => () => ended++,
    });
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
