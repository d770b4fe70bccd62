import { reject, type Rejection } from '../../model/rejection.js';
import { createAddressCount } from '../../net/address-count.js';
import type { HttpRequest, HttpResponse } from '../../net/http-request.js';
import { settle, WebrtcClientLeg, type LegShared } from './client-leg.js';
import { readCredentials } from './credential.js';
import { ALL_METHODS, PREFLIGHT_HEADERS, type Header } from './cors.js';
import type { Listening } from './options.js';
import { pageAnswer } from './pages/index.js';
import { ACCEPT_PATCH, answerPatch, essenceOf } from './patch.js';
import { problem } from './problem.js';
import { askAgain, askStream, type StreamAsked } from './questions.js';
import { iceServerLinks, plain, refusal } from './replies.js';
import { routeOf, type Route, type WebrtcTransportName } from './routes.js';
import { endSession, type WebrtcSession } from './sessions.js';
import { sessionUrl } from './session-url.js';

const ACCEPT_POST: Header = ['Accept-Post', 'application/sdp'];

type EndpointRoute = Extract<Route, { kind: 'endpoint' }>;

/** Answers one HTTP request after another; what it knows of a client between two of them is its session. */
export class HttpExchange {
  readonly #shared: LegShared;
  readonly #pendingOf = createAddressCount();
  #pending = 0;

  constructor(shared: LegShared) {
    this.#shared = shared;
  }

  /** Answers one request. Rejects only where the code is wrong. */
  async answer(request: HttpRequest, listening: Listening): Promise<HttpResponse> {
    const { method, headers } = request;
    // A browser's own question, which no page can put a token into. @see Fetch §4.8
    if (method === 'OPTIONS' && headers.has('access-control-request-method')) return plain(204, PREFLIGHT_HEADERS);
    const route = routeOf(request.path);
    switch (route?.kind) {
      case 'endpoint':
        return this.#endpoint(route, request, listening);
      case 'session':
        return this.#session(route.id, request);
      case 'page':
        return listening.pages ? pageAnswer(route.name, method, listening) : notFound();
      case undefined:
        return notFound();
    }
  }

