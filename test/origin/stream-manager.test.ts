import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { configFrom } from '../fakes/gateway-config.js';
import { nodePlaces } from '../../src/gateway/node-places.js';
import type { Origin } from '../../src/config/config.js';
import { Secret } from '../../src/model/secret.js';
import type { Action } from '../../src/model/transport.js';
import { systemClock } from '../../src/net/clock.js';
import { createNameResolver } from '../../src/net/dns.js';
import { callHttp } from '../../src/net/http-client.js';
import { createFindNodes } from '../../src/origin/stream-manager.js';
import { fakeClock } from '../fakes/clock.js';
import { node, startStreamManager, type StreamManagerDouble } from '../fakes/stream-manager.js';

let manager: StreamManagerDouble;
beforeEach(async () => {
  manager = await startStreamManager();
});
afterEach(() => manager.close());

const never = new AbortController().signal;

function originOf(nodes: string): Origin {
  const text = `
listen: { rtmp: { port: 0 } }
hooks: [open]
origins:
  - { name: sm, preset: red5-stream-manager, http: "http://127.0.0.1:${manager.port}", nodeGroup: eu, nodes: ${nodes} }
`;
  const [origin] = configFrom(text).origins;
  if (origin === undefined) throw new Error('no origin');
  return origin;
}

function bed(nodes = '{ allow: ["127.0.0.0/8"] }') {
  const clock = fakeClock();
  const origin = originOf(nodes);
  const gone = () => Promise.reject(new Error('gone'));
  const names = createNameResolver(clock, {
    v4: (host) => {
      if (host.startsWith('inner.')) return Promise.resolve([{ address: '127.0.0.1', ttl: 60 }]);
      return host.endsWith('.example') ? Promise.resolve([{ address: '10.0.0.9', ttl: 60 }]) : gone();
    },
    ...{ v6: gone, system: gone, srv: gone },
  });
  const findNodes = createFindNodes({
    clock,
    call: (call) => callHttp({ ...call, clock: systemClock }),
    timeoutMs: 2000,
  });
  const find = (action: Action = 'publish', signal = never) =>
    nodePlaces(
      {
        ...{ name: 'sm', host: 'node', port: origin.rtmp?.port ?? 0, secure: false, find: 'node' },
        ...{ app: 'live/room 1', streamName: 'cam', credentials: { placement: 'none', pairs: [] } },
      },
      origin,
      {
        ...{ sessionId: 's', action, transport: 'RTMP', secure: false, remoteAddress: '192.0.2.1' },
        target: { app: 'live', room: 'room 1', name: 'cam' },
      },
      { findNodes, names },
      signal,
    );
  return { clock, find, origin };
}
const answers = (...hosts: unknown[]) =>
  (manager.answer = () => ({ status: 200, body: JSON.stringify(hosts.map(node)) }));

