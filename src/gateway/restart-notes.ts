import { isDeepStrictEqual } from 'node:util';
import type { Config } from '../config/config.js';

/** Keys whose change holds only after a restart, each with how to look it up. */
const FIXED: Readonly<Record<string, (config: Config) => unknown>> = {
  'listen.rtmp': ({ listen }) => listen.rtmp,
  'listen.rtmps': ({ listen }) => listen.rtmps,
  'listen.rtsp': ({ listen }) => listen.rtsp,
  'listen.rtsps': ({ listen }) => listen.rtsps,
  'listen.http': ({ listen }) => listen.http,
  'listen.https': ({ listen }) => listen.https,
  'listen.media': ({ listen }) => listen.media && { ...listen.media, iceServers: undefined },
  'listen.admin': ({ listen }) => listen.admin,
  'tls.clientCertificates.mode': ({ tls }) => tls.clientCertificates?.mode,
  'relay.paceMs': ({ relay }) => relay.paceMs,
  store: ({ store }) => store,
  admin: ({ admin }) => admin,
  log: ({ log }) => log,
};

/** What of a new config waits for a restart, one line a key; empty when all of it holds at once. */
export function restartNotes(old: Config, next: Config): readonly string[] {
  return Object.entries(FIXED)
    .filter(([, pick]) => !isDeepStrictEqual(plain(pick(old)), plain(pick(next))))
    .map(([key]) => `${key} has changed: that waits for a restart`);
}

/** Secrets look all the same from outside; here they are compared by what they print as, their fingerprint. */
function plain(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}
