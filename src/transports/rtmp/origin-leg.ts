import type { ByteStream, ByteStreamHandler } from '../../model/byte-stream.js';
import { GatewayError } from '../../model/errors.js';
import type { OriginChoice, OriginLeg } from '../../model/leg.js';
import type { ConnectFields } from './credential.js';
import type { LegState } from './guards.js';
import { Hop } from './hop.js';
import { CLOSE_GRACE_MS } from './options.js';
import { connectCommand, enhancedFields, infoCode, originCommand, type EnhancedFields } from './origin-commands.js';
import type { StreamWish } from './stream-command.js';
import { fieldsOf } from './wire/amf-value.js';
import { ChunkReader } from './wire/chunk-reader.js';
import { ChunkTable } from './wire/chunk-table.js';
import { writeMessages } from './wire/chunk-writer.js';
import type { Command } from './wire/command.js';
import { controlMessage, USER_CONTROL, userControlMessage } from './wire/control.js';
import { ClientHandshake } from './wire/handshake.js';
import { isCommand, MESSAGE, type Message } from './wire/message.js';

/** What is wanted of the origin, and what the client said about itself. */
export type OriginWish = StreamWish & { readonly connect: ConnectFields };

/** Chunk size the gateway writes with towards the origin until a publisher's own is known. */
const ORIGIN_CHUNK_SIZE = 4096;
/** What an origin may make us hold before the stream flows, in bytes. */
const MAX_HELD_BYTES = 1 << 20;
const BUFFER_MS = 3000;

/** What an open leg needs from outside. */
export interface OriginLegDeps {
  readonly random: (size: number) => Buffer;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Told what the origin said of Enhanced RTMP in its answer to connect. */
  readonly onCapabilities?: (fields: EnhancedFields) => void;
}

/**
 * Opens one stream at an origin: handshake, connect, createStream, publish or play, each answered before the next.
 * Rejects with GatewayError `origin-refused`, `stream-busy`, `origin-unavailable`; on `signal` the stream is closed.
 */
export async function openOriginLeg(
  stream: ByteStream,
  origin: OriginChoice,
  wish: OriginWish,
  deps: OriginLegDeps,
  signal: AbortSignal,
): Promise<RtmpOriginLeg> {
  const dialogue = new OriginDialogue(stream, deps, signal);
  try {
    deps.onCapabilities?.(await connectOrigin(dialogue, origin, wish.connect, wish.kind));
    const streamId = await createStream(dialogue, origin, wish);
    await askForStream(dialogue, origin, wish, streamId);
    return new RtmpOriginLeg(dialogue, origin, wish.kind, streamId);
  } catch (error) {
    stream.destroy();
    throw error;
  } finally {
    dialogue.forgetSignal();
  }
}

/** Handshake and connect only: what an origin says of Enhanced RTMP for an app. The stream is closed. */
export async function probeOrigin(
  stream: ByteStream,
  origin: OriginChoice,
  connect: ConnectFields,
  deps: OriginLegDeps,
  signal: AbortSignal,
): Promise<EnhancedFields> {
  const dialogue = new OriginDialogue(stream, deps, signal);
  try {
    return await connectOrigin(dialogue, origin, connect, 'play');
  } finally {
    dialogue.forgetSignal();
    stream.destroy();
  }
}

async function connectOrigin(
  dialogue: OriginDialogue,
  origin: OriginChoice,
  connect: ConnectFields,
  kind: 'publish' | 'play',
): Promise<EnhancedFields> {
  await dialogue.shakeHands();
  dialogue.send([controlMessage(MESSAGE.windowAckSize, 2_500_000), connectCommand(origin, connect, kind)]);
  const answer = await dialogue.command((command) => command.transactionId === 1 && isAnswer(command));
  if (answer.name === '_error') {
    throw new GatewayError('origin-refused', 'origin', `origin ${origin.name} refused connect: ${infoCode(answer)}`);
  }
  return enhancedFields(answer);
}

