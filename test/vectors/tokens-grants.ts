import type { TransportName } from '../../src/model/transport.js';
import { claim } from './row.js';
import type { TokenVector } from './tokens.js';

const R = 'role-denied';
const T = 'transport-denied';
const O = 'room-denied';
const BOTH = 'red5-publisher,red5-subscriber';

/** A claim that is no list in any form: grants nothing, whichever claim it is. */
const NO_LISTS: readonly (readonly [name: string, value: unknown, why: string])[] = [
  ['is null', null, 'only a claim that is not there is absent'],
  ['is a number', 1, 'other types deny'],
  ['is zero', 0, 'other types deny, also those that look false'],
  ['is true', true, 'other types deny'],
  ['is false', false, 'other types deny, also those that look false'],
  ['is an object', { 0: 'x', length: 1 }, 'other types deny'],
  ['is a lone comma', ',', 'a list of nothing is present'],
  ['is spaces and commas', ' , ', 'a list of nothing is present (red5.md §1.2)'],
  ['is a space', ' ', 'present, with nothing in it'],
  ['is an empty array', [], 'a list of nothing is present'],
  ['is an array of an empty text', [''], 'a list of nothing is present'],
  ['is an array of null', [null], 'texts only'],
  ['is an array in an array', [[BOTH]], 'texts only'],
  ['is a star', '*', 'no wild cards'],
  ['is a pattern', '.*', 'no patterns'],
];

const noListVectors: readonly TokenVector[] = (
  [
    ['roles', R],
    ['red5-transport', T],
    ['red5-room', O],
  ] as const
).flatMap(([name, code]) =>
  NO_LISTS.map(([what, value, why]) => claim(code, `${name} ${what}`, why, { [name]: value })),
);

const publish = { action: 'publish' } as const;
const subscribe = { action: 'subscribe' } as const;

const roleVectors: readonly TokenVector[] = [
  claim('ok', 'no roles, publish', 'absent is no limit', {}, publish),
  claim('ok', 'no roles, subscribe', 'absent is no limit', {}, subscribe),
  claim('ok', 'roles empty', 'empty is absent (red5.md §1.1)', { roles: '' }),
  claim('ok', 'role publisher, publish', 'the role', { roles: 'red5-publisher' }, publish),
  claim(R, 'role publisher, subscribe', 'the other role', { roles: 'red5-publisher' }, subscribe),
  claim('ok', 'role subscriber, subscribe', 'the role', { roles: 'red5-subscriber' }, subscribe),
  claim(R, 'role subscriber, publish', 'the other role', { roles: 'red5-subscriber' }, publish),
  claim('ok', 'both roles', 'a comma list', { roles: BOTH }),
  claim('ok', 'both roles with spaces', 'trimmed', { roles: ' red5-publisher , red5-subscriber ' }),
  claim('ok', 'both roles with newlines', 'trimmed', { roles: '\r\nred5-publisher,\tred5-subscriber\n' }),
  claim('ok', 'roles with empty entries', 'empty entries are nothing', { roles: `,,${BOTH},` }),
  claim('ok', 'roles twice in the list', 'a set', { roles: `${BOTH},${BOTH}` }),
  claim('ok', 'roles with unknown ones beside', 'unknown roles are ignored', { roles: `admin,${BOTH},editor` }),
  claim(R, 'unknown roles only', 'present without a match', { roles: 'admin,editor' }),
  claim(R, 'roles in capitals', 'lower-case only (red5.md §1.1)', { roles: BOTH.toUpperCase() }),
  claim(R, 'roles with capitals', 'lower-case only', { roles: 'Red5-Publisher,Red5-Subscriber' }),
  claim(R, 'roles without red5-', 'exact', { roles: 'publisher,subscriber' }),
  claim(R, 'roles with underscores', 'exact', { roles: 'red5_publisher,red5_subscriber' }),
  claim(R, 'roles with semicolons', 'commas only', { roles: 'red5-publisher;red5-subscriber' }),
  claim(R, 'roles with spaces between', 'commas only', { roles: 'red5-publisher red5-subscriber' }),
  claim(R, 'roles with full-width commas', 'commas only', { roles: 'red5-publisher，red5-subscriber' }),
  claim(R, 'roles with no-break spaces', 'only ASCII spaces are cut', {
    roles: '\u00a0red5-publisher\u00a0,\u00a0red5-subscriber',
  }),
  claim(R, 'roles with a zero-width space', 'exact', { roles: 'red5-publisher\u200b,red5-subscriber\u200b' }),
  claim(R, 'roles with NUL', 'exact', { roles: 'red5-publisher\0,red5-subscriber\0' }),
  claim(R, 'roles with letters behind', 'no prefix match', { roles: 'red5-publishers,red5-subscribers' }),
  claim(R, 'roles with letters in front', 'no suffix match', { roles: 'xred5-publisher,xred5-subscriber' }),
  claim(R, 'roles with a Cyrillic letter', 'no normalisation', { roles: 'rеd5-publisher,rеd5-subscriber' }),
  claim(R, 'roles percent-coded', 'never decoded', { roles: 'red5%2Dpublisher,red5%2Dsubscriber' }),
  claim(R, 'roles as JSON in a text', 'not parsed again', { roles: '["red5-publisher","red5-subscriber"]' }),
  claim('ok', 'roles as an array', 'our extension', { roles: ['red5-publisher', 'red5-subscriber'] }),
  claim('ok', 'roles as an array of one', 'our extension', { roles: ['red5-publisher'] }, publish),
  claim(R, 'roles as an array of the other', 'our extension', { roles: ['red5-publisher'] }, subscribe),
  claim(R, 'roles as an array with a comma in it', 'never two grants from one element', { roles: [BOTH] }),
  claim(R, 'roles as an array, one good and one with a comma', 'the whole claim is in doubt', {
    roles: ['red5-publisher', 'red5-subscriber', 'a,b'],
  }),
  claim(R, 'roles as an array, one good and a number', 'texts only', {
    roles: ['red5-publisher', 'red5-subscriber', 1],
  }),
  claim('ok', 'roles of 256 entries', 'the cap itself', { roles: `${'a,'.repeat(254)}${BOTH}` }),
  claim(R, 'roles of 257 entries', 'one above the cap', { roles: `${'a,'.repeat(255)}${BOTH}` }),
  claim('ok', 'roles named otherwise', 'only this claim is read', { role: 'x', Roles: 'x', scope: 'x' }),
];

