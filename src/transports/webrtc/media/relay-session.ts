import { GatewayError } from '../../../model/errors.js';
import type { EndReason, RunningRelay } from '../../../model/leg.js';
import type { LogFields } from '../../../model/telemetry.js';
import { asError } from '../../../net/thrown.js';
import { isLateAlert, isRtcp } from '../wire/datagram-kind.js';
import type { Description, IceCredentials } from '../wire/sdp-check.js';
import { readFragment, writeFragment } from '../wire/sdp-fragment.js';
import { ClientSide, type ClientSideEvents } from './client-side.js';
import { Flow } from './flow.js';
import { HoldQueue } from './hold-queue.js';
import type { MediaOpenInput, MediaRole, MediaState, MediaStats } from './media-plane.js';
import { OriginAgent } from './origin-agent.js';
import { newCredentials, type PlaneParts } from './plane-parts.js';
import type { Tuple } from './tuple-table.js';

/** What becomes of a PATCH. */
export type PatchOutcome = { readonly kind: 'trickle' } | { readonly kind: 'restart'; readonly fragment: string };

/** User name fragments of a client that are remembered: those of restarts whose late candidates may still come. */
const MAX_CLIENT_UFRAGS = 8;

/**
 * One session: `offered -> wait-client -> connecting -> relaying <-> suspect -> ending -> gone`.
 *
 * The origin's leg starts with the first verified check of the client, so that no origin speaks before there is somebody to hear
 * it. What either side sends before the other one is connected is held, within limits.
 */
export class RelaySession implements ClientSideEvents {
  /** Our credentials towards the origin. */
  readonly upstreamIce: IceCredentials;
  readonly #parts: PlaneParts;
  readonly #input: MediaOpenInput;
  readonly #side: ClientSide;
  readonly #fromClient = new Flow();
  readonly #fromOrigin = new Flow();
  readonly #up: HoldQueue;
  readonly #down: HoldQueue;
  readonly #isPublisher: boolean;
  readonly #clientUfrags: string[] = [];
  #transport = { mediaLine: 'm=audio 9 UDP/TLS/RTP/SAVPF 0', mid: '0' };
  #state: MediaState = 'offered';
  #onEnd: ((reason: EndReason, error?: Error) => void) | undefined;
  #agent: OriginAgent | undefined;
  /** Both descriptions have been exchanged. */
  #isAnswered = false;
  /** Grows with every sign that the client lives and wants the media. */
  #life = 0;
  #seenLife = 0;
  /** What `#life` was at the last DTLS alert: as long as it is, the client is leaving. */
  #goodbyeLife = -1;
  #nowMs: number;
  /** When the client last showed life, or the present wait began. */
  #sinceMs: number;
  /** When an ended session is forgotten. */
  #forgetMs = Infinity;

  /** `nowMs` is the plane's own time. */
  constructor(parts: PlaneParts, input: MediaOpenInput, nowMs: number) {
    this.#parts = parts;
    this.#input = input;
    this.#nowMs = nowMs;
    this.#sinceMs = nowMs;
    this.#isPublisher = input.role === 'publisher';
    const { holdDatagrams, holdBytes } = parts.limits;
    this.#up = new HoldQueue(holdDatagrams, holdBytes);
    this.#down = new HoldQueue(holdDatagrams, holdBytes);
    this.upstreamIce = newCredentials(parts.random);
    this.#side = new ClientSide(parts, this, nowMs);
  }

  /** Our newest credentials towards the client. */
  get clientIce(): IceCredentials {
    return this.#side.current;
  }

  /** What the client does with the media. */
  get role(): MediaRole {
    return this.#input.role;
  }

  /** Nothing is left of it. */
  get isGone(): boolean {
    return this.#state === 'gone';
  }