async function createStream(dialogue: OriginDialogue, origin: OriginChoice, wish: OriginWish): Promise<number> {
  const name = origin.streamName;
  const opening =
    wish.kind === 'publish' ? [originCommand(0, 'releaseStream', 2, name), originCommand(0, 'FCPublish', 3, name)] : [];
  dialogue.send([
    controlMessage(MESSAGE.setChunkSize, ORIGIN_CHUNK_SIZE),
    ...opening,
    originCommand(0, 'createStream', 4),
  ]);
  const answer = await dialogue.command((command) => command.transactionId === 4 && isAnswer(command));
  const [id] = answer.args;
  if (answer.name === '_error' || typeof id !== 'number' || !Number.isInteger(id) || id < 1 || id > 0xffffffff) {
    throw new GatewayError('origin-refused', 'origin', `origin ${origin.name} gave no stream: ${infoCode(answer)}`);
  }
  return id;
}

/** What stands behind the stream name where it is asked for, and nowhere else. */
function nameQuery({ credentials: { placement, pairs } }: OriginChoice): string {
  if (placement !== 'name-query' || pairs.length === 0) return '';
  return `?${pairs.map(([name, value]) => `${name}=${value.reveal()}`).join('&')}`;
}

async function askForStream(
  dialogue: OriginDialogue,
  origin: OriginChoice,
  wish: OriginWish,
  streamId: number,
): Promise<void> {
  const name = origin.streamName;
  const asked = `${name}${nameQuery(origin)}`;
  const yes = wish.kind === 'publish' ? 'NetStream.Publish.Start' : 'NetStream.Play.Start';
  if (wish.kind === 'publish') {
    dialogue.send([originCommand(streamId, 'publish', 5, asked, wish.type)]);
  } else {
    dialogue.send([
      originCommand(streamId, 'play', 5, asked, wish.start),
      userControlMessage({ event: USER_CONTROL.setBufferLength, value: streamId, extra: BUFFER_MS }),
    ]);
  }
  const answer = await dialogue.command(
    (command) =>
      (command.name === 'onStatus' && (infoCode(command) === yes || isError(command))) ||
      (command.name === '_error' && command.transactionId === 5),
  );
  const code = infoCode(answer);
  if (code === yes) return;
  const rejection = code === 'NetStream.Publish.BadName' && !isDenial(answer, name) ? 'stream-busy' : 'origin-refused';
  throw new GatewayError(rejection, 'origin', `origin ${origin.name} refused ${wish.kind}: ${code}`);
}

/** Red5 says BadName both for a name in use and for one that is not allowed; only the description tells them apart. */
function isDenial(command: Command, name: string): boolean {
  const description = fieldsOf(command.args[0]).get('description');
  // For a name in use Red5's description is the name itself.
  if (typeof description !== 'string' || description === name) return false;
  return /not.?allowed|denied|unauthori[sz]ed|forbidden/i.test(description);
}

function isAnswer(command: Command): boolean {
  return command.name === '_result' || command.name === '_error';
}

function isError(command: Command): boolean {
  return infoCode(command, 'level') === 'error';
}

/** The origin's side of one open stream. */
export class RtmpOriginLeg implements OriginLeg {
  readonly stream: ByteStream;
  readonly #dialogue: OriginDialogue;
  readonly #origin: OriginChoice;
  readonly #kind: 'publish' | 'play';
  readonly #streamId: number;
  #say: (messages: readonly Message[]) => void;
  #isClosed = false;

  constructor(dialogue: OriginDialogue, origin: OriginChoice, kind: 'publish' | 'play', streamId: number) {
    this.stream = dialogue.stream;
    this.#dialogue = dialogue;
    this.#origin = origin;
    this.#kind = kind;
    this.#streamId = streamId;
    this.#say = (messages) => dialogue.send(messages);
  }

  /** Where the relay goes on; the dialogue reads no more. */
  takeState(): LegState {
    return this.#dialogue.takeState(this.#streamId);
  }

  /** From now on goodbyes go through the relay's guard, which knows where a message may stand. */
  sayThrough(say: (messages: readonly Message[]) => void): void {
    this.#say = say;
  }

  /** FCUnpublish and deleteStream, then the close: origins that wait for neither free the name at the close itself. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const unpublish = this.#kind === 'publish' ? [originCommand(0, 'FCUnpublish', 6, this.#origin.streamName)] : [];
    this.#say([...unpublish, originCommand(0, 'deleteStream', 7, this.#streamId)]);
    this.stream.end(CLOSE_GRACE_MS);
  }
}

/** One command at a time to the origin, and the wait for its answer. */
class OriginDialogue implements ByteStreamHandler {
  readonly stream: ByteStream;
  readonly #table = new ChunkTable();
  readonly #reader = new ChunkReader(this.#table, { maxBytes: MAX_HELD_BYTES });
  readonly #handshake: ClientHandshake;
  readonly #hop: Hop;
  readonly #signal: AbortSignal;
  readonly #onAbort = (): void =>
    this.#fail(new GatewayError('origin-unavailable', 'origin', 'the wait for the origin was ended'));
  #isShaken = false;
  /** C2, which leaves together with connect. */
  #lastShake: Buffer | undefined;
  #writeChunkSize = 128;
  #look: (() => boolean) | undefined;
  #reject: ((error: Error) => void) | undefined;
  #failure: Error | undefined;

