import { describe, expect, it } from '@jest/globals';
import { amfObject, fieldsOf, type AmfValue } from '../../../../src/transports/rtmp/wire/amf-value.js';
import { writeAmf0 } from '../../../../src/transports/rtmp/wire/amf0.js';
import { writeCommand } from '../../../../src/transports/rtmp/wire/command.js';
import { MESSAGE } from '../../../../src/transports/rtmp/wire/message.js';
import { makeGate, quiet } from '../../../fakes/gate.js';
import { lastOrigin, publishing, video, viewing, visit } from '../scenes.js';

describe('AMF and Enhanced RTMP', () => {
  it('RTMP-53 takes a connect with a strict array, and every other marker of AMF0, and reads on behind it', async () => {
    const gate = makeGate();
    const { peer } = await visit(gate);
    const everything: Record<string, AmfValue> = {
      fourCcList: { kind: 'strict-array', items: ['av01', 'hvc1', 'vp09'] },
      number: 1,
      flag: true,
      nothing: null,
      undefined: undefined,
      nested: amfObject({ deep: amfObject({ a: 'b' }) }),
      ecma: { kind: 'ecma-array', fields: new Map([['x', 1]]) },
      date: { kind: 'date', milliseconds: 1e12, zone: 0 },
      xml: { kind: 'xml', text: '<a/>' },
      long: 'x'.repeat(10_000),
      capsEx: 3,
    };
    peer.connect(`live?token=${gate.token()}`, everything);
    await quiet();
    expect(peer.codes).toEqual(['NetConnection.Connect.Success']);
    const told = fieldsOf(lastOrigin(gate).connect.object);
    expect(told.get('fourCcList')).toEqual(everything['fourCcList']);
    // Nothing of the rest goes on.
    expect([...told.keys()].filter((name) => Object.hasOwn(everything, name))).toEqual(['fourCcList', 'capsEx']);
  });

  const strangeData: readonly (readonly [name: string, type: number, payload: Buffer])[] = [
    [
      'RTMP-54 relays metadata in which an end marker stands where a value is due',
      MESSAGE.dataAmf0,
      Buffer.concat([writeAmf0('@setDataFrame', 'onMetaData'), Buffer.from([8, 0, 0, 0, 1, 0, 1, 0x61, 9, 0, 0, 9])]),
    ],
    [
      'RTMP-55 relays data of an extra audio track, and data it has never heard of',
      MESSAGE.dataAmf0,
      writeAmf0('@setDataFrame', 'onMetaData', amfObject({ audioTrackIdInfoMap: amfObject({ 1: amfObject({}) }) })),
    ],
    ['RTMP-55 relays data that is no AMF at all', MESSAGE.dataAmf0, Buffer.from([0xff, 0xfe, 0, 1, 2])],
    [
      'RTMP-56 relays a video tag with bit 7 set by accident',
      MESSAGE.video,
      Buffer.from([0xff, 0x01, 0x20, 0x30, 0x40]),
    ],
    ['RTMP-56 relays an empty video tag', MESSAGE.video, Buffer.alloc(0)],
    [
      'RTMP-57 relays @setDataFrame as type 15',
      MESSAGE.dataAmf3,
      Buffer.concat([Buffer.from([0]), writeAmf0('@setDataFrame', 'onMetaData', amfObject({ width: 1 }))]),
    ],
  ];
  it.each(strangeData)('%s', async (_name, type, payload) => {
    const gate = makeGate();
    const publisher = await publishing(gate);
    const viewer = await viewing(gate);
    const message = { type, chunkStreamId: 4, streamId: 1, timestamp: 40, payload };
    publisher.peer.send(message);
    viewer.origin.peer.send(message);
    publisher.peer.send(video(80));
    await quiet();
    for (const end of [publisher.origin.peer, viewer.peer]) {
      expect(end.messages.filter((one) => one.type === type && one.timestamp === 40)).toMatchObject([{ payload }]);
    }
    expect([publisher.peer.closed, viewer.peer.closed]).toEqual([false, false]);
  });

  it.each([
    ['AMF0 behind a zero byte', (body: Buffer) => Buffer.concat([Buffer.from([0]), body])],
    ['plain AMF0, as some write it', (body: Buffer) => body],
  ])('RTMP-57 reads commands of type 17 in %s, so that no second stream hides there', async (_form, wrap) => {
    const gate = makeGate();
    const { peer, origin } = await publishing(gate);
    const before = origin.names();
    for (const body of [
      writeCommand('publish', 9, null, 'other', 'live'),
      writeCommand('play', 9, null, 'other'),
      writeCommand('releaseStream', 9, null, 'other'),
      writeCommand('anything', 9, null, 'other'),
    ]) {
      peer.send({ type: MESSAGE.commandAmf3, streamId: 1, payload: wrap(body) });
    }
    peer.send(video(40));
    await quiet();
    expect(origin.names()).toEqual(before);
    expect(origin.peer.received.includes('other')).toBe(false);
    expect(origin.peer.media).toHaveLength(1);
  });

  it('RTMP-57 lets a client publish with commands of type 17 from the start', async () => {
    const gate = makeGate();
    const { peer } = await visit(gate);
    const send = (streamId: number, ...command: Parameters<typeof writeCommand>): void => {
      const payload = Buffer.concat([Buffer.from([0]), writeCommand(...command)]);
      peer.send({ type: MESSAGE.commandAmf3, streamId, payload });
    };
    peer.connect('live', { objectEncoding: 3 });
    await quiet();
    send(0, 'createStream', 2, null);
    send(1, 'publish', 3, null, `cam?token=${gate.token()}`, 'live');
    await quiet();
    expect(peer.codes.at(-1)).toBe('NetStream.Publish.Start');
    expect(fieldsOf(peer.commands[0]?.args[0]).get('objectEncoding')).toBe(3);
  });
});
