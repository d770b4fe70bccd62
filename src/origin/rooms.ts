import type { StreamTarget } from '../model/request.js';

/** Where an origin wants to find the rooms of a stream: in the app, before the name, or folded into one flat name. */
export type RoomPlacement = 'app' | 'name' | 'flat';

/** App and stream name as an RTMP origin gets them. */
export interface OriginStream {
  readonly app: string;
  readonly streamName: string;
}

/** All that node-media-server takes in an app or a name besides `_`, which is our escape. */
const isPlain = /^[A-Za-z0-9-]$/;

function escapeUnit(unit: string): string {
  if (isPlain.test(unit)) return unit;
  if (unit === '_') return '__';
  if (unit === '/') return '_-';
  const code = unit.charCodeAt(0).toString(16);
  return code.length <= 2 ? `_${code.padStart(2, '0')}` : `_u${code.padStart(4, '0')}`;
}

/**
 * Folds a text into letters, digits, `-` and `_` so that no two texts fold into the same one.
 * `/` becomes `_-`, `_` becomes `__`, all else `_` and two hex digits or `_u` and four (UTF-16 units).
 */
export function flatName(text: string): string {
  return text.split('').map(escapeUnit).join('');
}

/**
 * Says a stream in the origin's own terms. Different targets never come out as the same stream of one placement.
 *
 * `app`: rooms after the app, `live/room1` and `cam` (Red5, MediaMTX, SRS). `name`: rooms before the name, `live` and
 * `room1/cam` (nginx-rtmp, whose applications are a fixed list). `flat`: both free of slashes, `live` and `room1_-cam`
 * (node-media-server); a stream at the root, `cam`, keeps its name.
 */
export function originStream(target: StreamTarget, rooms: RoomPlacement): OriginStream {
  const { app, room } = target;
  const name = target.name ?? '';
  const inName = room === null ? name : `${room}/${name}`;
  switch (rooms) {
    case 'app':
      return { app: room === null ? app : `${app}/${room}`, streamName: name };
    case 'name':
      return { app, streamName: inName };
    case 'flat':
      return { app: flatName(app), streamName: flatName(inName) };
  }
}
