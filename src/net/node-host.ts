import { BlockList, isIP } from 'node:net';

/** Addresses of this machine, of this link, of nobody and of groups: no node of a cluster is there, unless the operator says so. */
const NOT_A_NODE = new BlockList();
for (const [net, bits] of [
  ['0.0.0.0', 8],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['224.0.0.0', 3],
] as const) {
  NOT_A_NODE.addSubnet(net, bits, 'ipv4');
  NOT_A_NODE.addSubnet(`::ffff:${net}`, 96 + bits, 'ipv6');
  NOT_A_NODE.addSubnet(`64:ff9b::${net}`, 96 + bits, 'ipv6');
}
NOT_A_NODE.addSubnet('::', 127, 'ipv6');
NOT_A_NODE.addSubnet('fe80::', 10, 'ipv6');
NOT_A_NODE.addSubnet('ff00::', 8, 'ipv6');
NOT_A_NODE.addAddress('fd00:ec2::254', 'ipv6');
NOT_A_NODE.addAddress('100.100.100.200', 'ipv4');

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
 */
export function createNodeRule(allow: readonly string[] | undefined): NodeRule {
  const named = new BlockList();
  const names: string[] = [];
  for (const entry of allow ?? []) {
    const [net = '', bits] = entry.split('/');
    const family = isIP(net);
    if (family === 0) names.push(entry.toLowerCase());
    else named.addSubnet(net, bits === undefined ? (family === 6 ? 128 : 32) : Number(bits), familyOf(net));
  }
  const isNamed = (address: string): boolean => named.check(address, familyOf(address));
  const isOwnName = (host: string): boolean => {
    const name = host.toLowerCase();
    return names.some((entry) => (entry.startsWith('.') ? name.endsWith(entry) : name === entry));
  };
  return {
    isHost: (host) => isIP(host) !== 0 || HOST_NAME.test(host),
    isAddress(address, host) {
      if (isIP(address) === 0) return false;
      if (isNamed(address)) return true;
      if (NOT_A_NODE.check(address, familyOf(address))) return false;
      return allow === undefined || isOwnName(host);
    },
  };
}

/** Whether a text may stand in an allow list of nodes. */
export function isNodeEntry(entry: string): boolean {
  const [net = '', bits, ...more] = entry.split('/');
  const family = isIP(net);
  if (family === 0) return HOST_NAME.test(entry.replace(/^\./, ''));
  return (
    more.length === 0 && (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 6 ? 128 : 32)))
  );
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}