  /** What the origin said of itself, and whether it controls. Nothing is sent to it yet. */
  meetOrigin({ ice, candidates }: Description, isControlling: boolean): void {
    const input = { ours: this.upstreamIce, theirs: ice, isControlling, candidates };
    this.#agent = new OriginAgent(this.#parts, input, {
      onReady: () => this.#originReady(),
      onDatagram: (bytes) => this.#fromOriginCame(bytes),
      onLost: (error) => this.#finish(error.side === 'gateway' ? 'gateway-error' : 'origin-error', error),
    });
  }

  /** What the client said of itself. */
  meetClient({ ice }: Description): void {
    this.#knows(ice.ufrag);
  }

  /** Offer and answer have been exchanged: the origin's leg may start. */
  answered(transport: { readonly mediaLine: string; readonly mid: string }): void {
    this.#transport = transport;
    if (this.#isAnswered) return;
    this.#isAnswered = true;
    this.#sinceMs = this.#nowMs;
    if (this.#state === 'wait-client' && this.#side.selected !== undefined) this.#connect();
  }

  /** @see MediaSessionBase.patch */
  patch(text: string): PatchOutcome {
    const { ice } = readFragment(text);
    const isKnown = ice === undefined || this.#clientUfrags.length === 0 || this.#clientUfrags.includes(ice.ufrag);
    if (isKnown || this.#isOver()) return { kind: 'trickle' };
    this.#knows(ice.ufrag);
    const fragment = writeFragment({
      ...this.#transport,
      ice: this.#side.renew(),
      candidates: this.#parts.candidates,
    });
    return { kind: 'restart', fragment };
  }

  /** @see MediaSessionBase.run */
  run(onEnd: (reason: EndReason, error?: Error) => void): RunningRelay {
    if (this.#state === 'offered') {
      this.#onEnd = onEnd;
      this.#become('wait-client');
      this.#sinceMs = this.#nowMs;
      this.#side.open();
    }
    const fromClient = this.#fromClient;
    const fromOrigin = this.#fromOrigin;
    return {
      get clientBytes() {
        return fromClient.bytes;
      },
      get originBytes() {
        return fromOrigin.bytes;
      },
      stop: () => this.end(),
    };
  }

  /** @see MediaSessionBase.end */
  end(): void {
    if (this.#isOver()) return;
    this.#onEnd = undefined;
    this.#close();
  }

  /** Ends it for a fault of ours. */
  fault(error: Error): void {
    this.#finish('gateway-error', new GatewayError('media-fault', 'gateway', error.message, { cause: error }));
  }

  /** Forgets it at once. */
  vanish(): void {
    this.end();
    this.#side.forget();
    this.#become('gone');
  }

  /** @see MediaSessionBase.stats */
  stats(): MediaStats {
    const selected = this.#side.selected;
    return {
      state: this.#state,
      client: selected === undefined ? undefined : { host: selected.host, port: selected.port },
      fromClient: this.#fromClient.snapshot(),
      fromOrigin: this.#fromOrigin.snapshot(),
    };
  }

  /** Tells the log of something odd that ends nothing. */
  note(note: string, fields: LogFields): void {
    this.#parts.log.write('warn', 'session.note', { session: this.#input.sessionId, note, ...fields });
  }

  onChecked(): void {
    this.#life++;
    if (this.#state === 'wait-client' && this.#isAnswered) this.#connect();
    this.#flushDown();
  }

  onSign(tuple: Tuple): void {
    tuple.packets++;
    if (this.#isPublisher) this.#life++;
  }

  onLostTuple(tuple: Tuple): void {
    this.#side.lost(tuple);
  }

  onDatagram(tuple: Tuple, bytes: Buffer): void {
    const flow = this.#fromClient;
    tuple.packets++;
    tuple.media++;
    flow.packets++;
    flow.bytes += bytes.length;
    this.#parts.counts.fromClientPackets++;
    // Media of a publisher is life enough (ffmpeg sends no checks, W28); a viewer must keep consenting.
    if (this.#isPublisher || isRtcp(bytes)) this.#life++;
    if (tuple !== this.#side.selected) this.#side.strayed(tuple, bytes);
    if (isLateAlert(bytes)) this.#goodbyeLife = this.#life;
    const agent = this.#agent;
    if (agent?.isReady === true) {
      if (!agent.send(bytes)) this.#parts.counts.dropped['send-failed']++;
    } else if (!this.#up.push(bytes)) this.#parts.counts.dropped['hold-full']++;
  }

  /** Time passes: `intervalMs` since the last call. */
  tick(nowMs: number, intervalMs: number): void {
    this.#nowMs = nowMs;
    if (this.#state === 'ending') {
      // Of these there may be many: sessions that last a second are refused for thirty.
      if (nowMs >= this.#forgetMs) this.vanish();
      return;
    }
    this.#side.tick(nowMs);
    this.#fromClient.mark(intervalMs);
    // An origin that was sending and stops may be gone.
    if (this.#fromOrigin.mark(intervalMs) === 'stopped') this.#agent?.probe();
    if (!this.#isOver() && this.#state !== 'offered') this.#watch(nowMs);
  }

  #fromOriginCame(bytes: Buffer): void {
    const { counts } = this.#parts;
    const flow = this.#fromOrigin;
    flow.packets++;
    flow.bytes += bytes.length;
    counts.fromOriginPackets++;
    const to = this.#side.selected;
    if (to !== undefined) {
      if (!to.socket.send(bytes, to.port, to.host)) counts.dropped['send-failed']++;
    } else if (!this.#down.push(bytes)) counts.dropped['hold-full']++;
  }

  #connect(): void {
    this.#become('connecting');
    this.#agent?.start();
  }

  #originReady(): void {
    this.#become('relaying');
    for (const bytes of this.#up.take()) this.#agent?.send(bytes);
  }

  #flushDown(): void {
    const to = this.#side.selected;
    if (to === undefined) return;
    for (const bytes of this.#down.take()) to.socket.send(bytes, to.port, to.host);
  }

  #watch(nowMs: number): void {
    const isWaiting = this.#state === 'wait-client';
    if (this.#life !== this.#seenLife && !(isWaiting && !this.#isAnswered)) {
      this.#seenLife = this.#life;
      this.#sinceMs = nowMs;
      if (this.#state === 'suspect') this.#become('relaying');
      return;
    }
    const silentMs = nowMs - this.#sinceMs;
    if (isWaiting) this.#watchForClient(silentMs);
    else this.#watchSilence(silentMs);
  }

  #watchForClient(silentMs: number): void {
    const { waitAnswerMs, waitClientMs } = this.#parts.limits;
    if (!this.#isAnswered) {
      if (silentMs >= waitAnswerMs) this.#lose('client-closed', 'client-answer-missing', 'it did not answer the offer');
    } else if (silentMs >= waitClientMs) {
      this.#lose('client-closed', 'client-never-came', `no check within ${waitClientMs} ms`);
    }
  }

  #watchSilence(silentMs: number): void {
    const { suspectMs, deadMs, closingMs } = this.#parts.limits;
    const isLeaving = this.#life === this.#goodbyeLife;
    if (silentMs >= (isLeaving ? closingMs : deadMs)) {
      const reason = this.#isPublisher && !isLeaving ? 'media-idle' : 'client-closed';
      this.#lose(reason, 'client-silent', `nothing for ${silentMs} ms`);
    } else if (silentMs >= suspectMs && this.#state === 'relaying') this.#become('suspect');
  }

  #lose(reason: EndReason, code: string, message: string): void {
    this.#finish(reason, new GatewayError(code, 'client', message));
  }

  #finish(reason: EndReason, error: GatewayError): void {
    if (this.#isOver()) return;
    const tell = this.#onEnd;
    this.#onEnd = undefined;
    try {
      this.#close();
    } finally {
      this.#tell(() => tell?.(reason, error));
    }
  }

  #tell(call: () => void): void {
    try {
      call();
    } catch (thrown) {
      this.#parts.log.write('error', 'gateway.error', { where: 'media', error: asError(thrown).message });
    }
  }

  #close(): void {
    this.#agent?.close();
    this.#up.take();
    this.#down.take();
    // Who has never been let in knows no credentials that could be refused.
    if (this.#state === 'offered') {
      this.#side.forget();
      this.#become('gone');
      return;
    }
    this.#side.forbid();
    this.#forgetMs = this.#nowMs + this.#parts.limits.forbidMs;
    this.#become('ending');
  }

  #isOver(): boolean {
    return this.#state === 'ending' || this.#state === 'gone';
  }

  #become(state: MediaState): void {
    if (state === this.#state) return;
    const fields = { session: this.#input.sessionId, note: 'media', from: this.#state, to: state };
    this.#state = state;
    this.#parts.log.write('debug', 'session.note', fields);
  }

  #knows(ufrag: string): void {
    if (this.#clientUfrags.includes(ufrag)) return;
    this.#clientUfrags.push(ufrag);
    if (this.#clientUfrags.length > MAX_CLIENT_UFRAGS) this.#clientUfrags.shift();
  }
}
