import { GatewayError } from '../../model/errors.js';
import type { OriginChoice, OriginLeg } from '../../model/leg.js';
import type { Secret } from '../../model/secret.js';
import type { HttpReply } from '../../net/http-client.js';
import { PATCH_TIMEOUT_MS, type WebrtcDeps } from './options.js';
import {
  authorizationFor,
  canPatch,
  endpointTarget,
  hasNodes,
  nodeOf,
  sessionTarget,
  type OriginManners,
  type OriginWish,
} from './presets.js';
import { isOffer } from './wire/sdp-check.js';

/** What is sent to an origin for one stream. */
export interface OriginOffer extends OriginWish {
  /** The offer; empty where the origin is to make it. */
  readonly sdp: string;
  /** For `X-Forwarded-For`. */
  readonly remoteAddress: string;
}

/** What all legs need from outside. */
export interface OriginLegDeps extends Pick<WebrtcDeps, 'call'> {
  readonly timeoutMs: number;
  /** Told the status with which an origin refused. */
  readonly onRefused: (status: number) => void;
  /** Told what went wrong when a session was given back. */
  readonly onCloseFailed: (error: Error) => void;
}

const SDP_START = /^\s*v=0/;
const GONE: ReadonlySet<number> = new Set([404, 410, 417]);

/**
 * Opens a session at an origin: POST, and before it OPTIONS where a node has to be found. Nothing that the origin says of
 * itself is kept but the SDP, the path of the session and its ETag.
 * Rejects with GatewayError `origin-unavailable`, `origin-refused`, `stream-busy`.
 */
export async function openOriginLeg(
  origin: OriginChoice,
  manners: OriginManners,
  offer: OriginOffer,
  deps: OriginLegDeps,
  signal: AbortSignal,
): Promise<WebrtcOriginLeg> {
  const ask = new OriginCalls(origin, manners, offer, deps);
  const node = hasNodes(manners) ? await ask.findNode(signal) : undefined;
  const type = offer.sdp === '' ? [] : [['Content-Type', 'application/sdp'] as const];
  const reply = await ask.call('POST', endpointTarget(origin, manners, offer, node), {
    headers: [...type, ['Accept', 'application/sdp']],
    body: offer.sdp,
    signal,
  });
  const session = sessionTarget(origin, manners, offer, {
    location: reply.headers.get('location'),
    node: nodeOf(reply.headers.get('session-host')) ?? node,
  });
  const hasSdp = SDP_START.test(reply.body);
  // A 406 may bring an offer of the origin's own instead of an error. @see draft-ietf-wish-whep-04 §4.3
  const isCounterOffer = reply.status === 406 && hasSdp && offer.transport === 'WHEP';
  const isYes = reply.status >= 200 && reply.status < 300;
  if (!isYes && !isCounterOffer) throw refusedBy(origin, offer, reply, deps);
  const leg = new WebrtcOriginLeg(ask, { sdp: reply.body, session, etag: reply.headers.get('etag'), isCounterOffer });
  if (hasSdp) return leg;
  leg.close();
  deps.onRefused(reply.status);
  throw new GatewayError('origin-refused', 'origin', `origin ${origin.name} answered ${reply.status} without SDP`);
}

function refusedBy(
  { name }: OriginChoice,
  offer: OriginOffer,
  { status }: HttpReply,
  deps: OriginLegDeps,
): GatewayError {
  deps.onRefused(status);
  const message = `origin ${name} refused with status ${status}`;
  // A viewer hears 409 where nobody publishes, which is no conflict.
  if (status === 409 && offer.transport === 'WHIP') return new GatewayError('stream-busy', 'origin', message);
  return new GatewayError('origin-refused', 'origin', message);
}

interface CallBody {
  readonly headers: readonly (readonly [string, string | Secret])[];
  readonly body?: string;
  readonly timeoutMs?: number;
  readonly signal: AbortSignal;
}

/** Requests to one origin for one stream. */
class OriginCalls {
  readonly manners: OriginManners;
  readonly deps: OriginLegDeps;
  readonly #origin: OriginChoice;
  readonly #offer: OriginOffer;

  constructor(origin: OriginChoice, manners: OriginManners, offer: OriginOffer, deps: OriginLegDeps) {
    this.#origin = origin;
    this.manners = manners;
    this.#offer = offer;
    this.deps = deps;
  }

  get isWhep(): boolean {
    return this.#offer.transport === 'WHEP';
  }

