import { afterEach, describe, expect, it } from '@jest/globals';
import { connect, type Socket } from 'node:net';
import { listenTcp, type Listener } from '../../../../src/net/tcp.js';
import { amfObject, fieldsOf } from '../../../../src/transports/rtmp/wire/amf-value.js';
import { writeMessages } from '../../../../src/transports/rtmp/wire/chunk-writer.js';
import { readCommand, writeCommand } from '../../../../src/transports/rtmp/wire/command.js';
import { MESSAGE, type Message } from '../../../../src/transports/rtmp/wire/message.js';
import { makeGate, quiet, type Gate } from '../../../fakes/gate.js';
import { StrictReader } from '../wire/reference.js';
import { askToPlay, askToPublish, lastOrigin, logLines, pass, rawTelemetry, video, visit } from '../scenes.js';

const open: { listeners: Listener[]; sockets: Socket[] } = { listeners: [], sockets: [] };
afterEach(async () => {
  for (const socket of open.sockets.splice(0)) socket.destroy();
  await Promise.all(open.listeners.splice(0).map((each) => each.close()));
});

const command = (streamId: number, ...values: Parameters<typeof writeCommand>): Message => ({
  chunkStreamId: 3,
  timestamp: 0,
  type: MESSAGE.commandAmf0,
  streamId,
  payload: writeCommand(...values),
});

/** Everything an impatient publisher sends: it waits for nothing, and goes on with a megabyte of media. */
function publishBlindly(name: string): Buffer {
  const commands = [
    command(0, 'connect', 1, amfObject({ app: 'live' })),
    command(0, 'createStream', 2, null),
    command(1, 'publish', 3, null, name, 'live'),
  ];
  const handshake = Buffer.concat([Buffer.from([3]), Buffer.alloc(2 * 1536, 0x3c)]);
  handshake.fill(0, 1, 9);
  return Buffer.concat([handshake, writeMessages([...commands, video(0, 1 << 20)], 128)]);
}

/** Sends over a real connection and reads to its end. */
async function converse(gate: Gate, bytes: Buffer): Promise<{ codes: unknown[]; error: Error | undefined }> {
  const listener = await listenTcp({ host: '127.0.0.1', port: 0, onStream: (stream) => gate.accept(stream) });
  open.listeners.push(listener);
  const socket = connect({ host: '127.0.0.1', port: listener.port });
  open.sockets.push(socket);
  socket.write(bytes);
  const parts: Buffer[] = [];
  let error: Error | undefined;
  socket.on('data', (part: Buffer) => parts.push(part)).on('error', (fault) => (error = fault));
  await new Promise((done) => socket.on('close', done));
  const reader = new StrictReader();
  reader.push(Buffer.concat(parts).subarray(1 + 2 * 1536));
  const commands = reader.messages.filter(({ type }) => type === 20).map(({ payload }) => readCommand(20, payload));
  return { codes: commands.map(({ args }) => fieldsOf(args[0]).get('code')).filter(Boolean), error };
}

