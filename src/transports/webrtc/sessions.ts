import type { EndReason, SessionHandle } from '../../model/leg.js';
import type { ConnectionRequest } from '../../model/request.js';
import type { OpenedLeg } from './client-leg.js';
import type { ClientIce } from './client-ice.js';

/** Bytes of the secret name of a session. */
const NAME_BYTES = 24;
const ETAG_BYTES = 9;

/** A session that was confirmed, as its URL finds it. */
export interface WebrtcSession {
  /** The last segment of its URL; whoever knows it may change or end the session. */
  readonly name: string;
  /** The question that was answered with yes. */
  readonly request: ConnectionRequest;
  readonly leg: OpenedLeg;
  /** Quoted; changes with each ICE restart. */
  etag: string;
  /** What the client has told of its side of ICE last. */
  clientIce: ClientIce | undefined;
  /** Set as soon as the session room has it. */
  handle: SessionHandle | undefined;
  /** Why it is to end, when that was clear before there was a handle. */
  ending: EndReason | undefined;
}

/** All sessions of WHIP and WHEP, by the secret names in their URLs. */
export class Sessions {
  readonly #random: (size: number) => Buffer;
  readonly #all = new Map<string, WebrtcSession>();

  constructor(random: (size: number) => Buffer) {
    this.#random = random;
  }

  get size(): number {
    return this.#all.size;
  }

  /** Keeps a session under a name that nobody can guess. */
  add(request: ConnectionRequest, leg: OpenedLeg, clientIce: ClientIce | undefined): WebrtcSession {
    const name = this.#random(NAME_BYTES).toString('base64url');
    const session: WebrtcSession = {
      ...{ name, request, leg, clientIce, etag: this.freshEtag() },
      ...{ handle: undefined, ending: undefined },
    };
    this.#all.set(name, session);
    return session;
  }

  find(name: string): WebrtcSession | undefined {
    return this.#all.get(name);
  }

  remove(name: string): void {
    this.#all.delete(name);
  }

  /** A quoted entity tag. @see RFC 9110 §8.8.3 */
  freshEtag(): string {
    return `"${this.#random(ETAG_BYTES).toString('base64url')}"`;
  }
}

/** Ends a session, also one that the session room has not handed over yet. */
export function endSession(session: WebrtcSession, reason: EndReason, error?: Error): void {
  if (session.handle === undefined) session.ending ??= reason;
  else session.handle.end(reason, error);
}
