import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createNetworks } from '../../src/wire/cidr.js';
import { MAX_HOPS, readForwarded, type ForwardedHeader } from '../../src/wire/forwarded.js';

const PROXY = '10.0.0.1';
const TRUSTED = createNetworks(['10.0.0.0/8', 'fd00::/8']);

const read = (header: ForwardedHeader, headers: Readonly<Record<string, string>>, peer = PROXY) =>
  readForwarded(
    header,
    (name) => headers[name],
    peer,
    (address) => TRUSTED.has(address),
  );
const byXff = (value: string, peer?: string) => read('x-forwarded-for', { 'x-forwarded-for': value }, peer).address;
const byForwarded = (value: string, peer?: string) => read('forwarded', { forwarded: value }, peer).address;

describe('X-Forwarded-For', () => {
  it.each([
    ['one client', '192.0.2.1', '192.0.2.1'],
    ['a client that has sent one itself', '6.6.6.6, 192.0.2.1', '192.0.2.1'],
    ['a client that claims to be a proxy of ours', '10.9.9.9, 192.0.2.1', '192.0.2.1'],
    ['two proxies of ours', '6.6.6.6, 192.0.2.1, 10.0.0.2', '192.0.2.1'],
    ['only proxies of ours', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
    ['IPv6', '2001:DB8::1', '2001:db8::1'],
    ['IPv6 in brackets', '[2001:db8::1]', '2001:db8::1'],
    ['IPv6 with a port', '[2001:db8::1]:443', '2001:db8::1'],
    ['IPv4 with a port', '192.0.2.1:443', '192.0.2.1'],
    ['IPv4 in IPv6', '::ffff:192.0.2.1', '192.0.2.1'],
    ['IPv4 in IPv6 that is a proxy of ours', '192.0.2.1, ::ffff:10.0.0.9', '192.0.2.1'],
    ['no spaces', '6.6.6.6,192.0.2.1,10.0.0.2', '192.0.2.1'],
    ['unknown', 'unknown', PROXY],
    ['unknown behind a client that claims more', '6.6.6.6, unknown', PROXY],
    ['unknown, as the second proxy says', '6.6.6.6, unknown, 10.0.0.2', '10.0.0.2'],
    ['a hidden name', '_hidden', PROXY],
    ['garbage', '192.0.2.1.5', PROXY],
    ['IPv4 in brackets', '[192.0.2.1]', PROXY],
    ['an interface', 'fe80::1%eth0', PROXY],
    ['nothing', '', PROXY],
    ['nothing at the end', '192.0.2.1,', PROXY],
    ['quotes', '"192.0.2.1"', PROXY],
  ])('of %s', (_, value, address) => {
    expect(byXff(value)).toBe(address);
  });

  it('of a peer that is no proxy of ours is not looked at', () => {
    const headers = { 'x-forwarded-for': '6.6.6.6', 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' };
    expect(read('x-forwarded-for', headers, '192.0.2.1')).toEqual({ address: '192.0.2.1' });
  });

  it('is looked through for so many proxies and no more', () => {
    const chain = (hops: number): string => ['192.0.2.1', ...Array<string>(hops).fill('10.0.0.2')].join(', ');
    expect(byXff(chain(MAX_HOPS - 1))).toBe('192.0.2.1');
    expect(byXff(chain(MAX_HOPS))).toBe('10.0.0.2');
  });

  it('has scheme and host beside it', () => {
    const headers = {
      'x-forwarded-for': '192.0.2.1',
      'x-forwarded-proto': 'HTTPS, http',
      'x-forwarded-host': 'a.example',
    };
    expect(read('x-forwarded-for', headers)).toEqual({ address: '192.0.2.1', proto: 'https', host: 'a.example' });
    expect(read('x-forwarded-for', { 'x-forwarded-proto': 'https' })).toEqual({ address: PROXY });
    expect(read('x-forwarded-for', { ...headers, 'x-forwarded-proto': ' ' })).toEqual({
      ...{ address: '192.0.2.1', host: 'a.example' },
    });
  });

  it('is not looked at where the other header is believed', () => {
    expect(read('forwarded', { 'x-forwarded-for': '6.6.6.6' }).address).toBe(PROXY);
    expect(read('x-forwarded-for', { forwarded: 'for=6.6.6.6' }).address).toBe(PROXY);
  });
});

describe('Forwarded', () => {
  it.each([
    ['one client', 'for=192.0.2.1', '192.0.2.1'],
    ['another case', 'For=192.0.2.1', '192.0.2.1'],
    ['a port', 'for="192.0.2.1:4711"', '192.0.2.1'],
    ['a hidden port', 'for="192.0.2.1:_http"', '192.0.2.1'],
    ['IPv6 (RFC 7239 §4)', 'For="[2001:db8:cafe::17]:4711"', '2001:db8:cafe::17'],
    ['several (RFC 7239 §4)', 'for=192.0.2.60;proto=http;by=203.0.113.43', '192.0.2.60'],
    ['a list (RFC 7239 §4)', 'for=192.0.2.43, for=198.51.100.17', '198.51.100.17'],
    ['two proxies of ours', 'for=6.6.6.6, for=192.0.2.1;by=x, for=10.0.0.2', '192.0.2.1'],
    ['empty elements', 'for=192.0.2.1, , for=10.0.0.2,', '192.0.2.1'],
    ['spaces', 'for=6.6.6.6 ,\tfor=192.0.2.1 ; proto=https ', '192.0.2.1'],
    ['unknown', 'for=unknown', PROXY],
    ['a hidden name', 'for=6.6.6.6, for="_gazonk"', PROXY],
    ['no for', 'proto=https', PROXY],
    ['for twice', 'for=192.0.2.1;for=6.6.6.6', PROXY],
    ['a quote that the client left open', 'for="6.6.6.6, for=192.0.2.1', '192.0.2.1'],
    ['a quote that the client left open, and two proxies', 'for="6, for=192.0.2.1, for=10.0.0.2', '192.0.2.1'],
    ['a comma in quotes', 'for=192.0.2.1;host="a, for=6.6.6.6"', '192.0.2.1'],
    ['a comma and an escaped quote in quotes', 'for=192.0.2.1;host="a\\", for=6.6.6.6"', '192.0.2.1'],
    ['an escape', 'for="192.0.2\\.1"', '192.0.2.1'],
    ['garbage', '=', PROXY],
    ['a bare address', '192.0.2.1', PROXY],
    ['spaces around =', 'for = 192.0.2.1', PROXY],
    ['nothing', '', PROXY],
    ['a comma', ',', PROXY],
    ['IPv6 without quotes', 'for=2001:db8::1', PROXY],
  ])('of %s', (_, value, address) => {
    expect(byForwarded(value)).toBe(address);
  });

  it('has scheme and host of the element that tells the client', () => {
    const value =
      'for=6.6.6.6;host=evil.example, for=192.0.2.1;proto=HTTPS;host="a.example:8443", for=10.0.0.2;proto=http';
    expect(read('forwarded', { forwarded: value })).toEqual({
      ...{ address: '192.0.2.1', proto: 'https', host: 'a.example:8443' },
    });
  });

  it('is looked at for a bounded time', () => {
    const value = `${'",'.repeat(12_000)}for=10.0.0.2`;
    expect(byForwarded(value)).toBe('10.0.0.2');
    expect(byForwarded(`for=${'a"'.repeat(12_000)}`)).toBe(PROXY);
    expect(byForwarded(`${'a=b;'.repeat(6_000)}"`)).toBe(PROXY);
  });
});

describe('hostile headers', () => {
  const piece = fc.constantFrom(
    'for=',
    '"',
    '\\',
    ',',
    ';',
    ' ',
    '10.0.0.2',
    '192.0.2.1',
    '[::1]',
    ':1',
    'unknown',
    'proto=x',
    '%',
    '\t',
  );
  const text = fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(''));

  it('never give an address that is none, whoever is trusted', () => {
    fc.assert(
      fc.property(fc.constantFrom<ForwardedHeader>('forwarded', 'x-forwarded-for'), text, (header, value) => {
        const { address } = read(header, { [header]: value });
        expect(['10.0.0.1', '10.0.0.2', '192.0.2.1', '::1']).toContain(address);
      }),
      { numRuns: 1000 },
    );
  });

  it('take nothing of what a proxy writes behind them', () => {
    fc.assert(
      fc.property(text, (value) => {
        expect(byXff(`${value}, 203.0.113.9`)).toBe('203.0.113.9');
        expect(byForwarded(`${value}, for=203.0.113.9`)).toBe('203.0.113.9');
        expect(byForwarded(`${value}, for="203.0.113.9:80";proto=https;host="x"`)).toBe('203.0.113.9');
      }),
      { numRuns: 1000 },
    );
  });
});
