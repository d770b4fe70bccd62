import { isIPv6 } from 'node:net';
import type { Config } from '../config/config.js';

/** What of a new config waits for a restart, one line a key; empty when all of it holds at once. */
export function restartNotes(old: Config, next: Config): readonly string[] {
  const [was, wanted] = [old.listen.media, next.listen.media];
  if (was === undefined || wanted === undefined) return [];
  const isSamePort = was.host === wanted.host && was.port === wanted.port;
  const isWildcard = wanted.host === '0.0.0.0' || wanted.host === '::';
  if (!isSamePort || !isWildcard || familiesOf(was) === familiesOf(wanted)) return [];
  return [
    'listen.media.publicAddresses has addresses of another IP version: opening the port for it waits for a restart',
  ];
}

/** The port is opened once for each IP version in which clients reach it. */
function familiesOf({ publicAddresses }: NonNullable<Config['listen']['media']>): string {
  return [...new Set(publicAddresses.map(isIPv6))].sort().join();
}
