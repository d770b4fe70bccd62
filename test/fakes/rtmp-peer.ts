import type { ByteStream } from '../../src/model/byte-stream.js';
import { newChunkHeader, readChunkHeader } from '../../src/transports/rtmp/wire/chunk-header.js';
import { ChunkTable, type ChunkStream } from '../../src/transports/rtmp/wire/chunk-table.js';
import { writeMessage } from '../../src/transports/rtmp/wire/chunk-writer.js';
import { amfObject, fieldsOf, type AmfValue } from '../../src/transports/rtmp/wire/amf-value.js';
import { readCommand, writeCommand, type Command } from '../../src/transports/rtmp/wire/command.js';
import { controlMessage } from '../../src/transports/rtmp/wire/control.js';
import { ClientHandshake, ServerHandshake } from '../../src/transports/rtmp/wire/handshake.js';
import { isCommand, MESSAGE, type Message } from '../../src/transports/rtmp/wire/message.js';
import { settle } from './byte-stream.js';

/** Random bytes that are the same in every run. */
export const fixedRandom = (size: number): Buffer => Buffer.alloc(size, 0x5a);
/** Others for the two peers, so that nobody's echo can be taken for somebody's own packet. */
const clientRandom = (size: number): Buffer => Buffer.alloc(size, 0x3c);
const serverRandom = (size: number): Buffer => Buffer.alloc(size, 0xa5);

/** One end of an RTMP conversation in a test, as client or as server: keeps every message that came. */
export class RtmpPeer {
  readonly stream: ByteStream;
  readonly messages: Message[] = [];
  /** Everything that came behind the handshake, as it came. */
  received: Buffer = Buffer.alloc(0);
  closed = false;
  error: Error | undefined;
  writeChunkSize = 128;
  onMessage: (message: Message) => void = () => undefined;
  readonly #handshake: ClientHandshake | ServerHandshake;
  readonly #table = new ChunkTable();
  readonly #header = newChunkHeader();
  readonly #pieces = new Map<ChunkStream, Buffer[]>();
  #input: Buffer = Buffer.alloc(0);
  /** The handshake is done: what is sent from now on is read as chunks. */
  isShaken = false;

  constructor(stream: ByteStream, role: 'client' | 'server') {
    this.stream = stream;
    const client = new ClientHandshake(clientRandom);
    this.#handshake = role === 'client' ? client : new ServerHandshake(serverRandom);
    stream.handle({
      onBytes: (bytes) => this.#take(Buffer.from(bytes)),
      onClose: (error) => {
        this.closed = true;
        this.error = error;
      },
    });
    if (role === 'client') stream.write(client.start());
  }

  /** Commands that came, in order. */
  get commands(): readonly Command[] {
    return this.messages
      .filter(({ type }) => isCommand(type))
      .map(({ type, payload }) => readCommand(type === 17 ? 17 : 20, payload));
  }

  /** `code` of every status and error that came. */
  get codes(): readonly string[] {
    return this.#infoTexts('code');
  }

  /** `description` of the newest status or error. */
  get lastDescription(): string {
    return this.#infoTexts('description').at(-1) ?? '';
  }

  /** Audio, video and data that came. */
  get media(): readonly Message[] {
    return this.messages.filter(
      ({ type }) => type === MESSAGE.audio || type === MESSAGE.video || type === MESSAGE.dataAmf0,
    );
  }

  send(message: Partial<Message> & { readonly type: number }): void {
    const whole = { chunkStreamId: 3, timestamp: 0, streamId: 0, payload: Buffer.alloc(0), ...message };
    this.stream.write(writeMessage(whole, this.writeChunkSize));
  }

  command(name: string, transactionId: number, object: AmfValue, ...args: readonly AmfValue[]): void {
    this.commandOn(0, name, transactionId, object, ...args);
  }

  commandOn(
    streamId: number,
    name: string,
    transactionId: number,
    object: AmfValue,
    ...args: readonly AmfValue[]
  ): void {
    this.send({ type: MESSAGE.commandAmf0, streamId, payload: writeCommand(name, transactionId, object, ...args) });
  }

  setChunkSize(size: number): void {
    this.send({ ...controlMessage(MESSAGE.setChunkSize, size) });
    this.writeChunkSize = size;
  }

  /** connect as an encoder sends it; `app` with whatever query. */
  connect(app: string, more: Readonly<Record<string, AmfValue>> = {}, ...args: readonly AmfValue[]): void {
    const object = amfObject({
      app,
      type: 'nonprivate',
      flashVer: 'FMLE/3.0',
      tcUrl: `rtmp://gate.example/${app}`,
      ...more,
    });
    this.command('connect', 1, object, ...args);
  }

  /** connect, createStream and publish, waiting for each answer. */
  async publish(app: string, name: string, type = 'live'): Promise<void> {
    this.connect(app);
    await settle();
    this.command('releaseStream', 2, null, name);
    this.command('FCPublish', 3, null, name);
    this.command('createStream', 4, null);
    await settle();
    this.commandOn(1, 'publish', 5, null, name, type);
    await settle();
  }

  /** connect, createStream and play, waiting for each answer. */
  async play(app: string, name: string): Promise<void> {
    this.connect(app);
    await settle();
    this.command('createStream', 2, null);
    await settle();
    this.commandOn(1, 'play', 3, null, name, -2000);
    await settle();
  }

  #infoTexts(field: string): readonly string[] {
    return this.commands.flatMap((command) => {
      const text = fieldsOf(command.args[0]).get(field);
      return typeof text === 'string' ? [text] : [];
    });
  }

  #take(bytes: Buffer): void {
    if (!this.isShaken) {
      const step = this.#handshake.push(bytes);
      if (step.reply !== undefined) this.stream.write(step.reply);
      if (!step.done) return;
      this.isShaken = true;
      bytes = Buffer.from(step.rest ?? Buffer.alloc(0));
    }
    this.received = Buffer.concat([this.received, bytes]);
    this.#input = Buffer.concat([this.#input, bytes]);
    while (this.#step());
  }

  #step(): boolean {
    const table = this.#table;
    if (table.chunkLeft === 0) {
      const size = readChunkHeader(table, this.#input, 0, this.#header);
      if (size === 0) return false;
      this.#input = this.#input.subarray(size);
      const stream = this.#header.stream as ChunkStream;
      if (this.#header.starts && stream.missing > 0) throw new Error('a message was left half written');
      if (this.#header.starts) stream.missing = stream.length;
      table.current = stream;
      table.chunkLeft = Math.min(stream.missing, table.chunkSize);
    }
    const stream = table.current as ChunkStream;
    const taken = Math.min(table.chunkLeft, this.#input.length);
    const pieces = this.#pieces.get(stream) ?? [];
    this.#pieces.set(stream, [...pieces, this.#input.subarray(0, taken)]);
    this.#input = this.#input.subarray(taken);
    table.chunkLeft -= taken;
    stream.missing -= taken;
    if (table.chunkLeft > 0) return false;
    if (stream.missing === 0) this.#whole(stream);
    return true;
  }

  #whole(stream: ChunkStream): void {
    const payload = Buffer.concat(this.#pieces.get(stream) ?? []);
    this.#pieces.delete(stream);
    const { id: chunkStreamId, timestamp, type, streamId } = stream;
    const message = { chunkStreamId, timestamp, type, streamId, payload };
    if (type === MESSAGE.setChunkSize) this.#table.resize(payload.readUInt32BE());
    this.messages.push(message);
    this.onMessage(message);
  }
}
