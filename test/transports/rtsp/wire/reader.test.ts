import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { WireError } from '../../../../src/model/errors.js';
import type { InterleavedFrame } from '../../../../src/transports/rtsp/wire/frame.js';
import { writeFrame } from '../../../../src/transports/rtsp/wire/frame.js';
import { READER_LIMITS, RtspReader } from '../../../../src/transports/rtsp/wire/reader.js';
import { bytesOf, cut, drain, feed, head, plain, readAll, type Plain } from './reading.js';

const SDP = 'v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=No Name\r\n';
const ANNOUNCE = head(
  'ANNOUNCE rtsp://127.0.0.1:8554/live/cam?token=a.b.c RTSP/1.0',
  'Content-Type: application/sdp',
  'CSeq: 2',
  `Content-Length: ${SDP.length}`,
);
const OK = head('RTSP/1.0 200 OK', 'CSeq: 3');

function request(method: string, uri: string, headers: readonly (readonly [string, string])[] = [], body = ''): Plain {
  return { kind: 'request', method, uri, protocol: 'RTSP/1.0', headers, body };
}

function response(status: number, reason: string, headers: readonly (readonly [string, string])[] = []): Plain {
  return { kind: 'response', protocol: 'RTSP/1.0', status, reason, headers, body: '' };
}

