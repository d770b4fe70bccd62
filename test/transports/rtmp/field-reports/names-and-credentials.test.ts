import { describe, expect, it } from '@jest/globals';
import { MAX_NAME_BYTES } from '../../../../src/transports/rtmp/credential.js';
import { MAX_TOKEN_LENGTH } from '../../../../src/wire/credential-parts.js';
import { fieldsOf } from '../../../../src/transports/rtmp/wire/amf-value.js';
import { configOf, complete, faultsOf } from '../../../config/loading.js';
import { makeGate, quiet, type Gate } from '../../../fakes/gate.js';
import { textOf } from '../../../house/source.js';
import {
  askToPlay,
  askToPublish,
  lastOrigin,
  logLines,
  publishing,
  rawTelemetry,
  verdicts,
  visit,
  type Visitor,
} from '../scenes.js';

const START = 'NetStream.Publish.Start';
const page = textOf('docs/clients.md').replace(/\s+/g, ' ');

/** Publishes with a connect of its own making. */
async function publishWith(
  gate: Gate,
  name: string,
  connect: (peer: Visitor['peer']) => void,
): Promise<Visitor & { path: unknown; carrier: unknown }> {
  const visitor = await visit(gate);
  connect(visitor.peer);
  await quiet();
  visitor.peer.command('createStream', 2, null);
  await quiet();
  visitor.peer.commandOn(1, 'publish', 3, null, name, 'live');
  await quiet();
  const { path, carrier } = gate.decisions().at(-1) ?? {};
  return { ...visitor, path, carrier };
}

