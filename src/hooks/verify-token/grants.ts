import type { Identity, Role } from '../../model/identity.js';
import { TRANSPORT_NAMES, type TransportName } from '../../model/transport.js';
import { readList } from './lists.js';
import type { JsonObject } from './strict-parse.js';

/** Whose reading of an absent claim counts: Red5 Pro's (no limit) or the strict one (nothing granted). */
export type Profile = 'red5' | 'strict';

/** The claims that grant. */
export type GrantClaim = 'roles' | 'red5-transport' | 'red5-room';

/** What one claim grants: absent set is no limit. `words` are its entries as they stand, `text` says how it was read. */
export interface Grant<T> {
  readonly set: ReadonlySet<T> | undefined;
  readonly words: readonly string[];
  readonly text: string;
}

const NOTHING: ReadonlySet<never> = new Set<never>();

function isRole(word: string): word is Role {
  return word === 'red5-publisher' || word === 'red5-subscriber';
}

/** The transport a word means in any case of its ASCII letters; toUpperCase would also make `RTSP` of `RTſP`. */
function toTransport(word: string): TransportName | undefined {
  const upper = word.replace(/[a-z]/g, (letter) => letter.toUpperCase());
  return TRANSPORT_NAMES.find((name) => name === upper);
}

function readGrant<T>(
  claims: JsonObject,
  claim: GrantClaim,
  profile: Profile,
  understand: (word: string) => T | undefined,
): Grant<T> {
  const list = readList(claims.get(claim));
  if (list.kind === 'absent') {
    return profile === 'red5'
      ? { set: undefined, words: [], text: `no ${claim}: no limit (profile red5)` }
      : { set: NOTHING, words: [], text: `no ${claim}: nothing is granted (profile strict)` };
  }
  if (list.kind === 'bad') return { set: NOTHING, words: [], text: `${claim} grants nothing: ${list.why}` };
  const set = new Set(list.entries.map(understand).filter((entry) => entry !== undefined));
  return { set, words: list.entries, text: `${claim} has ${list.entries.length} entries, ${set.size} understood` };
}

/** What the token grants, claim by claim. */
export interface Grants {
  readonly roles: Grant<Role>;
  readonly transports: Grant<TransportName>;
  readonly rooms: Grant<string>;
}

/** Reads the three claims that grant. A claim that cannot be read grants nothing rather than refusing the token. */
export function readGrants(claims: JsonObject, profile: Profile): Grants {
  return {
    roles: readGrant(claims, 'roles', profile, (word) => (isRole(word) ? word : undefined)),
    transports: readGrant(claims, 'red5-transport', profile, toTransport),
    rooms: readGrant(claims, 'red5-room', profile, (word) => word),
  };
}

/** The sets of an identity; what is not limited stays absent. */
export function grantedSets(grants: Grants): Pick<Identity, 'roles' | 'transports' | 'rooms'> {
  const roles = grants.roles.set;
  const transports = grants.transports.set;
  const rooms = grants.rooms.set;
  return { ...(roles && { roles }), ...(transports && { transports }), ...(rooms && { rooms }) };
}
