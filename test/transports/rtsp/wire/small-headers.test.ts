import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { WireError } from '../../../../src/model/errors.js';
import { commonWords, MAX_LIST_WORDS, readWords } from '../../../../src/transports/rtsp/wire/public.js';
import { quote, readParameter, splitOutsideQuotes, unquote } from '../../../../src/transports/rtsp/wire/quoted.js';
import { readRange, writeRange, type RangeHeader } from '../../../../src/transports/rtsp/wire/range.js';
import {
  MAX_RTP_INFOS,
  readRtpInfo,
  writeRtpInfo,
  type RtpInfo,
} from '../../../../src/transports/rtsp/wire/rtp-info.js';
import { MAX_SESSION_ID, readSession, writeSession } from '../../../../src/transports/rtsp/wire/session-header.js';

describe('readSession', () => {
  it.each<[string, string, object]>([
    ['an id', '12345678', { id: '12345678' }],
    ['a timeout', '12345678;timeout=60', { id: '12345678', timeoutS: 60 }],
    ['what Larix repeats (RTSP-09)', '123;timeout=60', { id: '123', timeoutS: 60 }],
    ['blanks and upper case', ' 123 ; Timeout = 55 ', { id: '123', timeoutS: 55 }],
    ['unknown parameters', '123;x=1;timeout=9;y', { id: '123', timeoutS: 9 }],
    ['braces of cameras', '{1f-2+3.4$_}/a:b', { id: '{1f-2+3.4$_}/a:b' }],
    ['a timeout of 0', '1;timeout=0', { id: '1' }],
    ['a timeout that is none', '1;timeout=-5', { id: '1' }],
    ['a timeout beyond all use', '1;timeout=9999999999', { id: '1' }],
    ['nothing behind the semicolon', '1;', { id: '1' }],
    ['the longest id', 'x'.repeat(MAX_SESSION_ID), { id: 'x'.repeat(MAX_SESSION_ID) }],
  ])('reads %s', (_, value, header) => {
    expect(readSession(value)).toEqual(header);
  });

  it.each(['', ';timeout=60', 'a b', 'a,b', '"a"', 'a\0', 'a\r\nb', 'é', 'x'.repeat(MAX_SESSION_ID + 1)])(
    'refuses %j',
    (value) => {
      expect(() => readSession(value)).toThrow(/^session-invalid/);
      expect(() => writeSession({ id: value })).toThrow(/^unwritable-header/);
    },
  );

  it('reads what writeSession wrote', () => {
    for (const header of [{ id: '1' }, { id: 'Ab-_.$+', timeoutS: 65 }]) {
      expect(readSession(writeSession(header))).toEqual(header);
    }
  });
});

describe('readRange', () => {
  it.each<[string, string, RangeHeader]>([
    ['ffmpeg', 'npt=0.000-', { unit: 'npt', start: '0.000', end: '' }],
    ['rtspsrc', 'npt=0-', { unit: 'npt', start: '0', end: '' }],
    ['now', 'npt=now-', { unit: 'npt', start: 'now', end: '' }],
    ['an end', 'npt=-20.5', { unit: 'npt', start: '', end: '20.5' }],
    ['hours', 'npt=1:02:03.25-123:59:59', { unit: 'npt', start: '1:02:03.25', end: '123:59:59' }],
    ['a single time', 'npt=5', { unit: 'npt', start: '5', end: '' }],
    ['a clock', 'clock=19961108T142300.25Z-', { unit: 'clock', start: '19961108T142300.25Z', end: '' }],
    [
      'smpte',
      'smpte-30-drop=10:07:00-10:07:33:05.01',
      { unit: 'smpte-30-drop', start: '10:07:00', end: '10:07:33:05.01' },
    ],
    [
      'a time to start at',
      'NPT=0-;time=19970123T143720Z',
      { unit: 'npt', start: '0', end: '', time: '19970123T143720Z' },
    ],
    [
      'blanks',
      ' npt = 0 - 5 ; time = 19970123T143720Z ',
      { unit: 'npt', start: '0', end: '5', time: '19970123T143720Z' },
    ],
  ])('reads %s', (_, value, range) => {
    expect(readRange(value)).toEqual(range);
    expect(readRange(writeRange(range))).toEqual(range);
  });

  it.each([
    '',
    'npt',
    'npt=',
    'npt=-',
    'npt=a-',
    'npt=1e3-',
    'npt=0-1-2',
    'npt=now-\r\nA: b',
    'bytes=0-',
    'constructor=0-',
    'toString=1',
    'clock=0-',
    'smpte=now-',
    'npt=0-;time=5',
    'npt=0-;x=5',
    `npt=${'1'.repeat(16)}-`,
    `npt=${' '.repeat(200)}1-`,
  ])('refuses %j', (value) => {
    expect(() => readRange(value)).toThrow(/^range-invalid/);
  });

  it('is not written with what it would not read', () => {
    for (const fields of [{ unit: 'x' }, { start: '0\r\nA: b' }, { start: '', end: '' }, { time: 'soon' }]) {
      expect(() => writeRange({ unit: 'npt', start: '0', end: '', ...fields })).toThrow(/^unwritable-header/);
    }
  });
});

