import { describe, expect, it } from '@jest/globals';
import { isMetadataAddress } from '../../src/wire/metadata-addresses.js';

describe('an address of a metadata service', () => {
  it.each<[string, boolean]>([
    ['169.254.169.254', true],
    ['169.254.0.1', true],
    ['169.253.255.255', false],
    ['169.255.0.0', false],
    ['::ffff:169.254.169.254', true],
    ['::ffff:a9fe:a9fe', true],
    ['64:ff9b::a9fe:a9fe', true],
    ['64:ff9b::808:808', false],
    ['fe80::1', true],
    ['fe80::1%eth0', true],
    ['[fe80::1]', true],
    ['febf::1', true],
    ['fec0::1', false],
    ['fd00:ec2::254', true],
    ['fd00:ec2::253', false],
    ['100.100.100.200', true],
    ['::ffff:100.100.100.200', true],
    ['127.0.0.1', false],
    ['::1', false],
    ['10.0.0.5', false],
    ['192.168.1.1', false],
    ['fd12::1', false],
    ['localhost', false],
    ['', false],
  ])('%s: %s', (address, expected) => {
    expect(isMetadataAddress(address)).toBe(expected);
  });
});
