import { isIP } from 'node:net';
import { isMetadataAddress } from '../wire/metadata-addresses.js';
import type { HttpTarget } from './config.js';
import type { PathStep } from './fault.js';
import type { Resolving } from './resolving.js';

/** Reads the URL of something the gateway calls; a fault for anything but a plain `http(s)://host[:port]/path[?query]`. */
export function resolveHttpTarget(path: readonly PathStep[], text: string, to: Resolving): HttpTarget | null {
  const expected = 'expected http://host[:port]/path or https://…';
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return to.fault(path, 'is not a URL', expected);
  }
  const { protocol, username, password, hash, hostname, port, pathname, search } = url;
  if (protocol !== 'http:' && protocol !== 'https:') return to.fault(path, 'is not an address of HTTP', expected);
  if (username !== '' || password !== '') {
    return to.fault(path, 'holds a username or password', 'expected them in a header, by file or env');
  }
  if (hash !== '') return to.fault(path, 'has a fragment (#), which is never sent', expected);
  if (isMetadataAddress(hostname)) return to.fault(path, 'is a link-local address or one of a metadata service');
  const secure = protocol === 'https:';
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? (secure ? 443 : 80) : Number(port),
    secure,
    path: pathname + search,
  };
}

/** Whether a target is this machine, by its name alone. */
export function isLoopback({ host }: Pick<HttpTarget, 'host'>): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
