import { GatewayError, WireError } from '../../model/errors.js';
import type { EndReason } from '../../model/leg.js';
import type { ConnectionRequest } from '../../model/request.js';
import { Patience } from '../../wire/patience.js';
import type { DatagramStream } from './datagram-stream.js';
import { trackName } from './description.js';
import { FrameGuard } from './guards.js';
import { belongs, unsupported } from './later-request.js';
import { Life } from './life.js';
import type { RtspDeps, RtspOptions } from './options.js';
import type { RtspOriginLeg } from './origin-leg.js';
import { passingHeaders, passingRtpInfo } from './passing-headers.js';
import { answer, methods, type AnswerParts } from './replies.js';
import { setUpTrack, statusFor } from './set-up.js';
import { TrackTable } from './tracks.js';
import type { HeaderEntry } from './wire/headers.js';
import { readCSeq, type RtspRequest } from './wire/message.js';
import type { RtspReader } from './wire/reader.js';
import { writeSession } from './wire/session-header.js';

/** Requests that may wait while one is answered. */
const MAX_QUEUED = 16;

/** What an exchange starts from. */
export interface ExchangeContext {
  readonly deps: RtspDeps;
  readonly options: RtspOptions;
  readonly role: 'publisher' | 'subscriber';
  /** The question that was answered with yes. */
  readonly request: ConnectionRequest;
  readonly client: {
    readonly stream: DatagramStream;
    readonly reader: RtspReader;
    /** What the client calls its tracks. */
    readonly controls: readonly (string | undefined)[];
    /** The URL of the stream as the client wrote it, without query and a slash at its end. */
    readonly url: string;
  };
  readonly origin: RtspOriginLeg;
  /** The answer to DESCRIBE again, for whoever asks twice. */
  readonly describeAgain: ((request: RtspRequest) => Buffer) | undefined;
  /** The client is done. `next`: a request that belongs to what comes after. Called inside a push. */
  readonly onFinished: (next?: RtspRequest) => void;
  readonly onEnd: (reason: EndReason, error: Error) => void;
  /** A request was refused within the session; the connection goes on. */
  readonly onRefused: (method: string, status: number) => void;
}

/** `ready`: nothing flows yet. `starting`: a publisher may send already. */
type Phase = 'ready' | 'starting' | 'flowing' | 'paused' | 'over';

/**
 * What both legs of one stream say to each other once the first yes was said: the client's requests are put to the origin in the
 * gateway's own words, one at a time, and answered in their order; media pass by the table of tracks.
 */
export class Exchange {
  readonly client: FrameGuard;
  readonly origin: FrameGuard;
  readonly #context: ExchangeContext;
  readonly #tracks: TrackTable;
  readonly #life: Life;
  readonly #sessionId: string;
  #isSessionKnown = false;
  #phase: Phase = 'ready';
  #isBusy = false;
  #queue: RtspRequest[] = [];
  #mediaBytes = 0;
  readonly #clientPatience: Patience;
  readonly #originPatience: Patience;

