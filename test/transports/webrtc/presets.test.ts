import { describe, expect, it } from '@jest/globals';
import type { OriginChoice } from '../../../src/model/leg.js';
import { Secret } from '../../../src/model/secret.js';
import {
  authorizationFor,
  endpointTarget,
  sessionTarget,
  type HttpPreset,
  type OriginManners,
  type OriginWish,
} from '../../../src/transports/webrtc/presets.js';

const TRIPLE = {
  placement: 'query',
  pairs: [
    ['username', new Secret('jwt')],
    ['password', new Secret('jwt')],
    ['token', new Secret('a.b.c')],
  ],
} as const;

function choice(changes: Partial<OriginChoice> = {}): OriginChoice {
  return {
    ...{ name: 'origin', host: 'origin.example', port: 5080, secure: false, app: 'live', streamName: 'room1/cam' },
    credentials: { placement: 'none', pairs: [] },
    ...changes,
  };
}

const manners = (preset: HttpPreset, changes: Partial<OriginManners> = {}): OriginManners => ({
  ...{ preset, basePath: '', credentials: 'query', media: 'relay' },
  ...changes,
});

const wish = (changes: Partial<OriginWish> = {}): OriginWish => ({
  ...{ transport: 'WHIP', pairs: [], requestId: 's1', allowRecord: false },
  ...changes,
});

describe('the endpoint of an origin', () => {
  it.each<[HttpPreset, string, string]>([
    ['red5pro', '/live/whip/endpoint/room1/cam', '/live/whep/endpoint/room1/cam?requestId=s1'],
    ['red5-stream-manager', '/as/v1/proxy/whip/live/room1/cam', '/as/v1/proxy/whep/live/room1/cam?requestId=s1'],
    ['mediamtx', '/live/room1/cam/whip', '/live/room1/cam/whep'],
    ['srs', '/rtc/v1/whip/?app=live/room1&stream=cam', '/rtc/v1/whep/?app=live/room1&stream=cam'],
    ['generic', '/live/room1/cam/whip', '/live/room1/cam/whep'],
    ['embedded', '/live/room1/cam/whip', '/live/room1/cam/whep'],
  ])('%s', (preset, whip, whep) => {
    expect(endpointTarget(choice(), manners(preset), wish(), undefined).reveal()).toBe(whip);
    expect(endpointTarget(choice(), manners(preset), wish({ transport: 'WHEP' }), undefined).reveal()).toBe(whep);
  });

  it('has credentials in the query where the origin reads them there', () => {
    const origin = choice({ credentials: TRIPLE });
    expect(endpointTarget(origin, manners('red5pro'), wish(), undefined).reveal()).toBe(
      '/live/whip/endpoint/room1/cam?username=jwt&password=jwt&token=a.b.c',
    );
    expect(endpointTarget(origin, manners('srs'), wish(), undefined).reveal()).toBe(
      '/rtc/v1/whip/?app=live/room1&stream=cam&username=jwt&password=jwt&token=a.b.c',
    );
    const inHeader = manners('mediamtx', { credentials: 'header' });
    expect(endpointTarget(origin, inHeader, wish(), undefined).reveal()).toBe('/live/room1/cam/whip');
    expect(authorizationFor(origin, inHeader)?.reveal()).toBe('Bearer a.b.c');
    expect(authorizationFor(origin, manners('red5pro'))).toBeUndefined();
  });

  it('is shown a name and a password where there is no token', () => {
    const pairs = [
      ['username', new Secret('u%20s')],
      ['password', new Secret('p')],
    ] as const;
    const origin = choice({ credentials: { placement: 'query', pairs } });
    const header = authorizationFor(origin, manners('generic', { credentials: 'header' }))?.reveal();
    expect(header).toBe(`Basic ${Buffer.from('u s:p').toString('base64')}`);
    expect(authorizationFor(choice(), manners('generic', { credentials: 'header' }))).toBeUndefined();
  });

  it('has the form the config gives it', () => {
    const generic = manners('generic', { basePath: '/a/b', endpoint: '/{app}/{stream}?direction={transport}' });
    expect(endpointTarget(choice(), generic, wish(), undefined).reveal()).toBe('/a/b/live/room1/cam?direction=whip');
  });

  it('never lets a name end its segment', () => {
    const origin = choice({ app: 'a?b#c&d=e', streamName: "f g/%41/h'i" });
    expect(endpointTarget(origin, manners('mediamtx'), wish(), undefined).reveal()).toBe(
      '/a%3Fb%23c%26d%3De/f%20g/%2541/h%27i/whip',
    );
    expect(endpointTarget(origin, manners('srs'), wish(), undefined).reveal()).toBe(
      '/rtc/v1/whip/?app=a%3Fb%23c%26d%3De/f%20g/%2541&stream=h%27i',
    );
  });
});

