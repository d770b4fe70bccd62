import { describe, expect, it } from '@jest/globals';
import { amfObject, fieldsOf } from '../../../src/transports/rtmp/wire/amf-value.js';
import { controlMessage } from '../../../src/transports/rtmp/wire/control.js';
import { MESSAGE } from '../../../src/transports/rtmp/wire/message.js';
import { settle } from '../../fakes/byte-stream.js';
import { makeGate, quiet } from '../../fakes/gate.js';

const video = (timestamp: number, size = 300, fill = 7) => ({
  type: MESSAGE.video,
  chunkStreamId: 6,
  streamId: 1,
  timestamp,
  payload: Buffer.alloc(size, fill),
});

describe('publishing', () => {
  it('says yes only after the law and the origin have', async () => {
    const gate = makeGate({ origin: { silentTo: ['publish'] } });
    const { peer } = gate.client();
    await settle();
    await peer.publish('live', `cam?token=${gate.token()}`);
    await quiet();
    expect(gate.origins[0]?.names()).toContain('publish');
    expect(peer.codes).toEqual(['NetConnection.Connect.Success']);
    gate.origins[0]?.status('NetStream.Publish.Start');
    await quiet();
    expect(peer.codes).toEqual(['NetConnection.Connect.Success', 'NetStream.Publish.Start']);
  });

  it('touches no origin before the verdict', async () => {
    const gate = makeGate();
    const { peer } = gate.client();
    await settle();
    await peer.publish('live', 'cam?token=abc');
    await quiet();
    expect(gate.origins).toHaveLength(0);
    expect(peer.codes.at(-1)).toBe('NetStream.Publish.BadName');
    expect(peer.lastDescription).toBe('token-malformed: the token is malformed');
    expect(peer.closed).toBe(true);
  });

  it('relays media as it came, and only of the own stream', async () => {
    const gate = makeGate();
    const { peer } = gate.client();
    await settle();
    await peer.publish('live', `cam?token=${gate.token()}`);
    await quiet();
    peer.setChunkSize(4096);
    peer.send(video(0, 9000));
    peer.send({ ...video(5), streamId: 2 });
    peer.send({ type: MESSAGE.audio, chunkStreamId: 4, streamId: 1, timestamp: 10, payload: Buffer.alloc(80, 3) });
    peer.send(video(40));
    await quiet();
    expect(gate.origins[0]?.peer.media.map(({ timestamp, payload }) => [timestamp, payload.length])).toEqual([
      [0, 9000],
      [10, 80],
      [40, 300],
    ]);
  });

  it('hands the origin nothing of the client but the stream it may reach', async () => {
    const gate = makeGate();
    const { peer } = gate.client();
    await settle();
    await peer.publish('live/room1', `cam?token=${gate.token()}&nameAlias=other`);
    await quiet();
    const origin = gate.origins[0]!;
    expect(origin.app).toBe('live/room1');
    expect(fieldsOf(origin.connect.object).get('tcUrl')).toBe('rtmp://origin.example:1935/live/room1');
    expect(origin.named('publish').args).toEqual(['cam', 'live']);
    expect(origin.named('releaseStream').args).toEqual(['cam']);
  });

  it('frees the name and tells the origin when the client is gone', async () => {
    const gate = makeGate();
    const first = gate.client();
    await settle();
    await first.peer.publish('live', `cam?token=${gate.token()}`);
    await quiet();
    first.stream.destroy();
    await quiet();
    expect(gate.origins[0]?.names().slice(-2)).toEqual(['FCUnpublish', 'deleteStream']);
    expect(gate.origins[0]?.peer.closed).toBe(true);
    const second = gate.client();
    await settle();
    await second.peer.publish('live', `cam?token=${gate.token()}`);
    await quiet();
    expect(second.peer.codes.at(-1)).toBe('NetStream.Publish.Start');
  });

  it('lets a client that ended its stream by command publish again after a new decision', async () => {
    const gate = makeGate();
    const { peer } = gate.client();
    await settle();
    const token = gate.token();
    await peer.publish('live', `cam?token=${token}`);
    await quiet();
    peer.send(video(0));
    peer.command('FCUnpublish', 6, null, 'cam');
    peer.command('deleteStream', 7, null, 1);
    peer.command('createStream', 8, null);
    await quiet();
    peer.commandOn(2, 'publish', 9, null, `cam?token=${token}`, 'live');
    await quiet();
    peer.send({ ...video(90), streamId: 2 });
    await quiet();
    expect(gate.origins).toHaveLength(2);
    expect(gate.origins[1]?.peer.media.map(({ timestamp }) => timestamp)).toEqual([90]);
    expect(gate.decisions().filter((line) => line['action'] === 'publish')).toHaveLength(2);
    expect(gate.ends().map((line) => line['reason'])).toEqual(['client-finished']);
    gate.clock.advance(61_000);
  });

  it('refuses a second publish after the token has expired meanwhile', async () => {
    const gate = makeGate();
    const { peer } = gate.client();
    await settle();
    const token = gate.token({ ttlS: 10 });
    await peer.publish('live', `cam?token=${token}`);
    await quiet();
    peer.command('deleteStream', 7, null, 1);
    await quiet();
    gate.clock.advance(11_000);
    peer.commandOn(1, 'publish', 9, null, `cam?token=${token}`, 'live');
    await quiet();
    expect(peer.lastDescription).toContain('token-expired');
  });

  it('goes on with what the client sent right behind publish', async () => {
    const gate = makeGate();
    const { peer } = gate.client();
    await settle();
    peer.connect('live');
    await settle();
    peer.command('createStream', 2, null);
    peer.commandOn(1, 'publish', 3, null, `cam?token=${gate.token()}`, 'live');
    peer.send(video(1, 1000));
    peer.send(video(2, 1000));
    await quiet();
    expect(gate.origins[0]?.peer.media.map(({ timestamp }) => timestamp)).toEqual([1, 2]);
  });

  it('does not let a client make the origin record unless the config allows it', async () => {
    for (const [allowRecord, expected] of [
      [false, 'live'],
      [true, 'record'],
    ] as const) {
      const gate = makeGate({ rtmp: { allowRecord } });
      const { peer } = gate.client();
      await settle();
      await peer.publish('live', `cam?token=${gate.token()}`, 'record');
      await quiet();
      expect(gate.origins[0]?.named('publish').args[1]).toBe(expected);
    }
  });
});

