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
    expect([...choose(request('live', 'cam', 'room1'))][0]).toEqual({
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
    expect([...choose(request('other', 'cam'))]).toEqual([]);
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
    expect([...choose({ ...request('live', 'cam', 'a/b'), transport })][0]).toMatchObject({
      name,
      port,
      secure: port === 5080,
      streamName: port === 5080 ? 'a/b/cam' : 'cam',
    });
  });

  it('finds none for a connect, which names no stream', () => {
    expect([...createChooseOrigin([origin('one')], nothing)(request('live', null))]).toEqual([]);
  });

  it('compares apps exactly', () => {
    const choose = createChooseOrigin([origin('one', { apps: ['Live'] })], nothing);
    expect([...choose(request('live', 'cam'))]).toEqual([]);
  });

  it('asks for the credentials of the origin that was chosen', () => {
    const asked: string[] = [];
    const choose = createChooseOrigin([origin('one', { apps: ['a'] }), origin('two', { apps: ['b'] })], (of) => {
      asked.push(of.name);
      return nothing();
    });
    expect([...choose(request('b', 'cam'))]).toHaveLength(1);
    expect(asked).toEqual(['two']);
  });

  const names = Array.from({ length: 300 }, (_, index) => `cam${index}`);
  const choices = (origins: readonly OriginOption[]) => {
    const choose = createChooseOrigin(origins, nothing);
    return names.map((name) => [...choose(request('live', name))][0]?.name);
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

  const namesOf = (choices: Iterable<{ readonly name: string }>) => [...choices].map(({ name }) => name);

  it('gives those that name the path most exactly, and nobody else stands in for them', () => {
    const choose = createChooseOrigin(
      [
        origin('any'),
        origin('eu-1', { paths: ['live/eu-*/**'] }),
        origin('eu-2', { paths: ['other/**', 'live/eu-*/**'] }),
        origin('one', { paths: ['live/eu-west/cam'] }),
      ],
      nothing,
    );
    expect(namesOf(choose(request('live', 'cam')))).toEqual(['any']);
    expect(namesOf(choose(request('live', 'cam', 'eu-north'))).sort()).toEqual(['eu-1', 'eu-2']);
    expect(namesOf(choose(request('live', 'cam', 'eu-west')))).toEqual(['one']);
    expect(namesOf(choose(request('other', 'cam')))).toEqual(['eu-2']);
  });

  it('puts those that are down last and leaves out those that are drained', () => {
    const all = [origin('one'), origin('two'), origin('three'), origin('four')];
    const order = namesOf(createChooseOrigin(all, nothing)(request('live', 'cam')));
    const [first, second, third, fourth] = order;
    const standing = (name: string) =>
      name === first ? 'down' : name === second ? 'drained' : name === third ? 'spare' : 'ready';
    expect(namesOf(createChooseOrigin(all, nothing, standing)(request('live', 'cam')))).toEqual([fourth, third, first]);
    expect(namesOf(createChooseOrigin(all, nothing, () => 'down')(request('live', 'cam')))).toEqual(order);
  });

  it('begins with the origin where the publisher is, whatever its state', () => {
    const all = [origin('one'), origin('two'), origin('three')];
    const choose = createChooseOrigin(all, nothing, (name) => (name === 'two' ? 'drained' : 'ready'));
    expect(namesOf(choose(request('live', 'cam')))).not.toContain('two');
    expect(namesOf(choose(request('live', 'cam'), 'two'))[0]).toBe('two');
  });

  it('lets all but the last have a time to connect', () => {
    const all = [origin('one', { connectTimeoutMs: 300 }), origin('two', { connectTimeoutMs: 300 })];
    const [first, last] = [...createChooseOrigin(all, nothing)(request('live', 'cam'))];
    expect(first?.connectTimeoutMs).toBe(300);
    expect(last).not.toHaveProperty('connectTimeoutMs');
  });
});
