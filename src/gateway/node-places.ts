import type { Origin } from '../config/config.js';
import { GatewayError } from '../model/errors.js';
import type { OriginChoice } from '../model/leg.js';
import { pathOf, type ConnectionRequest } from '../model/request.js';
import type { NameResolver } from '../net/dns.js';
import type { FindNodes } from '../origin/stream-manager.js';
import { createNodeRule } from '../wire/node-host.js';

/** How long a connection is waited for while there is another node. */
const NEXT_NODE_MS = 1000;

/** What finding a node needs. */
export interface NodePlacesDeps {
  readonly findNodes: FindNodes;
  readonly names: NameResolver;
}

/**
 * The nodes that the manager of a cluster names for a request, as addresses: what was checked is what is called.
 * Rejects with GatewayError `origin-unavailable` or `origin-refused`.
 */
export async function nodePlaces(
  choice: OriginChoice,
  origin: Origin,
  request: ConnectionRequest,
  { findNodes, names }: NodePlacesDeps,
  signal: AbortSignal,
): Promise<readonly OriginChoice[]> {
  const { http, nodes } = origin;
  if (http?.nodeGroup === undefined || nodes === undefined) {
    throw new GatewayError('origin-unavailable', 'gateway', `origin ${origin.name} has no manager`);
  }
  const rule = createNodeRule(nodes.allow);
  const { host, port, secure, path, nodeGroup } = http;
  const hosts = await findNodes(
    {
      origin: origin.name,
      host,
      port,
      secure,
      basePath: path,
      nodeGroup,
      rule,
      ...(nodes.login && { login: nodes.login }),
    },
    { action: request.action === 'publish' ? 'publish' : 'subscribe', path: pathOf(request.target) },
    signal,
  );
  const found = await Promise.all(
    hosts.map(async (node) => {
      const addresses = await names.addresses(node).catch(() => []);
      return addresses.every((address) => rule.isAddress(address, node)) ? addresses : [];
    }),
  );
  const places = found.flat();
  if (places.length === 0) {
    throw new GatewayError('origin-unavailable', 'origin', `origin ${origin.name} named no node that may be called`);
  }
  const { name, app, streamName, credentials } = choice;
  return places.map((address, index) => ({
    ...{ name, host: address, port: choice.port, secure: false, app, streamName, credentials },
    ...(index < places.length - 1
      ? { connectTimeoutMs: NEXT_NODE_MS }
      : choice.connectTimeoutMs !== undefined && { connectTimeoutMs: choice.connectTimeoutMs }),
  }));
}
