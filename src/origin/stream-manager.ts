import type { Clock } from '../model/clock.js';
import { GatewayError } from '../model/errors.js';
import { Secret } from '../model/secret.js';
import type { HttpCall, HttpReply } from '../net/http-client.js';
import type { NodeRule } from '../wire/node-host.js';

/** A viewer's answer is taken for true for so long; a publisher always asks. */
const KNOWN_MS = 2000;
/** A login is used for so long, or until it is refused. */
const LOGIN_MS = 300_000;
const MAX_KNOWN = 1024;
/** Nodes of one answer that are looked at. */
const MAX_NODES = 8;

/** A Stream Manager 2, and how it is asked. */
export interface StreamManager {
  readonly origin: string;
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
  /** Goes before all paths: empty, or `/a/b`. */
  readonly basePath: string;
  readonly nodeGroup: string;
  /** For managers that want a login even for this. */
  readonly login?: { readonly username: string; readonly password: Secret };
  readonly rule: NodeRule;
}

/** What is wanted of it. */
export interface NodeQuestion {
  readonly action: 'publish' | 'subscribe';
  /** `app[/room…]/name`. */
  readonly path: string;
}

/** What asking needs. */
export interface NodeLookupDeps {
  readonly clock: Clock;
  readonly call: (call: HttpCall) => Promise<HttpReply>;
  /** For one question; the session's own deadline is in `signal`. */
  readonly timeoutMs: number;
}

/** Asks managers which nodes serve a stream. */
export type FindNodes = (
  manager: StreamManager,
  question: NodeQuestion,
  signal: AbortSignal,
) => Promise<readonly string[]>;

/**
 * Makes the asking: `GET /as/v1/streams/stream/<nodeGroup>/<action>/<path>`. Hosts come back as the manager names them, those
 * that are no hosts left out; their addresses are still to be checked by the rule.
 * Rejects with GatewayError `origin-unavailable` (not reached, 5xx, no node) or `origin-refused` (a no, nonsense).
 */
export function createFindNodes({ clock, call, timeoutMs }: NodeLookupDeps): FindNodes {
  const known = new Map<string, { readonly hosts: readonly string[]; readonly askedMs: number }>();
  const logins = new Map<string, { readonly token: Secret; readonly askedMs: number }>();
  const isFresh = (askedMs: number, forMs: number): boolean => Math.abs(clock.now() - askedMs) < forMs;

  const ask = (manager: StreamManager, method: string, path: string, more: Asking): Promise<HttpReply> => {
    const { host, port, secure, basePath } = manager;
    const target = new Secret(`${basePath}${path}`);
    const headers = [
      ['Accept', 'application/json'],
      ['Authorization', more.authorization],
    ] as const;
    return call({
      ...{ host, port, secure, method, target, timeoutMs, signal: more.signal },
      headers: headers.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])),
    });
  };

  const logIn = async (manager: StreamManager, signal: AbortSignal): Promise<Secret | undefined> => {
    const { login, origin } = manager;
    if (login === undefined) return undefined;
    const present = logins.get(origin);
    if (present !== undefined && isFresh(present.askedMs, LOGIN_MS)) return present.token;
    const basic = Buffer.from(`${login.username}:${login.password.reveal()}`, 'utf8').toString('base64');
    const authorization = new Secret(`Basic ${basic}`);
    const reply = await ask(manager, 'PUT', '/as/v1/auth/login', { authorization, signal });
    const token = textOf(readJson(reply.body), 'token');
    if (reply.status !== 200 || token === undefined || !/^[A-Za-z0-9._~+/=-]{1,8192}$/.test(token)) {
      throw new GatewayError('origin-refused', 'origin', `the manager ${origin} refused the login: ${reply.status}`);
    }
    const bearer = new Secret(`Bearer ${token}`);
    logins.set(origin, { token: bearer, askedMs: clock.now() });
    return bearer;
  };

  return async (manager, { action, path }, signal) => {
    const { origin, nodeGroup, rule } = manager;
    const key = `${origin} ${path}`;
    const present = action === 'subscribe' ? known.get(key) : undefined;
    if (present !== undefined && isFresh(present.askedMs, KNOWN_MS)) return present.hosts;
    const target = `/as/v1/streams/stream/${encodeURIComponent(nodeGroup)}/${action}/${encodePath(path)}`;
    let authorization = await logIn(manager, signal);
    let reply = await ask(manager, 'GET', target, { authorization, signal });
    if (reply.status === 401 && manager.login !== undefined) {
      logins.delete(origin);
      authorization = await logIn(manager, signal);
      reply = await ask(manager, 'GET', target, { authorization, signal });
    }
    const hosts = nodesOf(reply, origin).filter((host) => rule.isHost(host));
    if (hosts.length === 0) throw new GatewayError('origin-unavailable', 'origin', `${origin} named no node`);
    if (action === 'subscribe') remember(known, key, { hosts, askedMs: clock.now() });
    return hosts;
  };
}

interface Asking {
  readonly authorization: Secret | undefined;
  readonly signal: AbortSignal;
}

function remember<T>(known: Map<string, T>, key: string, value: T): void {
  known.delete(key);
  const [oldest] = known.keys();
  if (oldest !== undefined && known.size >= MAX_KNOWN) known.delete(oldest);
  known.set(key, value);
}

/** The answer is a list of nodes, or one. */
function nodesOf({ status, body }: HttpReply, origin: string): readonly string[] {
  if (status >= 500) throw new GatewayError('origin-unavailable', 'origin', `the manager ${origin} answered ${status}`);
  if (status !== 200) throw new GatewayError('origin-refused', 'origin', `the manager ${origin} answered ${status}`);
  const answer = readJson(body);
  if (typeof answer !== 'object' || answer === null) {
    throw new GatewayError('origin-refused', 'origin', `the manager ${origin} answered nonsense`);
  }
  const nodes: readonly unknown[] = Array.isArray(answer) ? answer : [answer];
  return nodes.slice(0, MAX_NODES).flatMap((node) => textOf(node, 'serverAddress') ?? []);
}

function textOf(from: unknown, key: string): string | undefined {
  if (typeof from !== 'object' || from === null || !Object.hasOwn(from, key)) return undefined;
  const value: unknown = Reflect.get(from, key);
  return typeof value === 'string' ? value : undefined;
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function encodePath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}