describe('a stream behind a Stream Manager', () => {
  it('goes to the node that it names, at the port of the protocol', async () => {
    const { find, origin } = bed();
    expect(origin).toMatchObject({ rtmp: { port: 1935, find: 'node' }, rtsp: { port: 8554, find: 'node' } });
    expect(await find()).toMatchObject([
      { name: 'sm', host: '127.0.0.1', port: 1935, app: 'live/room 1', streamName: 'cam' },
    ]);
    expect(manager.asked).toEqual(['GET /as/v1/streams/stream/eu/publish/live/room%201/cam']);
  });

  it('may go to several, in their order', async () => {
    answers('127.0.0.2', '127.0.0.1');
    const places = await bed().find();
    expect(places).toMatchObject([{ host: '127.0.0.2', connectTimeoutMs: 1000 }, { host: '127.0.0.1' }]);
    expect(places[1]).not.toHaveProperty('connectTimeoutMs');
  });

  it('is asked for by each publisher, and for viewers once in two seconds', async () => {
    const { find, clock } = bed();
    for (const action of ['publish', 'publish', 'subscribe', 'subscribe'] as const) await find(action);
    expect(manager.asked).toHaveLength(3);
    clock.advance(2000);
    await find('subscribe');
    expect(manager.asked).toHaveLength(4);
  });

  it.each<[string, unknown[], string, boolean]>([
    ['a loopback address', ['127.0.0.1'], '{}', false],
    ['a link-local address', ['169.254.169.254'], '{}', false],
    ['loopback in IPv6 clothes', ['::ffff:127.0.0.1', '::1', '64:ff9b::7f00:1'], '{}', false],
    ['nobody', ['0.0.0.0', '::', ''], '{}', false],
    ['a name that leads to loopback', ['inner.example'], '{}', false],
    ['a name that leads to loopback, below an allowed domain', ['inner.example'], '{ allow: [".example"] }', false],
    ['a name that leads nowhere', ['nowhere.test'], '{}', false],
    ['what is no host', ['10.0.0.1/24', 'a b', 'x\r\ny', '10.0.0.1:80', 'a/../b', 7, null], '{}', false],
    ['an address that is not listed', ['10.0.0.1'], '{ allow: ["192.168.0.0/16"] }', false],
    ['a name that is not listed', ['node.example'], '{ allow: [".other.example"] }', false],
    ['any other address', ['10.0.0.1'], '{}', true],
    ['a listed network', ['10.0.0.1'], '{ allow: ["10.0.0.0/8"] }', true],
    ['a listed domain', ['node.example'], '{ allow: [".example"] }', true],
    ['a listed name', ['node.example'], '{ allow: ["NODE.example"] }', true],
  ])('that is said to be at %s: %j, %s, is called: %s', async (_what, hosts, nodes, isCalled) => {
    answers(...hosts);
    const found = bed(nodes).find();
    if (isCalled) expect(await found).toHaveLength(1);
    else await expect(found).rejects.toMatchObject({ code: 'origin-unavailable' });
  });

  it.each([
    [404, '', 'origin-refused'],
    [302, '', 'origin-refused'],
    [503, '', 'origin-unavailable'],
    [200, '[]', 'origin-unavailable'],
    [200, 'null', 'origin-refused'],
    [200, '<html>', 'origin-refused'],
    [200, '[{"serverAddress":{}}]', 'origin-unavailable'],
  ])('is refused when the manager answers %d %j', async (status, body, code) => {
    manager.answer = () => ({ status, body });
    await expect(bed().find()).rejects.toMatchObject({ code });
  });

  it('is given up with the session', async () => {
    await expect(bed().find('publish', AbortSignal.abort())).rejects.toMatchObject({ code: 'origin-unavailable' });
  });
});

describe('a Stream Manager that wants a login', () => {
  const LOGIN = '{ allow: ["127.0.0.0/8"], username: edge, password: { value: secret } }';

  it('gets one, once, and again when its token is no longer taken', async () => {
    manager.token = 'one';
    const { find } = bed(LOGIN);
    await find();
    await find();
    expect(manager.asked.filter((line) => line.startsWith('PUT'))).toHaveLength(1);
    manager.token = 'two';
    expect(await find()).toHaveLength(1);
    expect(manager.asked.filter((line) => line.startsWith('PUT'))).toHaveLength(2);
  });

  it('and does not take it refuses the stream, and the error shows no secret', async () => {
    manager.token = 'one';
    const error = await bed(LOGIN.replace('secret }', 'not-the-word }'))
      .find()
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'origin-refused' });
    expect(String(error)).not.toContain('not-the-word');
    expect(new Secret('x').toString()).not.toBe('x');
  });
});

describe('nodes in the config', () => {
  it.each([
    ['{ username: edge }', 'half a login'],
    ['{ allow: ["10.0.0.0/33"] }', 'is no address'],
    ['{ allow: ["a b"] }', 'is no address'],
  ])('are refused when they are %s', (nodes, problem) => {
    expect(() => originOf(nodes)).toThrow(problem);
  });
});
