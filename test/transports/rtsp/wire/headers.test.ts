import { describe, expect, it } from '@jest/globals';
import { inspect } from 'node:util';
import { HeaderMap } from '../../../../src/transports/rtsp/wire/headers.js';
import { isHttp, readCSeq, type RtspRequest } from '../../../../src/transports/rtsp/wire/message.js';

describe('HeaderMap', () => {
  const headers = new HeaderMap([
    ['CSeq', '1'],
    ['WWW-Authenticate', 'Basic realm="a"'],
    ['Session', '7'],
    ['www-authenticate', 'Digest realm="a"'],
  ]);

  it('finds a name in any case, and keeps order and repetitions', () => {
    expect(headers.get('cseq')).toBe('1');
    expect(headers.get('WWW-AUTHENTICATE')).toBe('Basic realm="a"');
    expect(headers.all('Www-Authenticate')).toEqual(['Basic realm="a"', 'Digest realm="a"']);
    expect(headers.get('Range')).toBeUndefined();
    expect(headers.all('Range')).toEqual([]);
    expect([headers.has('session'), headers.has('range'), headers.size]).toEqual([true, false, 4]);
  });

  it('sets a header in the place of its first, or at the end', () => {
    expect([...headers.with('WWW-Authenticate', 'Basic realm="b"')]).toEqual([
      ['CSeq', '1'],
      ['WWW-Authenticate', 'Basic realm="b"'],
      ['Session', '7'],
    ]);
    expect([...headers.with('Range', 'npt=0-')].at(-1)).toEqual(['Range', 'npt=0-']);
    expect(headers.size).toBe(4);
  });

  it('leaves headers out', () => {
    expect([...headers.without('www-authenticate', 'session')]).toEqual([['CSeq', '1']]);
    expect(headers.without().size).toBe(4);
    expect(new HeaderMap().size).toBe(0);
  });

  it('shows names only when it is printed (RTSP-03)', () => {
    const secret = new HeaderMap([['Authorization', 'Bearer a.b.c']]);
    for (const text of [JSON.stringify({ secret }), inspect({ secret }), inspect(secret, { showHidden: true })]) {
      expect(text).toContain('Authorization');
      expect(text).not.toContain('a.b.c');
    }
  });
});

describe('readCSeq', () => {
  const of = (...values: string[]) => readCSeq(new HeaderMap(values.map((value) => ['CSeq', value])));

  it('reads one number, given once or several times alike', () => {
    expect([of('0'), of('2147483647'), of('7', '7'), of()]).toEqual([0, 2147483647, 7, undefined]);
  });

  it.each([[['']], [['-1']], [['1.0']], [['2147483648']], [['12345678901']], [['1', '2']], [['1 1']], [['0x1']]])(
    'refuses %j',
    (values) => {
      expect(() => of(...values)).toThrow(/^cseq-invalid/);
    },
  );
});

describe('isHttp', () => {
  it('tells a tunnel from RTSP of any version', () => {
    const request = (protocol: string): RtspRequest => {
      return { kind: 'request', method: 'GET', uri: '/', protocol, headers: new HeaderMap(), body: Buffer.alloc(0) };
    };
    expect(['HTTP/1.1', 'RTSP/1.0', 'RTSP/2.0'].map(request).map(isHttp)).toEqual([true, false, false]);
  });
});
