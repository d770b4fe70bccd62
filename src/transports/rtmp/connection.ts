import type { ByteStream, ByteStreamHandler } from '../../model/byte-stream.js';
import { WireError } from '../../model/errors.js';
import type { SessionHandle } from '../../model/leg.js';
import type { Rejection } from '../../model/rejection.js';
import type { StreamTarget } from '../../model/request.js';
import type { LogFields } from '../../model/telemetry.js';
import type { ConnectionWatcher } from '../../model/watcher.js';
import type { Capabilities } from './capabilities.js';
import { RtmpClientLeg, type ClientSide } from './client-leg.js';
import { answerCommand } from './commands.js';
import { readConnect, type ConnectFields } from './credential.js';
import { Hop } from './hop.js';
import { CLIENT_CHUNK_SIZE, CLOSE_GRACE_MS, type RtmpDeps, type RtmpOptions } from './options.js';
import { arrivalOf, askConnect, askStream, cutOffHint, meansTarget, type StreamAsked } from './questions.js';
import { confirmation, refusal, type Question } from './replies.js';
import { readPublishOrPlay } from './stream-command.js';
import { ChunkReader } from './wire/chunk-reader.js';
import { ChunkTable, DEFAULT_CHUNK_SIZE } from './wire/chunk-table.js';
import { writeMessages } from './wire/chunk-writer.js';
import type { Command } from './wire/command.js';
import { ServerHandshake } from './wire/handshake.js';
import { isCommand, type Message } from './wire/message.js';

/** Where a connection stands. `asking`: the law or the origin is being asked, the client's next command waits. */
type Phase = 'handshake' | 'commands' | 'asking' | 'relay' | 'ending';

/** What all connections of the transport share. */
export interface Shared {
  readonly deps: RtmpDeps;
  readonly options: RtmpOptions;
  readonly capabilities: Capabilities;
}

/** Why the connection's questions are given up. Made once: an abort without a reason makes an error with a stack each time. */
const LEFT = new Error('the client has left');
/** Kept messages of one connection that are counted, and that are logged. */
const MAX_NOTES = 100;
const MAX_LOGGED_NOTES = 5;

/**
 * One RTMP client from accept to close: handshake, commands, a decision for connect and one for each publish or play,
 * then the relay, and the commands again when the client ends its stream.
 */
export class RtmpConnection implements ByteStreamHandler {
  readonly #shared: Shared;
  readonly #watcher: ConnectionWatcher;
  readonly #table = new ChunkTable();
  readonly #abort = new AbortController();
  readonly #hop: Hop;
  readonly #reader: ChunkReader;
  readonly #stream: ByteStream;
  #id: string;
  #handshake: ServerHandshake | undefined;
  #phase: Phase = 'handshake';
  #cancelDeadline: () => void = () => undefined;
  #connect: ConnectFields | undefined;
  #session: SessionHandle | undefined;
  #isFinished = false;
  #isPaused = false;
  #isGone = false;
  #isDecided = false;
  #writeChunkSize = DEFAULT_CHUNK_SIZE;
  #streamIds = 0;
  #notes = 0;
  /** Answers to the bytes that are being read. */
  #outbox: Message[] | undefined;

