import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { StreamTarget } from '../../../src/model/request.js';
import {
  MAX_APP_BYTES,
  MAX_NAME_BYTES,
  mergeCredentials,
  readConnect,
  readStreamName,
  targetOf,
} from '../../../src/transports/rtmp/credential.js';
import { amfObject, type AmfValue } from '../../../src/transports/rtmp/wire/amf-value.js';
import { readCommand, writeCommand } from '../../../src/transports/rtmp/wire/command.js';

const T = 'eyJh.eyJp.sig-_1';
const connect = (fields: Record<string, AmfValue>, ...args: AmfValue[]) =>
  readConnect(readCommand(20, writeCommand('connect', 1, amfObject(fields), ...args)));

/** What one publish or play comes to: path and credential, or the code of the refusal. */
function outcome(fields: Record<string, AmfValue>, name: AmfValue, ...args: AmfValue[]) {
  const first = connect(fields, ...args);
  const second = readStreamName(name);
  const refused = first.refused ?? second.refused;
  if (refused !== undefined) return refused.code;
  const merged = mergeCredentials(first.credentials, second.credentials);
  if (!merged.ok) return merged.rejection.code;
  const path = targetOf(first.appPath, second.path);
  if (!path.ok) return path.detail;
  const { credential } = merged;
  return {
    ...path.target,
    ...(credential === undefined
      ? {}
      : {
          token: credential.token.reveal(),
          carrier: credential.carrier,
          ...(credential.username === undefined ? {} : { username: credential.username }),
          ...(credential.password === undefined ? {} : { password: credential.password.reveal() }),
        }),
  };
}
const cam = (room: string | null): StreamTarget => ({ app: 'live', room, name: 'cam' });

