import type { Clock } from '../model/clock.js';
import { Secret } from '../model/secret.js';
import type { BadRequestStatus, HttpRequest, HttpResponse } from '../net/http-request.js';
import type { WebSocketDoor } from '../net/http-server.js';
import type { Log, Metrics } from '../model/telemetry.js';
import { answerRoute, findRoutes, jsonAnswer } from './api.js';
import { createAudit } from './audit.js';
import { createAttempts, type AttemptRules } from './attempts.js';
import { EVENT_TYPES, type EventType, type Feed } from './feed.js';
import { frameSourceOf } from './frame-source.js';
import { createGuard, isSameSite, type GuardOptions } from './guard.js';
import { object, oneOfWords } from './json-schema.js';
import { createLiveEvents } from './live-events.js';
import { openApiOf } from './open-api.js';
import { dashboardFile, isDashboardFile } from './pages/index.js';
import type { AdminPorts } from './ports.js';
import { COMMON_HEADERS, problemAnswer } from './problem.js';
import { createRefusals } from './refusals.js';
import type { Route } from './route.js';
import { gatewayRoutes, originRoutes, revocationRoutes, tokenRoutes } from './routes-gateway.js';
import { decisionRoutes, sessionRoutes } from './routes-sessions.js';
import { createTickets, type Tickets } from './tickets.js';

export type { AttemptRules } from './attempts.js';
export { createFeed, type Feed } from './feed.js';
export type { AdminPorts } from './ports.js';

/** What the windows show, and to whom. */
export interface AdminOptions extends GuardOptions {
  /** Paths that are answered without the token, of `/livez`, `/readyz`, `/metrics`. */
  readonly openPaths: readonly string[];
  readonly ports: AdminPorts;
  readonly feed: Feed;
  /** How wrong tokens are counted, asked each time. */
  readonly attempts: () => AttemptRules;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly clock: Clock;
  /** Words that nobody can guess. */
  readonly random: () => string;
}

/** Answers requests; the port is opened elsewhere. */
export interface Admin {
  readonly handle: (request: HttpRequest) => Promise<HttpResponse>;
  /** Who may listen to the live events. */
  readonly ask: WebSocketDoor['ask'];
  /** The words for what is no request. */
  readonly refuse: (status: BadRequestStatus) => HttpResponse;
  /** Every route, with its description. */
  readonly routes: readonly Route[];
  /** Sends the listeners of events away. */
  readonly stop: () => void;
}

/** Where the live events are. */
export const EVENTS_PATH = '/api/v1/events';

const OPEN_API_PATH = '/api/v1/openapi.json';

/**
 * Makes the operator's windows: `/livez` (the process answers), `/readyz` (it takes streams; 503 with the reason if not),
 * `/metrics` (Prometheus text), the API below `/api/v1`, live events, and the page at `/`. Without the token, a path that is
 * not open gives 401, known or not; the files of the page hold nothing and are for everybody. Who is turned away is counted
 * and logged, and waits after too many wrong tokens.
 */
export function createAdmin(options: AdminOptions): Admin {
  const { ports, feed, clock } = options;
  const attempts = createAttempts(clock, options.attempts);
  const guard = createGuard({ ...options, attempts });
  const tickets = createTickets(clock, options.random);
  const events = createLiveEvents(feed, clock);
  const routes = routesOf(ports, feed, tickets);
  const openApi = openApiOf(routes);
  const refuse = createRefusals({ ...options, waitMs: guard.waitMs, nameOf: (path) => nameOf(path, routes) });
  const writeAudit = createAudit(options.log);
  const handle = async (request: HttpRequest): Promise<HttpResponse> => {
    const { method, path } = request;
    const isOpen = options.openPaths.includes(path);
    const wrongSite = isOpen ? undefined : guard.site(request);
    if (wrongSite !== undefined) return refuse(wrongSite, request);
    const file = dashboardFile(path, method, () => frameSourceOf(ports.wall(), request.headers.get('host')));
    if (file !== undefined) return file;
    const wrong = isOpen ? undefined : (guard.part(request) ?? guard.token(request));
    if (wrong !== undefined) return refuse(wrong, request);
    // Probes need no token; it is looked at where it makes a difference, and a guess is told of there too.
    const isTrusted = (): boolean => {
      if (isOpen && guard.site(request) !== undefined) return false;
      const wrong = isOpen ? guard.token(request) : undefined;
      if (wrong !== undefined && wrong !== 'token-required') refuse(wrong, request);
      return wrong === undefined;
    };
    const page = plainPage(path, isTrusted, ports);
    if (page !== undefined) return method === 'GET' || method === 'HEAD' ? page : onlyGet();
    if (path === OPEN_API_PATH) return method === 'GET' || method === 'HEAD' ? jsonAnswer(200, openApi) : onlyGet();
    if (path === EVENTS_PATH) return problemAnswer({ problem: 'upgrade-required' }, [['Upgrade', 'websocket']]);
    const found = findRoutes(routes, path);
    return found === undefined ? problemAnswer({ problem: 'not-found' }) : answerRoute(found, request, writeAudit);
  };
  return {
    handle,
    routes,
    stop: () => events.stop(),
    refuse: (status) => problemAnswer({ problem: status === 500 ? 'internal-error' : 'request-malformed' }),
    ask: (request) => {
      const { path, headers, query } = request;
      const wrongSite = guard.site(request);
      if (wrongSite !== undefined) return refuse(wrongSite, request);
      // Before anything that is shown is looked at: a page of another site could shut the operator out with wrong tickets.
      if (!isSameSite(headers, headers.get('host') ?? '')) return refuse('origin-foreign', request);
      const wanted = new URLSearchParams(query?.reveal() ?? '');
      const ticket = wanted.get('ticket');
      const wrongToken =
        ticket === null ? guard.token(request) : guard.inPlace(request, () => tickets.take(new Secret(ticket)));
      if (wrongToken !== undefined) return refuse(wrongToken, request);
      if (path !== EVENTS_PATH) return problemAnswer({ problem: 'not-found' });
      const types = typesOf(wanted.get('types'));
      if (types === undefined)
        return problemAnswer({ problem: 'query-malformed', detail: `types: ${EVENT_TYPES.join(', ')}` });
      if (events.isFull()) return problemAnswer({ problem: 'too-many' }, [['Retry-After', '5']]);
      return (socket) => events.join(socket, types);
    },
  };
}