  get hasOffered(): boolean {
    return this.#offer.sdp !== '';
  }

  call(method: string, target: Secret, { headers, body, timeoutMs, signal }: CallBody): Promise<HttpReply> {
    const { host, port, secure, name } = this.#origin;
    const authorization = authorizationFor(this.#origin, this.manners);
    return this.deps.call(
      {
        ...{ host, port, secure, method, target, signal },
        timeoutMs: timeoutMs ?? this.deps.timeoutMs,
        headers: [
          ...headers,
          ...(authorization === undefined ? [] : [['Authorization', authorization] as const]),
          ...(this.manners.forwardedFor === false ? [] : [['X-Forwarded-For', this.#offer.remoteAddress] as const]),
        ],
        ...(body !== undefined && { body }),
      },
      name,
    );
  }

  /** Asks which node is to serve the stream. */
  async findNode(signal: AbortSignal): Promise<string | undefined> {
    const target = endpointTarget(this.#origin, this.manners, this.#offer, undefined);
    const reply = await this.call('OPTIONS', target, { headers: [], signal });
    return nodeOf(reply.headers.get('session-host'));
  }
}

interface Opened {
  readonly sdp: string;
  readonly session: Secret | undefined;
  readonly etag: string | undefined;
  readonly isCounterOffer: boolean;
}

/** How an origin took a PATCH. `gone`: it does not know the session any more. */
export type PatchOutcome =
  { readonly kind: 'taken'; readonly fragment: string | undefined } | { readonly kind: 'refused' | 'gone' | 'failed' };

/** The origin's side of one session. */
export class WebrtcOriginLeg implements OriginLeg {
  /** The origin's answer or offer. */
  readonly sdp: string;
  /** The origin has made an offer, and the client has to answer it. */
  readonly isOffer: boolean;
  /** It came with status 406. */
  readonly isCounterOffer: boolean;
  readonly #calls: OriginCalls;
  readonly #session: Secret | undefined;
  #etag: string | undefined;
  #closing: Promise<void> | undefined;

  constructor(calls: OriginCalls, { sdp, session, etag, isCounterOffer }: Opened) {
    this.#calls = calls;
    this.sdp = sdp;
    this.#session = session;
    this.#etag = etag;
    this.isCounterOffer = isCounterOffer;
    this.isOffer = calls.isWhep && (isCounterOffer || !calls.hasOffered || isOffer(sdp));
  }

  /** Whether the origin takes a PATCH at all. */
  get canPatch(): boolean {
    return this.#session !== undefined && canPatch(this.#calls.manners);
  }

  /** Sends a fragment or an answer on. Never rejects. `isRestart`: asks for new credentials of the origin. */
  async patch(type: string, body: string, isRestart = false): Promise<PatchOutcome> {
    if (this.#session === undefined || !this.canPatch) return { kind: 'refused' };
    const match = isRestart ? '*' : this.#etag;
    const ifMatch = match === undefined ? [] : [['If-Match', match] as const];
    try {
      const reply = await this.#calls.call('PATCH', this.#session, {
        headers: [['Content-Type', type], ...ifMatch],
        body,
        ...(type === 'application/sdp' ? {} : { timeoutMs: PATCH_TIMEOUT_MS }),
        signal: NEVER,
      });
      this.#etag = reply.headers.get('etag') ?? this.#etag;
      if (GONE.has(reply.status)) return { kind: 'gone' };
      if (reply.status < 200 || reply.status > 299) return { kind: 'refused' };
      return { kind: 'taken', fragment: reply.body === '' ? undefined : reply.body };
    } catch {
      return { kind: 'failed' };
    }
  }

  /** DELETE, once; it is not waited for. */
  close(): void {
    this.#closing ??= this.#delete();
  }

  /** Resolves when a close() has come to its end; at once where there was none. */
  closed(): Promise<void> {
    return this.#closing ?? Promise.resolve();
  }

  async #delete(): Promise<void> {
    if (this.#session === undefined) return;
    try {
      const { status } = await this.#calls.call('DELETE', this.#session, { headers: [], signal: NEVER });
      const isFine = (status >= 200 && status < 300) || GONE.has(status);
      if (!isFine) this.#calls.deps.onCloseFailed(new Error(`the origin answered ${status} to DELETE`));
    } catch (error) {
      this.#calls.deps.onCloseFailed(error instanceof Error ? error : new Error('DELETE failed'));
    }
  }
}

const NEVER = new AbortController().signal;
