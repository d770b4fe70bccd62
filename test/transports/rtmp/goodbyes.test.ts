import { describe, expect, it } from '@jest/globals';
import type { EndReason } from '../../../src/model/leg.js';
import { fieldsOf } from '../../../src/transports/rtmp/wire/amf-value.js';
import { MESSAGE } from '../../../src/transports/rtmp/wire/message.js';
import { makeGate, quiet, type Gate } from '../../fakes/gate.js';
import { askToPlay, askToPublish, chunk, lastOrigin, pass, video, type Visitor } from './scenes.js';

/** How a stream that runs comes to its end, but for the client's own wish. */
const ENDS: readonly (readonly [EndReason, (gate: Gate) => void | Promise<void>])[] = [
  ['kicked', (gate) => gate.door.endAll('kicked')],
  ['draining', (gate) => gate.door.endAll('draining')],
  ['expired', (gate) => pass(gate, 10_500, 500)],
  ['media-idle', (gate) => pass(gate, 6000, 500)],
  ['origin-closed', (gate) => gate.origins[0]?.peer.stream.destroy()],
  ['origin-error', (gate) => gate.originSides[0]?.fail(new Error('read ECONNRESET'))],
];

async function running(action: 'publish' | 'play', reason: EndReason): Promise<{ gate: Gate; visitor: Visitor }> {
  const gate = makeGate({ idleTimeoutMs: reason === 'media-idle' ? 5000 : 60_000, door: { onExpiry: 'close' } });
  const ask = action === 'publish' ? askToPublish : askToPlay;
  const visitor = await ask(gate, 'live', `cam?token=${gate.token({ ttlS: 10 })}`);
  lastOrigin(gate).peer.send(video(0));
  await quiet();
  return { gate, visitor };
}

describe.each(ENDS)('a stream that ends with %s', (reason, end) => {
  it('tells its publisher so, as an error of the stream, and closes', async () => {
    const { gate, visitor } = await running('publish', reason);
    await end(gate);
    await quiet();
    const status = visitor.peer.commands.at(-1);
    const info = fieldsOf(status?.args[0]);
    expect(status?.name).toBe('onStatus');
    expect([info.get('level'), info.get('code')]).toEqual(
      reason === 'draining' ? ['status', 'NetConnection.Connect.AppShutdown'] : ['error', 'NetStream.Failed'],
    );
    if (reason !== 'draining') expect(info.get('description')).toBe(`${reason}: the stream has ended`);
    expect([visitor.peer.closed, visitor.gateSide.ending, gate.open]).toEqual([true, 'end', 0]);
    expect(gate.ends()).toMatchObject([{ reason }]);
  });

  it('tells its viewer so, as the end of what is played, and closes', async () => {
    const { gate, visitor } = await running('play', reason);
    await end(gate);
    await quiet();
    const { codes, messages, closed } = visitor.peer;
    if (reason === 'draining') {
      expect(codes.at(-1)).toBe('NetConnection.Connect.AppShutdown');
    } else {
      expect(codes.slice(-2)).toEqual(['NetStream.Play.UnpublishNotify', 'NetStream.Play.Stop']);
      const eof = messages.filter(({ type, payload }) => type === MESSAGE.userControl && payload.readUInt16BE() === 1);
      expect(eof.map(({ payload }) => payload.readUInt32BE(2))).toEqual([1]);
    }
    expect([closed, gate.open]).toEqual([true, 0]);
    expect(gate.ends()).toMatchObject([{ reason }]);
  });

  it.each(['publish', 'play'] as const)('says goodbye to the origin of a %s, once', async (action) => {
    const { gate } = await running(action, reason);
    await end(gate);
    await quiet();
    const said = gate.origins[0]?.names().filter((name) => name === 'FCUnpublish' || name === 'deleteStream');
    const own = action === 'publish' ? ['FCUnpublish', 'deleteStream'] : ['deleteStream'];
    expect(said).toEqual(reason.startsWith('origin-') ? [] : own);
    await pass(gate, 1000);
    expect(gate.originSides[0]?.closed).toBe(true);
  });

  it('writes nothing into the middle of a chunk that a viewer has half of', async () => {
    const { gate, visitor } = await running('play', reason);
    lastOrigin(gate).peer.stream.write(chunk(0, 6, { time: 40, length: 3000, payload: Buffer.alloc(50, 0x17) }));
    await quiet();
    const before = visitor.peer.received.length;
    await end(gate);
    await quiet();
    expect(visitor.peer.error).toBeUndefined();
    expect(visitor.peer.received).toHaveLength(before);
    expect(visitor.peer.closed).toBe(true);
  });

  it('sends an origin that has half a message nothing that could be taken for its rest', async () => {
    const { gate, visitor } = await running('publish', reason);
    visitor.stream.write(chunk(0, 6, { time: 40, length: 3000, payload: Buffer.alloc(50, 0x17) }));
    await quiet();
    const before = lastOrigin(gate).peer.received.length;
    await end(gate);
    await quiet();
    expect(lastOrigin(gate).peer.received).toHaveLength(before);
    await pass(gate, 1000);
    expect(gate.originSides[0]?.closed).toBe(true);
  });
});