const OTHER: Readonly<Record<TransportName, string>> = { RTMP: 'RTSP', RTSP: 'WHIP', WHIP: 'WHEP', WHEP: 'RTMP' };
const transport = (make: (own: TransportName) => unknown) => (context: { readonly transport: TransportName }) => ({
  'red5-transport': make(context.transport),
});

const transportVectors: readonly TokenVector[] = [
  claim('ok', 'transport empty', 'empty is absent', { 'red5-transport': '' }),
  claim(
    'ok',
    'this transport',
    'the word',
    transport((own) => own),
  ),
  claim(
    'ok',
    'this transport in lower case',
    'case does not count (red5.md §1.1)',
    transport((own) => own.toLowerCase()),
  ),
  claim(
    'ok',
    'this transport in mixed case',
    'case does not count',
    transport((own) => own.charAt(0) + own.slice(1).toLowerCase()),
  ),
  claim('ok', 'all transports', 'a comma list', { 'red5-transport': 'RTMP,RTSP,WHIP,WHEP' }),
  claim('ok', 'all transports with spaces', 'trimmed', { 'red5-transport': ' rtmp , rtsp , whip , whep ' }),
  claim(
    'ok',
    'this transport beside an unknown one',
    'unknown words are ignored',
    transport((own) => `SRT,${own}`),
  ),
  claim(
    T,
    'another transport',
    'not the word',
    transport((own) => OTHER[own]),
  ),
  claim(
    T,
    'all but this transport',
    'not the word',
    transport((own) => ['RTMP', 'RTSP', 'WHIP', 'WHEP'].filter((word) => word !== own).join()),
  ),
  claim(T, 'unknown transports only', 'present without a match', { 'red5-transport': 'SRT,HLS' }),
  claim(T, 'the word WEBRTC', 'not one of the words', { 'red5-transport': 'WEBRTC' }),
  claim(T, 'the words of TLS', 'TLS is no word of its own', { 'red5-transport': 'RTMPS,RTSPS,WHIPS,WHEPS' }),
  claim(T, 'the word ALL', 'not one of the words', { 'red5-transport': 'ALL' }),
  claim(T, 'transports with semicolons', 'commas only', { 'red5-transport': 'RTMP;RTSP;WHIP;WHEP' }),
  claim(T, 'transports with odd letters', 'the long s and the dotless i become S and I in capitals', {
    'red5-transport': 'RTſP,WHıP,ＲＴＭＰ,ＷＨＥＰ',
  }),
  claim(
    T,
    'this transport with NUL',
    'exact but for case',
    transport((own) => `${own}\0`),
  ),
  claim(
    T,
    'this transport cut short',
    'no prefix match',
    transport((own) => own.slice(0, 3)),
  ),
  claim(
    T,
    'this transport with a port',
    'exact but for case',
    transport((own) => `${own}:1935`),
  ),
  claim(
    'ok',
    'transport as an array',
    'our extension',
    transport((own) => ['SRT', own]),
  ),
  claim(
    T,
    'transport as an array of another',
    'our extension',
    transport((own) => [OTHER[own]]),
  ),
  claim(
    T,
    'transport as an array with a comma in it',
    'never two grants from one element',
    transport((own) => [`SRT,${own}`]),
  ),
  claim('ok', 'transport claim without red5-', 'only this claim is read', { transport: 'SRT' }),
  claim(T, 'wrong transport and wrong role', 'transport is judged first', {
    'red5-transport': 'SRT',
    roles: 'x',
    'red5-room': 'x',
  }),
];

