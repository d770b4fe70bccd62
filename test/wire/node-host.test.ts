import { describe, expect, it } from '@jest/globals';
import { createNodeRule, isNodeEntry } from '../../src/wire/node-host.js';

describe('where a node may be', () => {
  it.each([
    ...['127.0.0.1', '127.255.255.255', '::1', '::', '0.0.0.0', '0.1.2.3', '169.254.169.254', 'fe80::1'],
    ...['::ffff:127.0.0.1', '64:ff9b::7f00:1', '64:ff9b::a9fe:a9fe', '64:ff9b::1', '64:ff9b::e000:1'],
    ...['224.0.0.1', '255.255.255.255', 'ff02::1', 'fd00:ec2::254', '100.100.100.200', 'nonsense', ''],
  ])('without a list, not at %s', (address) => {
    expect(createNodeRule(undefined).isAddress(address, 'node.example')).toBe(false);
  });

  it.each(['10.0.0.5', '192.168.1.1', '203.0.113.7', '2001:db8::1', 'fd12::1', '64:ff9b::808:808', '223.255.255.255'])(
    'without a list, at %s',
    (address) => expect(createNodeRule(undefined).isAddress(address, address)).toBe(true),
  );

  it('with a list, only where the list says: by address, network, name or domain', () => {
    const rule = createNodeRule(['10.0.0.0/8', '2001:db8::1', 'node.example', '.media.example', '127.0.0.1']);
    for (const [address, host] of [
      ['10.1.2.3', '10.1.2.3'],
      ['2001:db8::1', 'whatever.example'],
      ['203.0.113.7', 'NODE.example'],
      ['203.0.113.7', 'a.b.media.example'],
      ['127.0.0.1', 'whatever.example'],
    ] as const) {
      expect([address, host, rule.isAddress(address, host)]).toEqual([address, host, true]);
    }
    for (const [address, host] of [
      ['11.0.0.1', '11.0.0.1'],
      ['203.0.113.7', 'media.example'],
      ['203.0.113.7', 'evilmedia.example'],
      ['127.0.0.2', 'node.example'],
      ['169.254.169.254', 'node.example'],
    ] as const) {
      expect([address, host, rule.isAddress(address, host)]).toEqual([address, host, false]);
    }
  });

  it.each(['10.0.0.0/8', '10.0.0.1', '2001:db8::/32', 'node', 'node.example', '.example'])(
    '%s may be listed',
    (entry) => expect(isNodeEntry(entry)).toBe(true),
  );

  it.each(['10.0.0.0/33', '10.0.0.1/8', 'a b', '', '.', 'node.example/8', '2001:db8::/129', '-a.example'])(
    '%j may not be listed',
    (entry) => expect(isNodeEntry(entry)).toBe(false),
  );

  it.each(['node.example', 'node', '10.0.0.1', '2001:db8::1'])('%s may be looked up or called', (host) =>
    expect(createNodeRule(undefined).isHost(host)).toBe(true),
  );

  it.each(['', 'a b', 'http://x', 'x:1935', '1.2.3', 'a..b', `${'a'.repeat(64)}.example`])('%j may not', (host) =>
    expect(createNodeRule(undefined).isHost(host)).toBe(false),
  );
});