  constructor(stream: ByteStream, deps: OriginLegDeps, signal: AbortSignal) {
    this.stream = stream;
    this.#handshake = new ClientHandshake(deps.random);
    this.#hop = new Hop(deps.now, (message) => this.send([message]));
    this.#signal = signal;
    if (signal.aborted) this.#onAbort();
    else signal.addEventListener('abort', this.#onAbort, { once: true });
    stream.handle(this);
  }

  forgetSignal(): void {
    this.#signal.removeEventListener('abort', this.#onAbort);
  }

  onBytes(bytes: Buffer): void {
    try {
      if (this.#isShaken) this.#reader.push(bytes);
      else this.#shake(bytes);
      this.#reader.guardHeld();
      this.#check();
    } catch (error) {
      this.#fail(new GatewayError('origin-refused', 'origin', 'the origin does not speak RTMP', { cause: error }));
    }
  }

  onClose(error?: Error): void {
    const code = this.#isShaken ? 'origin-refused' : 'origin-unavailable';
    this.#fail(new GatewayError(code, 'origin', 'the origin closed the connection', { cause: error }));
  }

  /** Writes messages, and the end of the handshake before them if that is still to be said. */
  send(messages: readonly Message[]): void {
    const bytes = writeMessages(messages, this.#writeChunkSize);
    this.stream.write(this.#lastShake === undefined ? bytes : Buffer.concat([this.#lastShake, bytes]));
    this.#lastShake = undefined;
    if (messages.some(({ type }) => type === MESSAGE.setChunkSize)) this.#writeChunkSize = ORIGIN_CHUNK_SIZE;
  }

  shakeHands(): Promise<void> {
    this.stream.write(this.#handshake.start());
    return this.#until(() => (this.#isShaken ? true : undefined)).then(() => undefined);
  }

  /** The next command that `wanted` takes; others are read over. */
  command(wanted: (command: Command) => boolean): Promise<Command> {
    return this.#until(() => {
      for (let message = this.#reader.next(); message !== undefined; message = this.#reader.next()) {
        const command = this.#hear(message);
        if (command !== undefined && wanted(command)) return command;
      }
      return undefined;
    });
  }

  takeState(streamId: number): LegState {
    return {
      table: this.#table,
      rest: this.#reader.rest(),
      streamId,
      writeChunkSize: this.#writeChunkSize,
      ackBytes: this.#hop.window,
    };
  }

  #shake(bytes: Buffer): void {
    const step = this.#handshake.push(bytes);
    this.#lastShake = step.reply ?? this.#lastShake;
    if (!step.done) return;
    this.#isShaken = true;
    if (step.rest !== undefined) this.#reader.push(step.rest);
  }

  #hear(message: Message): Command | undefined {
    if (isCommand(message.type)) return this.#hop.command(message);
    this.#hop.hear(message);
    if (message.type === MESSAGE.windowAckSize) {
      // nginx-rtmp holds its answer to connect back until this is acknowledged by TCP (Nagle), which takes a system 40 ms
      // when nothing is said meanwhile.
      this.send([controlMessage(MESSAGE.acknowledgement, this.#table.received)]);
    }
    return undefined;
  }

  #until<T>(find: () => T | undefined): Promise<T> {
    return new Promise<T>((resolve, rejectPromise) => {
      this.#reject = rejectPromise;
      this.#look = () => {
        const found = find();
        if (found === undefined) return false;
        resolve(found);
        return true;
      };
      if (this.#failure !== undefined) this.#fail(this.#failure);
      else this.#check();
    });
  }

  #check(): void {
    if (this.#look === undefined || !this.#look()) return;
    this.#look = undefined;
    this.#reject = undefined;
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#look = undefined;
    this.#reject?.(this.#failure);
    this.#reject = undefined;
  }
}
