import type { Clock } from '../model/clock.js';

/** Most entries; more are refused rather than older ones forgotten. */
export const MAX_REVOCATIONS = 100_000;

/** What is revoked: one token, all of a subject, or all that were issued before a moment. All that is named must fit. */
export interface Revocation {
  /** `jti` of a token. */
  readonly tokenId?: string;
  readonly subject?: string;
  /** Seconds since 1970: only tokens with an `iat` before it, and those without one. */
  readonly issuedBeforeS?: number;
}

/** What of a token a revocation is held against. */
export interface Revocable {
  readonly tokenId?: string | undefined;
  readonly subject?: string | undefined;
  /** Seconds since 1970; undefined where the token does not say. */
  readonly issuedAtS?: number | undefined;
}

/** One entry of the list. */
export interface ListedRevocation extends Revocation {
  readonly id: string;
  /** Entries of the file can only be taken out of the file. */
  readonly source: 'file' | 'call';
  /** Seconds since 1970. */
  readonly addedAtS: number;
}

/** An entry that was added, and how many sessions it has ended. */
export interface AddedRevocation {
  readonly revocation: ListedRevocation;
  readonly ended: number;
}

/** What is revoked at present, on this node. */
export interface Revocations {
  /** Why a token is revoked, in a few words; undefined when it is not. */
  find(token: Revocable): string | undefined;
  /** Adds an entry, and ends the sessions that it fits; undefined when the list is full. */
  add(revocation: Revocation): AddedRevocation | undefined;
  /** Takes out an entry that a call added; false when there is none of that id. */
  remove(id: string): boolean;
  list(): readonly ListedRevocation[];
  /** Puts these in place of all that came from the file before, and ends the sessions that they fit. */
  useFile(revocations: readonly Revocation[]): void;
  /** `end` is who ends the sessions that the list fits, after each addition; it says how many there were. */
  enforceBy(end: () => number): void;
}

/** How long a token can live at most, for entries to be forgotten when no token can fit them any more. */
export interface RevocationsOptions {
  readonly clock: Clock;
  /** Seconds, leeway included. */
  readonly maxTokenLifeS: () => number;
  /** Told after each change how many entries there are. */
  readonly onSize?: (entries: number) => void;
}

/** Entries are looked through for outdated ones at most this often. */
const TIDY_S = 60;

/**
 * Makes a list of revocations in memory. Entries by token id or by time are dropped when every token that could fit has
 * expired; a subject that is revoked for good stays until it is taken out. A lookup costs the same however many there are.
 */
export function createRevocations({ clock, maxTokenLifeS, onSize }: RevocationsOptions): Revocations {
  const called = new Map<string, ListedRevocation>();
  let filed: readonly ListedRevocation[] = [];
  let index = indexOf([]);
  let tidiedAtS = 0;
  let ids = 0;
  let end = (): number => 0;
  const nowS = (): number => clock.now() / 1000;
  const all = (): readonly ListedRevocation[] => [...filed, ...called.values()];
  const tidy = (): void => {
    if (nowS() - tidiedAtS < TIDY_S) return;
    tidiedAtS = nowS();
    const isOutdated = ({ addedAtS, issuedBeforeS, tokenId }: ListedRevocation): boolean =>
      (tokenId !== undefined || issuedBeforeS !== undefined) &&
      Math.max(addedAtS, issuedBeforeS ?? 0) + maxTokenLifeS() < nowS();
    for (const entry of called.values()) if (isOutdated(entry)) called.delete(entry.id);
    changed();
  };
  const changed = (): void => {
    const entries = all();
    index = indexOf(entries);
    onSize?.(entries.length);
  };
  return {
    find(token) {
      tidy();
      return index(token);
    },
    add(revocation) {
      tidy();
      if (all().length >= MAX_REVOCATIONS) return undefined;
      const listed = { ...revocation, id: `r${++ids}`, source: 'call', addedAtS: Math.floor(nowS()) } as const;
      called.set(listed.id, listed);
      changed();
      return { revocation: listed, ended: end() };
    },
    remove(id) {
      const isThere = called.delete(id);
      if (isThere) changed();
      return isThere;
    },
    list: all,
    useFile(revocations) {
      const addedAtS = Math.floor(nowS());
      filed = revocations.map((one, place) => ({ ...one, id: `f${place + 1}`, source: 'file', addedAtS }));
      changed();
      end();
    },
    enforceBy(call) {
      end = call;
    },
  };
}

type Find = (token: Revocable) => string | undefined;

/** Every kind of entry by what it is looked up with; of several for the same subject the latest time counts. */
function indexOf(entries: readonly ListedRevocation[]): Find {
  const byToken = new Set<string>();
  const bySubject = new Map<string, number>();
  const both: ListedRevocation[] = [];
  let everybodyS = -Infinity;
  for (const entry of entries) {
    const { tokenId, subject, issuedBeforeS = Infinity } = entry;
    if (tokenId !== undefined && (subject !== undefined || entry.issuedBeforeS !== undefined)) both.push(entry);
    else if (tokenId !== undefined) byToken.add(tokenId);
    else if (subject !== undefined)
      bySubject.set(subject, Math.max(bySubject.get(subject) ?? -Infinity, issuedBeforeS));
    else if (entry.issuedBeforeS !== undefined) everybodyS = Math.max(everybodyS, entry.issuedBeforeS);
  }
  return ({ tokenId, subject, issuedAtS = -Infinity }) => {
    if (tokenId !== undefined && byToken.has(tokenId)) return 'its token id is revoked';
    const subjectS = subject === undefined ? undefined : bySubject.get(subject);
    if (subjectS === Infinity) return 'its subject is revoked';
    if (subjectS !== undefined && issuedAtS < subjectS) return 'tokens of its subject are revoked up to a later moment';
    if (issuedAtS < everybodyS) return 'all tokens are revoked up to a later moment';
    const isFit = (entry: ListedRevocation): boolean =>
      entry.tokenId === tokenId &&
      (entry.subject === undefined || entry.subject === subject) &&
      issuedAtS < (entry.issuedBeforeS ?? Infinity);
    return tokenId !== undefined && both.some(isFit) ? 'its token id is revoked' : undefined;
  };
}