  constructor(context: ExchangeContext, first: RtspRequest | undefined) {
    this.#context = context;
    const { client, origin, role, deps } = context;
    this.#clientPatience = new Patience(() => deps.clock.now());
    this.#originPatience = new Patience(() => deps.clock.now());
    this.#tracks = new TrackTable(role === 'publisher');
    this.#sessionId = deps.random(9).toString('base64url');
    this.#life = new Life(deps.clock, {
      setupTimeoutMs: context.options.publishTimeoutMs,
      originTimeoutS: () => origin.talk.timeoutS,
      mustSpeak: () => this.#phase === 'paused' || (role === 'subscriber' && client.stream.hasDatagrams),
      keepOriginAlive: () => this.#keepAlive(),
      onDead: (why) => context.onEnd('client-error', new GatewayError('timeout', 'client', why)),
    });
    this.client = new FrameGuard(client.reader, {
      channels: this.#tracks.toOrigin,
      flows: () => this.#phase !== 'ready' && this.#phase !== 'over',
      passed: (bytes) => {
        if (role === 'publisher') this.#mediaBytes += bytes;
        else this.#life.heard();
      },
      message: (message) => {
        this.#clientPatience.spend();
        if (message.kind === 'request') this.#hear(message);
      },
      goesOn: () => this.#phase !== 'over',
      isDatagram: () => client.stream.isShowingDatagram,
      begins: () => {
        this.#life.start();
        this.#next();
      },
    });
    this.origin = new FrameGuard(origin.reader, {
      channels: this.#tracks.toClient,
      flows: () => this.#phase !== 'ready' && this.#phase !== 'over',
      passed: (bytes) => {
        if (role === 'subscriber') this.#mediaBytes += bytes;
      },
      message: (message) => {
        this.#originPatience.spend();
        if (message.kind === 'response') origin.talk.answered(message);
        else this.#toOrigin(origin.talk.answerTo(message));
      },
      goesOn: () => this.#phase !== 'over',
    });
    origin.talk.writeThrough((bytes) => this.#toOrigin(bytes));
    if (first !== undefined) this.#queue.push(first);
  }

  /** For the relay: moves with the media, or says that none are expected. */
  readonly mediaProgress = (): number | 'paused' =>
    this.#phase === 'starting' || this.#phase === 'flowing' ? this.#mediaBytes : 'paused';

  /** No timer, no port, no word from here on. */
  stop(): void {
    this.#phase = 'over';
    this.#life.stop();
    this.#context.client.stream.closePairs();
  }

  #hear(request: RtspRequest): void {
    this.#life.heard();
    if (this.#queue.length >= MAX_QUEUED) throw new WireError('too-many-requests', `at most ${MAX_QUEUED} at once`);
    this.#queue.push(request);
    this.#next();
  }

  #next(): void {
    while (!this.#isBusy && this.#phase !== 'over') {
      const request = this.#queue.shift();
      if (request === undefined) return;
      try {
        this.#obey(request);
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
        this.#isBusy = false;
        this.#refuse(request, 400);
      }
    }
  }

  #obey(request: RtspRequest): void {
    const { method } = request;
    if (readCSeq(request.headers) === undefined) {
      this.#refuse(request, 400);
      return;
    }
    const options = unsupported(request);
    if (options.length > 0) {
      this.#answer(request, 551, { headers: [['Unsupported', options.join(', ')]] });
      return;
    }
    const isKnown = this.#isSessionKnown;
    const { controls } = this.#context.client;
    const bond = { request: this.#context.request, sessionId: isKnown ? this.#sessionId : undefined, controls };
    const belonging = belongs(request, bond);
    if (
      (method === 'DESCRIBE' || method === 'ANNOUNCE') &&
      this.#tracks.size === 0 &&
      !this.#isAgain(request, belonging)
    ) {
      // It looks at another stream, or again with another token: a question of its own.
      this.stop();
      this.#context.onFinished(request);
      return;
    }
    if (!belonging.ok) {
      this.#refuse(request, belonging.status);
      return;
    }
    this.#obeyOwn(request, belonging.track);
  }

  #isAgain(request: RtspRequest, belonging: { readonly ok: boolean }): boolean {
    return belonging.ok && request.method === 'DESCRIBE' && this.#context.describeAgain !== undefined;
  }

  #obeyOwn(request: RtspRequest, track: number | undefined): void {
    switch (request.method) {
      case 'OPTIONS':
        this.#toClient(methods(request, this.#session()));
        return;
      case 'GET_PARAMETER':
      case 'SET_PARAMETER':
        this.#answer(request, request.body.length === 0 ? 200 : 451);
        return;
      case 'DESCRIBE':
        if (this.#context.describeAgain === undefined) this.#refuse(request, 455);
        else this.#toClient(this.#context.describeAgain(request));
        return;
      case 'SETUP':
        this.#setUp(request, track ?? (this.#context.client.controls.length === 1 ? 0 : undefined));
        return;
      case 'PLAY':
      case 'RECORD':
        this.#startFlow(request);
        return;
      case 'PAUSE':
        this.#pause(request);
        return;
      case 'TEARDOWN':
        if (track !== undefined && this.#tracks.size > 1) {
          this.#refuse(request, 460);
          return;
        }
        this.#answer(request, 200);
        this.stop();
        this.#context.onFinished();
        return;
      default:
        this.#refuse(request, request.method === 'ANNOUNCE' ? 455 : 501);
    }
  }

  #setUp(request: RtspRequest, index: number | undefined): void {
    const { client, deps } = this.#context;
    if (index === undefined || index < 0 || this.#context.origin.places.tracks[index] === undefined) {
      this.#refuse(request, index === undefined ? 459 : 404);
      return;
    }
    if (this.#phase !== 'ready' || this.#tracks.has(index)) {
      this.#refuse(request, 455);
      return;
    }
    this.#isBusy = true;
    const { origin, role } = this.#context;
    const context = {
      ...{ deps, role, origin, stream: client.stream, tracks: this.#tracks },
      isOver: () => this.#isOver(),
      guarded: (call: () => void) => this.#guarded(call),
    };
    setUpTrack(context, request, index, (status, transport) => {
      if (status === 200) {
        this.#isSessionKnown = true;
        this.#life.retime();
      }
      this.#done(request, status, transport === undefined ? {} : { headers: [['Transport', transport]] });
    });
  }

  #startFlow(request: RtspRequest): void {
    const { origin, role } = this.#context;
    if (request.method !== (role === 'publisher' ? 'RECORD' : 'PLAY') || this.#tracks.size === 0) {
      this.#refuse(request, 455);
      return;
    }
    this.#isBusy = true;
    const before = this.#phase;
    if (before !== 'flowing') this.#phase = 'starting';
    const { method, headers } = request;
    origin.talk.ask({ method, url: origin.places.stream, headers: passingHeaders(headers) }, (response) => {
      const isFine = response.status === 200;
      this.#phase = isFine ? 'flowing' : before;
      if (isFine) this.#life.flows();
      const tracks = { origin: origin.places.tracks, client: this.#trackUrls() };
      const passing = [...passingHeaders(response.headers), ...passingRtpInfo(response.headers, tracks)];
      this.#done(request, isFine ? 200 : statusFor(response), { headers: isFine ? passing : [] });
    });
  }

  #pause(request: RtspRequest): void {
    const { origin } = this.#context;
    if (this.#phase !== 'flowing' && this.#phase !== 'paused') {
      this.#refuse(request, 455);
      return;
    }
    this.#isBusy = true;
    origin.talk.ask(
      { method: 'PAUSE', url: origin.places.stream, headers: passingHeaders(request.headers) },
      (response) => {
        const isFine = response.status === 200;
        if (isFine) this.#phase = 'paused';
        this.#done(request, isFine ? 200 : statusFor(response), {
          headers: isFine ? passingHeaders(response.headers) : [],
        });
      },
    );
  }

  /** The answer to the request that kept others waiting. */
  #done(request: RtspRequest, status: number, parts: AnswerParts = {}): void {
    if (this.#isOver()) return;
    this.#isBusy = false;
    if (status === 200) this.#answer(request, status, parts);
    else this.#refuse(request, status);
    this.#next();
  }

  #refuse(request: RtspRequest, status: number): void {
    this.#context.onRefused(request.method, status);
    this.#answer(request, status);
  }

  #answer(request: RtspRequest, status: number, parts: AnswerParts = {}): void {
    this.#toClient(answer(request, status, { ...parts, headers: [...this.#session(), ...(parts.headers ?? [])] }));
  }

  /** The smaller timeout of both legs. */
  #session(): readonly HeaderEntry[] {
    if (!this.#isSessionKnown) return [];
    return [['Session', writeSession({ id: this.#sessionId, timeoutS: this.#life.timeoutS })]];
  }

  #trackUrls(): string[] {
    const { url, controls } = this.#context.client;
    return controls.map((_, index) => `${url}/${trackName(index)}`);
  }

  #keepAlive(): void {
    const { origin } = this.#context;
    const method = origin.methods.includes('GET_PARAMETER') ? 'GET_PARAMETER' : 'OPTIONS';
    this.#guarded(() => origin.talk.ask({ method, url: origin.places.stream }, () => undefined));
  }

  #toClient(bytes: Buffer): void {
    if (!this.origin.forward(bytes)) this.client.reply(bytes);
  }

  #toOrigin(bytes: Buffer): void {
    this.client.forward(bytes);
  }

  /** Outside of a push nobody catches what a peer's nonsense makes us throw. */
  #guarded(call: () => void): void {
    try {
      call();
    } catch (error) {
      if (error instanceof WireError) this.#context.onEnd('client-error', error);
      else this.#context.onEnd('gateway-error', error instanceof Error ? error : new Error('unknown'));
    }
  }

  #isOver(): boolean {
    return this.#phase === 'over';
  }
}