const inRoom = (room: string | null) => ({ room });

const roomVectors: readonly TokenVector[] = [
  claim('ok', 'no room claim, in a room', 'absent is no limit', {}),
  claim('ok', 'no room claim, at the root', 'absent is no limit', {}, inRoom(null)),
  claim('ok', 'room empty, at the root', 'empty is absent', { 'red5-room': '' }, inRoom(null)),
  claim('ok', 'this room', 'the room', { 'red5-room': 'room1' }),
  claim('ok', 'this room in a list', 'a comma list', { 'red5-room': 'lobby, room1 ,stage' }),
  claim(
    O,
    'this room, at the root',
    'a room claim closes the root (red5.md §1.1)',
    { 'red5-room': 'room1' },
    inRoom(null),
  ),
  claim(O, 'another room', 'not the room', { 'red5-room': 'room2' }),
  claim(O, 'this room in capitals', 'case-sensitive', { 'red5-room': 'ROOM1' }),
  claim(O, 'this room with a capital', 'case-sensitive', { 'red5-room': 'Room1' }),
  claim(O, 'this room cut short', 'no prefix match', { 'red5-room': 'room' }),
  claim(O, 'this room with more behind', 'no prefix match', { 'red5-room': 'room11' }),
  claim(O, 'this room with a slash behind', 'exact', { 'red5-room': 'room1/' }),
  claim(O, 'this room with a slash in front', 'exact', { 'red5-room': '/room1' }),
  claim(O, 'this room with the app', 'the room is what stands between app and name', { 'red5-room': 'live/room1' }),
  claim(O, 'this room with the name', 'the room is what stands between app and name', { 'red5-room': 'room1/cam' }),
  claim(O, 'the app as room', 'the room is what stands between app and name', { 'red5-room': 'live' }),
  claim(O, 'the name as room', 'the room is what stands between app and name', { 'red5-room': 'cam' }),
  claim(O, 'this room with a wild card', 'no wild cards', { 'red5-room': 'room*' }),
  claim(O, 'this room percent-coded', 'claims are never decoded', { 'red5-room': 'room%31' }),
  claim(O, 'this room with dots', 'claims are never resolved', { 'red5-room': './room1' }),
  claim(O, 'this room by a detour', 'claims are never resolved', { 'red5-room': 'x/../room1' }),
  claim(O, 'this room with a backslash', 'exact', { 'red5-room': '\\room1' }),
  claim(O, 'this room with NUL', 'exact', { 'red5-room': 'room1\0' }),
  claim(O, 'this room in full-width letters', 'no normalisation', { 'red5-room': 'ｒｏｏｍ１' }),
  claim(O, 'this room with semicolons', 'commas only', { 'red5-room': 'room1;room2' }),
  claim(O, 'this room as number', 'texts only', { 'red5-room': [1] }, inRoom('1')),
  claim(O, 'room names of Object.prototype', 'sets, not objects', { 'red5-room': 'x' }, inRoom('constructor')),
  claim(
    'ok',
    'a room named like a property',
    'sets, not objects',
    { 'red5-room': 'constructor' },
    inRoom('constructor'),
  ),
  claim('ok', 'a two-level room', 'the joined path (design.md §5)', { 'red5-room': 'a/b' }, inRoom('a/b')),
  claim(O, 'the first level of a two-level room', 'the joined path', { 'red5-room': 'a' }, inRoom('a/b')),
  claim(O, 'the last level of a two-level room', 'the joined path', { 'red5-room': 'b' }, inRoom('a/b')),
  claim(O, 'both levels as a list', 'the joined path', { 'red5-room': 'a,b' }, inRoom('a/b')),
  claim(O, 'a level more', 'the joined path', { 'red5-room': 'a/b/c' }, inRoom('a/b')),
  claim(O, 'the levels turned round', 'the joined path', { 'red5-room': 'b/a' }, inRoom('a/b')),
  claim(O, 'the levels with a double slash', 'claims are never resolved', { 'red5-room': 'a//b' }, inRoom('a/b')),
  claim('ok', 'room as an array', 'our extension', { 'red5-room': ['lobby', 'room1'] }),
  claim(O, 'room as an array with a comma in it', 'never two grants from one element', {
    'red5-room': ['lobby,room1'],
  }),
  claim(O, 'room as an array, at the root', 'a room claim closes the root', { 'red5-room': ['room1'] }, inRoom(null)),
  claim('ok', '256 rooms', 'the cap itself', { 'red5-room': `${'r,'.repeat(255)}room1` }),
  claim(O, '257 rooms', 'one above the cap', { 'red5-room': `${'r,'.repeat(256)}room1` }),
  claim(R, 'wrong role and wrong room', 'role is judged before room', { roles: 'x', 'red5-room': 'x' }),
  claim('ok', 'all three claims right', 'all at once', (context) => ({
    roles: BOTH,
    'red5-transport': context.transport,
    'red5-room': 'room1',
  })),
];