describe('readRtpInfo', () => {
  it.each<[string, string, RtpInfo[]]>([
    [
      'two tracks',
      'url=rtsp://h/a/trackID=0;seq=45102;rtptime=12345678,url=rtsp://h/a/trackID=1;seq=0;rtptime=4294967295',
      [
        { url: 'rtsp://h/a/trackID=0', seq: 45102, rtpTime: 12345678 },
        { url: 'rtsp://h/a/trackID=1', seq: 0, rtpTime: 4294967295 },
      ],
    ],
    ['a URL alone', 'url=trackID=0', [{ url: 'trackID=0' }]],
    [
      'commas and semicolons in a URL',
      'url=rtsp://h/a,b?username=u;token=t,x/c;seq=1, url=d',
      [{ url: 'rtsp://h/a,b?username=u;token=t,x/c', seq: 1 }, { url: 'd' }],
    ],
    [
      'blanks, upper case, another order, quotes',
      ' URL = "a" ; RTPTIME = 5 ; seq = 6 ',
      [{ url: 'a', seq: 6, rtpTime: 5 }],
    ],
    ['ssrc, which is left out', 'url=a;ssrc=12;seq=5', [{ url: 'a', seq: 5 }]],
    ['numbers that are none', 'url=a;seq=70000;rtptime=-1', [{ url: 'a' }]],
    ['an empty URL', 'url=;seq=5', [{ url: '', seq: 5 }]],
  ])('reads %s', (_, value, infos) => {
    expect(readRtpInfo(value)).toEqual(infos);
    expect(readRtpInfo(writeRtpInfo(infos))).toEqual(infos);
  });

  it('refuses a header without a URL, and too many tracks', () => {
    expect(() => readRtpInfo('')).toThrow(/^rtp-info-invalid/);
    expect(() => readRtpInfo('seq=1;rtptime=2')).toThrow(/^rtp-info-invalid/);
    const tracks = (count: number) => Array.from({ length: count }, () => 'url=a').join(',');
    expect(readRtpInfo(tracks(MAX_RTP_INFOS))).toHaveLength(MAX_RTP_INFOS);
    expect(() => readRtpInfo(tracks(MAX_RTP_INFOS + 1))).toThrow(/^too-many-parts/);
  });

  it('is not written with a URL that ends early', () => {
    for (const url of ['a b', 'a\r\nB: c', '"a', 'a\0']) {
      expect(() => writeRtpInfo([{ url }])).toThrow(/^unwritable-header/);
    }
  });
});

describe('readWords', () => {
  it('reads methods of one header or several, and leaves nonsense out', () => {
    expect(readWords(['OPTIONS, DESCRIBE,PLAY', ' ,SETUP', 'a b, "x"'])).toEqual([
      'OPTIONS',
      'DESCRIBE',
      'PLAY',
      'SETUP',
    ]);
    expect(readWords([])).toEqual([]);
    const backchannel = 'www.onvif.org/ver20/backchannel';
    expect(readWords([backchannel])).toEqual([backchannel]);
    expect(() => readWords(['x,'.repeat(MAX_LIST_WORDS + 1)])).toThrow(/^too-many-parts/);
  });

  it('finds what both sides know', () => {
    expect(commonWords(['OPTIONS', 'PLAY', 'PAUSE'], ['PLAY', 'OPTIONS', 'X'])).toEqual(['OPTIONS', 'PLAY']);
  });
});

describe('quotes', () => {
  it('keep separators inside', () => {
    expect(splitOutsideQuotes('a, "b,c\\",d" ,, e"', ',', 9)).toEqual(['a', '"b,c\\",d"', 'e"']);
    expect(splitOutsideQuotes('a;b\\;c', ';', 9)).toEqual(['a', 'b\\', 'c']);
    expect(splitOutsideQuotes('"a\\', ';', 9)).toEqual(['"a\\']);
    expect(splitOutsideQuotes('', ';', 9)).toEqual([]);
  });

  it('are taken off and put on', () => {
    expect(['a', '"a"', '"a\\"b\\\\"', '"', '"a', '""'].map(unquote)).toEqual(['a', 'a', 'a"b\\', '', 'a', '']);
    expect(quote('a"b\\')).toBe('"a\\"b\\\\"');
    expect(() => quote('a\r\nb')).toThrow(/^unwritable-header/);
    expect(readParameter('a = "b=c"')).toEqual({ name: 'a', value: 'b=c' });
    expect(readParameter('a')).toEqual({ name: 'a', value: undefined });
  });
});

describe('headers of anything', () => {
  it('give a value or a WireError', () => {
    const unit = fc.constantFrom(
      'url=',
      'npt=',
      ';',
      ',',
      '"',
      '\\',
      'seq=',
      'timeout=',
      '0',
      '-',
      ' ',
      '\n',
      '\0',
      'time=',
    );
    const readers = [readRange, readRtpInfo, readSession, (text: string) => readWords([text])];
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 30 }), fc.constantFrom(...readers), (value, read) => {
        try {
          read(value);
        } catch (error) {
          expect(error).toBeInstanceOf(WireError);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
