import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { WireError } from '../../../../src/model/errors.js';
import {
  isAbsolute,
  MAX_URL_BYTES,
  readRtspUrl,
  tryReadRtspUrl,
  writeAuthority,
  writeRtspUrl,
  type RtspUrl,
} from '../../../../src/transports/rtsp/wire/url.js';

function absolute(host: string, path: string, query = '', more: object = {}): unknown {
  return { authority: { scheme: 'rtsp', host, ...more }, path, query };
}

describe('readRtspUrl', () => {
  it.each<[string, string, unknown]>([
    ['an absolute URL', 'rtsp://h:8554/live/cam', absolute('h', '/live/cam', '', { port: 8554 })],
    ['a scheme in upper case', 'RTSP://h/live/cam', absolute('h', '/live/cam')],
    ['rtsps (RTSP-23)', 'rtsps://h:322/x', absolute('h', '/x', '', { scheme: 'rtsps', port: 322 })],
    ['rtspu', 'rtspu://h/x', absolute('h', '/x', '', { scheme: 'rtspu' })],
    ['a host alone', 'rtsp://h', absolute('h', '')],
    ['a query behind the host', 'rtsp://h?a=b', absolute('h', '', 'a=b')],
    ['an empty port', 'rtsp://h:/x', absolute('h', '/x')],
    ['a query with everything', 'rtsp://h/a?b=c&d;e/f?g#h@i:j', absolute('h', '/a', 'b=c&d;e/f?g#h@i:j')],
    ['an at sign in path and query only', 'rtsp://h/a@b?c@d', absolute('h', '/a@b', 'c@d')],
    ['nothing decoded and no dots resolved', 'rtsp://h/a/../%2e%2E/b//c%zz', absolute('h', '/a/../%2e%2E/b//c%zz')],
    ['IPv4', 'rtsp://127.0.0.1:1/x', absolute('127.0.0.1', '/x', '', { port: 1 })],
    ['IPv6', 'rtsp://[::1]:8554/x', absolute('::1', '/x', '', { port: 8554 })],
    ['IPv6 without a port', 'rtsp://[2001:db8::1.2.3.4]/x', absolute('2001:db8::1.2.3.4', '/x')],
    ['IPv6 with a zone', 'rtsp://[fe80::1%eth0]/x', absolute('fe80::1%eth0', '/x')],
    ['a host with letters of all kinds', 'rtsp://h_1.Bücher.test/x', absolute('h_1.Bücher.test', '/x')],
    ['a user', 'rtsp://bob@h/x', absolute('h', '/x', '', { user: { username: 'bob' } })],
    ['a path', '/live/cam?token=a.b', { path: '/live/cam', query: 'token=a.b' }],
    ['a path of slashes', '//h/x', { path: '//h/x', query: '' }],
  ])('reads %s', (_, text, url) => {
    expect(readRtspUrl(text)).toEqual(url);
    expect(tryReadRtspUrl(text)).toEqual(url);
  });

  it('reads user and password up to the last at sign, the password as a secret', () => {
    const url = readRtspUrl('rtsp://bob:a@b:c@h:1/x');
    expect(url.authority).toMatchObject({ host: 'h', port: 1, user: { username: 'bob' } });
    expect(url.authority?.user?.password?.reveal()).toBe('a@b:c');
    expect(JSON.stringify(url)).not.toContain('a@b:c');
  });

  it.each<[string, string, string]>([
    ['nothing', '', 'url-invalid'],
    ['an asterisk', '*', 'url-invalid'],
    ['a relative path', 'live/cam', 'url-invalid'],
    ['a scheme without slashes (RTSP-08)', 'rtsp:h/x', 'url-invalid'],
    ['no scheme (RTSP-08)', '192.168.1.1:554/x', 'url-invalid'],
    ['no scheme but slashes', '://h/x', 'url-invalid'],
    ['HTTP', 'http://h/x', 'url-scheme'],
    ['file', 'file:///etc/passwd', 'url-scheme'],
    ['no host', 'rtsp:///x', 'url-invalid'],
    ['a port without a host', 'rtsp://:8554/x', 'url-invalid'],
    ['a user without a host', 'rtsp://bob@/x', 'url-invalid'],
    ['port 0', 'rtsp://h:0/x', 'url-invalid'],
    ['port 65536', 'rtsp://h:65536/x', 'url-invalid'],
    ['a port of many digits', 'rtsp://h:000000001/x', 'url-invalid'],
    ['a port that is no number', 'rtsp://h:a/x', 'url-invalid'],
    ['two ports', 'rtsp://h:1:2/x', 'url-invalid'],
    ['IPv6 without brackets', 'rtsp://::1/x', 'url-invalid'],
    ['an open bracket', 'rtsp://[::1/x', 'url-invalid'],
    ['letters behind the bracket', 'rtsp://[::1]a/x', 'url-invalid'],
    ['a name in brackets', 'rtsp://[h]/x', 'url-invalid'],
    ['a backslash in the host', 'rtsp://h\\@evil/x', 'url-invalid'],
    ['a fragment in the host', 'rtsp://h#a/x', 'url-invalid'],
    ['a space', 'rtsp://h/a b', 'url-invalid'],
    ['a line break', 'rtsp://h/a\r\nb', 'url-invalid'],
    ['NUL', '/a\0b', 'url-invalid'],
    ['a no-break space', '/a\u00a0b', 'url-invalid'],
    ['more than the limit', `/${'a'.repeat(MAX_URL_BYTES)}`, 'url-too-long'],
    ['more bytes than the limit', `/${'é'.repeat(MAX_URL_BYTES / 2)}`, 'url-too-long'],
  ])('refuses %s', (_, text, code) => {
    expect(() => readRtspUrl(text)).toThrow(new RegExp(`^${code} `));
    expect(tryReadRtspUrl(text)).toBeUndefined();
  });

  it('answers anything with a URL or a WireError', () => {
    const text = fc.string({
      unit: fc.constantFrom('rtsp://', 'h', ':', '/', '@', '[', ']', '?', '%', '1', '\n', '\0', '#', '\\'),
      maxLength: 20,
    });
    fc.assert(
      fc.property(text, (odd) => {
        try {
          const url = readRtspUrl(odd);
          const again = readRtspUrl(writeRtspUrl(url));
          expect([again.path, again.query]).toEqual([url.path, url.query]);
          expect([again.authority?.host, again.authority?.port]).toEqual([url.authority?.host, url.authority?.port]);
        } catch (error) {
          expect(error).toBeInstanceOf(WireError);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe('writeRtspUrl', () => {
  const write = (url: Partial<RtspUrl>) => writeRtspUrl({ path: '', query: '', ...url });

  it('writes what was read, without the user', () => {
    for (const text of ['rtsp://h:8554/a?b=c', 'rtsps://[::1]:1/x', '/a?b?c', 'rtsp://h']) {
      expect(writeRtspUrl(readRtspUrl(text))).toBe(text);
    }
    expect(writeRtspUrl(readRtspUrl('rtsp://bob:pw@h/x'))).toBe('rtsp://h/x');
    expect(writeAuthority({ scheme: 'rtsps', host: 'h' })).toBe('rtsps://h');
  });

  it.each<[string, Partial<RtspUrl>]>([
    ['a line break in the path', { path: '/a\r\nb' }],
    ['a space in the query', { path: '/a', query: 'b c' }],
    ['NUL in the query', { path: '/a', query: '\0' }],
    ['a question mark in the path', { path: '/a?b' }],
    ['a path that would be part of the host', { authority: { scheme: 'rtsp', host: 'h' }, path: '.evil/a' }],
    ['a slash in the host', { authority: { scheme: 'rtsp', host: 'h/evil' }, path: '/a' }],
    ['an at sign in the host', { authority: { scheme: 'rtsp', host: 'h@evil' }, path: '/a' }],
    ['a port in the host', { authority: { scheme: 'rtsp', host: 'h:1' }, path: '/a' }],
    ['an empty host', { authority: { scheme: 'rtsp', host: '' }, path: '/a' }],
  ])('refuses %s', (_, url) => {
    expect(() => write(url)).toThrow(/^unwritable-url/);
  });
});

describe('isAbsolute', () => {
  it('asks for a scheme and slashes', () => {
    expect(['rtsp://h', 'HTTP://h', 'trackID=0', '/a', 'a:b', '*'].map(isAbsolute)).toEqual([
      true,
      true,
      false,
      false,
      false,
      false,
    ]);
  });
});
