import { isIP } from 'node:net';
import type { HttpRequest } from '../net/http-request.js';
import { Secret } from '../model/secret.js';
import type { ProblemCode } from './problem.js';

/** What a caller is judged by. */
export type Caller = Pick<HttpRequest, 'method' | 'authorization' | 'headers'>;

/** Who may use the windows. */
export interface GuardOptions {
  /** Absent: nobody is asked for one; then only hosts of loopback are answered. */
  readonly token?: Secret | undefined;
  /** The host that the listener has in the config. */
  readonly host: string;
}

/** Judges callers; each answer is a code, or undefined for yes. */
export interface Guard {
  /** Whether it shows the token, where there is one. */
  readonly token: (caller: Caller) => ProblemCode | undefined;
  /** Whether a page of another site, or a name that was bent to us, may be behind it. */
  readonly site: (caller: Caller) => ProblemCode | undefined;
}

const BEARER = /^Bearer +([\x21-\x7e]+)$/i;
const SAFE_METHODS: readonly string[] = ['GET', 'HEAD'];

/**
 * Makes the guard. Without a token the name in `Host` must be of this machine, since a page of another site can bend its own
 * name to 127.0.0.1. Whatever changes something must not come from a page of another site, token or not.
 */
export function createGuard({ token, host }: GuardOptions): Guard {
  return {
    token: ({ authorization }) => {
      if (token === undefined) return undefined;
      const [first, ...more] = authorization;
      if (first === undefined) return 'token-required';
      const shown = BEARER.exec(first.reveal())?.[1];
      return shown !== undefined && more.length === 0 && new Secret(shown).equals(token) ? undefined : 'token-wrong';
    },
    site: ({ method, headers }) => {
      const named = headers.get('host') ?? '';
      if (token === undefined && !isOurs(named, host)) return 'host-unknown';
      if (SAFE_METHODS.includes(method)) return undefined;
      return isSameSite(headers, named) ? undefined : 'origin-foreign';
    },
  };
}

/** Whether a WebSocket may be opened: browsers let any page try, and say which one it is. */
export function isSameSite(headers: Caller['headers'], host: string): boolean {
  const site = headers.get('sec-fetch-site');
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return false;
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