describe('one URL, however a client splits it (facts seen with ffmpeg 5.1, GStreamer 1.22, rtmpdump 2.4; OBS by its source)', () => {
  const token = `?token=${T}`;
  it.each<[string, StreamTarget, [client: string, app: string, name: string][]]>([
    [
      `live/cam${token}`,
      cam(null),
      [
        ['ffmpeg, GStreamer, librtmp, OBS', 'live', `cam${token}`],
        ['OBS with all in the server field', `live/cam${token}`, ''],
        ['OBS with the query in the server field', `live${token}`, 'cam'],
        ['OBS with an empty app (RTMP-20)', '', `live/cam${token}`],
        ['OBS with slashes too many (RTMP-16)', 'live//', `/cam${token}`],
      ],
    ],
    [
      `live/room1/cam${token}`,
      cam('room1'),
      [
        ['ffmpeg, GStreamer, librtmp', 'live/room1', `cam${token}`],
        ['OBS with the room in the key', 'live', `room1/cam${token}`],
        ['OBS with the query in the server field', `live${token}`, 'room1/cam'],
        ['a client with everything in app', `live/room1/cam${token}`, ''],
      ],
    ],
    [
      `live/a/b/cam${token}`,
      cam('a/b'),
      [
        ['ffmpeg', 'live/a', `b/cam${token}`],
        ['GStreamer, librtmp', 'live/a/b', `cam${token}`],
        ['OBS', 'live', `a/b/cam${token}`],
      ],
    ],
    [`live${token}/cam (Red5's form)`, cam(null), [['ffmpeg, GStreamer, librtmp, OBS', `live${token}`, 'cam']]],
    [
      `live/a/b${token}/cam`,
      cam('a/b'),
      [
        ['ffmpeg', 'live/a', `b${token}/cam`],
        ['GStreamer, librtmp', `live/a/b${token}`, 'cam'],
      ],
    ],
    [`live${token}/room1/cam`, cam('room1'), [['ffmpeg, GStreamer, librtmp', `live${token}/room1`, 'cam']]],
    [
      `live/cam${token}/ (RTMP-15)`,
      cam(null),
      [
        ['ffmpeg, GStreamer', `live/cam${token}`, ''],
        ['OBS', `live/cam${token}/`, ''],
        ['OBS in the key', 'live', `cam${token}/`],
      ],
    ],
    [
      `live/room%201/c%61m${token}`,
      cam('room 1'),
      [
        ['ffmpeg, GStreamer', 'live/room%201', `c%61m${token}`],
        ['librtmp', 'live/room%201', `cam${token}`],
        ['OBS', 'live', `room 1/cam${token}`],
      ],
    ],
    [
      `live/cam.flv${token}`,
      cam(null),
      [
        ['ffmpeg, GStreamer', 'live', `cam.flv${token}`],
        ['librtmp, OBS', 'live', `cam${token}`],
        ['a client with everything in app', `live/cam.flv${token}`, ''],
      ],
    ],
    [
      `live/room1/mp4:cam${token}`,
      cam('room1'),
      [
        ['ffmpeg, GStreamer, librtmp', 'live/room1', `mp4:cam${token}`],
        ['Flash', 'live', `mp4:room1/cam${token}`],
      ],
    ],
  ])('%s', (_, target, splits) => {
    for (const [client, app, name] of splits) {
      const tcUrl = `rtmp://gate.example:1935/${app}`;
      expect([client, outcome({ app, tcUrl }, name)]).toMatchObject([client, { ...target, token: T }]);
    }
  });

  it('gives no identity to the query (RTMP-10)', () => {
    expect(outcome({ app: 'live' }, 'cam')).toEqual(cam(null));
    expect(outcome({ app: 'live' }, 'cam?')).toEqual(cam(null));
    expect(outcome({ app: 'live?x=1' }, `cam?token=${T}`)).toMatchObject(cam(null));
  });

  it('comes to the same target for every slash at which a URL can be split', () => {
    // No & or = among them: behind a query these would be parameters, whoever splits.
    const segment = fc.constantFrom('live', 'a', 'room 1', 'ü', 'x:y', 'cam');
    const url = fc.tuple(fc.array(segment, { minLength: 2, maxLength: 6 }), fc.nat()).map(([parts, at]) => {
      const marked = at % (parts.length + 1);
      return parts.map((part, index) => (index === marked ? `${part}?token=${T}` : part)).join('/');
    });
    fc.assert(
      fc.property(url, (path) => {
        const slashes = [...path.matchAll(/\//g)].map((match) => match.index);
        const targets = slashes.map((at) => {
          const first = readStreamName(path.slice(at + 1));
          return targetOf(connect({ app: path.slice(0, at) }).appPath, first.path);
        });
        expect(new Set(targets.map((result) => JSON.stringify(result))).size).toBe(1);
        expect(targets[0]?.ok).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

describe('the carriers of a token', () => {
  it.each<[string, Record<string, AmfValue>, string, AmfValue[], object]>([
    [
      'AMF arguments (RTMP-02)',
      { app: 'live' },
      'cam',
      ['jwt', 'pw', T],
      { token: T, carrier: 'amf-arguments', username: 'jwt', password: 'pw' },
    ],
    ['AMF arguments without an account', { app: 'live' }, 'cam', ['', '', T], { token: T, carrier: 'amf-arguments' }],
    ['AMF arguments with nulls', { app: 'live' }, 'cam', [null, undefined, T], { token: T }],
    ['one argument that is a JWT', { app: 'live' }, 'cam', [T], { token: T, carrier: 'amf-arguments' }],
    ['one argument behind the word Bearer', { app: 'live' }, 'cam', [`Bearer ${T}`], { token: T }],
    ['two arguments, the second a JWT', { app: 'live' }, 'cam', ['jwt', T], { token: T, username: 'jwt' }],
    ['a JWT as username of three', { app: 'live' }, 'cam', [T, 'pw', ''], { token: T, password: 'pw' }],
    [
      'the query of app',
      { app: `live?username=u&password=p&token=${T}` },
      'cam',
      [],
      { token: T, username: 'u', password: 'p' },
    ],
    [
      'the query of tcUrl',
      { app: 'live', tcUrl: `rtmp://h/live?token=${T}` },
      'cam',
      [],
      { token: T, carrier: 'tcurl-query' },
    ],
    [
      'the query of the stream name',
      { app: 'live' },
      `cam?user=u&jwt=${T}`,
      [],
      { token: T, carrier: 'name-query', username: 'u' },
    ],
    [
      'app and tcUrl alike (RTMP-04, RTMP-11)',
      { app: `live?token=${T}`, tcUrl: `rtmp://h/live?token=${T}` },
      'cam',
      [],
      { token: T, carrier: 'app-query' },
    ],
    [
      'all four at once',
      { app: `live?token=${T}`, tcUrl: `rtmp://h/live?token=${T}` },
      `cam?token=${T}`,
      ['jwt', 'jwt', T],
      { token: T, carrier: 'amf-arguments' },
    ],
  ])('%s', (_, fields, name, args, expected) => {
    expect(outcome(fields, name, ...args)).toMatchObject({ ...cam(null), ...expected });
  });

  it.each<[string, AmfValue[]]>([
    ['no arguments', []],
    ['arguments that are no strings', [1, amfObject({ token: T }), true]],
    ['two arguments of which none is a JWT', ['user', 'password']],
  ])('finds no token in %s', (_, args) => {
    expect(outcome({ app: 'live' }, 'cam', ...args)).toEqual(cam(null));
  });

  it.each<[string, Record<string, AmfValue>, string, AmfValue[]]>([
    ['in app and tcUrl (RTMP-11)', { app: 'live?token=a.b.c', tcUrl: 'rtmp://h/live?token=a.b.d' }, 'cam', []],
    ['in app and name', { app: 'live?token=a.b.c' }, 'cam?token=a.b.d', []],
    ['in arguments and name', { app: 'live' }, 'cam?jwt=a.b.d', ['', '', 'a.b.c']],
    ['in two arguments', { app: 'live' }, 'cam', ['a.b.c', 'a.b.d']],
    ['in one query', { app: 'live' }, 'cam?token=a.b.c&token=a.b.d', []],
  ])('refuses two different tokens %s', (_, fields, name, args) => {
    expect(outcome(fields, name, ...args)).toBe('token-conflict');
  });

  it.each<[string, Record<string, AmfValue>, string, AmfValue[]]>([
    ['as username argument', { app: 'live' }, 'cam', ['cluster-restreamer', 'pw', T]],
    ['as username in app', { app: `live?username=restreamer&token=${T}` }, 'cam', []],
    ['as parameter of the name', { app: 'live' }, `cam?token=${T}&cluster-restreamer=1`, []],
  ])('refuses the words of a Red5 cluster %s', (_, fields, name, args) => {
    expect(outcome(fields, name, ...args)).toBe('malformed-request');
  });

  it('refuses a token of more than 8 kB', () => {
    expect(outcome({ app: 'live' }, 'cam', '', '', 'a'.repeat(8193))).toBe('token-malformed');
  });

  it.each([1, 20, 60])('takes a tcUrl that ffmpeg has cut off by %i characters for a copy of app', (cut) => {
    const app = `live?username=jwt&password=jwt&token=${T}${'s'.repeat(960)}`;
    const tcUrl = `rtmp://gate.example:1935/${app}`.slice(0, -cut);
    expect(outcome({ app, tcUrl }, 'cam')).toMatchObject({
      ...cam(null),
      token: `${T}${'s'.repeat(960)}`,
      username: 'jwt',
    });
  });

  it('takes no longer token in tcUrl for a copy', () => {
    expect(outcome({ app: `live?token=${T}`, tcUrl: `rtmp://h/live?token=${T}x` }, 'cam')).toBe('token-conflict');
  });

  it('never decodes a form: + stays + in a token (facts 1.1)', () => {
    expect(outcome({ app: 'live' }, 'cam?token=a+b')).toMatchObject({ token: 'a+b' });
  });
});

describe('parameters that change nothing', () => {
  it.each([
    ['authmod in front of everything (RTMP-06)', '?authmod=adobe&user=admin', 'live/cam'],
    ['authmod behind another query', `live?token=${T}?authmod=adobe&user=U`, 'cam'],
    ['authmod as one more parameter', `live?token=${T}&authmod=adobe&user=U`, 'cam'],
    ['authmod with base64 that holds slashes', 'live?authmod=adobe&user=U&response=ab/cd==&opaque=x/y', 'cam'],
    ['authmod cut by a second ?', `live?authmod=llnw?token=${T}`, 'cam'],
    ['vhost in app (RTMP-13)', 'live?vhost=x&room=other', 'cam'],
    ['vhost in the name (RTMP-13)', 'live', 'cam?vhost=x&host=10.0.0.1&nameAlias=other'],
    ['a slash inside of a value', 'live?x=a/b&y=1', 'cam'],
  ])('%s', (_, app, name) => {
    expect(outcome({ app }, name)).toMatchObject(cam(null));
  });

  it('takes the user of authmod for no username', () => {
    expect(outcome({ app: `live?token=${T}&authmod=adobe&user=U` }, 'cam')).not.toHaveProperty('username');
  });

  it('keeps slashes and & in keys by one rule (RTMP-17, RTMP-18)', () => {
    expect(outcome({ app: 'live' }, 'ZPHwV/FJglIHz')).toEqual({ app: 'live', room: 'ZPHwV', name: 'FJglIHz' });
    expect(outcome({ app: 'live' }, 's?policy=x&signature=y')).toEqual({ app: 'live', room: null, name: 's' });
    expect(outcome({ app: 'live' }, 's&t')).toEqual({ app: 'live', room: null, name: 's&t' });
  });
});

describe('what is refused, and how', () => {
  it.each<[string, Record<string, AmfValue>, AmfValue, string | RegExp]>([
    ['one segment only (RTMP-01)', { app: 'testStream' }, '', /app\[\/room…\]\/name/],
    ['nothing at all', {}, '', /app\[\/room…\]\/name/],
    ['a number for the app', { app: 7 }, 'cam', 'malformed-request'],
    ['an object for the app', { app: amfObject({}) }, 'cam', 'malformed-request'],
    ['a number for tcUrl', { app: 'live', tcUrl: 7 }, 'cam', 'malformed-request'],
    ['a number for the name (node-media-server issue 67)', { app: 'live' }, 7, 'malformed-request'],
    ['an object for the name', { app: 'live' }, amfObject({ split: 'x' }), 'malformed-request'],
    ['a boolean for the name', { app: 'live' }, false, 'malformed-request'],
    ['too many parameters', { app: `live?${'a=1&'.repeat(65)}` }, 'cam', 'malformed-request'],
    ['dot segments in app (node-media-server issue 689)', { app: '../../etc' }, 'cam', /dot segment/],
    ['a dot segment made by an alias', { app: 'live' }, '..flv', /dot segment/],
    ['a dot segment behind an alias', { app: 'live' }, 'mp4:../cam', /dot segment/],
    ['an encoded alias', { app: 'live' }, 'mp4%3Acam', /still starts with/],
    ['an alias twice', { app: 'live' }, 'mp4:mp4:cam', /still starts with/],
    ['an alias behind a room', { app: 'live' }, 'room1/mp4:cam', /still starts with/],
    ['a token as path segment (RTMP-19)', { app: 'live' }, `cam/${T}`, 'path-invalid'],
    ['a token as path segment, encoded (RTMP-19)', { app: 'live' }, `cam%2F${T}`, 'path-invalid'],
    ['a token in the path of app', { app: `live/${T}` }, 'cam', 'path-invalid'],
    ['a name that is the rest of a query', { app: 'live/cam?password=a' }, `b&token=${T}`, 'path-invalid'],
  ])('%s', (_, fields, name, expected) => {
    expect(outcome(fields, name)).toEqual(typeof expected === 'string' ? expected : expect.stringMatching(expected));
  });

  it('takes a name with its query up to 4 kB and refuses more, without cutting (RTMP-07)', () => {
    const name = (size: number) => `cam?token=${'t'.repeat(size - 10)}`;
    expect(outcome({ app: 'live' }, name(700))).toMatchObject({ token: 't'.repeat(690) });
    expect(outcome({ app: 'live' }, name(MAX_NAME_BYTES))).toMatchObject(cam(null));
    expect(outcome({ app: 'live' }, name(MAX_NAME_BYTES + 1))).toBe('malformed-request');
  });

  it('takes an app with a token of 8 kB and refuses much more', () => {
    expect(outcome({ app: `live?token=${'t'.repeat(8192)}` }, 'cam')).toMatchObject(cam(null));
    expect(outcome({ app: `live?x=${'t'.repeat(MAX_APP_BYTES)}` }, 'cam')).toBe('malformed-request');
  });

  it('says what was wrong without a word of the client', () => {
    const { refused, appPath } = connect({ app: `live/${T}` });
    expect(refused).toEqual({
      code: 'path-invalid',
      kind: 'malformed',
      detail: 'app holds a token outside of its query',
    });
    expect(appPath).toBe('');
  });
});

describe('readConnect', () => {
  it('tells what the log and the origin leg want to know', () => {
    const fields = connect({
      app: `live/room1?token=${T}&x=1`,
      tcUrl: 'rtmp://user:secret@Gate.example:1935/live/room1?y=2',
      flashVer: 'FMLE/3.0 (compatible; FMSc/1.0)',
      objectEncoding: 3,
      capsEx: 4,
    });
    expect(fields).toMatchObject({
      appPath: 'live/room1',
      tcUrlHost: 'Gate.example',
      parameterNames: ['token', 'x', 'y'],
      flashVer: 'FMLE/3.0 (compatible; FMSc/1.0)',
      objectEncoding: 3,
      enhanced: { capsEx: 4 },
    });
    expect(fields.app.length).toBe(`live/room1?token=${T}&x=1`.length);
    expect(fields).not.toHaveProperty('refused');
  });

  it('copes with a command that has no object', () => {
    const fields = readConnect(readCommand(20, writeCommand('connect', 1, null)));
    expect(fields).toMatchObject({ appPath: '', credentials: [], parameterNames: [], enhanced: {}, objectEncoding: 0 });
    for (const absent of ['tcUrl', 'tcUrlHost', 'flashVer', 'refused']) expect(fields).not.toHaveProperty(absent);
  });

  it.each([
    ['rtmp://h/live', 'h'],
    ['rtmps://[2001:db8::1]:443/live', '[2001:db8::1]'],
    ['rtmp://h', 'h'],
    ['rtmp://h?token=x', 'h'],
    ['h/live', undefined],
    ['rtmp:///live', undefined],
    ['rtmp://a b/live', undefined],
    ['rtmp://h\n/live', undefined],
    ['rtmp://user:eyJa.eyJb.c@h/live', 'h'],
  ])('finds the host of %j as %p', (tcUrl, host) => {
    expect(connect({ app: 'live', tcUrl }).tcUrlHost).toBe(host);
  });

  it.each<[AmfValue]>([['a\nb'], ['é'], [''], ['x'.repeat(129)], [7], [null]])(
    'leaves out the flashVer %j',
    (flashVer) => {
      expect(connect({ app: 'live', flashVer })).not.toHaveProperty('flashVer');
    },
  );

  it('lets a token be seen in no print of what it gave (canary)', () => {
    const canary = 'eyJcanary.eyJcanary.canary';
    const tcUrl = `rtmp://jwt:${canary}@h/live?token=${canary}`;
    const everything = [
      connect({ app: `live?token=${canary}`, tcUrl }, 'jwt', canary, canary),
      connect({ app: `live/${canary}` }, canary),
      connect({ app: `live?${canary}&${canary}=1` }),
      readStreamName(`cam?token=${canary}&password=${canary}&${canary}`),
      readStreamName(`cam/${canary}`),
      readStreamName(`b&token=${canary}`),
    ];
    const printed = everything.map((value) => JSON.stringify(value) + inspect(value, { depth: 9, showHidden: true }));
    expect(printed.join()).not.toContain('canary');
  });

  it('answers any texts without throwing', () => {
    const text = fc.string({
      unit: fc.constantFrom('?', '/', '&', '=', '%', 'token', ':', '.', 'eyJ', 'authmod=', '\0', 'a'),
    });
    fc.assert(
      fc.property(text, text, text, (app, tcUrl, name) => {
        expect(() => outcome({ app, tcUrl }, name, name)).not.toThrow();
      }),
      { numRuns: 1000 },
    );
  });

  it.each(['/', '?authmod=', 'a=/', '&', '.flv', '%', 'eyJ.', 'a.'])('reads ten kilobytes of %j quickly', (piece) => {
    const text = piece.repeat(MAX_APP_BYTES / piece.length);
    const before = process.cpuUsage().user;
    connect({ app: text, tcUrl: text }, text);
    readStreamName(text.slice(0, MAX_NAME_BYTES));
    expect(process.cpuUsage().user - before).toBeLessThan(100_000);
  });
});

describe('targetOf', () => {
  it('tells what is known at connect when there is no name yet', () => {
    expect(targetOf('live/room1', null)).toEqual({ ok: true, target: { app: 'live', room: 'room1', name: null } });
    expect(targetOf('', null)).toEqual({ ok: true, target: { app: '', room: null, name: null } });
  });

  it('drops .flv once, and never the whole name', () => {
    expect(targetOf('live', 'cam.flv.flv')).toMatchObject({ target: { name: 'cam.flv' } });
    expect(targetOf('live', '.flv')).toMatchObject({ target: { app: 'live', name: '.flv' } });
  });
});
