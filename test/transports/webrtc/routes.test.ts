import { describe, expect, it } from '@jest/globals';
import { routeOf } from '../../../src/transports/webrtc/routes.js';

describe('a path of the HTTP port', () => {
  it.each([
    ['/live/whip/endpoint/cam', 'WHIP', 'live/cam'],
    ['/live/whep/endpoint/cam', 'WHEP', 'live/cam'],
    ['/live/whip/endpoint/room1/cam', 'WHIP', 'live/room1/cam'],
    ['/live/room1/whip/endpoint/cam', 'WHIP', 'live/room1/cam'],
    ['/live/a/whep/endpoint/b/cam', 'WHEP', 'live/a/b/cam'],
    ['/live/whip/cam', 'WHIP', 'live/cam'],
    ['/live/whep/room1/cam', 'WHEP', 'live/room1/cam'],
    ['/live/cam/whip', 'WHIP', 'live/cam'],
    ['/live/room1/cam/whep', 'WHEP', 'live/room1/cam'],
    ['/live/cam/whip/', 'WHIP', 'live/cam'],
    ['/as/v1/proxy/whip/live/cam', 'WHIP', 'live/cam'],
    ['/as/v1/proxy/whep/live/room1/cam', 'WHEP', 'live/room1/cam'],
    // Not looked at here, but refused by the one normaliser later.
    ['/live/whip/endpoint/%2e%2e/cam', 'WHIP', 'live/%2e%2e/cam'],
    ['/live//whip/endpoint/cam', 'WHIP', 'live//cam'],
    ['/live/whip', 'WHIP', 'live'],
    ['/as/v1/proxy/whip', 'WHIP', ''],
    // Names that are words of ours.
    ['/live/whip/endpoint/whip', 'WHIP', 'live/whip'],
    ['/live/whip/whip', 'WHIP', 'live/whip'],
    ['/live/endpoint/whip', 'WHIP', 'live/endpoint'],
    // An address that somebody has not finished is no stream called `endpoint`.
    ['/live/whip/endpoint', 'WHIP', 'live'],
  ] as const)('%s is an endpoint of %s for %s', (path, transport, streamPath) => {
    expect(routeOf(path)).toEqual({ kind: 'endpoint', transport, streamPath });
  });

  it.each([
    '/live/cam',
    '/live/WHIP/cam',
    '/live/room1/whip/cam',
    '/live/%77hip/cam',
    '/as/v1/proxy/ws/live/cam',
    '/favicon.ico',
  ])('%s is nothing', (path) => {
    expect(routeOf(path)).toBeUndefined();
  });

  it('/session/… is a session', () => {
    expect(routeOf('/session/abc')).toEqual({ kind: 'session', id: 'abc' });
    expect(routeOf('/session/abc/def')).toBeUndefined();
    expect(routeOf('/session')).toBeUndefined();
  });

  it('/publish and /watch are pages', () => {
    expect(routeOf('/publish')).toEqual({ kind: 'page', name: 'publish' });
    expect(routeOf('/watch')).toEqual({ kind: 'page', name: 'watch' });
  });
});
