import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { pathOf, type StreamTarget } from '../../src/model/request.js';
import {
  MAX_PATH_BYTES,
  MAX_PATH_SEGMENTS,
  normalisePartialPath,
  normaliseStreamPath,
  trimSlashes,
} from '../../src/wire/stream-path.js';

const target = (app: string, room: string | null, name: string | null): StreamTarget => ({ app, room, name });

describe('normaliseStreamPath', () => {
  it.each<[string, string, StreamTarget]>([
    ['app and name', 'live/cam', target('live', null, 'cam')],
    ['a room', 'live/room1/cam', target('live', 'room1', 'cam')],
    ['rooms inside of rooms', 'live/a/b/c', target('live', 'a/b', 'c')],
    ['one slash at the start', '/live/cam', target('live', null, 'cam')],
    ['slashes at the end (RTMP-16)', 'live/cam///', target('live', null, 'cam')],
    ['percent-encoding', 'l%69ve/r%C3%BCm/c%20m', target('live', 'rüm', 'c m')],
    ['raw text beside encoded text', 'live/rü%C3%BCm/cam', target('live', 'rüüm', 'cam')],
    ['a plus sign as it is', 'live/a+b', target('live', null, 'a+b')],
    ['a percent sign that encodes nothing', 'live/100%25', target('live', null, '100%')],
    ['an & and an = (RTMP-17)', 'live/a&b=c', target('live', null, 'a&b=c')],
    ['dots that make no dot segment', 'live/.../.a', target('live', '...', '.a')],
    ['a dot at the end', 'live/cam.', target('live', null, 'cam.')],
    ['a name called __proto__', 'live/__proto__', target('live', null, '__proto__')],
  ])('reads %s', (_, path, expected) => {
    expect(normaliseStreamPath(path)).toEqual({ ok: true, target: expected });
  });

  it('keeps the case, and two Unicode spellings apart', () => {
    const names = ['Cam', 'cam', 'caf\u00e9', 'cafe\u0301', 'ﬁ', 'fi'];
    const read = names.map((name) => normaliseStreamPath(`live/${name}`));
    expect(read.map((result) => result.ok && result.target.name)).toEqual(names);
  });

  it.each([
    ['nothing', ''],
    ['slashes only', '//'],
    ['an app alone', 'live'],
    ['an app alone with slashes', '/live/'],
  ])('refuses %s and tells the form', (_, path) => {
    expect(normaliseStreamPath(path)).toEqual({ ok: false, detail: expect.stringContaining('app[/room…]/name') });
  });

  it.each([
    ['an empty segment', 'live//cam', 'segment 2 is empty'],
    ['two slashes at the start', '//live/cam', 'segment 1 is empty'],
    ['a dot segment in the app (node-media-server issue 689)', '../live/cam', 'segment 1 is a dot segment'],
    ['a dot segment', 'live/./cam', 'segment 2 is a dot segment'],
    ['a dot segment at the end', 'live/..', 'segment 2 is a dot segment'],
    ['an encoded dot segment', 'live/%2e%2E/cam', 'segment 2 is a dot segment'],
    ['an encoded slash (RTMP-19)', 'live/a%2Fb', 'segment 2 holds an encoded slash'],
    ['a slash encoded twice', 'live/a%252fb', 'segment 2 is percent-encoded twice'],
    ['a dot segment encoded twice', 'live/%252e%252e/cam', 'segment 2 is percent-encoded twice'],
    ['a backslash', 'live/..\\cam', 'segment 2 holds a backslash'],
    ['an encoded backslash', 'live/%5ccam', 'segment 2 holds a backslash'],
    ['a NUL', 'live/cam\0', 'segment 2 holds a control character'],
    ['an encoded NUL', 'live/cam%00', 'segment 2 holds a control character'],
    ['a line break', 'live/cam%0d%0a', 'segment 2 holds a control character'],
    ['DEL', 'live/cam\x7f', 'segment 2 holds a control character'],
    ['a control character above 127', 'live/cam\u0085', 'segment 2 holds a control character'],
    ['a question mark', 'live/a%3fb', 'segment 2 holds one of ? # ;'],
    ['a fragment', 'live/a#b', 'segment 2 holds one of ? # ;'],
    ['a semicolon', 'live/a;b', 'segment 2 holds one of ? # ;'],
    ['a percent sign at the end', 'live/a%', 'segment 2 has broken percent-encoding'],
    ['letters that are no hex digits', 'live/%zz', 'segment 2 has broken percent-encoding'],
    ['an overlong slash', 'live/..%c0%af', 'segment 2 has broken percent-encoding'],
    ['bytes that are not UTF-8', 'live/%ff', 'segment 2 has broken percent-encoding'],
    ['an encoded surrogate', 'live/%ed%a0%80', 'segment 2 has broken percent-encoding'],
    ['a lone surrogate', 'live/\ud800', 'segment 2 holds a lone surrogate'],
  ])('refuses %s', (_, path, detail) => {
    expect(normaliseStreamPath(path)).toEqual({ ok: false, detail });
  });

  it('takes as many segments as the limit and refuses more', () => {
    const path = (count: number) => Array.from({ length: count }, () => 'a').join('/');
    expect(normaliseStreamPath(path(MAX_PATH_SEGMENTS)).ok).toBe(true);
    expect(normaliseStreamPath(path(MAX_PATH_SEGMENTS + 1))).toEqual({
      ok: false,
      detail: 'the path has more than 16 segments',
    });
  });

  it('takes as many bytes as the limit, encoded or not, and refuses more', () => {
    const tooLong = { ok: false, detail: 'the path is longer than 1024 bytes' };
    const name = (size: number) => 'n'.repeat(size - 'live/'.length);
    expect(normaliseStreamPath(`live/${name(MAX_PATH_BYTES)}`).ok).toBe(true);
    expect(normaliseStreamPath(`live/${name(MAX_PATH_BYTES + 1)}`)).toEqual(tooLong);
    expect(normaliseStreamPath(`live/${'%6e'.repeat(MAX_PATH_BYTES - 5)}`).ok).toBe(true);
    expect(normaliseStreamPath(`live/${'%6e'.repeat(MAX_PATH_BYTES)}`)).toEqual(tooLong);
    expect(normaliseStreamPath(`live/${'ü'.repeat(MAX_PATH_BYTES / 2)}`)).toEqual(tooLong);
  });

  it('tells nothing of a hostile path but where it is wrong', () => {
    const { detail } = normaliseStreamPath('live/eyJsecret\r\nX: y') as { detail: string };
    expect(detail).toBe('segment 2 holds a control character');
  });

  it('comes to the same target again from what it gave, for 10000 hostile names', () => {
    const hostile = [
      '.',
      '..',
      '/',
      '%2e',
      '%2f',
      '%252f',
      '%25',
      '%',
      ';',
      '?',
      '#',
      '\\',
      '\0',
      '\u0085',
      '\ud800',
      ' ',
    ];
    const plain = [
      'a',
      'B',
      'ü',
      'e\u0301',
      'ﬁ',
      '💡',
      '%c3%bc',
      '+',
      '&',
      '=',
      ':',
      'mp4:',
      '.flv',
      '%41',
      'live',
      '/',
      '/',
    ];
    const partsOf = (...pieces: string[]) => fc.array(fc.constantFrom(...pieces), { maxLength: 14 });
    const path = fc.oneof(partsOf(...plain), partsOf(...hostile, ...plain, ...plain)).map((parts) => parts.join(''));
    let accepted = 0;
    fc.assert(
      fc.property(path, (odd) => {
        const first = normaliseStreamPath(odd);
        if (!first.ok) {
          expect(first.detail).toMatch(/^[ -~…]+$/u);
          return;
        }
        accepted += 1;
        const text = pathOf(first.target);
        expect(text).not.toMatch(/(^|\/)(\.\.?)?(\/|$)|[\\?#;\p{Cc}]|%[0-9a-f]{2}/iu);
        const encoded = text.split('/').map(encodeURIComponent).join('/');
        expect(normaliseStreamPath(encoded)).toEqual(first);
      }),
      { numRuns: 10_000 },
    );
    expect(accepted).toBeGreaterThan(500);
  });
});

describe('normalisePartialPath', () => {
  it.each<[string, StreamTarget]>([
    ['', target('', null, null)],
    ['/', target('', null, null)],
    ['live', target('live', null, null)],
    ['live/', target('live', null, null)],
    ['/live/room1', target('live', 'room1', null)],
    ['live/a/b%20c', target('live', 'a/b c', null)],
  ])('takes %j as what a connect told so far', (path, expected) => {
    expect(normalisePartialPath(path)).toEqual({ ok: true, target: expected });
  });

  it.each([
    ['live/../x', 'segment 2 is a dot segment'],
    ['live//x', 'segment 2 is empty'],
    ['li%2fve', 'segment 1 holds an encoded slash'],
  ])('refuses %j by the same rules', (path, detail) => {
    expect(normalisePartialPath(path)).toEqual({ ok: false, detail });
  });
});

describe('trimSlashes', () => {
  it.each([
    ['', ''],
    ['/', ''],
    ['///', ''],
    ['/a', 'a'],
    ['//a', '/a'],
    ['a///', 'a'],
    ['/a/b/', 'a/b'],
  ])('makes %j into %j', (text, expected) => {
    expect(trimSlashes(text)).toBe(expected);
  });
});
