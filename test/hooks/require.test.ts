import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { requireRole } from '../../src/hooks/require-role/index.js';
import { couldBecomeAllowed, judgeRoom, requireRoom } from '../../src/hooks/require-room/index.js';
import { requireTransport } from '../../src/hooks/require-transport/index.js';
import type { Hook } from '../../src/model/hook.js';
import type { Identity } from '../../src/model/identity.js';
import type { ConnectionRequest } from '../../src/model/request.js';
import { TRANSPORT_NAMES } from '../../src/model/transport.js';
import { makeIdentity, makeRequest } from './requests.js';

async function codeOf(hook: Hook, changed: Partial<ConnectionRequest>, identity?: Identity): Promise<string> {
  const decision = await hook.decide(makeRequest(changed), identity, new AbortController().signal);
  return decision.ok ? 'ok' : decision.rejection.code;
}

const publisher = makeIdentity({ roles: new Set(['red5-publisher'] as const) });
const subscriber = makeIdentity({ roles: new Set(['red5-subscriber'] as const) });
const nobody = makeIdentity({ roles: new Set(), transports: new Set(), rooms: new Set() });

describe('hooks without a verified token', () => {
  it.each([requireTransport(), requireRole(), requireRoom()])(
    '$name cannot judge publish and subscribe',
    async (hook) => {
      expect(await codeOf(hook, { action: 'publish' })).toBe('token-missing');
      expect(await codeOf(hook, { action: 'subscribe' })).toBe('token-missing');
    },
  );

  it('pass at connect, where the token may still come with the stream name', async () => {
    expect(await codeOf(requireTransport(), { action: 'connect' })).toBe('ok');
    expect(await codeOf(requireRoom(), { action: 'connect' })).toBe('ok');
    expect(requireRole().actions).not.toContain('connect');
  });
});

describe('require-role', () => {
  it.each<[string, Identity, string, string]>([
    ['no limit', makeIdentity(), 'ok', 'ok'],
    ['publisher', publisher, 'ok', 'role-denied'],
    ['subscriber', subscriber, 'role-denied', 'ok'],
    ['nothing', nobody, 'role-denied', 'role-denied'],
  ])('of an identity with %s', async (_what, identity, publish, subscribe) => {
    expect(await codeOf(requireRole(), { action: 'publish' }, identity)).toBe(publish);
    expect(await codeOf(requireRole(), { action: 'subscribe' }, identity)).toBe(subscribe);
    expect(await codeOf(requireRole(), { action: 'connect' }, identity)).toBe('ok');
  });
});

describe('require-transport', () => {
  it('refuses all but the transports of the identity, at connect too', async () => {
    for (const action of ['connect', 'publish', 'subscribe'] as const) {
      for (const transport of TRANSPORT_NAMES) {
        const identity = makeIdentity({ transports: new Set(['RTSP', 'WHIP'] as const) });
        const expected = transport === 'RTSP' || transport === 'WHIP' ? 'ok' : 'transport-denied';
        expect(await codeOf(requireTransport(), { action, transport }, identity)).toBe(expected);
        expect(await codeOf(requireTransport(), { action, transport }, makeIdentity())).toBe('ok');
        expect(await codeOf(requireTransport(), { action, transport }, nobody)).toBe('transport-denied');
      }
    }
  });
});

describe('require-room', () => {
  const inRoom = (room: string | null, name: string | null = 'cam') => ({ target: { app: 'live', room, name } });

  it.each<[string | null, readonly string[] | undefined, string]>([
    ['room1', undefined, 'ok'],
    [null, undefined, 'ok'],
    ['room1', ['room1'], 'ok'],
    ['room1', ['lobby', 'room1'], 'ok'],
    ['Room1', ['room1'], 'room-denied'],
    ['room1', ['room'], 'room-denied'],
    ['a/b', ['a'], 'room-denied'],
    ['a/b', ['a/b'], 'ok'],
    [null, ['room1'], 'room-denied'],
    [null, [], 'room-denied'],
    ['room1', [], 'room-denied'],
  ])('in room %j with rooms %j says %s at publish and subscribe', async (room, rooms, expected) => {
    const identity = makeIdentity(rooms && { rooms: new Set(rooms) });
    expect(await codeOf(requireRoom(), { action: 'publish', ...inRoom(room) }, identity)).toBe(expected);
    expect(await codeOf(requireRoom(), { action: 'subscribe', ...inRoom(room) }, identity)).toBe(expected);
  });

  it.each<[string | null, readonly string[], string, string]>([
    [null, ['room1'], 'ok', 'the room may come before the name'],
    ['room1', ['room1'], 'ok', 'all of it'],
    ['a', ['a/b'], 'ok', 'ffmpeg sends app live/a and name b/s'],
    ['room1/cam', ['room1'], 'ok', 'OBS sends app live/room1/cam and an empty key'],
    ['a/b/s', ['a/b'], 'ok', 'OBS with a two-level room'],
    ['room2', ['room1'], 'room-denied', 'no completion is allowed'],
    ['room', ['room1'], 'room-denied', 'a segment is whole'],
    ['room1/x/cam', ['room1'], 'room-denied', 'one segment at most is the name'],
    ['cam', ['room1'], 'room-denied', 'the name alone, at the root'],
    ['Room1', ['room1'], 'room-denied', 'case'],
    [null, [], 'room-denied', 'nothing is granted'],
    ['room1', [], 'room-denied', 'nothing is granted'],
  ])('at connect with room %j so far and rooms %j says %s: %s', async (room, rooms, expected) => {
    const identity = makeIdentity({ rooms: new Set(rooms) });
    expect(await codeOf(requireRoom(), { action: 'connect', ...inRoom(room, null) }, identity)).toBe(expected);
  });

  it('refuses at connect only what no way of splitting the URL could make right', () => {
    const segment = fc.constantFrom('a', 'b', 'c', 'ab');
    const path = fc.array(segment, { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(path, fc.nat(4), path, (rooms, cut, other) => {
        // One stream `live/<rooms>/name`, split anywhere between app and name, or wholly in the app.
        const identity = makeIdentity({ rooms: new Set([rooms.join('/'), other.join('/')]) });
        const all = [...rooms, 'name'];
        for (const told of [all.slice(0, Math.min(cut, rooms.length)), all]) {
          expect(couldBecomeAllowed(identity.rooms ?? new Set(), told.join('/') || null)).toBe(true);
        }
      }),
    );
  });

  it('names the room it refused, escaped', () => {
    const decision = judgeRoom(nobody, { app: 'live', room: 'a"b', name: 'cam' }, 'publish');
    expect(!decision.ok && decision.rejection.detail).toContain('"a\\"b"');
  });
});