describe('RtspReader', () => {
  it.each<[string, string, Plain[]]>([
    ['nothing', '', []],
    ['a request without headers', head('OPTIONS * RTSP/1.0'), [request('OPTIONS', '*')]],
    [
      'a request with a body',
      ANNOUNCE + SDP,
      [
        request(
          'ANNOUNCE',
          'rtsp://127.0.0.1:8554/live/cam?token=a.b.c',
          [
            ['Content-Type', 'application/sdp'],
            ['CSeq', '2'],
            ['Content-Length', String(SDP.length)],
          ],
          SDP,
        ),
      ],
    ],
    ['a response', OK, [response(200, 'OK', [['CSeq', '3']])]],
    ['a response without a reason', head('RTSP/1.0 200'), [response(200, '')]],
    ['a response with an empty reason', head('RTSP/1.0 200 '), [response(200, '')]],
    ['a reason of several words', head('RTSP/1.0 461 Unsupported transport'), [response(461, 'Unsupported transport')]],
    ['a frame', '$\x01\x00\x03abc', [{ frame: 1, payload: 'abc' }]],
    ['an empty frame', '$\xff\x00\x00', [{ frame: 255, payload: '' }]],
    [
      'a payload that looks like a message and frames',
      '$\x00\x00\x0a$\x00\x00\x01\r\n\r\n$\x00' + OK,
      [{ frame: 0, payload: '$\x00\x00\x01\r\n\r\n$\x00' }, response(200, 'OK', [['CSeq', '3']])],
    ],
    [
      'a response between frames (RTSP-19)',
      '$\x00\x00\x01a' + OK + '$\x01\x00\x01b',
      [{ frame: 0, payload: 'a' }, response(200, 'OK', [['CSeq', '3']]), { frame: 1, payload: 'b' }],
    ],
    [
      'pipelined requests, the body of the first looking like a third',
      head('SET_PARAMETER /a RTSP/1.0', 'Content-Length: 22') +
        'PLAY /b RTSP/1.0\r\n\r\n  ' +
        head('TEARDOWN /a RTSP/1.0'),
      [
        request('SET_PARAMETER', '/a', [['Content-Length', '22']], 'PLAY /b RTSP/1.0\r\n\r\n  '),
        request('TEARDOWN', '/a'),
      ],
    ],
    [
      'SET_PARAMETER without a body (RTSP-10)',
      head('SET_PARAMETER /a RTSP/1.0', 'Session: 1') + '$\x00\x00\x00',
      [request('SET_PARAMETER', '/a', [['Session', '1']]), { frame: 0, payload: '' }],
    ],
    [
      'empty lines before and between messages',
      `\r\n\n\r\n${OK}\r\n\r\n$\x00\x00\x00\r\n`,
      [response(200, 'OK', [['CSeq', '3']]), { frame: 0, payload: '' }],
    ],
    ['bare line feeds', 'OPTIONS * RTSP/1.0\nCSeq: 1\n\n', [request('OPTIONS', '*', [['CSeq', '1']])]],
    [
      'blanks around values, none after the colon, none at all',
      head('OPTIONS * RTSP/1.0', 'A: \t b c \t', 'B:d', 'C:', 'D: : '),
      [
        request('OPTIONS', '*', [
          ['A', 'b c'],
          ['B', 'd'],
          ['C', ''],
          ['D', ':'],
        ]),
      ],
    ],
    [
      'Real headers and a repeated name, in their order (GStreamer)',
      head('OPTIONS * RTSP/1.0', 'User-Agent: a', 'ClientChallenge: 9e26', 'user-agent: b', 'CompanyID: x=='),
      [
        request('OPTIONS', '*', [
          ['User-Agent', 'a'],
          ['ClientChallenge', '9e26'],
          ['user-agent', 'b'],
          ['CompanyID', 'x=='],
        ]),
      ],
    ],
    [
      'RTSP 2.0, for the caller to answer',
      head('DESCRIBE /a RTSP/2.0'),
      [{ ...request('DESCRIBE', '/a'), protocol: 'RTSP/2.0' }],
    ],
    [
      'a tunnel by its head alone (RTSP-21, RTSP-22)',
      head('POST /live/cam HTTP/1.0', 'x-sessioncookie: c', 'Content-Length: 32767'),
      [
        {
          ...request('POST', '/live/cam', [
            ['x-sessioncookie', 'c'],
            ['Content-Length', '32767'],
          ]),
          protocol: 'HTTP/1.0',
        },
      ],
    ],
    [
      'the answer of an HTTP server',
      head('HTTP/1.1 400 Bad Request', 'Content-Length: 9'),
      [{ ...response(400, 'Bad Request', [['Content-Length', '9']]), protocol: 'HTTP/1.1' }],
    ],
    [
      'Content-Length twice alike',
      head('RTSP/1.0 200 OK', 'Content-Length: 0', 'content-length: 0'),
      [
        response(200, 'OK', [
          ['Content-Length', '0'],
          ['content-length', '0'],
        ]),
      ],
    ],
    [
      'statuses that never have a body',
      head('RTSP/1.0 304 Not Modified', 'Content-Length: 5') +
        head('RTSP/1.0 204 x', 'Content-Length: 5') +
        head('RTSP/1.0 100 x', 'Content-Length: 5'),
      [304, 204, 100].map((status) =>
        response(status, status === 304 ? 'Not Modified' : 'x', [['Content-Length', '5']]),
      ),
    ],
    [
      'methods of all token characters',
      head("M-SEARCH.!#$%&'*+^_`|~09az * RTSP/1.0"),
      [request("M-SEARCH.!#$%&'*+^_`|~09az", '*')],
    ],
  ])('reads %s, whole, at every cut, and byte by byte', (_, text, items) => {
    const bytes = bytesOf(text);
    expect(readAll(bytes)).toEqual(items);
    for (let at = 0; at <= bytes.length; at += 1) expect(feed(cut(bytes, at))).toEqual(items);
    expect(feed([...bytes].map((byte) => Buffer.from([byte])))).toEqual(items);
  });

  it('reads UTF-8, and what is none as ISO 8859-1', () => {
    const [utf8] = readAll(Buffer.from(head('OPTIONS /höhe RTSP/1.0', 'A: ✓')));
    expect(utf8).toMatchObject({ uri: '/höhe', headers: [['A', '✓']] });
    const [latin1] = readAll(head('RTSP/1.0 200 Gut\xe9', 'Server: K\xf6ln'));
    expect(latin1).toMatchObject({ reason: 'Guté', headers: [['Server', 'Köln']] });
  });

  it.each<[string, string, string]>([
    ['a TLS hello', '\x16\x03\x01\x02\x00\x01', 'tls-bytes'],
    ['a TLS hello after an empty line', '\r\n\x16\x03', 'tls-bytes'],
    ['an RTMP handshake', '\x03\x00\x00\x00\x00', 'not-rtsp'],
    ['a NUL', '\x00', 'not-rtsp'],
    ['a blank ahead of the method', ' OPTIONS * RTSP/1.0', 'not-rtsp'],
    ['a method that starts with a high byte', '\xc3\xa9 * RTSP/1.0', 'not-rtsp'],
    ['an RTP packet without its header (mediasoup-server 17)', '\x80\x60\x00\x01', 'not-rtsp'],
    ['a method alone', head('OPTIONS'), 'malformed-start-line'],
    ['no URL', head('OPTIONS RTSP/1.0'), 'malformed-start-line'],
    ['an empty URL', head('OPTIONS  RTSP/1.0'), 'malformed-start-line'],
    ['two spaces', head('OPTIONS  * RTSP/1.0'), 'malformed-start-line'],
    ['a space in the URL', head('DESCRIBE rtsp://h/my cam RTSP/1.0'), 'malformed-start-line'],
    ['a tab in the URL', head('DESCRIBE /a\tb RTSP/1.0'), 'malformed-start-line'],
    ['a space at the end', head('OPTIONS * RTSP/1.0 '), 'malformed-start-line'],
    ['no protocol', head('OPTIONS *'), 'malformed-start-line'],
    ['another protocol', head('OPTIONS * SIP/2.0'), 'malformed-start-line'],
    ['a protocol in lower case', head('OPTIONS * rtsp/1.0'), 'malformed-start-line'],
    ['a version of two digits', head('OPTIONS * RTSP/1.10'), 'malformed-start-line'],
    ['a method that is no token', head('OPT(IONS * RTSP/1.0'), 'malformed-start-line'],
    ['a status of two digits', head('RTSP/1.0 20 OK'), 'malformed-start-line'],
    ['a status of four digits', head('RTSP/1.0 2000 OK'), 'malformed-start-line'],
    ['a status that starts with 0', head('RTSP/1.0 020 OK'), 'malformed-start-line'],
    ['a status that is no number', head('RTSP/1.0 OK'), 'malformed-start-line'],
    ['CR inside of the start line', 'OPTIONS *\rX RTSP/1.0\r\n\r\n', 'control-character'],
    ['two CR', 'OPTIONS * RTSP/1.0\r\r\n\r\n', 'control-character'],
    ['NUL in the URL', head('OPTIONS /a\x00b RTSP/1.0'), 'control-character'],
    ['NUL in CSeq (live555 66)', head('OPTIONS * RTSP/1.0', 'CSeq: 1\x002'), 'control-character'],
    ['ESC in a value', head('OPTIONS * RTSP/1.0', 'A: \x1b[2J'), 'control-character'],
    ['DEL in a value', head('OPTIONS * RTSP/1.0', 'A: \x7f'), 'control-character'],
    ['CR inside of a value', 'OPTIONS * RTSP/1.0\r\nA: b\rC: d\r\n\r\n', 'control-character'],
    ['a folded header', head('OPTIONS * RTSP/1.0', 'A: b', ' c'), 'header-folded'],
    ['a header folded by a tab', head('OPTIONS * RTSP/1.0', '\tA: b'), 'header-folded'],
    ['a space before the colon', head('OPTIONS * RTSP/1.0', 'A : b'), 'malformed-header'],
    ['a tab before the colon', head('OPTIONS * RTSP/1.0', 'A\t: b'), 'malformed-header'],
    ['a header without a colon', head('OPTIONS * RTSP/1.0', 'A'), 'malformed-header'],
    ['a header without a name', head('OPTIONS * RTSP/1.0', ': a'), 'malformed-header'],
    ['a name with a high byte', head('OPTIONS * RTSP/1.0', '\xc3\xa9: a'), 'malformed-header'],
    [
      'two Content-Lengths',
      head('OPTIONS * RTSP/1.0', 'Content-Length: 5', 'Content-Length: 6'),
      'content-length-conflict',
    ],
    [
      'two Content-Lengths in two spellings',
      head('OPTIONS * RTSP/1.0', 'Content-Length: 5', 'Content-Length: 05'),
      'content-length-conflict',
    ],
    ...['', '-1', '+1', '1 2', '1,1', '0x10', '1e3', '5;', '1.0', 'five', '٣'].map(
      (value): [string, string, string] => [
        `Content-Length "${value}"`,
        Buffer.from(head('OPTIONS * RTSP/1.0', `Content-Length: ${value}`)).toString('latin1'),
        'content-length-invalid',
      ],
    ),
    [
      'a Content-Length beyond 32 bit (live555 21)',
      head('OPTIONS * RTSP/1.0', 'Content-Length: 4294967297'),
      'body-too-long',
    ],
    [
      'a Content-Length beyond 64 bit',
      head('OPTIONS * RTSP/1.0', 'Content-Length: 18446744073709551617'),
      'body-too-long',
    ],
    [
      'a Content-Length of 400 digits',
      head('OPTIONS * RTSP/1.0', `Content-Length: ${'9'.repeat(400)}`),
      'body-too-long',
    ],
  ])('refuses %s, whole and byte by byte', (_, text, code) => {
    const bytes = bytesOf(text);
    expect(readAll(bytes)).toEqual([{ error: code }]);
    expect(feed([...bytes].map((byte) => Buffer.from([byte])))).toEqual([{ error: code }]);
  });

  it('tells where in the stream the fault is', () => {
    const reader = new RtspReader();
    reader.push(bytesOf(OK + '$\x00\x00\x01a'));
    drain(reader);
    reader.push(bytesOf('OPTIONS * RT'));
    drain(reader);
    reader.push(bytesOf('SP/1.0\r\nA : b\r\n'));
    expect(() => reader.next()).toThrow(`malformed-header at byte ${OK.length + 5 + 20}:`);
  });

  it('says the same error for ever after, and lets go of the bytes', () => {
    const reader = new RtspReader();
    reader.push(bytesOf('\x16\x03\x01' + OK));
    expect(drain(reader)).toEqual([{ error: 'tls-bytes' }]);
    expect(reader.heldBytes).toBe(0);
    reader.push(bytesOf(OK));
    expect(drain(reader)).toEqual([{ error: 'tls-bytes' }]);
  });
});

