import type { ByteStream, ByteStreamHandler } from '../../model/byte-stream.js';
import { WireError } from '../../model/errors.js';
import type { EndReason, SessionHandle } from '../../model/leg.js';
import type { Rejection } from '../../model/rejection.js';
import type { LogEvent, LogFields, LogLevel } from '../../model/telemetry.js';
import type { ConnectionWatcher } from '../../model/watcher.js';
import { RtspClientLeg, type ClientSide, type StreamQuestion } from './client-leg.js';
import { readRequest, truncationHint, type RequestFields } from './credential.js';
import { DatagramStream } from './datagram-stream.js';
import { isDescription, readDescription, type Description } from './description.js';
import { unsupported } from './later-request.js';
import { CLOSE_GRACE_MS, type RtspDeps, type RtspOptions } from './options.js';
import type { Asked } from '../../wire/question.js';
import { ask } from './questions.js';
import { answer, httpRefusal, isChallenge, methods, refusal } from './replies.js';
import { isHttp, readCSeq, RTSP_1_0, type RtspItem, type RtspRequest } from './wire/message.js';
import { READER_LIMITS, RtspReader } from './wire/reader.js';

/** Where a connection stands. `asking`: the law or the origin is being asked, the client's next request waits. */
type Phase = 'requests' | 'asking' | 'relay' | 'ending';

/** Requests and challenges that one connection may spend on not getting in. */
const MAX_REQUESTS_BEFORE = 64;
const MAX_CHALLENGES = 4;

const TOO_MUCH = 'too-much-unread';

/** One RTSP client from accept to close: requests, a decision for each stream it asks for, then the relay, and requests again after TEARDOWN. */
export class RtspConnection implements ByteStreamHandler {
  readonly #deps: RtspDeps;
  readonly #options: RtspOptions;
  readonly #watcher: ConnectionWatcher;
  readonly #stream: DatagramStream;
  readonly #abort = new AbortController();
  readonly #reader: RtspReader;
  #id: string;
  #phase: Phase = 'requests';
  #cancelDeadline: () => void = () => undefined;
  #session: SessionHandle | undefined;
  #pendingEnd: { readonly reason: EndReason; readonly error: Error | undefined } | undefined;
  #isPaused = false;
  #isGone = false;
  #isDecided = false;
  #requests = 0;
  #challenges = 0;

