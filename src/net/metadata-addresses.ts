import { BlockList, isIP } from 'node:net';

/**
 * Addresses at which machines of a cloud tell their own secrets, and others that are only this link's. No policy server
 * lives there. IPv4 in IPv6 (mapped, NAT64) counts as what it stands for.
 *
 * @see RFC 3927, RFC 4291 §2.5.6, RFC 6052
 */
const LINK_LOCAL = new BlockList();
LINK_LOCAL.addSubnet('169.254.0.0', 16, 'ipv4');
LINK_LOCAL.addSubnet('fe80::', 10, 'ipv6');
LINK_LOCAL.addSubnet('::ffff:169.254.0.0', 112, 'ipv6');
LINK_LOCAL.addSubnet('64:ff9b::169.254.0.0', 112, 'ipv6');
LINK_LOCAL.addAddress('fd00:ec2::254', 'ipv6');
LINK_LOCAL.addAddress('100.100.100.200', 'ipv4');

/** Whether an address is link-local or where a cloud keeps the metadata of a machine; false for what is no address. */
export function isMetadataAddress(address: string): boolean {
  const bare = address.replace(/^\[|\]$/g, '').replace(/%.*$/, '');
  const family = isIP(bare);
  return family !== 0 && LINK_LOCAL.check(bare, family === 6 ? 'ipv6' : 'ipv4');
}