describe('a refusal', () => {
  it('RTMP-22 tells a refused publisher why and closes within a second, also one that keeps its socket open', async () => {
    const gate = makeGate();
    const { peer, stream, gateSide } = await visit(gate);
    peer.onMessage = ({ payload }) => {
      if (payload.includes('onStatus')) stream.pause();
    };
    await peer.publish('live', `cam?token=${gate.token()}x`);
    await quiet();
    const status = peer.commands.at(-1);
    expect(status?.name).toBe('onStatus');
    expect(Object.fromEntries(fieldsOf(status?.args[0]))).toEqual({
      level: 'error',
      code: 'NetStream.Publish.BadName',
      description: 'token-signature: the token signature does not match',
    });
    expect(gateSide.ending).toBe('end');
    await pass(gate, 1000);
    expect(gateSide.closed).toBe(true);
    expect(gate.open).toBe(0);
  });

  it('RTMP-22 stops judging a client that comes again for ever with the same bad token, and holds none of its sockets', async () => {
    const gate = makeGate({ limits: { failuresPerToken: 5 } });
    const bad = `${gate.token({ ttlS: 3600 }).slice(0, -8)}AAAAAAAA`;
    const said: string[] = [];
    for (let time = 0; time < 20; time++) {
      const { peer, gateSide } = await askToPublish(gate, 'live', `cam?token=${bad}`);
      said.push(peer.lastDescription);
      // At once, and by our own end: no answer is held back to slow the client down.
      expect([peer.closed, gateSide.ending, gate.open]).toEqual([true, 'end', 0]);
    }
    expect(said).toEqual([
      ...Array<string>(5).fill('token-signature: the token signature does not match'),
      ...Array<string>(15).fill('limit-rate: too many attempts'),
    ]);
    // Neither its neighbour behind the same address nor itself with a good token waits for that.
    const { peer } = await askToPublish(gate, 'live', `cam?token=${gate.token()}`);
    expect(peer.codes).toContain('NetStream.Publish.Start');
  });

  it('RTMP-22 takes a client that shows its token only with the stream name for no failure', async () => {
    const gate = makeGate({ limits: { failuresPerToken: 1, failuresPerAddress: 1 } });
    for (let time = 0; time < 3; time++) {
      const { peer } = await askToPublish(gate, 'live', 'cam');
      expect(peer.lastDescription).toMatch('token-missing');
    }
    const { peer } = await askToPublish(gate, 'live', `cam?token=${gate.token()}`);
    expect(peer.codes).toContain('NetStream.Publish.Start');
    // Nor does its connect, which shows nothing, make a failure forgotten.
    await askToPublish(gate, 'live', `dog?token=${gate.token()}x`);
    const refused = await askToPublish(gate, 'live', `dog?token=${gate.token()}`);
    expect(refused.peer.lastDescription).toMatch('limit-rate');
  });

  it.each([
    ['the law', {}, () => 'cam?token=x'],
    ['the origin at connect', { refuseConnect: 'NetConnection.Connect.Rejected' }, undefined],
    ['the origin at publish', { refuseStream: 'NetStream.Publish.BadName' }, undefined],
  ])('RTMP-23 sends no Publish.Start before %s has refused', async (_who, origin, name) => {
    const gate = makeGate({ origin });
    const { peer } = await askToPublish(gate, 'live', name?.() ?? `cam?token=${gate.token()}`);
    await pass(gate, 4000, 250);
    expect(peer.codes).toEqual(['NetConnection.Connect.Success', expect.not.stringMatching(/Start/)]);
    // Nor a Stream Begin, which some clients take for a yes.
    expect(peer.messages.filter(({ type }) => type === MESSAGE.userControl)).toEqual([]);
    expect(peer.closed).toBe(true);
  });

  it('RTMP-24 closes after the status, so that OBS does not freeze', async () => {
    const gate = makeGate();
    const { peer, gateSide } = await askToPublish(gate, 'live', 'cam');
    expect(peer.codes.at(-1)).toBe('NetStream.Publish.BadName');
    expect([peer.closed, gateSide.ending, gate.open]).toEqual([true, 'end', 0]);
  });

  it('RTMP-25 closes after BadName, also where the name is only busy', async () => {
    const gate = makeGate();
    await askToPublish(gate, 'live', `cam?token=${gate.token()}`);
    const { peer, gateSide } = await askToPublish(gate, 'live', `cam?token=${gate.token()}`);
    expect(peer.codes.at(-1)).toBe('NetStream.Publish.BadName');
    expect([peer.closed, gateSide.ending]).toEqual([true, 'end']);
  });

  it('RTMP-26 flushes a refusal and ends with FIN, never with a reset, while the client still sends', async () => {
    const gate = makeGate();
    const { codes, error } = await converse(gate, publishBlindly('cam?token=x'));
    expect(error).toBeUndefined();
    expect(codes).toEqual(['NetConnection.Connect.Success', 'NetStream.Publish.BadName']);
  });

  it('RTMP-26 flushes the refusal of a connect likewise', async () => {
    const gate = makeGate();
    gate.isDraining = true;
    const { codes, error } = await converse(gate, publishBlindly('cam'));
    expect(error).toBeUndefined();
    expect(codes).toEqual(['NetConnection.Connect.AppShutdown']);
  });

  it('RTMP-27 logs one line a decision with a stable code, and no token', async () => {
    const gate = makeGate();
    const expected: string[] = [];
    for (const [code, token] of [
      ['token-expired', gate.token({ ttlS: 1 })],
      ['role-denied', gate.token({ roles: ['red5-subscriber'] })],
      ['transport-denied', gate.token({ transports: ['WHIP'] })],
      ['room-denied', gate.token({ rooms: ['lobby'] })],
      ['token-malformed', gate.token().slice(0, -60)],
      ['token-signature', `${gate.token().slice(0, -8)}AAAAAAAA`],
    ] as const) {
      if (code === 'token-expired') gate.clock.advance(1000);
      const { peer } = await askToPublish(gate, 'live/room1', `cam?token=${token}`);
      expect(peer.lastDescription).toMatch(new RegExp(`^${code}: `));
      for (const part of token.split('.')) expect(rawTelemetry(gate)).not.toContain(part);
      expected.push(code);
    }
    const lines = logLines(gate).map((line) => JSON.parse(line) as Record<string, unknown>);
    const refusals = lines.filter(({ event, outcome }) => event === 'decision' && outcome === 'no');
    expect(refusals.map(({ code }) => code)).toEqual(expected);
    expect(refusals.every(({ session, path, detail }) => [session, path, detail].every(Boolean))).toBe(true);
    expect(gate.origins).toHaveLength(0);
  });

  it('RTMP-27 says the same of a refused viewer', async () => {
    const gate = makeGate({ origin: { refuseStream: 'NetStream.Play.StreamNotFound' } });
    const { peer } = await askToPlay(gate, 'live', `cam?token=${gate.token({ roles: ['red5-publisher'] })}`);
    expect(peer.lastDescription).toContain('role-denied');
    const late = await askToPlay(gate, 'live', `cam?token=${gate.token()}`);
    expect(late.peer.lastDescription).toBe('origin-refused: the origin refused the stream');
    expect(lastOrigin(gate).peer.closed).toBe(true);
    const refused = gate.lines.find(({ fields }) => fields['note'] === 'refused');
    expect(refused?.fields).toMatchObject({ code: 'origin-refused', path: 'live/cam', origin: 'origin' });
  });
});
