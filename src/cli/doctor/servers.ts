import type { Config, HttpTarget, Origin } from '../../config/config.js';
import { checkOrigin } from '../../gateway/origin-care.js';
import type { Clock } from '../../model/clock.js';
import { Secret } from '../../model/secret.js';
import type { EndpointKind } from '../../model/transport.js';
import type { NameResolver } from '../../net/dns.js';
import { callHttp, type HttpReply } from '../../net/http-client.js';
import { findingsOf, systemCodeOf, type Finding } from './finding.js';
import type { ForeignTime } from './machine.js';

const KINDS: readonly EndpointKind[] = ['rtmp', 'rtsp', 'http'];

/** For one server, whatever it speaks. */
const SERVER_MS = 5_000;

/** What servers are asked with. */
export interface ServersDeps {
  readonly clock: Clock;
  readonly names: NameResolver;
}

/** What was seen of the servers behind the gateway, and the times that they told. */
export interface ServersSeen {
  readonly findings: readonly Finding[];
  readonly times: readonly ForeignTime[];
}

/** Asks each origin by each of its protocols, each server of a hook, of a key set and of traces, all at once. Never rejects. */
export async function checkServers(config: Config, deps: ServersDeps): Promise<ServersSeen> {
  const times: ForeignTime[] = [];
  const origins = config.origins.flatMap((origin) =>
    KINDS.flatMap((kind) => (origin[kind] === undefined ? [] : [checkOne(origin, kind, deps, times)])),
  );
  const keySets = config.auth.keys.flatMap((key) =>
    key.kind === 'jwks-url' ? [askServer(`key set ${key.id}`, { ...key, method: 'GET' }, deps, times)] : [],
  );
  const hooks = config.hooks.flatMap((hook) =>
    hook.name === 'call-http' ? [askServer(`hook ${hook.id}`, { ...hook, method: 'OPTIONS' }, deps, times)] : [],
  );
  const { traces } = config.log;
  const collector =
    traces === undefined
      ? []
      : [askServer('log.traces', { ...traces, url: traces.endpoint, method: 'OPTIONS' }, deps, times)];
  return { findings: await Promise.all([...origins, ...keySets, ...hooks, ...collector]), times };
}

async function checkOne(origin: Origin, kind: EndpointKind, deps: ServersDeps, times: ForeignTime[]): Promise<Finding> {
  const address = origin[kind];
  const protocol = `${kind.toUpperCase()}${address?.secure === true ? ' in TLS' : ''}`;
  const { fine, skipped, fault } = findingsOf('origin', `${origin.name} by ${protocol}`);
  if (address === undefined) return skipped('no address');
  if (address.find === 'node') return skipped('its manager names a node for each stream', 'Its HTTP address is asked.');
  const where = address.find === 'srv' ? address.host : `${address.host} port ${address.port}`;
  const startedMs = deps.clock.now();
  try {
    await inTime(deps.clock, (signal) => checkOrigin(origin, kind, deps, signal));
    const tookMs = deps.clock.now() - startedMs;
    if (kind === 'http' && address.find === undefined) await learnTime(`origin ${origin.name}`, address, deps, times);
    return fine(`${where} answers in ${Math.max(1, Math.round(tookMs))} ms`);
  } catch (error) {
    return fault(`${where}: ${reasonOf(error)}`, adviceOn(error, address));
  }
}

interface Ask {
  readonly url: HttpTarget;
  readonly method: 'GET' | 'OPTIONS';
  readonly ca?: string;
}

async function askServer(about: string, ask: Ask, deps: ServersDeps, times: ForeignTime[]): Promise<Finding> {
  const { url, method } = ask;
  const { fine, warning, fault } = findingsOf('server', about);
  const where = `${url.host} port ${url.port}`;
  try {
    const reply = await call(ask, deps);
    noteTime(about, reply, deps.clock.now(), times);
    if (reply.status >= 500 && reply.status !== 501 && reply.status !== 505) {
      return warning(`${where} answers ${method} with ${reply.status}`, 'Look at the log of that server.');
    }
    if (method === 'GET' && reply.status !== 200) {
      return fault(`${where} answers with ${reply.status} where 200 is needed`, 'Is the path of the URL right?');
    }
    return fine(`${where} answers`);
  } catch (error) {
    return fault(`${where}: ${reasonOf(error)}`, adviceOn(error, url));
  }
}

async function learnTime(
  from: string,
  { host, port, secure }: Omit<HttpTarget, 'path'>,
  deps: ServersDeps,
  times: ForeignTime[],
): Promise<void> {
  const reply = await call({ url: { host, port, secure, path: '/' }, method: 'OPTIONS' }, deps).catch(() => undefined);
  if (reply !== undefined) noteTime(from, reply, deps.clock.now(), times);
}

function call({ url, method, ca }: Ask, { clock, names }: ServersDeps): Promise<HttpReply> {
  const { host, port, secure, path } = url;
  return inTime(clock, (signal) =>
    callHttp({
      ...{ host, port, secure, method, target: new Secret(path), headers: [], timeoutMs: SERVER_MS, signal, clock },
      ...(ca !== undefined && { ca }),
      addressesOf: (name) => names.addresses(name),
    }),
  );
}

function noteTime(from: string, { headers }: HttpReply, nowMs: number, times: ForeignTime[]): void {
  const dateMs = Date.parse(headers.get('date') ?? '');
  // A date stands for the whole second that it begins.
  if (!Number.isNaN(dateMs)) times.push({ from, aheadMs: nowMs - (dateMs + 500) });
}

async function inTime<T>(clock: Clock, ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const deadline = new AbortController();
  let cancel = (): void => undefined;
  const late = new Promise<never>((_, reject) => {
    cancel = clock.after(SERVER_MS, () => {
      reject(new Error(`no answer within ${SERVER_MS} ms`));
      deadline.abort();
    });
  });
  return Promise.race([ask(deadline.signal), late]).finally(() => cancel());
}

function reasonOf(error: unknown): string {
  const code = systemCodeOf(error);
  const message = error instanceof Error ? error.message : 'it does not answer';
  return code === undefined || message.includes(code) ? message : `${message} (${code})`;
}

function adviceOn(error: unknown, { host, port, secure }: Omit<HttpTarget, 'path'>): string {
  const text = `${systemCodeOf(error) ?? ''} ${error instanceof Error ? error.message : ''}`;
  if (/ECONNREFUSED/.test(text))
    return `Nobody listens there: is it started? Is ${port} its port? Try: nc -vz ${host} ${port}`;
  if (/ENOTFOUND|EAI_AGAIN|ENODATA/.test(text)) return `The name is not known here. Try: getent hosts ${host}`;
  if (/CERT|SELF_SIGNED|UNABLE_TO|certificate/i.test(text)) {
    return `Its certificate is not trusted here. Try: openssl s_client -connect ${host}:${port} -servername ${host}; for a CA of your own set NODE_EXTRA_CA_CERTS.`;
  }
  if (/EPROTO|WRONG_VERSION|ECONNRESET/.test(text)) {
    return `It ended the connection: does that port speak ${secure ? 'TLS' : 'this protocol without TLS'}?`;
  }
  if (/EHOSTUNREACH|ENETUNREACH/.test(text)) return `There is no way there. Try: ip route get ${host}`;
  return `Is it a firewall, or another protocol at that port? Try: nc -vz ${host} ${port}`;
}