describe('the limits of RtspReader', () => {
  const small = {
    maxStartLineBytes: 40,
    maxHeaderBytes: 30,
    maxHeaders: 3,
    maxHeadBytes: 100,
    maxBodyBytes: 10,
    maxFrameBytes: 8,
    maxUnreadBytes: 64,
  };
  const startLine = (bytes: number) => `OPTIONS ${'x'.repeat(bytes - 17)} RTSP/1.0`;
  const header = (bytes: number) => `A: ${'x'.repeat(bytes - 3)}`;

  it.each<[string, string]>([
    ['a start line', head(startLine(40))],
    ['a header', head(startLine(30), header(30))],
    ['as many headers', head(startLine(20), 'A: a', 'B: b', 'C: c')],
    ['a head', head(startLine(30), header(30), header(30))],
    ['a body', head(startLine(30), 'Content-Length: 10') + '0123456789'],
    ['a frame', '$\x00\x00\x0801234567'],
  ])('take %s that just fits', (_, text) => {
    const bytes = bytesOf(text);
    for (let at = 0; at <= bytes.length; at += 1) expect(feed(cut(bytes, at), small)).toHaveLength(1);
    expect(
      feed(
        [...bytes].map((byte) => Buffer.from([byte])),
        small,
      ),
    ).toHaveLength(1);
  });

  it.each<[string, string, string]>([
    ['a start line', startLine(41) + '\r\n', 'start-line-too-long'],
    ['a start line without its end', startLine(42), 'start-line-too-long'],
    ['a header', [startLine(30), header(31), ''].join('\r\n'), 'header-too-long'],
    ['a header without its end', [startLine(30), header(32)].join('\r\n'), 'header-too-long'],
    ['a header more', head(startLine(20), 'A: a', 'B: b', 'C: c', 'D: d'), 'too-many-headers'],
    ['a head', [startLine(40), header(30), header(30)].join('\r\n'), 'head-too-long'],
    ['a body', head(startLine(30), 'Content-Length: 11'), 'body-too-long'],
    ['a frame', '$\x00\x00\x09', 'frame-too-long'],
    ['a frame of 64 kB', '$\x00\xff\xff', 'frame-too-long'],
  ])('refuse %s beyond, as soon as it is known', (_, text, code) => {
    const bytes = bytesOf(text);
    for (let at = 0; at <= bytes.length; at += 1) expect(feed(cut(bytes, at), small)).toEqual([{ error: code }]);
  });

  it('refuse pieces that nobody reads, and copy those within', () => {
    const reader = new RtspReader(small);
    const piece = bytesOf(OK.slice(0, 30));
    reader.push(piece);
    reader.keep();
    piece.fill(0);
    reader.push(bytesOf(OK.slice(30)));
    expect(reader.heldBytes).toBe(OK.length);
    expect(() => reader.push(Buffer.alloc(64))).toThrow(/^too-much-unread/);
    expect(drain(reader)).toEqual([{ error: 'too-much-unread' }]);
    expect(() => reader.push(Buffer.alloc(64))).not.toThrow();
  });

  it('let a token of 8 kB pass in the URL and as a Basic password', () => {
    const token = 'x'.repeat(8 * 1024);
    const basic = Buffer.from(`user:${token}`).toString('base64');
    const text = head(`DESCRIBE rtsp://h/live/cam?token=${token} RTSP/1.0`, `Authorization: Basic ${basic}`);
    expect(readAll(text)).toMatchObject([{ headers: [['Authorization', `Basic ${basic}`]] }]);
  });

  it('hold no more than a head and a body of a peer that never ends one', () => {
    const reader = new RtspReader();
    let codes: Plain[] = [];
    for (let count = 0; count < 1024 && codes.length === 0; count += 1) {
      reader.push(Buffer.alloc(64, 0x78));
      codes = drain(reader);
      expect(reader.heldBytes).toBeLessThanOrEqual(READER_LIMITS.maxStartLineBytes + 64);
    }
    expect(codes).toEqual([{ error: 'start-line-too-long' }]);
  });
});