describe('parameters of the client', () => {
  const pairs = [
    ['token', 'client'],
    ['host', 'evil.example'],
    ['nodeGroup', 'theirs'],
    ['signal', 'true'],
    ['signal', 'false'],
    ['mode', 'record'],
    ['keyFramerate', '3000'],
    ['requestId', 'r-1'],
    ['videoEncoding', 'a b'],
    ['eip', '192.0.2.1'],
    ['encrypt', 'false'],
  ] as const;
  const of = (preset: HttpPreset, changes: Partial<OriginManners> = {}, more: Partial<OriginWish> = {}) =>
    endpointTarget(choice(), manners(preset, changes), wish({ pairs, ...more }), 'node-1')
      .reveal()
      .split('?')[1];

  it('go on to Red5 by their names only, never a host', () => {
    expect(of('red5pro')).toBe('signal=true&keyFramerate=3000&requestId=r-1');
    expect(of('red5pro', {}, { allowRecord: true })).toBe('signal=true&mode=record&keyFramerate=3000&requestId=r-1');
  });

  it('name no node: the gateway does', () => {
    expect(of('red5-stream-manager', { nodeGroup: 'ours' })).toBe(
      'signal=true&keyFramerate=3000&requestId=r-1&host=node-1&nodeGroup=ours',
    );
  });

  it.each<HttpPreset>(['mediamtx', 'generic', 'embedded'])('do not go on to %s', (preset) => {
    expect(of(preset)).toBeUndefined();
  });

  it('do not go on to SRS, where they switch encryption off', () => {
    expect(of('srs')).toBe('app=live/room1&stream=cam');
  });
});

describe('the session of an origin', () => {
  const session = (
    preset: HttpPreset,
    location: string | undefined,
    changes: Partial<OriginManners> = {},
    origin: Partial<OriginChoice> = {},
  ) => sessionTarget(choice(origin), manners(preset, changes), wish(), { location, node: undefined })?.reveal();

  it.each([
    ['/live/room1/cam/whip/1', '/live/room1/cam/whip/1'],
    ['https://public.example/x/1?a=b', '/x/1?a=b'],
    ['1', '/live/room1/cam/1'],
    ['whip/1', '/live/room1/cam/whip/1'],
    ['?id=1', '/live/room1/cam/whip?id=1'],
    ['../up', '/live/room1/up'],
    ['//other.example/x', '/x'],
  ])('is where Location %s leads, at our origin', (location, expected) => {
    expect(session('mediamtx', location)).toBe(expected);
  });

  it.each([['javascript:alert(1)'], ['ftp://a/b'], ['http://[bad/'], [undefined]])('is none with %s', (location) => {
    expect(session('mediamtx', location)).toBeUndefined();
  });

  it('keeps the query that SRS gave it', () => {
    const location = '/rtc/v1/whip/?action=delete&token=srs&session=a:b';
    expect(session('srs', location, {}, { credentials: TRIPLE })).toBe(location);
  });

  it('of Red5 is guessed where it sends none, and shows who asks', () => {
    expect(session('red5pro', undefined)).toBe('/live/whip/resource/room1/cam');
    expect(session('red5pro', '/live/whip/resource/1?token=old', {}, { credentials: TRIPLE })).toBe(
      '/live/whip/resource/1?token=old&username=jwt&password=jwt',
    );
  });

  it('of a node is asked for at that node', () => {
    const target = sessionTarget(choice(), manners('red5-stream-manager'), wish(), {
      location: 'https://sm.example/as/v1/proxy/whip/1',
      node: 'node-1:443',
    });
    expect(target?.reveal()).toBe('/as/v1/proxy/whip/1?host=node-1%3A443');
  });

  it('lies below the path of an origin behind a proxy', () => {
    expect(session('mediamtx', '/live/room1/cam/whip/1', { basePath: '/x' })).toBe('/x/live/room1/cam/whip/1');
    expect(session('mediamtx', '/x/live/room1/cam/whip/1', { basePath: '/x' })).toBe('/x/live/room1/cam/whip/1');
    expect(session('mediamtx', '1', { basePath: '/x' })).toBe('/x/live/room1/cam/1');
  });
});
