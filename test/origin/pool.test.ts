import { describe, expect, it } from '@jest/globals';
import type { ConnectionRequest } from '../../src/model/request.js';
import { createChooseOrigin, type OriginOption } from '../../src/origin/pool.js';

function request(app: string, name: string | null, room: string | null = null): ConnectionRequest {
  return {
    sessionId: 's1',
    action: name === null ? 'connect' : 'publish',
    transport: 'RTMP',
    secure: false,
    remoteAddress: '192.0.2.1',
    target: { app, room, name },
  };
}

function origin(name: string, changes: Partial<OriginOption> = {}): OriginOption {
  return {
    name,
    endpoints: { rtmp: { host: `${name}.example`, port: 1935, secure: false, rooms: 'app' } },
    credentials: { mode: 'strip' },
    ...changes,
  };
}

const endpoint = { host: '192.0.2.9', port: 1935, secure: false, rooms: 'app' } as const;
const nothing = () => ({ placement: 'none', pairs: [] }) as const;

describe('the choice of an origin', () => {
  it('names the stream as the chosen origin wants it', () => {
    const choose = createChooseOrigin(
      [origin('one', { endpoints: { rtmp: { ...endpoint, host: 'one.example', rooms: 'name' } } })],
      nothing,
    );
    expect(choose(request('live', 'cam', 'room1'))).toEqual({
      name: 'one',
      host: 'one.example',
      port: 1935,
      secure: false,
      app: 'live',
      streamName: 'room1/cam',
      credentials: { placement: 'none', pairs: [] },
    });
  });

  it('finds none when no origin serves the app', () => {
    const choose = createChooseOrigin([origin('one', { apps: ['live'] })], nothing);
    expect(choose(request('other', 'cam'))).toBeUndefined();
  });

  it.each([
    ['RTMP', 'both', 1935],
    ['RTSP', 'both', 8554],
    ['WHIP', 'web', 5080],
    ['WHEP', 'web', 5080],
  ] as const)('finds for %s an origin that speaks it, at that address', (transport, name, port) => {
    const choose = createChooseOrigin(
      [
        origin('both', { endpoints: { rtmp: endpoint, rtsp: { ...endpoint, port: 8554 } } }),
        origin('web', { endpoints: { http: { ...endpoint, port: 5080, secure: true, rooms: 'name' } } }),
      ],
      nothing,
    );
    expect(choose({ ...request('live', 'cam', 'a/b'), transport })).toMatchObject({
      name,
      port,
      secure: port === 5080,
      streamName: port === 5080 ? 'a/b/cam' : 'cam',
    });
  });

  it('finds none for a connect, which names no stream', () => {
    expect(createChooseOrigin([origin('one')], nothing)(request('live', null))).toBeUndefined();
  });

  it('compares apps exactly', () => {
    const choose = createChooseOrigin([origin('one', { apps: ['Live'] })], nothing);
    expect(choose(request('live', 'cam'))).toBeUndefined();
  });

  it('asks for the credentials of the origin that was chosen', () => {
    const asked: string[] = [];
    const choose = createChooseOrigin([origin('one', { apps: ['a'] }), origin('two', { apps: ['b'] })], (of) => {
      asked.push(of.name);
      return nothing();
    });
    choose(request('b', 'cam'));
    expect(asked).toEqual(['two']);
  });

  const names = Array.from({ length: 300 }, (_, index) => `cam${index}`);
  const choices = (origins: readonly OriginOption[]) => {
    const choose = createChooseOrigin(origins, nothing);
    return names.map((name) => choose(request('live', name))?.name);
  };

  it('spreads paths over all origins, whatever their order in the config', () => {
    const origins = [origin('one'), origin('two'), origin('three')];
    const chosen = choices(origins);
    for (const { name } of origins) expect(chosen.filter((one) => one === name).length).toBeGreaterThan(60);
    expect(choices([...origins].reverse())).toEqual(chosen);
  });

  it('moves only the paths of an origin that is taken away', () => {
    const before = choices([origin('one'), origin('two'), origin('three')]);
    const after = choices([origin('one'), origin('three')]);
    before.forEach((name, index) => name !== 'two' && expect(after[index]).toBe(name));
  });
});
