import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { BlockList, isIP } from 'node:net';
import { WireError } from '../../src/model/errors.js';
import {
  addressMatcher,
  addressText,
  createNetworks,
  MAX_NETWORKS,
  networkOf,
  readAddress,
  readNetwork,
} from '../../src/wire/cidr.js';

function codeOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (error instanceof WireError) return error.code;
    throw error;
  }
  return 'none';
}

describe('an address', () => {
  it.each([
    ['0.0.0.0', '0.0.0.0'],
    ['255.255.255.255', '255.255.255.255'],
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:c000:201', '192.0.2.1'],
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['2001:DB8::0:1', '2001:db8::1'],
    ['2001:db8:0:0:1:0:0:0', '2001:db8:0:0:1::'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ['fe80::1%eth0', 'fe80::1'],
    ['ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
  ])('%s reads as %s', (text, canonical) => {
    const words = readAddress(text);
    expect(words && addressText(words)).toBe(canonical);
  });

  it.each([
    '',
    ' ',
    '1.2.3',
    '1.2.3.4.5',
    '256.1.1.1',
    '01.2.3.4',
    '1.2.3.4 ',
    '1:2',
    ':::',
    '1::2::3',
    'g::',
    '[::1]',
  ])('is not %j', (text) => {
    expect(readAddress(text)).toBeUndefined();
  });

  it('is not a text of any length', () => {
    expect(readAddress(`fe80::1%${'x'.repeat(1000)}`)).toBeUndefined();
  });

  it('comes back from its words', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
        const words = readAddress(text);
        if (words === undefined) throw new Error(text);
        const again = addressText(words);
        expect(isIP(again)).not.toBe(0);
        expect(readAddress(again)).toEqual(words);
      }),
      { numRuns: 300 },
    );
  });
});

describe('one client', () => {
  it.each([
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::1', '2001:db8:1:2::/64'],
    ['::1', '::/64'],
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['', ''],
    ['no:address', 'no:address'],
  ])('at %j is %j', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });
});

describe('a network', () => {
  it.each([
    ['10.0.0.0/8', 8],
    ['10.0.0.1', 32],
    ['0.0.0.0/0', 0],
    ['::/0', 0],
    ['2001:db8::/32', 32],
    ['2001:db8::1', 128],
    ['::ffff:10.0.0.0/104', 8],
    ['::ffff:10.0.0.1', 32],
  ])('%s has %d bits', (text, bits) => {
    expect(readNetwork(text).bits).toBe(bits);
  });

  it.each([
    ['10.0.0.0/33', 'network-malformed'],
    ['10.0.0.0/', 'network-malformed'],
    ['10.0.0.0/08', 'network-malformed'],
    ['10.0.0.0/-1', 'network-malformed'],
    ['10.0.0.0/8/8', 'network-malformed'],
    ['10.0.0.0/1e1', 'network-malformed'],
    ['10.0.0/8', 'network-malformed'],
    ['/8', 'network-malformed'],
    ['::/129', 'network-malformed'],
    ['::ffff:10.0.0.0/95', 'network-malformed'],
    ['fe80::1%eth0', 'network-malformed'],
    ['example.com', 'network-malformed'],
    ['10.0.0.1/8', 'network-host-bits'],
    ['2001:db8::1/64', 'network-host-bits'],
    ['::ffff:10.0.0.1/104', 'network-host-bits'],
  ])('%s is %s', (text, code) => {
    expect(codeOf(() => readNetwork(text))).toBe(code);
  });

  it('says what may have been meant', () => {
    expect(() => readNetwork('10.1.2.3/8')).toThrow('10.0.0.0/8');
  });
});

