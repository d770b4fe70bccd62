import type { HttpRequest } from '../../net/http-request.js';
import { SESSION_FOLDER } from './routes.js';

/** A host with a port, as a client may name it. */
const isHost = /^(?:\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252}))(?::\d{1,5})?$/;

/**
 * The URL of a session: absolute, without query, one secret segment. It begins with the configured base; without one with
 * the host that the client named, to the gateway or to a trusted proxy, which concerns nobody but the client itself.
 */
export function sessionUrl(
  name: string,
  { headers, secure, forwardedHost }: Pick<HttpRequest, 'headers' | 'secure' | 'forwardedHost'>,
  publicUrl: string | undefined,
): string {
  const path = `/${SESSION_FOLDER}/${name}`;
  if (publicUrl !== undefined) return `${publicUrl}${path}`;
  const host = forwardedHost ?? headers.get('host') ?? '';
  return isHost.test(host) ? `${secure ? 'https' : 'http'}://${host}${path}` : path;
}