function routesOf(ports: AdminPorts, feed: Feed, tickets: Tickets): readonly Route[] {
  const ticketRoute: Route = {
    method: 'POST',
    path: `${EVENTS_PATH}/ticket`,
    summary: `A word that opens one WebSocket at ${EVENTS_PATH}?ticket=… within 30 s; types=${EVENT_TYPES.join(',')} chooses events.`,
    ...{ body: object({}), status: 201, problems: ['too-many'], audit: 'ticket' },
    answer: object({ ticket: { type: 'string' }, types: { type: 'array', items: oneOfWords(...EVENT_TYPES) } }),
    handle: () => {
      const ticket = tickets.issue();
      return ticket === undefined
        ? { problem: 'too-many' }
        : { value: { ticket: ticket.reveal(), types: EVENT_TYPES } };
    },
  };
  return [
    ...sessionRoutes(ports),
    ...decisionRoutes(feed),
    ...originRoutes(ports),
    ...revocationRoutes(ports),
    ...tokenRoutes(ports),
    ...gatewayRoutes(ports),
    ticketRoute,
  ];
}

/** All types when none is named; undefined for a word that is none. */
function typesOf(text: string | null): ReadonlySet<EventType> | undefined {
  if (text === null) return new Set(EVENT_TYPES);
  const words = text.split(',');
  const types = EVENT_TYPES.filter((type) => words.includes(type));
  return words.length === types.length ? new Set(types) : undefined;
}

/** A path as the log may name it: by its route, and not at all where it is none, since anything may stand there. */
function nameOf(path: string, routes: readonly Route[]): string {
  const isOwn = [...PLAIN_PATHS, OPEN_API_PATH, EVENTS_PATH].includes(path) || isDashboardFile(path);
  return isOwn ? path : (findRoutes(routes, path)?.routes[0]?.path ?? 'unknown');
}

const PLAIN_PATHS = ['/livez', '/readyz', '/metrics'] as const;

function plainPage(path: string, isTrusted: () => boolean, { notReady, render }: AdminPorts): HttpResponse | undefined {
  switch (path) {
    case '/livez':
      return text(200, 'ok');
    case '/readyz':
      return readiness(notReady(), isTrusted);
    case '/metrics':
      return text(200, render(), 'text/plain; version=0.0.4; charset=utf-8');
    default:
      return undefined;
  }
}

/** The reason may tell how the house is built, so only those who may know get it. */
function readiness(reason: string | undefined, isTrusted: () => boolean): HttpResponse {
  if (reason === undefined) return text(200, 'ok');
  const { headers, ...answer } = text(503, isTrusted() ? reason : 'not ready');
  return { ...answer, headers: [...headers, ['Retry-After', '1']] };
}

function onlyGet(): HttpResponse {
  return problemAnswer({ problem: 'method-wrong' }, [['Allow', 'GET, HEAD']]);
}

function text(status: number, body: string, type = 'text/plain; charset=utf-8'): HttpResponse {
  return {
    status,
    headers: [...COMMON_HEADERS, ['Content-Type', type]],
    body: body.endsWith('\n') ? body : `${body}\n`,
  };
}
