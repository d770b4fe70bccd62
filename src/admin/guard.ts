import { isIP } from 'node:net';
import type { HttpRequest } from '../net/http-request.js';
import { Secret } from '../model/secret.js';
import type { Attempts } from './attempts.js';

/** What a caller is judged by. */
export type Caller = Pick<HttpRequest, 'method' | 'authorization' | 'headers' | 'remoteAddress'>;

/** Every reason for which a caller is turned away; each is the code of a problem, too. */
export const REFUSAL_REASONS = [
  'token-required',
  'token-wrong',
  'token-throttled',
  'host-unknown',
  'origin-foreign',
] as const;

/** One reason for which a caller is turned away. */
export type RefusalReason = (typeof REFUSAL_REASONS)[number];

/** Who may use the windows. */
export interface GuardOptions {
  /** Absent: nobody is asked for one; then only hosts of loopback are answered. */
  readonly token?: Secret | undefined;
  /** The host that the listener has in the config. */
  readonly host: string;
}

/** What the guard is made with. */
export interface GuardParts extends GuardOptions {
  /** Who has shown wrong tokens of late. */
  readonly attempts: Attempts;
}

/** Judges callers; each answer is a code, or undefined for yes. */
export interface Guard {
  /** Whether it shows the token, where there is one. */
  readonly token: (caller: Caller) => RefusalReason | undefined;
  /** Whether what it shows in the token's place is right, such as a ticket; a wrong one counts like a wrong token. */
  readonly inPlace: (caller: Caller, isRight: () => boolean) => RefusalReason | undefined;
  /** Whether a page of another site, or a name that was bent to us, may be behind it. */
  readonly site: (caller: Caller) => RefusalReason | undefined;
  /** Whether it is to be a part of a page of another site, such as a picture. */
  readonly part: (caller: Caller) => RefusalReason | undefined;
  /** How long nothing that it shows is looked at. */
  readonly waitMs: (caller: Caller) => number;
}

const BEARER = /^Bearer +([\x21-\x7e]+)$/i;
const SAFE_METHODS: readonly string[] = ['GET', 'HEAD'];

/**
 * Makes the guard. Without a token the name in `Host` must be of this machine, since a page of another site can bend its own
 * name to 127.0.0.1. Whatever changes something must not come from a page of another site, token or not.
 * Where too many wrong tokens came from, no token is looked at: the right one would tell who guesses that it is right.
 */
export function createGuard({ token, host, attempts }: GuardParts): Guard {
  // A page that has bent its name to us can guess as if it stood beside the operator, but cannot hide that name: it shall
  // not make the operator wait.
  const isOdd = ({ headers }: Caller): boolean => !isOurs(headers.get('host') ?? '', host);
  const waitMs: Guard['waitMs'] = (caller) => attempts.waitMs(caller.remoteAddress, isOdd(caller));
  const inPlace: Guard['inPlace'] = (caller, isRight) => {
    // Who needs no token guesses none.
    if (token === undefined) return isRight() ? undefined : 'token-wrong';
    if (waitMs(caller) > 0) return 'token-throttled';
    if (isRight()) return undefined;
    attempts.failed(caller.remoteAddress, isOdd(caller));
    return 'token-wrong';
  };
  return {
    inPlace,
    waitMs,
    token: (caller) => {
      if (token === undefined) return undefined;
      const [first, ...more] = caller.authorization;
      if (first === undefined) return 'token-required';
      return inPlace(caller, () => {
        const shown = BEARER.exec(first.reveal())?.[1];
        return shown !== undefined && more.length === 0 && new Secret(shown).equals(token);
      });
    },
    site: ({ method, headers }) => {
      const named = headers.get('host') ?? '';
      if (token === undefined && !isOurs(named, host)) return 'host-unknown';
      if (SAFE_METHODS.includes(method)) return undefined;
      return isSameSite(headers, named) ? undefined : 'origin-foreign';
    },
    part: ({ headers }) => (isPartOfForeignPage(headers) ? 'origin-foreign' : undefined),
  };
}

/**
 * Whether a page of another site asks for a picture, a script, a frame: it could read nothing of it, but make lines in the log
 * that look like the operator's. A link that somebody follows is none.
 * @see W3C Fetch Metadata Request Headers §2
 */
function isPartOfForeignPage(headers: Caller['headers']): boolean {
  return isForeign(headers.get('sec-fetch-site')) && headers.get('sec-fetch-dest') !== 'document';
}

function isForeign(site: string | undefined): boolean {
  return site !== undefined && site !== 'same-origin' && site !== 'none';
}

/** Whether a WebSocket may be opened: browsers let any page try, and say which one it is. */
export function isSameSite(headers: Caller['headers'], host: string): boolean {
  if (isForeign(headers.get('sec-fetch-site'))) return false;
  const origin = headers.get('origin');
  return origin === undefined || origin === `http://${host}` || origin === `https://${host}`;
}

function isOurs(named: string, host: string): boolean {
  const name = named
    .toLowerCase()
    .replace(/:\d{1,5}$/, '')
    .replace(/^\[(.*)\]$/, '$1');
  return (
    name === host.toLowerCase() ||
    name === 'localhost' ||
    name === '::1' ||
    (isIP(name) === 4 && name.startsWith('127.'))
  );
}