describe('what an operator names by address', () => {
  it.each<[string, string, boolean]>([
    ['203.0.113.0/24', '203.0.113.255', true],
    ['203.0.113.0/24', '203.0.114.0', false],
    ['203.0.113.0/24', '::ffff:203.0.113.7', true],
    ['203.0.113.7', '203.0.113.7', true],
    ['203.0.113.7', '::ffff:203.0.113.7', true],
    ['::ffff:203.0.113.7', '203.0.113.7', true],
    ['203.0.113.7', '203.0.113.70', false],
    ['2001:DB8:0::1', '2001:db8::1', true],
    ['2001:db8::/32', '2001:db8:ffff::1', true],
    ['2001:db8::1', '2001:db8::2', false],
    ['fe80::1', 'fe80::1%eth0', true],
    ['fe80::1%eth0', 'fe80::1%eth0', true],
    ['fe80::1%eth0', 'fe80::1%eth1', false],
    ['0.0.0.0/0', '198.51.100.1', true],
    ['0.0.0.0/0', '2001:db8::1', false],
    ['203.0.113.0/24', '', false],
  ])('%s fits %s: %s', (text, address, fits) => {
    expect(addressMatcher(text)(address)).toBe(fits);
  });

  it.each([
    '',
    'example.com',
    '203.0.113',
    '203.0.113.7/24',
    '203.0.113.0/33',
    '10.0.0.1%eth0',
    '::1%/64',
    'x'.repeat(600),
  ])('cannot be %j', (text) => expect(codeOf(() => addressMatcher(text))).toMatch(/^network-/));
});

describe('a list of networks', () => {
  it.each([
    [['10.0.0.0/8'], '10.255.255.255', '10.0.0.0/8'],
    [['10.0.0.0/8'], '11.0.0.0', undefined],
    [['10.0.0.0/8', '10.1.0.0/16', '10.1.2.3'], '10.1.2.3', '10.1.2.3'],
    [['10.0.0.0/8', '10.1.0.0/16', '10.1.2.3'], '10.1.2.4', '10.1.0.0/16'],
    [['10.0.0.0/8'], '::ffff:10.1.2.3', '10.0.0.0/8'],
    [['::ffff:10.0.0.0/104'], '10.1.2.3', '::ffff:10.0.0.0/104'],
    [['::/0'], '10.1.2.3', undefined],
    [['::/0'], '::ffff:10.1.2.3', undefined],
    [['::/0'], '2001:db8::1', '::/0'],
    [['0.0.0.0/0'], '2001:db8::1', undefined],
    [['0.0.0.0/0'], '203.0.113.9', '0.0.0.0/0'],
    [['2001:db8::/33'], '2001:db8:7fff::1', '2001:db8::/33'],
    [['2001:db8::/33'], '2001:db8:8000::1', undefined],
    [['fe80::/10'], 'fe80::1%eth0', 'fe80::/10'],
    [['::1'], '::1', '::1'],
    [['0.0.0.1'], '::1', undefined],
    [[], '10.0.0.1', undefined],
    [['10.0.0.0/8'], '', undefined],
    [['10.0.0.0/8'], 'example.com', undefined],
  ])('%j finds %s in %s', (entries, address, found) => {
    const networks = createNetworks(entries);
    expect(networks.find(address)).toBe(found);
    expect(networks.has(address)).toBe(found !== undefined);
    expect(networks.size).toBe(entries.length);
  });

  it('is bounded', () => {
    expect(codeOf(() => createNetworks(Array<string>(MAX_NETWORKS + 1).fill('10.0.0.0/8')))).toBe('networks-too-many');
  });

  it('agrees with the one of Node, which takes IPv4 for a part of IPv6', () => {
    const entry = fc.oneof(
      fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 })),
      fc.tuple(fc.ipV6(), fc.integer({ min: 0, max: 128 })),
    );
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 6 }), fc.oneof(fc.ipV4(), fc.ipV6()), (raw, address) => {
        const [v4, v6] = [new BlockList(), new BlockList()];
        const isMapped = (text: string): boolean => isIP(text) === 6 && readAddress(text)?.length === 1;
        const entries = raw.filter(([text]) => !isMapped(text));
        for (const [text, bits] of entries) {
          if (isIP(text) === 6) v6.addSubnet(text, bits, 'ipv6');
          else v4.addSubnet(text, bits, 'ipv4');
        }
        const ours = entries.map(([text, bits]) => {
          const words = readAddress(text) ?? [0];
          const kept = words.map((word, at) => {
            const left = Math.min(32, Math.max(0, bits - at * 32));
            return Number((BigInt(word) >> BigInt(32 - left)) << BigInt(32 - left));
          });
          return `${addressText(kept as unknown as typeof words)}/${bits}`;
        });
        const isListed = isIP(address) === 6 ? v6.check(address, 'ipv6') : v4.check(address, 'ipv4');
        expect(createNetworks(ours).has(address)).toBe(isListed);
      }),
      { numRuns: 300 },
    );
  });
});
