import type { ByteStream, ByteStreamHandler } from '../../model/byte-stream.js';
import { GatewayError, WireError } from '../../model/errors.js';
import type { OriginChoice, OriginLeg } from '../../model/leg.js';
import { describeAnew, readDescription, trackName, type Description } from './description.js';
import { CLOSE_GRACE_MS } from './options.js';
import { OriginAccount } from './origin-account.js';
import { OriginTalk, type OriginRequest } from './origin-talk.js';
import { resolveControl } from './wire/control.js';
import type { RtspResponse } from './wire/message.js';
import { readWords } from './wire/public.js';
import { RtspReader } from './wire/reader.js';
import { readAttributes } from '../../wire/sdp.js';
import { tryReadRtspUrl, writeRtspUrl, type RtspUrl } from './wire/url.js';

/** What is wanted of the origin: to take what is described, or to describe what it has. */
export type OriginWish = { readonly kind: 'publish'; readonly description: Description } | { readonly kind: 'play' };

/** Where a stream is at the origin. */
export interface OriginPlaces {
  /** For PLAY, RECORD, PAUSE, TEARDOWN and keep-alives. */
  readonly stream: string;
  /** For the SETUP of each track. */
  readonly tracks: readonly string[];
}

/**
 * Opens one stream at an origin: OPTIONS, then ANNOUNCE or DESCRIBE, each answered before the next.
 * Rejects with GatewayError `origin-refused`, `stream-busy` or `origin-unavailable`; on `signal` the stream is closed.
 */
export async function openOriginLeg(
  stream: ByteStream,
  origin: OriginChoice,
  wish: OriginWish,
  random: (size: number) => Buffer,
  signal: AbortSignal,
): Promise<RtspOriginLeg> {
  const account = new OriginAccount(origin.credentials, random);
  const dialogue = new OriginDialogue(stream, account, signal);
  const url = streamUrl(origin, account.query);
  const target = writeRtspUrl(url);
  try {
    const options = await dialogue.ask({ method: 'OPTIONS', url: target });
    const methods = options.status === 200 ? readWords(options.headers.all('Public')) : [];
    const opened = wish.kind === 'publish' ? announce(wish.description, url) : describe(url, origin);
    const answer = await dialogue.ask(opened.request);
    if (answer.status !== 200) throw refused(origin, opened.request.method, answer);
    return new RtspOriginLeg(dialogue, opened.read(answer), methods);
  } catch (error) {
    stream.destroy();
    if (error instanceof WireError) throw notRtsp(error);
    throw error;
  } finally {
    dialogue.forgetSignal();
  }
}

/**
 * Asks an origin by OPTIONS whether it lives. Any answer but an error of its own is one. The stream is closed.
 * Rejects with GatewayError when it does not answer, speaks no RTSP, or answers 5xx.
 */
export async function checkRtspOrigin(stream: ByteStream, origin: OriginChoice, signal: AbortSignal): Promise<void> {
  const account = new OriginAccount({ placement: 'none', pairs: [] }, () => Buffer.alloc(0));
  const dialogue = new OriginDialogue(stream, account, signal);
  const { host, port, secure } = origin;
  const url = writeRtspUrl({ authority: { scheme: secure ? 'rtsps' : 'rtsp', host, port }, path: '/', query: '' });
  try {
    const answer = await dialogue.ask({ method: 'OPTIONS', url });
    if (answer.status >= 500 && answer.status !== 501) throw refused(origin, 'OPTIONS', answer);
  } finally {
    dialogue.forgetSignal();
    stream.destroy();
  }
}

interface Opening {
  readonly request: OriginRequest;
  read(answer: RtspResponse): Opened;
}

interface Opened {
  readonly places: OriginPlaces;
  /** What the client gets to see; of a publisher its own. */
  readonly description: Description;
}

function announce(description: Description, url: RtspUrl): Opening {
  const body = describeAnew(description.sdp, '');
  const request = {
    method: 'ANNOUNCE',
    url: writeRtspUrl(url),
    headers: [['Content-Type', 'application/sdp']] as const,
    body,
  };
  const tracks = description.controls.map((_, index) =>
    writeRtspUrl({ ...url, path: `${url.path}/${trackName(index)}` }),
  );
  const places = { stream: writeRtspUrl(url), tracks };
  return { request, read: () => ({ places, description }) };
}

function describe(url: RtspUrl, origin: OriginChoice): Opening {
  const request = { method: 'DESCRIBE', url: writeRtspUrl(url), headers: [['Accept', 'application/sdp']] as const };
  return {
    request,
    read: (answer) => {
      const described = readDescription(answer.body);
      const base = baseOf(answer, url);
      const controls = readAttributes(described.sdp.session, 'control');
      const whole = at(resolveControl(base, controls[0]?.trim() ?? '*'), base);
      const tracks = described.controls.map((control) => writeRtspUrl(at(resolveControl(base, control ?? '*'), base)));
      const sdp = readDescription(describeAnew(described.sdp, origin.host));
      return { places: { stream: writeRtspUrl(whole), tracks }, description: sdp };
    },
  };
}

