import { GatewayError, WireError } from '../../model/errors.js';
import type { ClientLeg, OriginChoice, OriginLeg, OwnRelay } from '../../model/leg.js';
import type { Rejection } from '../../model/rejection.js';
import type { ConnectionRequest } from '../../model/request.js';
import type { HttpResponse } from '../../net/http-request.js';
import type { QueryPair } from '../../wire/query.js';
import { clientIceOf } from './client-ice.js';
import { createDirectRelay } from './direct-relay.js';
import type { MediaSession, OfferedMediaSession } from './media/media-plane.js';
import type { WebrtcDeps, WebrtcOptions } from './options.js';
import { openOriginLeg, type WebrtcOriginLeg } from './origin-leg.js';
import type { OriginManners } from './presets.js';
import { confirmation, refusal } from './replies.js';
import type { WebrtcTransportName } from './routes.js';
import { endSession, type Sessions, type WebrtcSession } from './sessions.js';
import { checkClient, readDescription } from './wire/sdp-check.js';

/** One POST, as the leg that stands for it sees it. */
export interface Posted {
  readonly request: ConnectionRequest;
  readonly transport: WebrtcTransportName;
  /** Empty where the origin is to make the offer. */
  readonly sdp: string;
  readonly pairs: readonly QueryPair[];
  /** Makes the URL of a session from its secret name. */
  readonly urlOf: (name: string) => string;
  /** Answers the POST; the first call counts. */
  readonly respond: (response: HttpResponse) => void;
}

/** What all legs share. */
export interface LegShared {
  readonly deps: WebrtcDeps;
  readonly options: WebrtcOptions;
  readonly sessions: Sessions;
  /** Keeps what has to come to its end before the process does. */
  readonly await: (closing: Promise<void>) => void;
}

/** The media of a session: by who made the offer, or none where it does not pass through here. */
export type Media =
  | { readonly kind: 'answered'; readonly session: MediaSession }
  | { readonly kind: 'offered'; readonly session: OfferedMediaSession }
  | { readonly kind: 'direct' };

/** The origin's side of a session, with its media. */
export class OpenedLeg implements OriginLeg {
  /** The client still owes its answer to the origin's offer. */
  awaitsAnswer: boolean;

  constructor(
    readonly origin: WebrtcOriginLeg,
    readonly media: Media,
    /** What the client gets. */
    readonly sdp: string,
    private readonly onClosing: (closed: Promise<void>) => void,
  ) {
    this.awaitsAnswer = origin.isOffer;
  }

  close(): void {
    if (this.media.kind !== 'direct') this.media.session.end();
    this.origin.close();
    this.onClosing(this.origin.closed());
  }
}

/** The client's leg of one WHIP or WHEP session. */
export class WebrtcClientLeg implements ClientLeg<OpenedLeg> {
  readonly #shared: LegShared;
  readonly #posted: Posted;
  #session: WebrtcSession | undefined;
  #originStatus: number | undefined;
  #isUnsupported = false;

  constructor(shared: LegShared, posted: Posted) {
    this.#shared = shared;
    this.#posted = posted;
  }

  /** The session, once it was confirmed. */
  get session(): WebrtcSession | undefined {
    return this.#session;
  }

  async dial(origin: OriginChoice, signal: AbortSignal): Promise<OpenedLeg> {
    const { mannersOf } = this.#shared.deps;
    const manners = mannersOf(origin.name);
    if (manners === undefined) {
      throw new GatewayError('origin-unavailable', 'gateway', `origin ${origin.name} has no address for HTTP`);
    }
    this.#originStatus = undefined;
    if (manners.media === 'direct') {
      this.#checkOffer();
      const leg = await this.#openOrigin(origin, manners, this.#posted.sdp, signal);
      return this.#opened(leg, { kind: 'direct' }, leg.sdp);
    }
    return this.#dialRelayed(origin, manners, signal);
  }

  confirm(leg: OpenedLeg): OwnRelay {
    const { deps, options, sessions } = this.#shared;
    const { request, respond, urlOf, sdp } = this.#posted;
    const session = sessions.add(request, leg, clientIceOf(sdp));
    this.#session = session;
    respond(
      confirmation({
        status: leg.origin.isCounterOffer ? 406 : 201,
        sdp: leg.sdp,
        location: urlOf(session.name),
        etag: session.etag,
        iceServers: options.iceServers,
      }),
    );
    const { media } = leg;
    if (media.kind !== 'direct') return { run: (onEnd) => media.session.run(onEnd) };
    return createDirectRelay(session, deps.clock);
  }