describe('playing', () => {
  it('relays the origin’s media to the viewer at the origin’s chunk size', async () => {
    const gate = makeGate({ origin: { chunkSize: 60_000 } });
    const { peer } = gate.client();
    await settle();
    await peer.play('live', `cam?token=${gate.token()}`);
    await quiet();
    expect(peer.codes).toEqual(['NetConnection.Connect.Success', 'NetStream.Play.Reset', 'NetStream.Play.Start']);
    gate.origins[0]?.peer.send(video(0, 50_000));
    gate.origins[0]?.peer.send(video(40, 100));
    await quiet();
    expect(peer.media.map(({ timestamp, payload }) => [timestamp, payload.length])).toEqual([
      [0, 50_000],
      [40, 100],
    ]);
  });

  it('gives the stream the id the client knows, whatever the origin calls it', async () => {
    const gate = makeGate({ origin: { streamId: 9 } });
    const { peer } = gate.client();
    await settle();
    await peer.play('live', `cam?token=${gate.token()}`);
    await quiet();
    gate.origins[0]?.peer.send({ ...video(0), streamId: 9 });
    // node-media-server puts media of stream 1 on stream 0.
    gate.origins[0]?.peer.send({ ...video(1), streamId: 0 });
    await quiet();
    expect(peer.media.map(({ timestamp, streamId }) => [timestamp, streamId])).toEqual([
      [0, 1],
      [1, 1],
    ]);
  });

  it('passes pause and buffer length on, and the answer back', async () => {
    const gate = makeGate();
    const { peer } = gate.client();
    await settle();
    await peer.play('live', `cam?token=${gate.token()}`);
    await quiet();
    peer.commandOn(1, 'pause', 7, null, true, 0);
    await quiet();
    expect(gate.origins[0]?.named('pause').args).toEqual([true, 0]);
    gate.origins[0]?.status('NetStream.Pause.Notify');
    await quiet();
    expect(peer.codes.at(-1)).toBe('NetStream.Pause.Notify');
  });

  it('tells the viewer when the origin goes, and closes', async () => {
    const gate = makeGate();
    const { peer } = gate.client();
    await settle();
    await peer.play('live', `cam?token=${gate.token()}`);
    await quiet();
    gate.origins[0]?.peer.stream.destroy();
    await quiet();
    expect(peer.codes.slice(-2)).toEqual(['NetStream.Play.UnpublishNotify', 'NetStream.Play.Stop']);
    expect(peer.closed).toBe(true);
    expect(gate.ends().at(-1)?.['reason']).toBe('origin-closed');
  });

  it('keeps an origin from sending the viewer elsewhere', async () => {
    const gate = makeGate();
    const { peer } = gate.client();
    await settle();
    await peer.play('live', `cam?token=${gate.token()}`);
    await quiet();
    const info = amfObject({ code: 'NetConnection.Connect.ReconnectRequest', tcUrl: 'rtmp://10.0.0.5/live' });
    gate.origins[0]?.peer.command('onStatus', 0, null, info);
    gate.origins[0]?.peer.commandOn(1, 'onStatus', 0, null, info);
    gate.origins[0]?.peer.command('close', 0, null);
    await quiet();
    expect(peer.codes.at(-1)).toBe('NetStream.Play.Start');
    expect(peer.closed).toBe(false);
  });
});