  constructor(
    stream: ByteStream,
    shared: { readonly deps: RtspDeps; readonly options: RtspOptions },
    watcher: ConnectionWatcher,
  ) {
    this.#deps = shared.deps;
    this.#options = shared.options;
    this.#watcher = watcher;
    this.#stream = new DatagramStream(stream);
    const maxBytes = shared.options.preDecisionBytes;
    this.#reader = new RtspReader({
      ...READER_LIMITS,
      maxBodyBytes: Math.min(READER_LIMITS.maxBodyBytes, maxBytes),
      maxUnreadBytes: Math.max(READER_LIMITS.maxUnreadBytes, maxBytes),
    });
    this.#id = shared.deps.door.newSessionId();
  }

  /** Begins to listen to the client. */
  start(): void {
    this.#log('debug', 'connection.open', {});
    this.#setDeadline(this.#options.handshakeTimeoutMs);
    this.#stream.handle(this);
  }

  onBytes(bytes: Buffer): void {
    if (this.#phase !== 'requests' && this.#phase !== 'asking') return;
    try {
      this.#reader.push(bytes);
      this.#pump();
    } catch (error) {
      this.#fail(error);
    }
  }

  onClose(error?: Error): void {
    if (this.#phase !== 'ending') this.#log('debug', 'connection.close', { phase: this.#phase, cause: error?.message });
    this.#gone();
  }

  #pump(): void {
    while (this.#phase === 'requests') {
      const item = this.#reader.next();
      if (item === undefined) return;
      this.#take(item);
    }
    // The answer is on its way; what the client sends meanwhile waits in its own socket.
    if (this.#phase !== 'asking') return;
    this.#reader.keep();
    if (!this.#isPaused && this.#reader.heldBytes > this.#options.preDecisionBytes / 2) {
      this.#isPaused = true;
      this.#stream.pause();
    }
  }

  #take(item: RtspItem): void {
    // Frames between two streams belong to none, and nothing was asked of the client.
    if (item.kind !== 'request') return;
    this.#requests += 1;
    if (this.#requests > MAX_REQUESTS_BEFORE) {
      throw new WireError('too-many-requests', `at most ${MAX_REQUESTS_BEFORE} before a stream`);
    }
    if (isHttp(item)) {
      this.#count('http');
      this.#close(httpRefusal());
    } else if (item.protocol !== RTSP_1_0) {
      this.#close(answer(item, 505));
    } else if (readCSeq(item.headers) === undefined) {
      this.#close(answer(item, 400));
    } else {
      this.#obey(item);
    }
  }

  #obey(request: RtspRequest): void {
    const options = unsupported(request);
    if (options.length > 0) {
      this.#send(answer(request, 551, { headers: [['Unsupported', options.join(', ')]] }));
      return;
    }
    switch (request.method) {
      case 'OPTIONS':
        this.#send(methods(request));
        return;
      case 'ANNOUNCE':
        this.#announce(request);
        return;
      case 'DESCRIBE':
      case 'SETUP':
        this.#ask(request, 'subscribe');
        return;
      case 'GET_PARAMETER':
      case 'SET_PARAMETER':
        this.#send(answer(request, request.headers.has('Session') ? 454 : 200));
        return;
      case 'PLAY':
      case 'RECORD':
      case 'PAUSE':
      case 'TEARDOWN':
        this.#send(answer(request, 454));
        return;
      default:
        this.#send(answer(request, 501));
    }
  }

  #announce(request: RtspRequest): void {
    if (!isDescription(request)) {
      this.#send(answer(request, 415));
      return;
    }
    try {
      this.#ask(request, 'publish', readDescription(request.body));
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#log('info', 'session.note', { note: 'bad-description', error: error.code, detail: error.message });
      this.#close(answer(request, 400, { reason: 'malformed-request: the description cannot be read' }));
    }
  }

  #ask(request: RtspRequest, action: 'publish' | 'subscribe', description?: Description): void {
    this.#phase = 'asking';
    this.#open(request, action, description).catch((error: unknown) => this.#fail(error));
  }

  async #open(request: RtspRequest, action: 'publish' | 'subscribe', description?: Description): Promise<void> {
    const { door } = this.#deps;
    this.#cancelDeadline();
    const fields = readRequest(request, request.method === 'SETUP' ? undefined : []);
    const asker = { sessionId: this.#id, remoteAddress: this.#stream.remoteAddress, secure: this.#stream.secure };
    const asked = ask(asker, action, fields);
    this.#noteArrival(request, asked, fields);
    const refuse = (rejection: Rejection): void => this.#refuse(request, { asked, fields, rejection });
    if (asked.rejection !== undefined) {
      door.refused(asked.request, asked.rejection);
      refuse(asked.rejection);
      return;
    }
    const question: StreamQuestion = {
      asked: request,
      request: asked.request,
      authority: fields.authority,
      path: fields.path,
      ...(description && { description }),
    };
    this.#pendingEnd = undefined;
    const leg = new RtspClientLeg(this.#side(refuse), question);
    const session = await door.open(asked.request, leg, this.#abort.signal);
    if (session === undefined) return;
    this.#session = session;
    this.#endIfPending();
  }

  /** What the leg of one stream may do with this connection. */
  #side(refuse: (rejection: Rejection) => void): ClientSide {
    return {
      stream: this.#stream,
      reader: this.#reader,
      deps: this.#deps,
      options: this.#options,
      relays: () => this.#relays(),
      send: (bytes) => this.#send(bytes),
      refuse,
      resume: (next) => this.#resume(next),
      close: () => this.#close(),
      gone: () => this.#gone(),
      end: (reason, error) => this.#end(reason, error),
      note: (note, fields) => this.#log('info', 'session.note', { note, ...fields }),
    };
  }

  #relays(): void {
    this.#phase = 'relay';
    this.#isPaused = false;
    this.#cancelDeadline();
    this.#letIn();
    this.#watcher.onSetUp();
  }

  /** The session may not have been handed over yet: the client may be done with the very bytes that lay behind its question. */
  #end(reason: EndReason, error: Error | undefined): void {
    this.#pendingEnd ??= { reason, error };
    this.#endIfPending();
  }

  #endIfPending(): void {
    const { reason, error } = this.#pendingEnd ?? {};
    if (reason !== undefined) this.#session?.end(reason, error);
  }

  #resume(next: RtspRequest | undefined): void {
    this.#session = undefined;
    // Until it reads on, what comes is kept: a TLS socket may hand over several records at once.
    this.#phase = 'asking';
    this.#id = this.#deps.door.newSessionId();
    this.#requests = 0;
    this.#stream.handle(this);
    this.#setDeadline(this.#options.publishTimeoutMs);
    // The guard that noticed the end is still on the stack: read on when it has returned.
    queueMicrotask(() => this.#goOn(next));
  }

  #goOn(next: RtspRequest | undefined): void {
    if (this.#phase === 'ending') return;
    this.#phase = 'requests';
    this.#isPaused = false;
    this.#stream.resume();
    try {
      if (next !== undefined) this.#take(next);
      this.#pump();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Says no, and tells the operator if the client may have cut the token off. */
  #refuse(
    request: RtspRequest,
    why: { readonly asked: Asked; readonly fields: RequestFields; readonly rejection: Rejection },
  ): void {
    const { asked, fields, rejection } = why;
    const isTokenAtFault = rejection.kind === 'unauthenticated';
    const hint = isTokenAtFault ? truncationHint(fields.urlBytes, asked.request.credential) : undefined;
    if (hint !== undefined) this.#log('warn', 'session.note', { note: 'token-cut-off', code: rejection.code, hint });
    const words = refusal(request, rejection);
    this.#challenges += 1;
    if (!isChallenge(rejection) || this.#challenges > MAX_CHALLENGES) {
      this.#close(words);
      return;
    }
    this.#send(words);
    this.#id = this.#deps.door.newSessionId();
    this.#setDeadline(this.#options.handshakeTimeoutMs);
    queueMicrotask(() => this.#goOn(undefined));
  }

  #noteArrival(request: RtspRequest, asked: Asked, fields: RequestFields): void {
    this.#log('debug', 'session.note', {
      note: 'arrived',
      action: asked.request.action,
      method: request.method,
      urlBytes: fields.urlBytes,
      parameters: fields.parameterNames,
      authorization: request.headers.get('Authorization')?.split(' ', 1)[0]?.slice(0, 16),
    });
  }

  #send(bytes: Buffer): void {
    this.#stream.write(bytes);
  }

  #fail(error: unknown): void {
    if (this.#phase === 'ending') return;
    if (error instanceof WireError) {
      const isForeign = error.code === 'tls-bytes' || error.code === 'not-rtsp';
      this.#count(isForeign ? error.code : 'malformed-request');
      const code = error.code === TOO_MUCH ? 'limit' : 'malformed-request';
      this.#log('info', 'connection.close', { code, error: error.code, detail: error.message });
    } else {
      this.#count('gateway-error');
      this.#log('error', 'gateway.error', { error });
    }
    this.#close();
  }

  #count(reason: string): void {
    this.#deps.metrics.count('connections_refused_total', { transport: 'RTSP', reason });
  }

  #setDeadline(delayMs: number): void {
    this.#cancelDeadline();
    this.#cancelDeadline = this.#deps.clock.after(delayMs, () => {
      this.#count('timeout');
      this.#log('info', 'connection.close', { code: 'timeout', phase: this.#phase });
      this.#close();
    });
  }

  /** Last words, flushed, then FIN; what the client still sends is read and forgotten, so that no reset overtakes the words. */
  #close(words?: Buffer): void {
    if (this.#phase === 'ending') return;
    if (words !== undefined) this.#send(words);
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
    this.#cancelDeadline();
    this.#letIn();
    this.#watcher.onSetUp();
    this.#abort.abort();
  }

  #letIn(): void {
    if (this.#isDecided) return;
    this.#isDecided = true;
    this.#watcher.onLetIn();
  }

  #log(level: LogLevel, event: LogEvent, fields: LogFields): void {
    const { remoteAddress: address, secure } = this.#stream;
    this.#deps.log.write(level, event, { session: this.#id, transport: 'RTSP', secure, address, ...fields });
  }
}
