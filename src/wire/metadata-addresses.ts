import { createNetworks } from './cidr.js';

/**
 * Addresses at which machines of a cloud tell their own secrets, and others that are only this link's. No policy server
 * lives there. IPv4 in IPv6 (mapped, NAT64) counts as what it stands for.
 *
 * @see RFC 3927, RFC 4291 §2.5.6, RFC 6052
 */
export const METADATA_NETWORKS: readonly string[] = [
  '169.254.0.0/16',
  'fe80::/10',
  // 169.254.0.0/16 by NAT64.
  '64:ff9b::a9fe:0/112',
  'fd00:ec2::254',
  '100.100.100.200',
];

const METADATA = createNetworks(METADATA_NETWORKS);

/** Whether an address is link-local or where a cloud keeps the metadata of a machine; false for what is no address. */
export function isMetadataAddress(address: string): boolean {
  return METADATA.has(address.replace(/^\[|\]$/g, '').replace(/%.*$/, ''));
}
