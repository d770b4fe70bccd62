import { describe, expect, it } from '@jest/globals';
import { inspect } from 'node:util';
import type { CredentialsOption } from '../../../src/origin/credentials.js';
import { Secret } from '../../../src/model/secret.js';
import { amfObject, type AmfValue } from '../../../src/transports/rtmp/wire/amf-value.js';
import { writeCommand } from '../../../src/transports/rtmp/wire/command.js';
import { MESSAGE } from '../../../src/transports/rtmp/wire/message.js';
import { makeGate, quiet, type Gate, type GateOptions } from '../../fakes/gate.js';
import { logLines, metadata, pass, rawTelemetry, video, visit, type Visitor } from './scenes.js';

/** How a client shows its token: what it puts into connect, and into the stream name. */
interface Place {
  readonly app: (app: string, token: string) => string;
  readonly more?: (app: string, token: string) => Readonly<Record<string, AmfValue>>;
  readonly args?: (token: string) => readonly AmfValue[];
  readonly name: (name: string, token: string) => string;
}

const PASSWORD = 'Canary-Password-4471';
const same = (text: string): string => text;
const CARRIERS: Readonly<Record<string, Place>> = {
  'amf arguments': { app: same, args: (token) => ['jwt', PASSWORD, token], name: same },
  'app query': {
    app: (app, token) => `${app}?username=jwt&password=${PASSWORD}&token=${token}`,
    more: (app, token) => ({ tcUrl: `rtmp://gate.example/${app}?username=jwt&password=${PASSWORD}&token=${token}` }),
    name: same,
  },
  'tcUrl query': {
    app: same,
    more: (app, token) => ({ tcUrl: `rtmp://gate.example/${app}?pass=${PASSWORD}&jwt=${token}` }),
    name: same,
  },
  'name query': { app: same, name: (name, token) => `${name}?password=${PASSWORD}&token=${token}` },
};

/** One way for things to go. */
interface Course {
  readonly options?: GateOptions;
  /** The token that is shown; default is a good one. */
  readonly token?: (gate: Gate) => string;
  readonly app?: string;
  readonly name?: string;
  readonly before?: (gate: Gate) => void | Promise<void>;
  readonly after?: (gate: Gate, client: Visitor) => void | Promise<void>;
  /** Written somewhere in the log when things went this way. */
  readonly leaves: string;
}

const altered = (token: string): string => `${token.slice(0, -6)}AAAAAA`;
const boom = (what: unknown): never => {
  throw new Error(`something broke over ${inspect(what, { depth: 5 })}`);
};

const COURSES: Readonly<Record<string, Course>> = {
  'a stream that runs and ends': {
    after: async (gate, { peer }) => {
      peer.send(metadata());
      peer.send(video(0));
      await quiet();
      peer.command('FCUnpublish', 6, null, 'cam');
      peer.command('deleteStream', 7, null, 1);
      await pass(gate, 1000);
    },
    leaves: 'client-finished',
  },
  'a wrong signature': { token: (gate) => altered(gate.token()), leaves: 'token-signature' },
  'a token cut in half': { token: (gate) => gate.token().slice(0, 90), leaves: 'token-malformed' },
  'a token that is no JWT': { token: () => 'OpaqueCanaryToken-77/aa+bb==x', leaves: 'token-malformed' },
  'an expired token': {
    token: (gate) => {
      const token = gate.token({ ttlS: 1 });
      gate.clock.advance(2000);
      return token;
    },
    leaves: 'token-expired',
  },
  'a token that lives too long': { token: (gate) => gate.token({ ttlS: 9999 }), leaves: 'token-ttl-exceeded' },
  'the wrong role': { token: (gate) => gate.token({ roles: ['red5-subscriber'] }), leaves: 'role-denied' },
  'the wrong room': { token: (gate) => gate.token({ rooms: ['lobby'] }), leaves: 'room-denied' },
  'the wrong transport': { token: (gate) => gate.token({ transports: ['WHEP'] }), leaves: 'transport-denied' },
  'a second, different token': { name: 'cam?token=SecondCanary.of.two', leaves: 'token-conflict' },
  'dot segments': { app: 'live/..', leaves: 'path-invalid' },
  'a single segment': { app: 'cam', name: '', leaves: 'path-invalid' },
  'a name in use': {
    before: async (gate) => {
      const { peer } = await visit(gate);
      await peer.publish('live/room1', `cam?token=${gate.token()}`);
    },
    leaves: 'stream-busy',
  },
  'a pipeline that throws the request': { options: { door: { decide: boom } }, leaves: 'something broke' },
  'a choice of origin that throws the request': {
    options: { door: { chooseOrigin: boom } },
    leaves: 'something broke',
  },
  'a relay that throws its ends': { options: { door: { startRelay: boom } }, leaves: 'something broke' },
  'no origin': { options: { door: { chooseOrigin: () => [] } }, leaves: 'origin-unavailable' },
  'an origin that is down': { options: { unreachable: true }, leaves: 'origin-unavailable' },
  'an origin that refuses connect': { options: { origin: { refuseConnect: 'No' } }, leaves: 'origin-refused' },
  'an origin that refuses publish': { options: { origin: { refuseStream: 'No' } }, leaves: 'origin-refused' },
  'an origin that hangs': {
    options: { origin: { silentTo: ['publish'] } },
    after: (gate) => pass(gate, 6000),
    leaves: 'origin-unavailable',
  },
  'an origin that talks nonsense': {
    after: async (gate) => {
      gate.origins[0]?.peer.stream.write(Buffer.alloc(200, 0xff));
      await quiet();
    },
    leaves: 'origin-error',
  },
  'an origin that goes': {
    after: async (gate) => {
      gate.origins[0]?.peer.stream.destroy();
      await quiet();
    },
    leaves: 'origin-closed',
  },
  draining: {
    before: (gate) => {
      gate.isDraining = true;
    },
    leaves: 'draining',
  },
  'a kick': {
    after: async (gate) => {
      gate.door.endAll('kicked');
      await quiet();
    },
    leaves: 'kicked',
  },
  silence: { after: (gate) => pass(gate, 20_000, 1000), leaves: 'media-idle' },
  'nonsense in mid-stream': {
    after: async (_gate, { stream }) => {
      stream.write(Buffer.alloc(40, 0xff));
      await quiet();
    },
    leaves: 'chunk-without-previous',
  },
  'commands with the token in odd places': {
    after: async (gate, { peer }) => {
      const token = gate.token();
      for (const name of ['FCPublish', 'getStreamLength', 'publish', 'play', 'call', token]) {
        peer.commandOn(1, name, 9, amfObject({ token }), token, amfObject({ jwt: token }));
      }
      // Cut off in the middle of the token.
      const cut = writeCommand('publish', 10, null, `cam?token=${token}`).subarray(0, 80);
      peer.send({ type: MESSAGE.commandAmf0, streamId: 1, payload: cut });
      peer.send({ type: MESSAGE.sharedObjectAmf0, payload: Buffer.from(token) });
      await quiet();
    },
    leaves: 'arrived',
  },
};

