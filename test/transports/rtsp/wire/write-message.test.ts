import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { HeaderEntry } from '../../../../src/transports/rtsp/wire/headers.js';
import { isBodiless, reasonOf } from '../../../../src/transports/rtsp/wire/status.js';
import { writeRequest, writeResponse } from '../../../../src/transports/rtsp/wire/write-message.js';
import { readAll } from './reading.js';

describe('writeRequest', () => {
  it('writes a head, and a body with its length', () => {
    expect(writeRequest({ method: 'OPTIONS', uri: '*' }).toString()).toBe('OPTIONS * RTSP/1.0\r\n\r\n');
    const headers: HeaderEntry[] = [
      ['CSeq', '1'],
      ['content-length', '99'],
    ];
    expect(writeRequest({ method: 'ANNOUNCE', uri: '/a', headers, body: Buffer.from('v=0é') }).toString()).toBe(
      'ANNOUNCE /a RTSP/1.0\r\nCSeq: 1\r\nContent-Length: 5\r\n\r\nv=0é',
    );
    expect(writeRequest({ method: 'PLAY', uri: '/a', headers, body: Buffer.alloc(0) }).toString()).toBe(
      'PLAY /a RTSP/1.0\r\nCSeq: 1\r\n\r\n',
    );
  });

  it.each<[string, string, string, HeaderEntry[]]>([
    ['an empty method', '', '/a', []],
    ['a method of two words', 'A B', '/a', []],
    ['an empty URL', 'PLAY', '', []],
    ['a space in the URL', 'PLAY', '/a b', []],
    ['CRLF in the URL', 'PLAY', '/a\r\nB: c', []],
    ['NUL in the URL', 'PLAY', '/a\0', []],
    ['CRLF in a value', 'PLAY', '/a', [['A', 'b\r\nC: d']]],
    ['a line feed in a value', 'PLAY', '/a', [['A', 'b\nC: d']]],
    ['NUL in a value', 'PLAY', '/a', [['A', '\0']]],
    ['an empty name', 'PLAY', '/a', [['', 'b']]],
    ['a colon in a name', 'PLAY', '/a', [['A:', 'b']]],
    ['CRLF in a name', 'PLAY', '/a', [['A\r\nB', 'b']]],
  ])('refuses %s', (_, method, uri, headers) => {
    expect(() => writeRequest({ method, uri, headers })).toThrow(/^unwritable-message/);
  });
});

describe('writeResponse', () => {
  it('writes the usual reason, or another, or HTTP', () => {
    expect(writeResponse({ status: 461 }).toString()).toBe('RTSP/1.0 461 Unsupported Transport\r\n\r\n');
    expect(writeResponse({ status: 200, reason: 'Fine' }).toString()).toBe('RTSP/1.0 200 Fine\r\n\r\n');
    expect(writeResponse({ status: 400, protocol: 'HTTP/1.0' }).toString()).toBe('HTTP/1.0 400 Bad Request\r\n\r\n');
  });

  it('refuses a status that is none, and lines in a reason', () => {
    for (const status of [0, 20, 1000, 200.5, NaN]) {
      expect(() => writeResponse({ status })).toThrow(/^unwritable-message/);
    }
    expect(() => writeResponse({ status: 200, reason: 'OK\r\nA: b' })).toThrow(/^unwritable-message/);
    expect(() => writeResponse({ status: 200, headers: [['A', '\r']] })).toThrow(/^unwritable-message/);
  });
});

describe('what is written and read again', () => {
  const header = fc.tuple(
    fc.string({ unit: fc.constantFrom('A', 'b', '-', '1'), minLength: 1, maxLength: 8 }),
    fc.string({ unit: fc.constantFrom('a', ' ', ':', '"', ',', 'é', '✓'), maxLength: 12 }).map((text) => text.trim()),
  );
  const headers = fc.array(header, { maxLength: 6 });
  const body = fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes));
  const expected = (list: readonly HeaderEntry[], bytes: Buffer) => ({
    headers: bytes.length === 0 ? list : [...list, ['Content-Length', String(bytes.length)]],
    body: bytes.toString('latin1'),
  });

  it('is the same request', () => {
    fc.assert(
      fc.property(fc.constantFrom('PLAY', 'X_1'), fc.webPath(), headers, body, (method, path, list, bytes) => {
        const uri = `/${path}`;
        const items = readAll(writeRequest({ method, uri, headers: list, body: bytes }));
        expect(items).toEqual([{ kind: 'request', method, uri, protocol: 'RTSP/1.0', ...expected(list, bytes) }]);
      }),
      { numRuns: 200 },
    );
  });

  it('is the same response', () => {
    fc.assert(
      fc.property(fc.integer({ min: 205, max: 303 }), headers, body, (status, list, bytes) => {
        const items = readAll(writeResponse({ status, headers: list, body: bytes }));
        const reason = reasonOf(status);
        expect(items).toEqual([{ kind: 'response', protocol: 'RTSP/1.0', status, reason, ...expected(list, bytes) }]);
      }),
      { numRuns: 200 },
    );
  });
});

describe('statuses', () => {
  it('have reasons, and some no body', () => {
    expect([reasonOf(454), reasonOf(299)]).toEqual(['Session Not Found', 'Status']);
    expect([100, 199, 200, 204, 304, 404].filter(isBodiless)).toEqual([100, 199, 204, 304]);
  });
});