/** Content-Base, else Content-Location, else what was asked; one without a scheme is none (RTSP-08). The authority stays ours to choose. */
function baseOf(answer: RtspResponse, asked: RtspUrl): RtspUrl {
  const { headers } = answer;
  const told = [headers.get('Content-Base'), headers.get('Content-Location')].map((value) =>
    value === undefined ? undefined : tryReadRtspUrl(value.trim()),
  );
  return at(
    told.find((one) => one?.authority !== undefined),
    asked,
  );
}

/** `url` on the host of `home`: an origin cannot send us elsewhere. */
function at(url: RtspUrl | undefined, home: RtspUrl): RtspUrl {
  if (url === undefined) return home;
  return { ...(home.authority && { authority: home.authority }), path: url.path, query: url.query };
}

function streamUrl(origin: OriginChoice, query: string): RtspUrl {
  const { host, port, secure, app, streamName } = origin;
  const path = [...app.split('/'), ...streamName.split('/')].map((segment) => `/${escaped(segment)}`);
  return { authority: { scheme: secure ? 'rtsps' : 'rtsp', host, port }, path: path.join(''), query };
}

/** Only what a path segment may not hold is escaped: origins compare paths as they stand. @see RFC 3986 §3.3 */
function escaped(segment: string): string {
  return segment.replace(/[^A-Za-z0-9\-._~!$&'()*+,=:@]+/gu, encodeURIComponent);
}

/** What origins say to ANNOUNCE when somebody publishes there already: RTSP has no word for it, MediaMTX says 400. */
const BUSY: readonly number[] = [400, 406, 409, 453, 455];

function refused(origin: OriginChoice, method: string, answer: RtspResponse): GatewayError {
  const code = method === 'ANNOUNCE' && BUSY.includes(answer.status) ? 'stream-busy' : 'origin-refused';
  return new GatewayError(code, 'origin', `origin ${origin.name} answered ${method} with ${answer.status}`);
}

function notRtsp(cause: unknown): GatewayError {
  const why = cause instanceof WireError ? `: ${cause.code}` : '';
  return new GatewayError('origin-refused', 'origin', `the origin does not speak RTSP${why}`, { cause });
}

/** The origin's side of one open stream. */
export class RtspOriginLeg implements OriginLeg {
  readonly stream: ByteStream;
  readonly talk: OriginTalk;
  readonly reader: RtspReader;
  readonly places: OriginPlaces;
  readonly description: Description;
  /** What the origin says it can; empty when it does not say. */
  readonly methods: readonly string[];
  #isClosed = false;

  constructor(dialogue: OriginDialogue, opened: Opened, methods: readonly string[]) {
    this.stream = dialogue.stream;
    this.talk = dialogue.talk;
    this.reader = dialogue.reader;
    this.places = opened.places;
    this.description = opened.description;
    this.methods = methods;
  }

  /** TEARDOWN, then the close: an origin that keeps sessions without connections would hold the name. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const { stream, talk } = this;
    talk.writeThrough((bytes) => stream.write(bytes));
    try {
      talk.ask({ method: 'TEARDOWN', url: this.places.stream }, () => undefined);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
    }
    stream.end(CLOSE_GRACE_MS);
  }
}

/** One request at a time to the origin, and the wait for its answer. */
class OriginDialogue implements ByteStreamHandler {
  readonly stream: ByteStream;
  readonly talk: OriginTalk;
  readonly reader = new RtspReader();
  readonly #signal: AbortSignal;
  readonly #onAbort = (): void =>
    this.#fail(new GatewayError('origin-unavailable', 'origin', 'the wait for the origin was ended'));
  #reject: ((error: Error) => void) | undefined;
  #failure: Error | undefined;
  #hasAnswered = false;

  constructor(stream: ByteStream, account: OriginAccount, signal: AbortSignal) {
    this.stream = stream;
    this.talk = new OriginTalk(account, (bytes) => stream.write(bytes));
    this.#signal = signal;
    if (signal.aborted) this.#onAbort();
    else signal.addEventListener('abort', this.#onAbort, { once: true });
    stream.handle(this);
  }

  forgetSignal(): void {
    this.#signal.removeEventListener('abort', this.#onAbort);
  }

  ask(request: OriginRequest): Promise<RtspResponse> {
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      if (this.#failure !== undefined) {
        reject(this.#failure);
        return;
      }
      this.talk.ask(request, resolve);
    });
  }

  onBytes(bytes: Buffer): void {
    try {
      this.reader.push(bytes);
      for (let item = this.reader.next(); item !== undefined; item = this.reader.next()) {
        // What flows before anything was asked for belongs to nobody.
        if (item.kind === 'frame') continue;
        this.#hasAnswered = true;
        if (item.kind === 'request') this.stream.write(this.talk.answerTo(item));
        else this.talk.answered(item);
      }
    } catch (error) {
      this.#fail(notRtsp(error));
    }
  }

  onClose(error?: Error): void {
    const code = this.#hasAnswered ? 'origin-refused' : 'origin-unavailable';
    this.#fail(new GatewayError(code, 'origin', 'the origin closed the connection', { cause: error }));
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.stream.destroy();
    this.#reject?.(this.#failure);
  }
}