describe('connect', () => {
  it('refuses a bad token at connect, with the reason where ffmpeg prints it, and closes', async () => {
    const gate = makeGate();
    const { peer } = gate.client();
    await settle();
    peer.connect(`live?token=${gate.token({ ttlS: 7200 })}`);
    await quiet();
    expect(peer.codes).toEqual(['NetConnection.Connect.Rejected']);
    expect(peer.lastDescription).toBe('token-ttl-exceeded: the token lives too long');
    expect(peer.closed).toBe(true);
  });

  it('tells a client of a draining gateway that the app shuts down', async () => {
    const gate = makeGate();
    gate.isDraining = true;
    const { peer } = gate.client();
    await settle();
    peer.connect(`live?token=${gate.token()}`);
    await quiet();
    expect(peer.codes).toEqual(['NetConnection.Connect.AppShutdown']);
  });

  it('takes the token from the arguments of connect', async () => {
    const gate = makeGate();
    const { peer } = gate.client();
    await settle();
    peer.connect('live', {}, 'jwt', 'jwt', gate.token());
    await settle();
    peer.command('createStream', 2, null);
    await settle();
    peer.commandOn(1, 'publish', 3, null, 'cam', 'live');
    await quiet();
    expect(peer.codes.at(-1)).toBe('NetStream.Publish.Start');
    expect(gate.decisions().at(-1)).toMatchObject({ carrier: 'amf-arguments', path: 'live/cam', outcome: 'yes' });
  });

  it('refuses two different tokens', async () => {
    const gate = makeGate();
    const { peer } = gate.client();
    await settle();
    peer.connect(`live?token=${gate.token()}`);
    await settle();
    peer.command('createStream', 2, null);
    await settle();
    peer.commandOn(1, 'publish', 3, null, `cam?token=${gate.token({ subject: 'other' })}`, 'live');
    await quiet();
    expect(peer.lastDescription).toContain('token-conflict');
    expect(gate.origins).toHaveLength(0);
  });

  it('tells an Enhanced RTMP client what its origin can do, without the reconnect bit', async () => {
    const gate = makeGate({
      origin: { connectInfo: { CapsEx: 15, fourCcList: { kind: 'strict-array', items: ['*'] } } },
    });
    const { peer } = gate.client();
    await settle();
    peer.connect(`live?token=${gate.token()}`, { fourCcList: { kind: 'strict-array', items: ['hvc1'] }, capsEx: 3 });
    await quiet();
    const info = fieldsOf(peer.commands[0]?.args[0]);
    expect(info.get('capsEx')).toBe(14);
    expect(info.get('fourCcList')).toEqual({ kind: 'strict-array', items: ['*'] });
    expect(fieldsOf(gate.origins[0]?.connect.object).get('capsEx')).toBe(2);
  });

  it('asks no origin for a client whose token is still to come', async () => {
    const gate = makeGate();
    const { peer } = gate.client();
    await settle();
    peer.connect('live', { capsEx: 3 });
    await quiet();
    expect(peer.codes).toEqual(['NetConnection.Connect.Success']);
    expect(gate.origins).toHaveLength(0);
  });
});