describe('names, URLs and credentials', () => {
  it('RTMP-01 reads token and name from app when the key is empty, and says clearly what a single segment lacks', async () => {
    const gate = makeGate();
    const whole = await publishWith(gate, '', (peer) => peer.connect(`live/testStream?jwt=${gate.token()}`));
    expect(whole.peer.codes.at(-1)).toBe(START);
    expect(whole).toMatchObject({ path: 'live/testStream', carrier: 'app-query' });

    const single = await publishWith(gate, '', (peer) => peer.connect(`testStream?jwt=${gate.token()}`));
    expect(single.peer.codes.at(-1)).toBe('NetStream.Publish.BadName');
    expect(single.peer.lastDescription).toBe('path-invalid: the stream path is invalid');
    expect(gate.decisions().at(-1)).toMatchObject({
      code: 'path-invalid',
      detail: expect.stringContaining('app[/room…]/name'),
    });
  });

  it('RTMP-02 takes a token from AMF arguments, the app query and the key query', async () => {
    const gate = makeGate();
    const token = gate.token();
    const cases = [
      await publishWith(gate, 'a', (peer) => peer.connect('live', {}, 'jwt', 'jwt', token)),
      await publishWith(gate, 'b', (peer) => peer.connect(`live?username=jwt&password=jwt&token=${token}`)),
      await publishWith(gate, `c?token=${token}`, (peer) => peer.connect('live')),
    ];
    expect(cases.map(({ peer, carrier }) => [peer.codes.at(-1), carrier])).toEqual([
      [START, 'amf-arguments'],
      [START, 'app-query'],
      [START, 'name-query'],
    ]);
    expect(page).toContain('`rtmp://user:password@host/…` is not a way to send a token over RTMP');
  });

  it('RTMP-03 takes user and pass for username and password, and logs the names of parameters but no values', async () => {
    const gate = makeGate({ credentials: { mode: 'forward', placement: 'arguments' } });
    const token = gate.token();
    const name = `cam?user=anna-of-the-query&pass=hush-hush&token=${token}`;
    const { peer } = await askToPublish(gate, 'live?vhost=x', name);
    expect(peer.codes.at(-1)).toBe(START);
    expect(lastOrigin(gate).connect.args).toEqual(['anna-of-the-query', 'hush-hush', token]);
    const arrived = gate.lines.filter(({ fields }) => fields['note'] === 'arrived').at(-1);
    expect(arrived?.fields['parameters']).toEqual(['vhost', 'user', 'pass', 'token']);
    for (const value of ['anna-of-the-query', 'hush-hush', token]) expect(rawTelemetry(gate)).not.toContain(value);

    // The shell has cut the command at an unquoted &: only the user's name has arrived.
    const cut = await askToPublish(gate, 'live', 'cam2?user=anna-of-the-query');
    expect(cut.peer.lastDescription).toContain('token-missing');
    expect(gate.lines.filter(({ fields }) => fields['note'] === 'arrived').at(-1)?.fields['parameters']).toEqual([
      'user',
    ]);
  });

  it.each([
    ['in app', (token: string) => [`live?token=${token}`, undefined, 'cam'] as const, 'app-query'],
    ['in tcUrl', (token: string) => ['live', `rtmp://h/live?token=${token}`, 'cam'] as const, 'tcurl-query'],
    ['in the key', (token: string) => ['live', undefined, `cam?token=${token}`] as const, 'name-query'],
    [
      'in all of them, of which app is named',
      (token: string) => [`live?token=${token}`, `rtmp://h/live?token=${token}`, `cam?token=${token}`] as const,
      'app-query',
    ],
  ])('RTMP-04 takes the query %s', async (_where, place, carrier) => {
    const gate = makeGate();
    const [app, tcUrl, name] = place(gate.token());
    const came = await publishWith(gate, name, (peer) => peer.connect(app, tcUrl === undefined ? {} : { tcUrl }));
    expect(came.peer.codes.at(-1)).toBe(START);
    expect(came).toMatchObject({ path: 'live/cam', carrier });
  });

  it('RTMP-05 asks for no stored password, and tells a client that waits to be asked what is missing', async () => {
    // OBS with "use authentication": user and password stay in OBS until a server challenges for them.
    const gate = makeGate();
    const { peer } = await askToPublish(gate, 'live', 'cam');
    expect(peer.codes).toEqual(['NetConnection.Connect.Success', 'NetStream.Publish.BadName']);
    expect(peer.lastDescription).toBe('token-missing: a token is required');
    expect(JSON.stringify(peer.commands)).not.toContain('authmod');
    expect(page).toContain('The gateway never sends that challenge');
    expect(page).toContain('put the token into the query instead');
  });

  it.each([
    ['alone in front', '?authmod=adobe&user=admin', 'live/stream?token=T', 'live/stream'],
    ['behind the token', 'live?token=T&authmod=adobe&user=admin', 'stream', 'live/stream'],
    ['behind a second ?', 'live?token=T?authmod=adobe&user=admin', 'stream', 'live/stream'],
    ['before a second ?', 'live?authmod=adobe&user=admin?token=T', 'stream', 'live/stream'],
    [
      'with slashes in its base64',
      'live?authmod=adobe&user=a&response=x/y==&opaque=/z?token=T',
      'stream',
      'live/stream',
    ],
  ])('RTMP-06 reads over authmod %s', async (_where, app, name, path) => {
    const gate = makeGate();
    const put = (text: string): string => text.replace('T', gate.token());
    const { peer } = await askToPublish(gate, put(app), put(name));
    expect(peer.codes.at(-1)).toBe(START);
    expect(gate.decisions().at(-1)?.['path']).toBe(path);
  });

  it('RTMP-07 takes a name with a query up to 4096 bytes whole and refuses a longer one', async () => {
    const gate = makeGate();
    const nameOf = (name: string, size: number): string => {
      const start = `${name}?token=${gate.token()}&padding=`;
      return start + 'x'.repeat(size - start.length);
    };
    const sizes = [
      ['short', 700],
      ['full', 4096],
      ['long', 4097],
    ] as const;
    for (const [name, size] of sizes) await askToPublish(gate, 'live', nameOf(name, size));
    expect(gate.decisions().map((line) => line['code'] ?? line['path'])).toEqual(
      expect.arrayContaining(['live/short', 'live/full', 'malformed-request']),
    );
    expect(gate.origins.map((origin) => origin.named('publish').args[0])).toEqual(['short', 'full']);
  });

  it('RTMP-08 refuses an origin address with more than host and port when it loads, and clips nothing behind it', async () => {
    const origins = (rtmp: string): string => complete({ origins: [{ name: 'a', rtmp }] });
    expect(faultsOf(origins('rtmp://10.0.0.5:1935'))).toEqual([]);
    for (const address of ['rtmp://10.0.0.5/live/$name?x=1', `rtmp://${'h'.repeat(256)}`, 'rtmp://user:pw@10.0.0.5']) {
      expect(faultsOf(origins(address))).toEqual([expect.stringContaining('is not an origin address')]);
    }
    const gate = makeGate();
    const [room, name] = ['r'.repeat(400), 'n'.repeat(400)];
    await askToPublish(gate, `live/${room}`, `${name}?token=${gate.token()}`);
    const origin = lastOrigin(gate);
    expect(origin.app).toBe(`live/${room}`);
    expect(fieldsOf(origin.connect.object).get('tcUrl')).toBe(`rtmp://origin.example:1935/live/${room}`);
    expect(origin.named('publish').args[0]).toBe(name);
  });

  it('RTMP-09 documents how short a token must be for each client', () => {
    expect(page).toContain('Keep tokens below 800 bytes');
    expect(page).toContain('Many cameras and hardware encoders allow URLs of 128 to 256 characters');
    expect(page).toContain('no JWT fits there');
    // The figures of the gateway itself are the code's.
    expect(page).toContain(
      `takes ${MAX_TOKEN_LENGTH} characters in arguments and server URL, and ${MAX_NAME_BYTES} bytes`,
    );
  });

  it('RTMP-10 keeps the query out of what a stream is called', async () => {
    const gate = makeGate();
    await askToPublish(gate, 'live', `stream?token=${gate.token()}&a=1`);
    const second = await askToPublish(gate, 'live', `stream?a=2&token=${gate.token({ subject: 'other' })}`);
    expect(second.peer.lastDescription).toContain('stream-busy');
    await askToPlay(gate, 'live', `stream?token=${gate.token()}`);
    expect(gate.origins.map((origin) => origin.names().includes('play'))).toEqual([false, true]);
    expect(lastOrigin(gate).named('play').args[0]).toBe('stream');
    expect(new Set(gate.decisions().map((line) => line['path']))).toEqual(new Set(['live', 'live/stream']));
  });

  it('RTMP-11 takes one token in app and tcUrl for one, and refuses two different ones', async () => {
    const gate = makeGate();
    const [token, other] = [gate.token(), gate.token({ subject: 'other' })];
    const same = await publishWith(gate, 'cam', (peer) =>
      peer.connect(`live/x?token=${token}`, { tcUrl: `rtmp://h/live/x?token=${token}` }),
    );
    expect(same.peer.codes.at(-1)).toBe(START);
    const visitor = await visit(gate);
    visitor.peer.connect(`live/x?token=${token}`, { tcUrl: `rtmp://h/live/x?token=${other}` });
    await quiet();
    expect(visitor.peer.codes).toEqual(['NetConnection.Connect.Rejected']);
    expect(visitor.peer.lastDescription).toContain('token-conflict');
  });

  it('RTMP-12 builds the origin’s tcUrl itself', async () => {
    const gate = makeGate();
    const token = gate.token();
    await publishWith(gate, 'cam', (peer) =>
      peer.connect('live', { tcUrl: `rtmp://gate.example:1935/live?token=${token}`, swfUrl: 'rtmp://x', pageUrl: 'y' }),
    );
    const sent = fieldsOf(lastOrigin(gate).connect.object);
    expect(sent.get('tcUrl')).toBe('rtmp://origin.example:1935/live');
    expect([...sent.keys()]).toEqual(['app', 'type', 'flashVer', 'tcUrl']);
  });

  it.each([
    ['in app', 'live/room1?vhost=other.example&room=lobby', 'cam'],
    ['in the key', 'live/room1', 'cam?vhost=other.example&room=lobby&nameAlias=x'],
  ])('RTMP-13 lets vhost and other parameters %s change neither origin nor room', async (_where, app, name) => {
    const gate = makeGate();
    const token = gate.token({ rooms: ['room1'] });
    const [front, back] = app.includes('?') ? [`${app}&token=${token}`, name] : [app, `${name}&token=${token}`];
    const { peer } = await askToPublish(gate, front, back);
    expect(peer.codes.at(-1)).toBe(START);
    expect(gate.decisions().at(-1)?.['path']).toBe('live/room1/cam');
    const origin = lastOrigin(gate);
    expect([origin.app, ...origin.named('publish').args]).toEqual(['live/room1', 'cam', 'live']);
    const payloads = origin.peer.messages.map(({ payload }) => payload.toString('latin1'));
    expect(payloads.join()).not.toMatch(/vhost|other\.example|nameAlias/);
  });

  it('RTMP-14 sends the origin no empty query, and a C2 that echoes its S1', async () => {
    const gate = makeGate();
    const { origin } = await publishing(gate);
    const commands = ['publish', 'releaseStream', 'FCPublish'];
    expect([origin.app, ...commands.map((name) => origin.named(name).args[0])]).toEqual(['live', 'cam', 'cam', 'cam']);
    expect(fieldsOf(origin.connect.object).get('tcUrl')).toBe('rtmp://origin.example:1935/live');
    const stream = origin.peer.stream as Visitor['stream'];
    const [s1, c2] = [stream.written.subarray(1, 1537), stream.received.subarray(1537, 3073)];
    expect(c2.equals(s1)).toBe(true);
  });

  it('RTMP-15 reads a slash at the end of a query as an end of the path', async () => {
    const gate = makeGate();
    for (const [app, name] of [
      ['live', 'test?token=T&username=name/'],
      ['live/test?token=T&username=name', ''],
      ['live/test?token=T&username=name/', ''],
    ] as const) {
      const token = gate.token();
      const { peer, stream } = await askToPublish(gate, app.replace('T', token), name.replace('T', token));
      expect(peer.codes.at(-1)).toBe(START);
      expect(gate.decisions().at(-1)?.['path']).toBe('live/test');
      stream.destroy();
      await quiet();
    }
  });

  it('RTMP-16 trims slashes at the end of app', async () => {
    const gate = makeGate();
    await askToPublish(gate, 'myapp/', `cam?token=${gate.token()}`);
    expect(gate.decisions().at(-1)).toMatchObject({ path: 'myapp/cam', outcome: 'yes' });
    expect(lastOrigin(gate).app).toBe('myapp');
  });

  it('RTMP-17 lets & separate pairs only behind the first ?', async () => {
    const gate = makeGate();
    await askToPublish(gate, 'live', `s?policy=x&signature=y&token=${gate.token()}`);
    await askToPublish(gate, `live?token=${gate.token()}`, 's&t');
    expect(gate.origins.map((origin) => origin.named('publish').args[0])).toEqual(['s', 's&t']);
  });

  it('RTMP-18 splits a key with a slash by one rule, whoever has split the URL', async () => {
    const gate = makeGate();
    const query = `?token=${gate.token()}`;
    for (const [app, name] of [
      ['live', `ZPHwV/FJglIHz${query}`],
      ['live/ZPHwV', `FJglIHz${query}`],
      [`live/ZPHwV/FJglIHz${query}`, ''],
    ] as const) {
      const { stream } = await askToPublish(gate, app, name);
      stream.destroy();
      await quiet();
    }
    expect(verdicts(gate)).toEqual(['yes', 'yes', 'yes']);
    expect(gate.origins.map((origin) => [origin.app, origin.named('publish').args[0]])).toEqual(
      Array.from({ length: 3 }, () => ['live/ZPHwV', 'FJglIHz']),
    );
  });

  it.each([
    ['as a segment', 'stream/T'],
    ['as an encoded segment', 'stream%2FT'],
  ])('RTMP-19 refuses a token %s cleanly and shows it nowhere', async (_how, key) => {
    const gate = makeGate();
    const token = gate.token();
    const { peer } = await askToPublish(gate, 'live', key.replace('T', token));
    expect(peer.codes.at(-1)).toBe('NetStream.Publish.BadName');
    expect(peer.lastDescription).toBe('path-invalid: the stream path is invalid');
    expect(peer.closed).toBe(true);
    expect(rawTelemetry(gate)).not.toContain(token.slice(0, 40));
    expect(gate.origins).toHaveLength(0);
    expect(page).toContain('A token as a part of the path is refused');
  });

  it('RTMP-20 takes app and name from the key when app is empty, or says what is missing', async () => {
    const gate = makeGate();
    const whole = await askToPublish(gate, '', `room/cam?token=${gate.token()}`);
    expect(whole.peer.codes.at(-1)).toBe(START);
    expect(lastOrigin(gate).app).toBe('room');
    const lacking = await askToPublish(gate, '', `cam?token=${gate.token()}`);
    expect(lacking.peer.codes.at(-1)).toBe('NetStream.Publish.BadName');
    expect(lacking.peer.lastDescription).toContain('path-invalid');
  });

  it('RTMP-21 lets nobody in without a token, nor where no hook decides', async () => {
    const gate = makeGate();
    await askToPublish(gate, 'live', 'cam');
    await askToPlay(gate, 'live', 'cam');
    expect(verdicts(gate)).toEqual(['token-missing', 'token-missing']);
    const lawless = makeGate({ hooks: [] });
    const { peer } = await askToPublish(lawless, 'live', `cam?token=${lawless.token()}`);
    expect(peer.codes).toEqual(['NetConnection.Connect.Rejected']);
    expect(lawless.decisions()).toMatchObject([{ outcome: 'no' }]);
    expect([...gate.origins, ...lawless.origins]).toEqual([]);
    expect(configOf(complete()).hooks.map(({ name }) => name)).toContain('verify-token');
    expect(logLines(gate).length).toBeGreaterThan(0);
  });
});