async function run(place: Place, course: Course, options: GateOptions = {}): Promise<{ gate: Gate; token: string }> {
  const gate = makeGate({ ...course.options, ...options });
  await course.before?.(gate);
  const token = (course.token ?? ((one) => one.token()))(gate);
  const { app = 'live/room1', name = 'cam' } = course;
  const client = await visit(gate);
  const { peer } = client;
  peer.connect(place.app(app, token), place.more?.(app, token) ?? {}, ...(place.args?.(token) ?? []));
  await quiet();
  peer.command('releaseStream', 2, null, place.name(name, token));
  peer.command('FCPublish', 3, null, place.name(name, token));
  peer.command('createStream', 4, null);
  await quiet();
  peer.commandOn(1, 'publish', 5, null, place.name(name, token), 'live');
  await quiet();
  await course.after?.(gate, client);
  await quiet();
  return { gate, token };
}

/** What must not be seen: the token, its parts, a good piece of it. */
function canaries(token: string): readonly string[] {
  const [, payload = '', signature = ''] = token.split('.');
  // Not of the header, which all tokens have in common.
  const piece = (payload === '' ? token : payload).slice(0, 24);
  return [token, payload, signature, piece, PASSWORD, 'SecondCanary'].filter((part) => part !== '');
}

const found = (text: string, token: string): readonly string[] => canaries(token).filter((part) => text.includes(part));
/** Whole messages: on the wire a chunk header may stand in the middle of a token. */
const originText = (gate: Gate): string =>
  gate.origins.flatMap(({ peer }) => peer.messages.map(({ payload }) => payload.toString('latin1'))).join('\n');

describe.each(Object.entries(COURSES))('a canary in a token, through %s', (_name, course) => {
  it.each(Object.entries(CARRIERS))('with %s: is seen nowhere', async (_carrier, place) => {
    const { gate, token } = await run(place, course);
    expect(rawTelemetry(gate)).toContain(course.leaves);
    expect(found(rawTelemetry(gate), token)).toEqual([]);
    expect(found(logLines(gate).join(''), token)).toEqual([]);
    expect(found(originText(gate), token)).toEqual([]);
  });
});

