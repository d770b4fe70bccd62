import { GatewayError } from '../model/errors.js';
import type { OriginChoice } from '../model/leg.js';
import type { NameResolver } from '../net/dns.js';
import { byWeight } from '../origin/rendezvous.js';

/**
 * The machines behind an SRV name, in the order in which the stream falls to them: by priority, and within one by weight, the
 * same on every gateway and for every transport. Inside TLS only machines below the name's own domain count, or whoever
 * answers for DNS could send us to a machine of his own with a certificate of his own.
 * Rejects with GatewayError `origin-unavailable`.
 *
 * @see RFC 2782
 */
export async function srvPlaces(origin: OriginChoice, names: NameResolver): Promise<readonly OriginChoice[]> {
  const { host: service, secure, app, streamName } = origin;
  const targets = (await names.targets(service)).filter(({ host }) => !secure || isBelow(host, domainOf(service)));
  if (targets.length === 0) {
    throw new GatewayError('origin-unavailable', 'origin', `${service} names no machine below its own domain`);
  }
  const priorities = [...new Set(targets.map(({ priority }) => priority))].sort((a, b) => a - b);
  const sorted = priorities.flatMap((wanted) => {
    const equal = targets.filter(({ priority }) => priority === wanted);
    return byWeight(equal, ({ host, port, weight }) => ({ name: `${host} ${port}`, weight }), `${app}/${streamName}`);
  });
  const { name, credentials, connectTimeoutMs } = origin;
  return sorted.map(({ host, port }, index) => ({
    ...{ name, host, port, secure, app, streamName, credentials },
    ...(connectTimeoutMs !== undefined && { connectTimeoutMs }),
    ...(index < sorted.length - 1 && { connectTimeoutMs: connectTimeoutMs ?? NEXT_MACHINE_MS }),
  }));
}

/** How long a connection is waited for while there is another machine. */
const NEXT_MACHINE_MS = 1000;

function domainOf(service: string): string {
  return service.replace(/^(?:_[^.]*\.)+/, '').toLowerCase();
}

function isBelow(host: string, domain: string): boolean {
  const name = host.toLowerCase().replace(/\.$/, '');
  return name === domain || name.endsWith(`.${domain}`);
}
