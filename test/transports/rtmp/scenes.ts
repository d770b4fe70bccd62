import { inspect } from 'node:util';
import type { LogEvent } from '../../../src/model/telemetry.js';
import { createLog } from '../../../src/telemetry/log.js';
import { amfObject } from '../../../src/transports/rtmp/wire/amf-value.js';
import { writeAmf0 } from '../../../src/transports/rtmp/wire/amf0.js';
import { MESSAGE, type Message } from '../../../src/transports/rtmp/wire/message.js';
import { settle, type FakeByteStream, type PairOptions } from '../../fakes/byte-stream.js';
import { quiet, type Gate } from '../../fakes/gate.js';
import type { OriginDouble } from '../../fakes/rtmp-origin.js';
import type { RtmpPeer } from '../../fakes/rtmp-peer.js';
import { u24, u32, u32le, basic } from './wire/reference.js';

/** A client that has shaken hands. */
export interface Visitor {
  readonly peer: RtmpPeer;
  readonly stream: FakeByteStream;
  readonly gateSide: FakeByteStream;
}

/** A client whose stream runs, and the origin's side of it. */
export interface Guest extends Visitor {
  readonly origin: OriginDouble;
}

/** Lets a client in as far as the handshake. */
export async function visit(gate: Gate, options: PairOptions = {}): Promise<Visitor> {
  const visitor = gate.client(options);
  await quiet();
  return visitor;
}

/** Asks to publish and waits for whatever comes of it. `name` is the stream name with its query. */
export async function askToPublish(gate: Gate, app: string, name: string, options?: PairOptions): Promise<Visitor> {
  const visitor = await visit(gate, options);
  await visitor.peer.publish(app, name);
  await quiet();
  return visitor;
}

/** Asks to play and waits for whatever comes of it. */
export async function askToPlay(gate: Gate, app: string, name: string, options?: PairOptions): Promise<Visitor> {
  const visitor = await visit(gate, options);
  await visitor.peer.play(app, name);
  await quiet();
  return visitor;
}

/** A publisher of `live/cam` that is let in. */
export async function publishing(gate: Gate, name = 'cam', options?: PairOptions): Promise<Guest> {
  const visitor = await askToPublish(gate, 'live', `${name}?token=${gate.token()}`, options);
  return { ...visitor, origin: lastOrigin(gate) };
}

/** A viewer of `live/cam` that is let in. */
export async function viewing(gate: Gate, name = 'cam', options?: PairOptions): Promise<Guest> {
  const visitor = await askToPlay(gate, 'live', `${name}?token=${gate.token()}`, options);
  return { ...visitor, origin: lastOrigin(gate) };
}

/** The origin that was dialled last. */
export function lastOrigin(gate: Gate): OriginDouble {
  const origin = gate.origins.at(-1);
  if (origin === undefined) throw new Error('no origin was dialled');
  return origin;
}

/** A video message of the client's stream 1. */
export function video(timestamp: number, payload: Buffer | number = 300, more: Partial<Message> = {}): Message {
  const bytes = typeof payload === 'number' ? Buffer.alloc(payload, timestamp & 0x7f) : payload;
  return { type: MESSAGE.video, chunkStreamId: 6, streamId: 1, timestamp, payload: bytes, ...more };
}

/** `@setDataFrame` as encoders send it. */
export function metadata(more: Partial<Message> = {}): Message {
  const payload = writeAmf0('@setDataFrame', 'onMetaData', amfObject({ width: 640, encoder: 'a test' }));
  return { type: MESSAGE.dataAmf0, chunkStreamId: 4, streamId: 1, timestamp: 0, payload, ...more };
}

/** Timestamps and lengths of the media that has come. */
export function seen(peer: RtmpPeer): readonly (readonly [timestamp: number, length: number])[] {
  return peer.media.map(({ timestamp, payload }) => [timestamp, payload.length] as const);
}

/** One chunk, bit by bit: a time of 0xffffff and more goes into the extended field. */
export function chunk(
  format: 0 | 1 | 2 | 3,
  id: number | Buffer,
  fields: {
    readonly time?: number;
    readonly length?: number;
    readonly type?: number;
    readonly streamId?: number;
    /** Of a type-3 chunk that repeats it. */
    readonly extension?: number;
    readonly payload?: Buffer;
  } = {},
): Buffer {
  const { time = 0, payload = Buffer.alloc(0), length = payload.length, type = 9, streamId = 1, extension } = fields;
  const isExtended = format < 3 && time >= 0xffffff;
  return Buffer.concat([
    typeof id === 'number' ? basic(format, id) : id,
    ...(format < 3 ? [u24(Math.min(time, 0xffffff))] : []),
    ...(format < 2 ? [u24(length), Buffer.from([type])] : []),
    ...(format === 0 ? [u32le(streamId)] : []),
    ...(isExtended ? [u32(time)] : []),
    ...(extension === undefined ? [] : [u32(extension)]),
    payload,
  ]);
}

/** The lines of the log as an operator gets them at level debug. */
export function logLines(gate: Gate): readonly string[] {
  const lines: string[] = [];
  const log = createLog({
    level: 'debug',
    format: 'json',
    now: () => gate.clock.now(),
    write: (line) => lines.push(line),
  });
  for (const { level, event, fields } of gate.lines) {
    log.write(level as 'debug', event as LogEvent, fields);
  }
  return lines;
}

/** Everything that was given to log and metrics, before anything is taken out of it: stricter than the log itself. */
export function rawTelemetry(gate: Gate): string {
  const fields = gate.lines.map((line) => inspect(line, { depth: Infinity, maxStringLength: Infinity }));
  return [...fields, ...gate.counts.keys()].join('\n');
}

/** Moves time on in steps, letting everything arrive in between. */
export async function pass(gate: Gate, totalMs: number, stepMs = totalMs): Promise<void> {
  for (let passed = 0; passed < totalMs; passed += stepMs) {
    gate.clock.advance(stepMs);
    await settle();
  }
  await quiet();
}

/** Codes of the decisions on publish and play, `yes` among them. */
export function verdicts(gate: Gate): readonly unknown[] {
  return gate
    .decisions()
    .filter((line) => line['action'] !== 'connect')
    .map((line) => line['code'] ?? line['outcome']);
}