  refuse(rejection: Rejection): void {
    const { request, transport, respond } = this.#posted;
    const status = this.#originStatus;
    respond(
      refusal(rejection, {
        transport,
        session: request.sessionId,
        hasToken: request.credential !== undefined,
        isUnsupported: this.#isUnsupported,
        ...(status !== undefined && { originStatus: status }),
      }),
    );
  }

  /** Media and origin have been told already; what is left is that the URL is nobody's any more. */
  goodbye(): void {
    if (this.#session !== undefined) this.#shared.sessions.remove(this.#session.name);
  }

  async #dialRelayed(origin: OriginChoice, manners: OriginManners, signal: AbortSignal): Promise<OpenedLeg> {
    const answered = this.#posted.sdp === '' ? undefined : this.#openMedia();
    let leg: WebrtcOriginLeg | undefined;
    try {
      leg = await this.#openOrigin(origin, manners, answered?.sdpForOrigin ?? '', signal);
      if (leg.isOffer || answered === undefined) {
        answered?.end();
        const session = this.#plane().openForOffer({ ...this.#who(), originSdp: leg.sdp });
        return this.#opened(leg, { kind: 'offered', session }, session.sdpForClient);
      }
      return this.#opened(leg, { kind: 'answered', session: answered }, answered.answer(leg.sdp));
    } catch (error) {
      answered?.end();
      if (leg === undefined) throw error;
      leg.close();
      this.#shared.await(leg.closed());
      throw error instanceof WireError ? badOriginSdp(origin, error) : asLimit(error);
    }
  }

  #openMedia(): MediaSession {
    try {
      return this.#plane().open({ ...this.#who(), clientSdp: this.#posted.sdp });
    } catch (error) {
      throw error instanceof WireError ? this.#badOffer(error) : asLimit(error);
    }
  }

  #checkOffer(): void {
    if (this.#posted.sdp === '') return;
    try {
      checkClient(readDescription(this.#posted.sdp, { kind: 'offer' }), this.#who().role);
    } catch (error) {
      throw error instanceof WireError ? this.#badOffer(error) : error;
    }
  }

  #badOffer(error: WireError): GatewayError {
    this.#isUnsupported = error.code.startsWith('unsupported-');
    return new GatewayError('malformed-request', 'client', `the offer: ${error.message}`, { cause: error });
  }

  #openOrigin(
    origin: OriginChoice,
    manners: OriginManners,
    sdp: string,
    signal: AbortSignal,
  ): Promise<WebrtcOriginLeg> {
    const { deps, options } = this.#shared;
    const { request, transport, pairs } = this.#posted;
    const { sessionId, remoteAddress } = request;
    return openOriginLeg(
      origin,
      manners,
      { transport, sdp, pairs, requestId: sessionId, remoteAddress, allowRecord: options.allowRecord },
      {
        call: deps.call,
        timeoutMs: options.originTimeoutMs,
        onRefused: (status) => {
          this.#originStatus = status;
        },
        onCloseFailed: (error) =>
          deps.log.write('warn', 'session.note', {
            ...{ session: sessionId, transport, note: 'origin-not-told', origin: origin.name },
            error: error.message,
          }),
      },
      signal,
    );
  }

  #opened(origin: WebrtcOriginLeg, media: Media, sdp: string): OpenedLeg {
    return new OpenedLeg(origin, media, sdp, this.#shared.await);
  }

  #who(): { readonly sessionId: string; readonly role: 'publisher' | 'subscriber' } {
    const { sessionId, action } = this.#posted.request;
    return { sessionId, role: action === 'publish' ? 'publisher' : 'subscriber' };
  }

  #plane(): NonNullable<WebrtcDeps['media']> {
    const { media } = this.#shared.deps;
    if (media !== undefined) return media;
    throw new GatewayError('origin-unavailable', 'gateway', 'no port for media is open (listen.media)');
  }
}

/** Ends what ended while nobody could be told. */
export function settle(session: WebrtcSession): void {
  if (session.ending !== undefined) endSession(session, session.ending);
}

function badOriginSdp({ name }: OriginChoice, error: WireError): GatewayError {
  return new GatewayError('origin-refused', 'origin', `the SDP of origin ${name}: ${error.message}`, { cause: error });
}

function asLimit(error: unknown): unknown {
  if (!(error instanceof GatewayError) || error.code !== 'media-full') return error;
  return new GatewayError('limit-connections', 'gateway', error.message, { cause: error });
}
