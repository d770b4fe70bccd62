import { describe, expect, it } from '@jest/globals';
import { createWaitingRoom } from '../../src/net/waiting-room.js';
import { streamPair } from '../fakes/byte-stream.js';

describe('the waiting room', () => {
  it('turns away beyond its size, and has room again when one is let in', () => {
    const counted: unknown[] = [];
    const metrics = {
      count: (...count: unknown[]) => void counted.push(count),
      gauge: () => undefined,
      observe: () => undefined,
    };
    const room = createWaitingRoom({ transport: 'RTMP', max: 1, metrics, setupStarted: () => () => undefined });
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
    const room = createWaitingRoom({ transport: 'RTSP', max: 9, metrics, setupStarted: () => () => ended++ });
    const watcher = room.enter(streamPair()[0], () => undefined);
    watcher?.onSetUp();
    watcher?.onSetUp();
    expect(ended).toBe(1);
  });
});