describe('what RtspReader keeps', () => {
  it('gives frames of one piece as views of it, side by side', () => {
    const reader = new RtspReader();
    const piece = Buffer.concat([writeFrame(0, Buffer.from('one')), writeFrame(2, Buffer.from('two'))]);
    reader.push(piece);
    const first = reader.next() as InterleavedFrame;
    const second = reader.next() as InterleavedFrame;
    expect([first.source, first.start, first.end]).toEqual([piece, 0, 7]);
    expect(second.source).toBe(piece);
    expect([second.start, second.end]).toEqual([7, 14]);
    expect(second.payload.buffer).toBe(piece.buffer);
  });

  it('gives messages and straddling frames in memory of their own', () => {
    const bytes = bytesOf(ANNOUNCE + SDP + '$\x05\x00\x03abc');
    for (let at = 0; at <= bytes.length; at += 1) {
      const reader = new RtspReader();
      const items: (() => Plain)[] = [];
      for (const part of cut(bytes, at)) {
        const piece = Buffer.from(part);
        reader.push(piece);
        for (let item = reader.next(); item !== undefined; item = reader.next()) {
          const taken = item;
          if (taken.kind === 'frame' && taken.source === piece) continue;
          items.push(() => plain(taken));
        }
        piece.fill(0x21);
      }
      const [announce, frame] = items.map((item) => item());
      expect(announce).toMatchObject({ body: SDP });
      if (frame !== undefined) expect(frame).toEqual({ frame: 5, payload: 'abc' });
    }
  });

  it('goes on after a pause in the middle of a piece', () => {
    const bytes = bytesOf(ANNOUNCE + SDP + OK + '$\x00\x00\x02ab');
    const expected = readAll(bytes);
    for (let at = 0; at <= bytes.length; at += 1) {
      const reader = new RtspReader();
      const items: Plain[] = [];
      const [before = '', behind = ''] = cut(bytes, at).map((part) => part.toString('latin1'));
      const piece = bytesOf(before);
      reader.push(piece);
      const first = reader.next();
      if (first !== undefined) items.push(plain(first));
      reader.keep();
      piece.fill(0x24);
      reader.push(bytesOf(behind));
      items.push(...drain(reader));
      expect(items).toEqual(expected);
    }
  });

  it('knows whether a close now would cut something', () => {
    const insideAfter = (text: string) => {
      const reader = new RtspReader();
      reader.push(bytesOf(text));
      drain(reader);
      return reader.isInside;
    };
    expect(['', OK, OK + '\r\n', '$\x00\x00\x00'].map(insideAfter)).toEqual([false, false, false, false]);
    expect(['O', 'OPTIONS * RTSP/1.0\r\n', ANNOUNCE, '$', '$\x00\x00\x01'].map(insideAfter)).toEqual(
      Array.from({ length: 5 }, () => true),
    );
  });

  it('counts what it holds', () => {
    const reader = new RtspReader();
    const held = (text: string) => {
      reader.push(bytesOf(text));
      drain(reader);
      return reader.heldBytes;
    };
    expect(held('OPTIONS * RTSP/1.0\r\nCS')).toBe(22);
    expect(held('eq: 1\r\n\r\n$\x00\x00')).toBe(3);
    expect(held('\x03ab')).toBe(6);
    expect(held('c')).toBe(0);
  });
});