describe('a canary that is forwarded', () => {
  const modes: readonly (readonly [string, CredentialsOption])[] = [
    ['the query', { mode: 'forward', placement: 'query' }],
    ['the arguments', { mode: 'forward', placement: 'arguments' }],
  ];
  const pairs = modes.flatMap(([where, credentials]) =>
    Object.entries(CARRIERS).map(([carrier, place]) => [where, carrier, credentials, place] as const),
  );
  it.each(pairs)(
    'in %s, from %s: reaches the connect of the origin and nothing else',
    async (_where, _from, ...how) => {
      const [credentials, place] = how;
      const { gate, token } = await run(place, COURSES['a stream that runs and ends']!, { credentials });
      const [origin] = gate.origins;
      const messages = origin!.peer.messages.map((message) => message.payload.toString('latin1'));
      const connects = messages.filter((text) => text.includes(token));
      expect(connects).toHaveLength(1);
      expect(connects[0]).toContain('connect');
      expect(messages.filter((text) => text !== connects[0]).flatMap((text) => found(text, token))).toEqual([]);
      expect(found(rawTelemetry(gate), token)).toEqual([]);
      expect(found(logLines(gate).join(''), token)).toEqual([]);
    },
  );

  it('is kept back where the origin gets a token of its own, and that one is seen nowhere either', async () => {
    const key = new Secret('the secret of the origin, long enough for HS256');
    const credentials: CredentialsOption = { mode: 'remint', placement: 'query', key, ttlSeconds: 60 };
    const { gate, token } = await run(CARRIERS['app query']!, COURSES['a stream that runs and ends']!, { credentials });
    expect(found(originText(gate), token)).toEqual([]);
    const fresh = /token=([\w.-]+)/.exec(originText(gate))?.[1] ?? '';
    expect(fresh.split('.')).toHaveLength(3);
    expect(found(rawTelemetry(gate), fresh)).toEqual([]);
  });
});

describe('a canary where no token belongs', () => {
  const T = (gate: Gate): string => gate.token();
  const odd: Readonly<Record<string, (peer: Visitor['peer'], token: string) => void>> = {
    'the path of app': (peer, token) => peer.connect(`live/${token}`),
    'the path of app, encoded': (peer, token) => peer.connect(`live%2F${token.replaceAll('.', '%2E')}`),
    'a parameter without a name': (peer, token) => peer.connect(`live?${token}`),
    'a name of a parameter': (peer, token) => peer.connect(`live?${token}=1`),
    'a parameter of another name': (peer, token) => peer.connect(`live?access_token=${token}`),
    flashVer: (peer, token) => peer.connect('live', { flashVer: token.slice(0, 120) }),
    'pageUrl and swfUrl': (peer, token) => peer.connect('live', { pageUrl: token, swfUrl: token }),
    'the host of tcUrl': (peer, token) => peer.connect('live', { tcUrl: `rtmp://${token}/live` }),
    'the user of tcUrl': (peer, token) => peer.connect('live', { tcUrl: `rtmp://jwt:${token}@gate.example/live` }),
    'the path of tcUrl': (peer, token) => peer.connect('live', { tcUrl: `rtmp://gate.example/live/${token}` }),
    'the username': (peer, token) => peer.connect(`live?username=${token}`),
    'an argument too many': (peer, token) => peer.connect('live', {}, 'jwt', 'jwt', '', token),
    'the command object': (peer, token) => peer.connect('live', { [token]: token }),
    'a command before connect': (peer, token) => peer.command(token, 1, null, token),
    'an app that is no string': (peer, token) => peer.connect('live', { app: amfObject({ token }) }),
  };
  it.each(Object.entries(odd))('%s: is in no line of the log', async (_place, connect) => {
    const gate = makeGate();
    const token = T(gate);
    const { peer } = await visit(gate);
    connect(peer, token);
    await quiet();
    peer.command('createStream', 2, null);
    peer.commandOn(1, 'publish', 3, null, 'cam', 'live');
    await pass(gate, 6000);
    expect(found(logLines(gate).join(''), token)).toEqual([]);
    expect([...gate.counts.keys()].filter((key) => found(key, token).length > 0)).toEqual([]);
    expect(gate.origins).toHaveLength(0);
  });

  const names: Readonly<Record<string, (token: string) => AmfValue>> = {
    'a segment': (token) => `cam/${token}`,
    'an encoded segment': (token) => `cam%2F${token}`,
    'the name itself': (token) => token,
    'behind & without a ?': (token) => `cam&token=${token}`,
    'behind an encoded ?': (token) => `cam%3Ftoken%3D${token}`,
    'behind an encoded &': (token) => `cam%26token%3D${token.replaceAll('.', '%2E')}`,
    'behind ;': (token) => `cam;token=${token}`,
    'a parameter without a name': (token) => `cam?${token}`,
    'an object': (token) => amfObject({ token }),
    'a list': (token) => ({ kind: 'strict-array', items: [token] }),
  };
  it.each(Object.entries(names))('%s of the stream name: is in no line of the log', async (_place, nameOf) => {
    const gate = makeGate();
    const token = T(gate);
    const { peer } = await visit(gate);
    peer.connect('live');
    await quiet();
    peer.commandOn(1, 'publish', 3, null, nameOf(token), 'live');
    await quiet();
    expect(peer.codes.at(-1)).toBe('NetStream.Publish.BadName');
    expect(found(logLines(gate).join(''), token)).toEqual([]);
    expect(gate.origins).toHaveLength(0);
  });
});
