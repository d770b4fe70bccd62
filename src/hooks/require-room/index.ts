import type { Decision } from '../../model/decision.js';
import type { Hook } from '../../model/hook.js';
import type { Identity } from '../../model/identity.js';
import { reject } from '../../model/rejection.js';
import type { StreamTarget } from '../../model/request.js';
import type { Action } from '../../model/transport.js';

/**
 * Whether a connection that has told `partialRoom` so far can still end in an allowed room.
 *
 * Clients split the URL differently: ffmpeg sends app `live/a` and name `b/s` for room `a/b`, so segments may follow;
 * OBS with an empty key sends app `live/room1/cam`, so the last segment may be the name.
 * A null `partialRoom` can become anything.
 */
export function couldBecomeAllowed(allowed: ReadonlySet<string>, partialRoom: string | null): boolean {
  if (partialRoom === null) return allowed.size > 0;
  const lastSlash = partialRoom.lastIndexOf('/');
  const withoutName = lastSlash < 0 ? undefined : partialRoom.slice(0, lastSlash);
  for (const room of allowed) {
    if (room === partialRoom || room === withoutName || room.startsWith(`${partialRoom}/`)) return true;
  }
  return false;
}

/**
 * Whether the identity may be in the room of the target; an absent set is no limit. Rooms are compared as whole paths,
 * exactly and case-sensitively; a stream at the root of its app is in no room. At connect only what can no longer become
 * an allowed room is refused. Code: `room-denied`.
 */
export function judgeRoom(identity: Identity, target: StreamTarget, action: Action): Decision {
  const { rooms } = identity;
  if (rooms === undefined) return { ok: true };
  const isAllowed =
    action === 'connect' ? couldBecomeAllowed(rooms, target.room) : target.room !== null && rooms.has(target.room);
  if (isAllowed) return { ok: true };
  const where = target.room === null ? 'a stream at the root of its app' : `room ${JSON.stringify(target.room)}`;
  return { ok: false, rejection: reject('room-denied', `${where} is not among the ${rooms.size} of red5-room`) };
}

/**
 * The hook over the `red5-room` claim. At connect without an identity it passes: the token may still come with the
 * stream name. Codes: `room-denied`; `token-missing` where no hook before it has verified anybody.
 */
export function requireRoom(): Hook {
  return {
    name: 'require-room',
    actions: ['connect', 'publish', 'subscribe'],
    decide(request, identity) {
      if (identity !== undefined) return judgeRoom(identity, request.target, request.action);
      if (request.action === 'connect') return { ok: true };
      return { ok: false, rejection: reject('token-missing', 'require-room has no verified token to judge') };
    },
  };
}