const strict = { profile: 'strict' } as const;
const all = (changed: object) => (context: { readonly transport: TransportName }) => ({
  roles: BOTH,
  'red5-transport': context.transport,
  'red5-room': 'room1',
  ...changed,
});

const strictVectors: readonly TokenVector[] = [
  claim('ok', 'strict: all claims right', 'nothing is absent', all({}), strict),
  claim(
    'ok',
    'strict: all claims as arrays',
    'our extension',
    all({ roles: BOTH.split(','), 'red5-room': ['room1'] }),
    strict,
  ),
  claim(T, 'strict: no claims', 'absent refuses, transport first', {}, strict),
  claim(T, 'strict: no transport', 'absent refuses', all({ 'red5-transport': undefined }), strict),
  claim(R, 'strict: no roles', 'absent refuses', all({ roles: undefined }), strict),
  claim(O, 'strict: no room', 'absent refuses', all({ 'red5-room': undefined }), strict),
  claim(T, 'strict: transport empty', 'empty is absent', all({ 'red5-transport': '' }), strict),
  claim(R, 'strict: roles empty', 'empty is absent', all({ roles: '' }), strict),
  claim(O, 'strict: room empty', 'empty is absent', all({ 'red5-room': '' }), strict),
  claim(O, 'strict: at the root', 'no claim can name the root', all({}), { ...strict, room: null }),
  claim(O, 'strict: no room, at the root', 'absent refuses', all({ 'red5-room': undefined }), {
    ...strict,
    room: null,
  }),
  claim('token-malformed', 'strict: no exp', 'exp is required anyway', all({ exp: undefined }), strict),
];

/** Roles, transports, rooms, in both profiles. */
export const GRANT_VECTORS: readonly TokenVector[] = [
  ...noListVectors,
  ...roleVectors,
  ...transportVectors,
  ...roomVectors,
  ...strictVectors,
];
