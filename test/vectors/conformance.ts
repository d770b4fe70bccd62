import type { RejectionCode } from '../../src/model/rejection.js';
import type { Action, TransportName } from '../../src/model/transport.js';
import type { Claims } from './forge.js';
import { ACTIONS_OF } from './tokens.js';

/** One cell of claims × action × room; the claims go over good ones (`withClaims`). */
export interface ConformanceRow {
  readonly name: string;
  readonly claims: Claims;
  readonly action: Exclude<Action, 'connect'>;
  readonly room: string | null;
  readonly expect: RejectionCode | 'ok';
}

type Profile = 'red5' | 'strict';
type Grants<Question> = readonly (readonly [label: string, value: unknown, allows: (asked: Question) => boolean])[];

const ABSENT = 'absent';

const ROLES: Grants<'publish' | 'subscribe'> = [
  [ABSENT, undefined, () => true],
  ['publisher', 'red5-publisher', (action) => action === 'publish'],
  ['subscriber', 'red5-subscriber', (action) => action === 'subscribe'],
  ['both', 'red5-publisher,red5-subscriber', () => true],
  ['neither', 'editor', () => false],
];

const ROOMS: Grants<string | null> = [
  [ABSENT, undefined, () => true],
  ['this one', 'room1', (room) => room === 'room1'],
  ['several', 'lobby,room1,a/b', (room) => room === 'room1' || room === 'a/b'],
  ['another', 'lobby', () => false],
];

const ASKED_ROOMS: readonly (string | null)[] = ['room1', 'Room1', 'a/b', null];

function transportsOf(own: TransportName): Grants<TransportName> {
  const others = (['RTMP', 'RTSP', 'WHIP', 'WHEP'] as const).filter((word) => word !== own);
  return [
    [ABSENT, undefined, () => true],
    ['this one', own, () => true],
    ['this one in lower case', own.toLowerCase(), () => true],
    ['the others', others.join(','), () => false],
  ];
}

/**
 * The whole table roles × transports × rooms × action × room asked for one transport, with the code of the first hook that
 * refuses in the usual order (transport, role, room). In profile `strict` an absent claim refuses. The expectations are
 * written by hand above, not taken from the code under test.
 */
export function conformanceFor(transport: TransportName, profile: Profile = 'red5'): readonly ConformanceRow[] {
  const rows: ConformanceRow[] = [];
  const refuses = (label: string, allowed: boolean): boolean => !allowed || (profile === 'strict' && label === ABSENT);
  for (const [roleLabel, roles, allowsAction] of ROLES) {
    for (const [transportLabel, transports, allowsTransport] of transportsOf(transport)) {
      for (const [roomLabel, rooms, allowsRoom] of ROOMS) {
        for (const action of ACTIONS_OF[transport]) {
          for (const room of ASKED_ROOMS) {
            const expect = refuses(transportLabel, allowsTransport(transport))
              ? 'transport-denied'
              : refuses(roleLabel, allowsAction(action))
                ? 'role-denied'
                : refuses(roomLabel, allowsRoom(room))
                  ? 'room-denied'
                  : 'ok';
            const name = `${action} in ${room ?? 'the root'}: roles ${roleLabel}, transport ${transportLabel}, rooms ${roomLabel}`;
            rows.push({
              name,
              claims: { roles, 'red5-transport': transports, 'red5-room': rooms },
              action,
              room,
              expect,
            });
          }
        }
      }
    }
  }
  return rows;
}