  async #endpoint(route: EndpointRoute, request: HttpRequest, listening: Listening): Promise<HttpResponse> {
    switch (request.method) {
      case 'POST':
        return this.#post(route, request, listening);
      case 'OPTIONS':
        return this.#discover(route, request);
      case 'HEAD':
        return route.transport === 'WHEP'
          ? { status: 200, headers: [...plain(200).headers, ['Content-Type', 'application/sdp'], ACCEPT_POST] }
          : plain(204, [ACCEPT_POST]);
      case 'GET':
        return plain(204, [ACCEPT_POST]);
      default:
        return notAllowed('GET, HEAD, OPTIONS, POST');
    }
  }

  async #post(route: EndpointRoute, request: HttpRequest, listening: Listening): Promise<HttpResponse> {
    const { deps, options } = this.#shared;
    const { transport } = route;
    const { remoteAddress } = request;
    const isFull = this.#pending >= options.maxPending;
    const leave = isFull
      ? undefined
      : this.#pendingOf.enter(remoteAddress, options.maxPendingPerAddress(remoteAddress));
    if (leave === undefined) {
      deps.metrics.count('connections_refused_total', { transport, reason: 'limit-connections' });
      const rejection = reject('limit-connections', 'too many requests are being decided');
      return refusal(rejection, { transport, session: '', hasToken: false });
    }
    this.#pending += 1;
    try {
      return await this.#ask(route, request, listening);
    } finally {
      this.#pending -= 1;
      leave();
    }
  }

  async #ask(route: EndpointRoute, request: HttpRequest, listening: Listening): Promise<HttpResponse> {
    const { door, log } = this.#shared.deps;
    const { transport } = route;
    const asked = askStream(door.newSessionId(), transport, route.streamPath, request);
    const { sessionId: session } = asked.request;
    log.write('debug', 'session.note', {
      ...{ session, transport, note: 'arrived', parameters: asked.parameterNames, bytes: request.body.length },
      userAgent: request.headers.get('user-agent')?.slice(0, 100),
    });
    const wrong = asked.rejection ?? bodyFault(transport, request);
    if (wrong === undefined) return this.#open(asked, transport, request, listening);
    door.refused(asked.request, wrong);
    const hasToken = asked.request.credential !== undefined;
    if (asked.rejection === undefined && essenceOf(request.headers.get('content-type')) !== 'application/sdp') {
      return problem({
        status: 415,
        code: wrong.code,
        title: 'an endpoint takes application/sdp',
        session,
        headers: [ACCEPT_POST],
      });
    }
    return refusal(wrong, { transport, session, hasToken });
  }

  #open(
    asked: StreamAsked,
    transport: WebrtcTransportName,
    request: HttpRequest,
    listening: Listening,
  ): Promise<HttpResponse> {
    const { door } = this.#shared.deps;
    return new Promise((resolve, fail) => {
      const abort = new AbortController();
      const onGone = (): void => abort.abort();
      // After the answer the connection's end means nothing: the session goes on without it.
      const respond = (response: HttpResponse): void => {
        request.gone.removeEventListener('abort', onGone);
        resolve(response);
      };
      request.gone.addEventListener('abort', onGone, { once: true });
      if (request.gone.aborted) onGone();
      const leg = new WebrtcClientLeg(this.#shared, {
        request: asked.request,
        transport,
        sdp: request.body.toString('utf8'),
        pairs: asked.pairs,
        urlOf: (name) => sessionUrl(name, request, listening.publicUrl),
        respond,
      });
      door.open(asked.request, leg, abort.signal).then((handle) => {
        const { session } = leg;
        if (session !== undefined) {
          session.handle = handle;
          settle(session);
        }
        // Nobody hears it: the client left while it was decided.
        respond(problem({ status: 503, code: 'timeout', title: 'the client has left' }));
      }, fail);
    });
  }

  /** Not a preflight: a client that looks for ICE servers and for what is possible (Red5's SDK does before each POST). */
  async #discover(route: EndpointRoute, request: HttpRequest): Promise<HttpResponse> {
    const { deps, options } = this.#shared;
    const hasPasswords = options.iceServers.some(({ credential }) => credential !== undefined);
    let mayTell = false;
    if (hasPasswords) {
      const asked = askStream(deps.door.newSessionId(), route.transport, route.streamPath, request);
      const isQuestion = asked.rejection === undefined && asked.request.credential !== undefined;
      mayTell = isQuestion && (await deps.door.decide(asked.request)).ok;
    }
    return plain(204, [ACCEPT_POST, ['Allow', ALL_METHODS], ...iceServerLinks(options.iceServers, mayTell)]);
  }

  async #session(name: string, request: HttpRequest): Promise<HttpResponse> {
    const { method } = request;
    if (method === 'OPTIONS') return plain(204, [ACCEPT_PATCH]);
    if (method !== 'PATCH' && method !== 'DELETE') return notAllowed('OPTIONS, PATCH, DELETE');
    const session = this.#shared.sessions.find(name);
    if (session === undefined) return notFound();
    const stranger = await this.#strangerTo(session, request);
    if (stranger !== undefined) {
      const { request: owner } = session;
      const transport = owner.transport === 'WHEP' ? 'WHEP' : 'WHIP';
      return refusal(stranger, { transport, session: owner.sessionId, hasToken: true });
    }
    if (method === 'PATCH') return answerPatch(session, request, this.#shared);
    endSession(session, 'client-finished');
    return plain(200);
  }

  /**
   * Why whoever asks may not touch the session; undefined when it may. Who knows the URL and shows nothing may: most clients
   * send their token to the endpoint only. A token that is shown has to be the one the session began with, expired or not, or a
   * good one for the same stream and of the same subject.
   */
  async #strangerTo(session: WebrtcSession, request: HttpRequest): Promise<Rejection | undefined> {
    const { merged } = readCredentials(request);
    if (!merged.ok) return merged.rejection;
    const { credential } = merged;
    if (credential === undefined) return undefined;
    const { request: owner, handle } = session;
    if (owner.credential?.token.equals(credential.token) === true) return undefined;
    const decision = await this.#shared.deps.door.decide(askAgain(owner, request, credential));
    if (!decision.ok) return decision.rejection;
    if (decision.identity?.subject === handle?.subject) return undefined;
    return reject('hook-denied', 'the token is of another subject than the one the session belongs to');
  }
}

/** Why the body cannot be an offer; only a viewer may ask without one, for an offer of the origin's. */
function bodyFault(transport: WebrtcTransportName, { headers, body }: HttpRequest): Rejection | undefined {
  if (body.length === 0 && transport === 'WHEP') return undefined;
  const type = essenceOf(headers.get('content-type'));
  if (type !== 'application/sdp') return reject('malformed-request', 'the body is not application/sdp');
  return body.length === 0 ? reject('malformed-request', 'the body is empty') : undefined;
}

function notFound(): HttpResponse {
  return problem({ status: 404, code: 'path-invalid', title: 'there is nothing here' });
}

function notAllowed(methods: string): HttpResponse {
  return problem({
    status: 405,
    code: 'malformed-request',
    title: `allowed are ${methods}`,
    headers: [['Allow', methods]],
  });
}
