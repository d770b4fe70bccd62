import { createNetworks, readAddress, readNetwork } from './cidr.js';
import { WireError } from '../model/errors.js';
import { METADATA_NETWORKS } from './metadata-addresses.js';

/** Addresses of this machine, of this link, of nobody and of groups: no node of a cluster is there, unless the operator says so. */
const NOT_A_NODE = createNetworks([
  ...METADATA_NETWORKS,
  ...['0.0.0.0/8', '127.0.0.0/8', '224.0.0.0/3', '::/127', 'ff00::/8'],
  // The same IPv4 networks by NAT64.
  ...['64:ff9b::/104', '64:ff9b::7f00:0/104', '64:ff9b::e000:0/99'],
]);

const HOST_NAME =
  /^(?=.{1,253}$)(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;

/** Which hosts a manager may name as nodes. */
export interface NodeRule {
  /** Whether a text is a host that may be looked up or called at all. */
  isHost(host: string): boolean;
  /** Whether a node may be at this address; `host`: the name that led to it, or the address itself. */
  isAddress(address: string, host: string): boolean;
}

/**
 * The rule of an allow list: addresses, networks (`10.0.0.0/8`), host names, and `.example` for all names below it. Absent:
 * every host. Loopback, link-local and metadata addresses count only where the list names them or a network around them.
 * Throws WireError for an entry that `isNodeEntry` does not take.
 */
export function createNodeRule(allow: readonly string[] | undefined): NodeRule {
  const entries = allow ?? [];
  const named = createNetworks(entries.filter((entry) => !isName(entry)));
  const names = entries.filter(isName).map((entry) => entry.toLowerCase());
  const isOwnName = (host: string): boolean => {
    const name = host.toLowerCase();
    return names.some((entry) => (entry.startsWith('.') ? name.endsWith(entry) : name === entry));
  };
  return {
    isHost: (host) => readAddress(host) !== undefined || HOST_NAME.test(host),
    isAddress(address, host) {
      if (readAddress(address) === undefined) return false;
      if (named.has(address)) return true;
      return !NOT_A_NODE.has(address) && (allow === undefined || isOwnName(host));
    },
  };
}

/** Whether a text may stand in an allow list of nodes. */
export function isNodeEntry(entry: string): boolean {
  if (isName(entry)) return true;
  try {
    readNetwork(entry);
    return true;
  } catch (error) {
    if (error instanceof WireError) return false;
    throw error;
  }
}

function isName(entry: string): boolean {
  return HOST_NAME.test(entry.replace(/^\./, ''));
}
