import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { StreamTarget } from '../../src/model/request.js';
import { flatName, originStream, type RoomPlacement } from '../../src/origin/rooms.js';

const target = (room: string | null, name: string, app = 'live'): StreamTarget => ({ app, room, name });

describe('the stream as the origin wants it', () => {
  const table: readonly [RoomPlacement, StreamTarget, string, string][] = [
    ['app', target(null, 'cam'), 'live', 'cam'],
    ['app', target('room1', 'cam'), 'live/room1', 'cam'],
    ['app', target('a/b', 'cam'), 'live/a/b', 'cam'],
    ['name', target(null, 'cam'), 'live', 'cam'],
    ['name', target('room1', 'cam'), 'live', 'room1/cam'],
    ['name', target('a/b', 'cam'), 'live', 'a/b/cam'],
    ['flat', target(null, 'cam'), 'live', 'cam'],
    ['flat', target('room1', 'cam'), 'live', 'room1_-cam'],
    ['flat', target('a/b', 'cam'), 'live', 'a_-b_-cam'],
    ['flat', target(null, 'room1_-cam'), 'live', 'room1__-cam'],
    ['flat', target('room1', 'cam.hd'), 'live', 'room1_-cam_2ehd'],
    ['flat', target(null, 'Küche 1', 'my.app'), 'my_2eapp', 'K_fcche_201'],
    ['flat', target(null, '会'), 'live', '_u4f1a'],
  ];
  it.each(table)('puts rooms into the %s of %j', (rooms, stream, app, streamName) => {
    expect(originStream(stream, rooms)).toEqual({ app, streamName });
  });
});

describe('flat names', () => {
  const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 12 }), fc.stringMatching(/^[-_/a-f0-9u.]{0,8}$/));

  /** The way back, which exists only if no two texts fold into one. */
  const unfold = (name: string): string =>
    name.replace(/_(_|-|u[0-9a-f]{4}|[0-9a-f]{2})/g, (_all, code: string) => {
      if (code === '_') return '_';
      if (code === '-') return '/';
      return String.fromCharCode(parseInt(code.replace('u', ''), 16));
    });

  it('can be unfolded again, so no two texts share one', () => {
    fc.assert(fc.property(text, (one) => unfold(flatName(one)) === one));
  });

  it('hold only what node-media-server accepts', () => {
    fc.assert(fc.property(text, (one) => one === '' || /^[a-zA-Z0-9_-]+$/.test(flatName(one))));
  });

  it('keep different lone surrogates apart', () => {
    expect(flatName('\ud800')).not.toBe(flatName('\ud801'));
  });
});

describe('injectivity', () => {
  const segment = fc.stringMatching(/^[-_a-c.é]{1,3}$/);
  const anyTarget = fc.record({
    app: segment,
    room: fc.oneof(
      fc.constant(null),
      fc.array(segment, { minLength: 1, maxLength: 2 }).map((parts) => parts.join('/')),
    ),
    name: segment,
  });

  it.each<[RoomPlacement]>([['app'], ['name'], ['flat']])('never gives two targets one stream (%s)', (rooms) => {
    fc.assert(
      fc.property(anyTarget, anyTarget, (one, other) => {
        const isSameTarget = JSON.stringify(one) === JSON.stringify(other);
        const isSameStream = JSON.stringify(originStream(one, rooms)) === JSON.stringify(originStream(other, rooms));
        return isSameTarget === isSameStream;
      }),
      { numRuns: 1000 },
    );
  });
});