describe('limits before the decision', () => {
  it('closes a client that never speaks', async () => {
    const gate = makeGate();
    const { stream } = gate.client();
    await quiet();
    gate.clock.advance(5001);
    await quiet();
    expect(stream.closed).toBe(true);
  });

  it('closes a client that connects without a token and then waits', async () => {
    const gate = makeGate();
    const { peer } = gate.client();
    await settle();
    peer.connect('live');
    await quiet();
    gate.clock.advance(5001);
    await quiet();
    expect(peer.closed).toBe(true);
  });

  it('closes a client that sends more than it may before the decision', async () => {
    const gate = makeGate();
    const { peer } = gate.client();
    await settle();
    peer.connect('live');
    await quiet();
    peer.writeChunkSize = 128;
    peer.send(video(0, 70_000));
    await quiet();
    expect(peer.closed).toBe(true);
    expect(gate.lines.some(({ fields }) => fields['error'] === 'too-much-before-decision')).toBe(true);
  });

  it.each([
    ['HTTP', Buffer.from('POST /open/1 HTTP/1.1\r\n\r\n')],
    ['TLS', Buffer.from([0x16, 3, 1, 0, 200])],
    ['RTMPE', Buffer.from([6, 0, 0, 0])],
  ])('closes %s bytes without a word and counts them', async (_name, bytes) => {
    const gate = makeGate();
    const { stream, gateSide } = gate.raw();
    stream.handle({ onBytes: () => undefined, onClose: () => undefined });
    stream.write(bytes);
    await quiet();
    expect(gateSide.written).toHaveLength(0);
    expect(stream.closed).toBe(true);
    expect([...gate.counts.keys()].some((key) => key.includes('not-rtmp'))).toBe(true);
  });

  it('closes a client whose first command is not connect', async () => {
    const gate = makeGate();
    const { peer } = gate.client();
    await settle();
    peer.command('createStream', 1, null);
    await quiet();
    expect(peer.closed).toBe(true);
    expect(peer.commands).toHaveLength(0);
  });
});

describe('an origin that waits', () => {
  it('is acknowledged at once when it names its window, or nginx-rtmp would hold its answer back for 40 ms', async () => {
    const gate = makeGate({ origin: { silentTo: ['connect'] } });
    const { peer } = gate.client();
    await settle();
    await peer.publish('live', `cam?token=${gate.token()}`);
    await quiet();
    const origin = gate.origins[0]!.peer;
    expect(origin.messages.some(({ type }) => type === MESSAGE.acknowledgement)).toBe(false);
    origin.send(controlMessage(MESSAGE.windowAckSize, 5_000_000));
    await quiet();
    expect(origin.messages.at(-1)?.type).toBe(MESSAGE.acknowledgement);
  });
});

describe('an origin that does not help', () => {
  it.each([
    ['is down', {}, true, 'origin-unavailable', 'NetStream.Failed'],
    [
      'refuses connect',
      { refuseConnect: 'NetConnection.Connect.Rejected' },
      false,
      'origin-refused',
      'NetStream.Failed',
    ],
    [
      'has the name in use',
      { refuseStream: 'NetStream.Publish.BadName' },
      false,
      'stream-busy',
      'NetStream.Publish.BadName',
    ],
    ['refuses publish', { refuseStream: 'NetStream.Failed' }, false, 'origin-refused', 'NetStream.Failed'],
  ] as const)('%s', async (_name, behaviour, unreachable, code, word) => {
    const gate = makeGate({ origin: behaviour, unreachable });
    const { peer } = gate.client();
    await settle();
    await peer.publish('live', `cam?token=${gate.token()}`);
    await quiet();
    expect(peer.codes.at(-1)).toBe(word);
    expect(peer.lastDescription).toContain(code);
    expect(peer.closed).toBe(true);
  });

  it.each([
    ['not allowed to publish', 'origin-refused'],
    ['cam', 'stream-busy'],
    ['stream-denied', 'stream-busy'],
  ])('says BadName with the description %j', async (refuseDescription, code) => {
    const gate = makeGate({ origin: { refuseStream: 'NetStream.Publish.BadName', refuseDescription } });
    const { peer } = gate.client();
    await settle();
    await peer.publish('live', `${refuseDescription.includes(' ') ? 'cam' : refuseDescription}?token=${gate.token()}`);
    await quiet();
    expect(peer.lastDescription).toContain(code);
  });

  it('hangs: the client is told after the dial deadline', async () => {
    const gate = makeGate({ origin: { silentTo: ['connect'] } });
    const { peer } = gate.client();
    await settle();
    await peer.publish('live', `cam?token=${gate.token()}`);
    await quiet();
    gate.clock.advance(5001);
    await quiet();
    expect(peer.lastDescription).toContain('origin-unavailable');
    expect(gate.origins[0]?.peer.closed).toBe(true);
  });

  it('closes in mid-stream: the publisher is closed at once', async () => {
    const gate = makeGate();
    const { peer } = gate.client();
    await settle();
    await peer.publish('live', `cam?token=${gate.token()}`);
    await quiet();
    gate.origins[0]?.peer.stream.destroy();
    await quiet();
    expect(peer.closed).toBe(true);
    expect(gate.ends().at(-1)?.['reason']).toBe('origin-closed');
  });
});
