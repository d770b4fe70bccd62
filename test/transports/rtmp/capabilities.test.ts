import { describe, expect, it } from '@jest/globals';
import { amfObject, fieldsOf, type AmfValue } from '../../../src/transports/rtmp/wire/amf-value.js';
import { makeGate, quiet, type Gate } from '../../fakes/gate.js';
import type { RtmpPeer } from '../../fakes/rtmp-peer.js';
import { askToPublish, pass, visit, type Visitor } from './scenes.js';

const ENHANCED = { capsEx: 2, fourCcList: { kind: 'strict-array', items: ['hvc1'] } } as const;
const ORIGIN_SAYS = { capsEx: 4, fourCcList: { kind: 'strict-array', items: ['av01'] } } as const;

/** Connects with Enhanced RTMP fields, and a token unless it is to come later. */
async function connect(gate: Gate, query = `?token=${gate.token()}`): Promise<Visitor> {
  const visitor = await visit(gate);
  visitor.peer.connect(`live${query}`, ENHANCED);
  await quiet();
  return visitor;
}

/** What the answer to connect says of Enhanced RTMP; undefined when there is none yet. */
function told(peer: RtmpPeer): AmfValue {
  const answer = peer.commands.find(({ name }) => name === '_result');
  return answer === undefined ? undefined : (fieldsOf(answer.args[0]).get('capsEx') ?? null);
}

describe('what a client is told of its origin’s Enhanced RTMP', () => {
  it('is asked once and remembered for five minutes', async () => {
    const gate = makeGate({ origin: { connectInfo: ORIGIN_SAYS } });
    for (let client = 0; client < 3; client++) expect(told((await connect(gate)).peer)).toBe(4);
    expect(gate.origins).toHaveLength(1);
    expect(gate.originSides[0]?.closed).toBe(true);
    await pass(gate, 301_000);
    expect(told((await connect(gate)).peer)).toBe(4);
    expect(gate.origins).toHaveLength(2);
  });

  it('is asked by nobody whose token is to come, who is told what is known', async () => {
    const gate = makeGate({ origin: { connectInfo: ORIGIN_SAYS } });
    expect(told((await connect(gate, '')).peer)).toBeNull();
    expect(gate.origins).toHaveLength(0);
    const first = await askToPublish(gate, 'live', `cam?token=${gate.token()}`);
    expect(first.peer.codes.at(-1)).toBe('NetStream.Publish.Start');
    expect(told((await connect(gate, '')).peer)).toBe(4);
    expect(gate.origins).toHaveLength(1);
  });

  it('does not depend on the client that asked first: it may leave', async () => {
    const gate = makeGate({ origin: { connectInfo: ORIGIN_SAYS, silentTo: ['connect'] } });
    const first = await connect(gate);
    const second = await connect(gate);
    expect([told(first.peer), told(second.peer)]).toEqual([undefined, undefined]);
    first.stream.destroy();
    await quiet();
    gate.origins[0]?.peer.command('_result', 1, null, amfObject(ORIGIN_SAYS));
    await quiet();
    expect(told(second.peer)).toBe(4);
    expect(told((await connect(gate)).peer)).toBe(4);
    expect(gate.origins).toHaveLength(1);
  });

  it.each([
    ['does not answer', { silentTo: ['connect'] }, false],
    ['does not shake hands', { silentTo: ['handshake'] }, false],
    ['refuses', { refuseConnect: 'No' }, false],
    ['is down', {}, true],
  ])('is nothing when the origin %s, which is remembered for some seconds', async (_what, origin, unreachable) => {
    const gate = makeGate({ origin, unreachable });
    const { peer } = await connect(gate);
    await pass(gate, 1000);
    expect(told(peer)).toBeNull();
    expect(gate.originSides.every((side) => side.closed)).toBe(true);
    const dialled = gate.origins.length;
    expect(told((await connect(gate)).peer)).toBeNull();
    expect(gate.origins).toHaveLength(dialled);
    gate.behaviour = { connectInfo: ORIGIN_SAYS };
    gate.isUnreachable = false;
    await pass(gate, 10_000);
    expect(told((await connect(gate)).peer)).toBe(4);
  });

  it('is nothing, at no cost, for a client that says nothing of it', async () => {
    const gate = makeGate({ origin: { connectInfo: ORIGIN_SAYS } });
    const { peer } = await visit(gate);
    peer.connect(`live?token=${gate.token()}`);
    await quiet();
    expect(told(peer)).toBeNull();
    expect(gate.origins).toHaveLength(0);
  });
});