  constructor(stream: ByteStream, shared: Shared, watcher: ConnectionWatcher) {
    this.#stream = stream;
    this.#shared = shared;
    this.#watcher = watcher;
    this.#handshake = new ServerHandshake(shared.deps.random);
    this.#hop = new Hop(
      () => shared.deps.clock.now(),
      (message) => this.#send([message]),
    );
    this.#reader = new ChunkReader(this.#table, { maxBytes: shared.options.preDecisionBytes });
    this.#id = shared.deps.door.newSessionId();
  }

  /** Begins to listen to the client. */
  start(): void {
    this.#log('debug', 'connection.open', {});
    this.#setDeadline(this.#shared.options.handshakeTimeoutMs);
    this.#stream.handle(this);
  }

  onBytes(bytes: Buffer): void {
    this.#outbox = [];
    try {
      if (this.#phase === 'handshake') this.#shakeHands(bytes);
      else if (this.#phase === 'commands' || this.#phase === 'asking') this.#receive(bytes);
    } catch (error) {
      this.#fail(error);
    }
    this.#sendOutbox();
  }

  onClose(error?: Error): void {
    if (this.#phase !== 'ending') this.#log('debug', 'connection.close', { phase: this.#phase, cause: error?.message });
    this.#gone();
  }

  #shakeHands(bytes: Buffer): void {
    const handshake = this.#handshake;
    if (handshake === undefined) return;
    const step = handshake.push(bytes);
    if (step.reply !== undefined) this.#stream.write(step.reply);
    if (!step.done) return;
    this.#handshake = undefined;
    this.#phase = 'commands';
    if (step.rest !== undefined) this.#receive(step.rest);
  }

  #receive(bytes: Buffer): void {
    this.#reader.push(bytes);
    const limit = this.#shared.options.preDecisionBytes;
    if (!this.#isDecided && this.#table.received > limit) {
      throw new WireError('too-much-before-decision', `at most ${limit} bytes before the decision`);
    }
    if (this.#phase === 'asking' && !this.#isPaused && this.#reader.heldBytes > limit / 2) {
      // The answer is on its way; what the client sends meanwhile waits in its own socket.
      this.#isPaused = true;
      this.#stream.pause();
    }
    this.#pump();
  }

  #pump(): void {
    while (this.#phase === 'commands') {
      const message = this.#reader.next();
      if (message === undefined) return;
      this.#dispatch(message);
    }
  }

  #dispatch(message: Message): void {
    if (isCommand(message.type)) this.#obey(this.#hop.command(message), message.streamId);
    else this.#hop.hear(message);
  }

  #obey(command: Command, streamId: number): void {
    if (command.name === 'connect') {
      if (this.#connect !== undefined) throw new WireError('second-connect', 'one connect command');
      this.#ask(this.#askConnect(command));
      return;
    }
    if (this.#connect === undefined && command.name !== '_checkbw') {
      throw new WireError('command-before-connect', 'connect as the first command');
    }
    if (command.name === 'publish' || command.name === 'play') {
      this.#ask(this.#askStream(command, streamId));
      return;
    }
    if (command.name === 'createStream' || command.name === 'initStream') this.#streamIds += 1;
    this.#send(answerCommand(command, this.#streamIds));
  }

  #ask(question: Promise<void>): void {
    question.catch((error: unknown) => this.#fail(error));
  }

  async #askConnect(command: Command): Promise<void> {
    this.#phase = 'asking';
    const connect = readConnect(command);
    this.#connect = connect;
    const question: Question = { question: 'connect', transactionId: command.transactionId, streamId: 0 };
    const { deps, capabilities } = this.#shared;
    const asked = askConnect(this.#id, this.#asker(connect));
    this.#noteArrival(asked, undefined);
    if (asked.rejection !== undefined) {
      deps.door.refused(asked.request, asked.rejection);
      this.#refuse(question, asked, undefined, asked.rejection);
      return;
    }
    const decision = await deps.door.decide(asked.request);
    if (this.#isOver()) return;
    if (!decision.ok) {
      this.#refuse(question, asked, undefined, decision.rejection);
      return;
    }
    const isLetIn = decision.identity !== undefined;
    const enhanced = await capabilities.of(asked.request, connect, isLetIn);
    if (this.#isOver()) return;
    this.#send(confirmation(question, { objectEncoding: connect.objectEncoding, enhanced }));
    this.#writeChunkSize = CLIENT_CHUNK_SIZE;
    const { options } = this.#shared;
    if (isLetIn) this.#letIn();
    this.#setDeadline(isLetIn ? options.publishTimeoutMs : options.handshakeTimeoutMs);
    this.#watcher.onConnected();
    this.#goOn();
  }

  async #askStream(command: Command, streamId: number): Promise<void> {
    this.#phase = 'asking';
    this.#cancelDeadline();
    const connect = this.#connect;
    if (connect === undefined) return;
    const { deps, options } = this.#shared;
    const wanted = readPublishOrPlay(command, options.allowRecord);
    const action = wanted.wish.kind === 'publish' ? 'publish' : 'subscribe';
    const question: Question = { question: action, transactionId: command.transactionId, streamId };
    const asked = askStream(this.#id, this.#asker(connect), action, wanted.name);
    const name = typeof wanted.name === 'string' ? wanted.name : undefined;
    this.#noteArrival(asked, name);
    if (asked.rejection !== undefined) {
      deps.door.refused(asked.request, asked.rejection);
      this.#refuse(question, asked, name, asked.rejection);
      return;
    }
    this.#isFinished = false;
    const refuse = (rejection: Rejection): void => this.#refuse(question, asked, name, rejection);
    const side = this.#side(connect, asked.request.target, refuse);
    const leg = new RtmpClientLeg(side, question, { ...wanted.wish, connect });
    const session = await deps.door.open(asked.request, leg, this.#abort.signal);
    if (session === undefined) return;
    this.#session = session;
    if (this.#hasFinished()) session.end('client-finished');
  }

  /** What the leg of one stream may do with this connection. */
  #side(connect: ConnectFields, target: StreamTarget, refuse: (rejection: Rejection) => void): ClientSide {
    const { deps } = this.#shared;
    return {
      stream: this.#stream,
      table: this.#table,
      connect,
      deps,
      writeChunkSize: this.#writeChunkSize,
      ackBytes: this.#hop.window,
      takeRest: () => this.#relay(),
      isOwnName: (name) => meansTarget(connect, name, target),
      send: (messages) => this.#send(messages),
      refuse,
      closeWith: (messages) => this.#close(messages),
      resume: (rest) => this.#resume(rest),
      gone: () => this.#gone(),
      finish: () => this.#finish(),
      learn: (origin, fields) => this.#shared.capabilities.learn(origin, fields),
      kept: (what) => this.#kept(what),
    };
  }

  #relay(): Buffer {
    this.#phase = 'relay';
    this.#isPaused = false;
    this.#letIn();
    this.#watcher.onSetUp();
    return this.#reader.rest();
  }

  /** The client ended its stream; the session learns it, and calls back with `resume`. */
  #finish(): void {
    this.#isFinished = true;
    this.#session?.end('client-finished');
  }

  #resume(rest: Buffer): void {
    this.#session = undefined;
    // Until it reads on, what comes is kept: a TLS socket may hand over several records at once.
    this.#phase = 'asking';
    this.#id = this.#shared.deps.door.newSessionId();
    this.#reader.push(rest, false);
    this.#stream.handle(this);
    this.#setDeadline(this.#shared.options.publishTimeoutMs);
    // The guard that noticed the end is still on the stack: read on when it has returned.
    queueMicrotask(() => this.#goOn());
  }

  #goOn(): void {
    if (this.#phase === 'ending') return;
    this.#phase = 'commands';
    this.#isPaused = false;
    this.#stream.resume();
    try {
      this.#pump();
    } catch (error) {
      this.#fail(error);
    }
  }

  #asker(connect: ConnectFields) {
    return { remoteAddress: this.#stream.remoteAddress, secure: this.#stream.secure, connect };
  }

  #noteArrival(asked: StreamAsked, name: string | undefined): void {
    if (this.#connect !== undefined) this.#log('debug', 'session.note', arrivalOf(asked, this.#connect, name));
  }

  /** Says no, and tells the operator if the client may have cut the token off. */
  #refuse(question: Question, asked: StreamAsked, name: string | undefined, rejection: Rejection): void {
    const hint = this.#connect === undefined ? undefined : cutOffHint(this.#connect, name, asked.request.credential);
    if (hint !== undefined) this.#log('warn', 'session.note', { note: 'token-cut-off', code: rejection.code, hint });
    this.#close(refusal(question, rejection));
  }

  /** Cheap, since a client can bring it about with every byte: only the first few are logged and counted one by one. */
  #kept(what: string): void {
    this.#notes += 1;
    if (this.#notes > MAX_NOTES) return;
    this.#shared.deps.metrics.count('kept_messages_total', { transport: 'RTMP', what });
    if (this.#notes <= MAX_LOGGED_NOTES) this.#log('debug', 'session.note', { note: 'kept', what });
  }

  /** Encoders send several commands at once; the answers to one read leave together. */
  #send(messages: readonly Message[]): void {
    if (this.#outbox !== undefined) this.#outbox.push(...messages);
    else if (messages.length > 0) this.#stream.write(writeMessages(messages, this.#writeChunkSize));
  }

  #sendOutbox(): void {
    const messages = this.#outbox ?? [];
    this.#outbox = undefined;
    this.#send(messages);
  }

  #fail(error: unknown): void {
    if (this.#phase === 'ending') return;
    const { metrics } = this.#shared.deps;
    if (error instanceof WireError) {
      metrics.count('connections_refused_total', {
        transport: 'RTMP',
        reason: error.code.startsWith('not-rtmp') ? error.code : 'malformed-request',
      });
      this.#log(error.code.startsWith('not-rtmp') ? 'debug' : 'info', 'connection.close', {
        code: 'malformed-request',
        error: error.code,
        detail: error.message,
      });
    } else {
      metrics.count('connections_refused_total', { transport: 'RTMP', reason: 'gateway-error' });
      this.#log('error', 'gateway.error', { error });
    }
    this.#close([]);
  }

  #setDeadline(delayMs: number): void {
    this.#cancelDeadline();
    this.#cancelDeadline = this.#shared.deps.clock.after(delayMs, () => this.#expire());
  }

  #expire(): void {
    this.#shared.deps.metrics.count('connections_refused_total', { transport: 'RTMP', reason: 'timeout' });
    this.#log('info', 'connection.close', { code: 'timeout', phase: this.#phase });
    this.#close([]);
  }

  /** Last words, flushed, then FIN; what the client still sends is read and forgotten, so that no reset overtakes the words. */
  #close(messages: readonly Message[]): void {
    if (this.#phase === 'ending') return;
    this.#sendOutbox();
    this.#send(messages);
    this.#leave();
    this.#stream.handle(this);
    this.#stream.resume();
    this.#stream.end(CLOSE_GRACE_MS);
  }

  #gone(): void {
    this.#leave();
    this.#stream.destroy();
    if (this.#isGone) return;
    this.#isGone = true;
    this.#watcher.onGone();
  }

  #leave(): void {
    this.#phase = 'ending';
    this.#handshake = undefined;
    this.#cancelDeadline();
    this.#letIn();
    this.#watcher.onSetUp();
    this.#abort.abort(LEFT);
  }

  #letIn(): void {
    if (this.#isDecided) return;
    this.#isDecided = true;
    this.#watcher.onLetIn();
  }

  /** The client may have ended its stream with the very bytes that lay behind its publish. */
  #hasFinished(): boolean {
    return this.#isFinished;
  }

  #isOver(): boolean {
    return this.#phase === 'ending';
  }

  #log(
    level: 'debug' | 'info' | 'warn' | 'error',
    event: 'connection.open' | 'connection.close' | 'session.note' | 'gateway.error',
    fields: LogFields,
  ): void {
    const { remoteAddress: address, secure } = this.#stream;
    this.#shared.deps.log.write(level, event, { session: this.#id, transport: 'RTMP', secure, address, ...fields });
  }
}