describe('RtspReader against anything', () => {
  const item = fc.oneof(
    fc
      .record({ channel: fc.nat(255), payload: fc.uint8Array({ maxLength: 40 }) })
      .map(({ channel, payload }) => writeFrame(channel, Buffer.from(payload))),
    fc.string({ unit: 'binary-ascii', maxLength: 30 }).map((body) => {
      const bytes = Buffer.from(body);
      return Buffer.concat([Buffer.from(head('SET_PARAMETER /a RTSP/1.0', `Content-Length: ${bytes.length}`)), bytes]);
    }),
    fc.constantFrom(OK, '\r\n', ANNOUNCE + SDP).map(bytesOf),
  );
  const mutated = fc
    .tuple(fc.array(item, { maxLength: 5 }), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }))
    .map(([items, edits]) => {
      const bytes = Buffer.concat(items);
      for (const [at, byte] of edits) if (bytes.length > 0) bytes[at % bytes.length] = byte;
      return bytes;
    });
  const anything = fc.oneof(
    mutated,
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  );

  it('reads the same however the bytes are cut', () => {
    fc.assert(
      fc.property(anything, fc.array(fc.nat(200), { maxLength: 6 }), (bytes, cuts) => {
        const borders = [0, ...cuts.map((at) => Math.min(at, bytes.length)).sort((a, b) => a - b), bytes.length];
        const pieces = borders.slice(1).map((border, index) => bytes.subarray(borders[index], border));
        expect(feed(pieces)).toEqual(readAll(bytes));
      }),
      { numRuns: 1500 },
    );
  });

  it('says nothing of the bytes in an error', () => {
    fc.assert(
      fc.property(anything, (bytes) => {
        const reader = new RtspReader();
        reader.push(bytes);
        try {
          while (reader.next() !== undefined);
        } catch (error) {
          expect(error).toBeInstanceOf(WireError);
          expect((error as WireError).code).toMatch(/^[a-z]+(-[a-z]+)+$/);
        }
      }),
      { numRuns: 500 },
    );
  });
});
