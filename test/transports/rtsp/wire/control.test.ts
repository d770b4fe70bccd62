import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { resolveControl, splitControl, type SplitControl } from '../../../../src/transports/rtsp/wire/control.js';
import { readRtspUrl, writeRtspUrl } from '../../../../src/transports/rtsp/wire/url.js';
import { readPairs } from '../../../../src/wire/query.js';

const TRACKS = ['trackID=0', 'trackID=1', 'trackID=11', 'streamid=0', 'stream=0', 'trackID=2'];

function split(text: string, controls?: readonly string[]): SplitControl {
  return splitControl(readRtspUrl(text), controls);
}

function suffix(control: string, path: string, query = ''): SplitControl {
  return { form: 'suffix', control, path, query };
}

describe('splitControl', () => {
  it.each<[string, string, SplitControl]>([
    ['ffmpeg playing', 'rtsp://h/live/cam?token=abc/trackID=0', suffix('trackID=0', '/live/cam', 'token=abc')],
    ['ffmpeg publishing', 'rtsp://h/live/cam?token=abc/streamid=0', suffix('streamid=0', '/live/cam', 'token=abc')],
    ['Content-Base without the query', 'rtsp://h/live/cam/trackID=0', suffix('trackID=0', '/live/cam')],
    ['rtspclientsink (RTSP-04)', 'rtsp://h/live/cam/stream=0?token=abc', suffix('stream=0', '/live/cam', 'token=abc')],
    ['a track between two queries (RTSP-05)', '/p?a=b/trackID=0?a=b', suffix('trackID=0', '/p', 'a=b?a=b')],
    [
      'a track before a query with a slash (RTSP-06)',
      '/s/trackID=2?profile=x/',
      suffix('trackID=2', '/s', 'profile=x'),
    ],
    ['a track behind that query (RTSP-06)', '/s?profile=x/trackID=2', suffix('trackID=2', '/s', 'profile=x')],
    ['slashes around', '/live/cam//trackID=0//', suffix('trackID=0', '/live/cam')],
    [
      'a path with a slash ahead of the query',
      '/live/cam/?token=abc/trackID=0',
      suffix('trackID=0', '/live/cam', 'token=abc'),
    ],
    ['an empty query', '/live/cam?/trackID=0', suffix('trackID=0', '/live/cam')],
    ['parameters behind', '/live/cam?token=abc/trackID=0&x=1', suffix('trackID=0', '/live/cam', 'token=abc&x=1')],
    ['Red5 parameters behind', '/live/cam?token=abc/trackID=0;x=1', suffix('trackID=0', '/live/cam', 'token=abc;x=1')],
    ['the longer of two', '/live/cam/trackID=11', suffix('trackID=11', '/live/cam')],
    ['a room named like a track', '/live/trackID=0/cam/trackID=1', suffix('trackID=1', '/live/trackID=0/cam')],
    ['a track at the root', 'rtsp://h/trackID=0', suffix('trackID=0', '')],
  ])('finds the track: %s', (_, text, expected) => {
    expect(split(text, TRACKS)).toEqual(expected);
    expect(split(text)).toEqual(expected);
  });

  it.each<[string, string, string, string]>([
    ['the stream itself', 'rtsp://h/live/cam?token=abc', '/live/cam', 'token=abc'],
    ['a base with a slash behind the query', 'rtsp://h/live/cam?token=abc/', '/live/cam', 'token=abc'],
    ['a base with a slash', '/live/cam/', '/live/cam', ''],
    ['a host alone', 'rtsp://h', '', ''],
    ['a track in the middle of the path', '/live/trackID=0/cam', '/live/trackID=0/cam', ''],
    ['a name that ends like a track', '/live/mytrackID=0', '/live/mytrackID=0', ''],
    ['a name that starts like a track', '/live/trackID=0x', '/live/trackID=0x', ''],
    ['a parameter named like a track', '/live/cam?trackID=0', '/live/cam', 'trackID=0'],
    ['an ampersand in a path', '/live/trackID=0&x', '/live/trackID=0&x', ''],
  ])('finds no track in %s', (_, text, path, query) => {
    expect(split(text, TRACKS)).toEqual({ form: 'none', path, query });
    expect(split(text)).toEqual({ form: 'none', path, query });
  });

  it('takes only the values of the SDP where it is known', () => {
    expect(split('/live/trackID=7', ['trackID=0']).form).toBe('none');
    expect(split('/live/cam/trackID=7')).toEqual(suffix('trackID=7', '/live/cam'));
    expect(split('/live/cam/TRACKid=7')).toEqual(suffix('TRACKid=7', '/live/cam'));
    expect(split('/live/cam', []).form).toBe('none');
    expect(split('/live/cam', ['', '*']).form).toBe('none');
  });

  it('finds values of several segments and with separators of their own', () => {
    const controls = ['track1', 'media/track1', '/abs/track2', '?stream=1'];
    expect(split('/cam/media/track1', controls)).toEqual(suffix('media/track1', '/cam'));
    expect(split('/cam/track1', controls)).toEqual(suffix('track1', '/cam'));
    expect(split('/cam/abs/track2', controls)).toEqual(suffix('/abs/track2', '/cam'));
    expect(split('/cam?stream=1', controls)).toEqual(suffix('?stream=1', '/cam'));
    expect(split('/cam?token=abc/?stream=1', controls)).toEqual(suffix('?stream=1', '/cam', 'token=abc'));
    expect(split('track1'.padStart(7, '/'), ['/track1'])).toEqual(suffix('/track1', ''));
    expect(split('/xtrack1', ['track1']).form).toBe('none');
    expect(split('/track1/x', ['/track1']).form).toBe('none');
  });

  it('knows an absolute value again, whatever scheme and host the client writes (RTSP-23)', () => {
    const control = 'rtsp://10.0.0.5:8554/live/cam/trackID=0?x=1';
    const expected = { form: 'absolute', control, path: '/live/cam/trackID=0', query: 'x=1' };
    expect(split('rtsps://gateway/live/cam/trackID=0?x=1/', [control, 'trackID=0'])).toEqual(expected);
    expect(split('rtsp://gateway/live/cam', [control]).form).toBe('none');
    expect(split('/live/cam', ['http://[']).form).toBe('none');
  });

  it('leaves the token as it was, wherever the track is put', () => {
    const word = fc.stringMatching(/^[A-Za-z0-9_-]{1,12}$/);
    const arbitrary = fc.record({ name: word, token: word, track: fc.constantFrom(...TRACKS) });
    fc.assert(
      fc.property(arbitrary, fc.constantFrom('', '/'), ({ name, token, track }, slash) => {
        const forms = [
          `/live/${name}?token=${token}/${track}${slash}`,
          `/live/${name}/${track}${slash}?token=${token}`,
        ];
        for (const form of forms) {
          const { path, query, control } = split(form, TRACKS);
          expect([path, control]).toEqual([`/live/${name}`, track]);
          expect(readPairs(query, { semicolons: true })).toEqual([['token', token]]);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('comes to an end with a long URL of many tracks', () => {
    const tracks = '/trackID=0&'.repeat(1450);
    expect(split(tracks, TRACKS).form).toBe('none');
    expect(split(`/?${tracks}`, TRACKS).form).toBe('suffix');
    expect(split(`/?${tracks}`).form).toBe('suffix');
    const controls = [...Array(64).keys()].map(() => 'a');
    expect(split(`${'/a'.repeat(8000)}/b`, controls).form).toBe('none');
  });
});

describe('resolveControl', () => {
  it.each<[string, string, string, string]>([
    ['a value behind a slash', 'rtsp://h/live/cam/', 'trackID=0', 'rtsp://h/live/cam/trackID=0'],
    ['a value behind no slash', 'rtsp://h/live/cam', 'trackID=0', 'rtsp://h/live/cam/trackID=0'],
    ['a value behind the query, as ffmpeg does', 'rtsp://h/c?t=a', 'trackID=0', 'rtsp://h/c?t=a/trackID=0'],
    ['a value behind a host', 'rtsp://h', 'trackID=0', 'rtsp://h/trackID=0'],
    ['a value that brings its slash', 'rtsp://h/live/cam/', '/trackID=0', 'rtsp://h/live/cam/trackID=0'],
    ['a value that brings its question mark', 'rtsp://h/live/cam', '?x=1', 'rtsp://h/live/cam?x=1'],
    ['a value that is a query, behind a host', 'rtsp://h', '?x=1', 'rtsp://h/?x=1'],
    ['the asterisk', 'rtsp://h/live/cam/', '*', 'rtsp://h/live/cam/'],
    ['nothing', 'rtsp://h/live/cam/', '', 'rtsp://h/live/cam/'],
    ['an absolute value, on the host that we know', 'rtsp://h:1/live/cam', 'rtsp://10.0.0.1/x/y?z', 'rtsp://h:1/x/y?z'],
    ['a path as base', '/live/cam', 'trackID=0', '/live/cam/trackID=0'],
    ['an absolute value on a path', '/live/cam', 'rtsp://h/x', '/x'],
  ])('joins %s', (_, base, control, expected) => {
    const url = resolveControl(readRtspUrl(base), control);
    expect(url && writeRtspUrl(url)).toBe(expected);
  });

  it('gives nothing for a value that cannot be a URL', () => {
    const base = readRtspUrl('rtsp://h/live');
    for (const control of ['a b', 'a\r\nb', 'http://h/x', 'rtsp://[/x', 'x'.repeat(20_000)]) {
      expect(resolveControl(base, control)).toBeUndefined();
    }
  });

  it('and splitControl undo each other', () => {
    const word = fc.stringMatching(/^[A-Za-z0-9_-]{1,8}$/);
    fc.assert(
      fc.property(word, word, fc.constantFrom(...TRACKS), fc.boolean(), (name, token, track, slash) => {
        const base = readRtspUrl(`rtsp://h/live/${name}?token=${token}${slash ? '/' : ''}`);
        const url = resolveControl(base, track);
        expect(url && splitControl(url, TRACKS)).toEqual(suffix(track, `/live/${name}`, `token=${token}`));
      }),
      { numRuns: 100 },
    );
  });
});
