import type { TransportName } from '../../model/transport.js';
import { PAGE_PATHS } from './pages/index.js';

/** The two transports of this room. */
export type WebrtcTransportName = Extract<TransportName, 'WHIP' | 'WHEP'>;

/** What a path of the HTTP port means. */
export type Route =
  | {
      readonly kind: 'endpoint';
      readonly transport: WebrtcTransportName;
      /** `app[/room…]/name` as it was sent: percent-encoded, and not looked at yet. */
      readonly streamPath: string;
    }
  | { readonly kind: 'session'; readonly id: string }
  | { readonly kind: 'page'; readonly name: string };

const TRANSPORTS: ReadonlyMap<string, WebrtcTransportName> = new Map([
  ['whip', 'WHIP'],
  ['whep', 'WHEP'],
]);
/** Where sessions live; one segment more is the session's secret name. */
export const SESSION_FOLDER = 'session';
const STREAM_MANAGER = ['as', 'v1', 'proxy'];

/**
 * Reads the path of a request, without query. All forms of an endpoint lead to one stream path:
 * `/app[/room…]/whip/endpoint/[room…/]name` (Red5), `/app[/room…]/name/whip` (MediaMTX), `/app/whip/[room…/]name` and
 * `/as/v1/proxy/whip/app[/room…]/name` (Red5's Stream Manager); `whep` likewise. The words are compared as they were sent.
 * Undefined for anything else.
 */
export function routeOf(path: string): Route | undefined {
  const text = path.slice(1);
  if (PAGE_PATHS.has(text)) return { kind: 'page', name: text };
  const segments = text.replace(/\/+$/, '').split('/');
  const [first, id] = segments;
  if (first === SESSION_FOLDER && segments.length === 2 && id !== undefined) return { kind: 'session', id };
  const found = endpointOf(segments);
  if (found === undefined) return undefined;
  return { kind: 'endpoint', transport: found.transport, streamPath: found.segments.join('/') };
}

interface Endpoint {
  readonly transport: WebrtcTransportName;
  readonly segments: readonly string[];
}

function endpointOf(segments: readonly string[]): Endpoint | undefined {
  return streamManager(segments) ?? withEndpoint(segments) ?? atEnd(segments) ?? behindApp(segments);
}

function streamManager(segments: readonly string[]): Endpoint | undefined {
  const transport = TRANSPORTS.get(segments[STREAM_MANAGER.length] ?? '');
  const isProxy = STREAM_MANAGER.every((word, index) => segments[index] === word);
  return isProxy && transport !== undefined ? { transport, segments: segments.slice(4) } : undefined;
}

function withEndpoint(segments: readonly string[]): Endpoint | undefined {
  const at = segments.findIndex(
    (word, index) => index > 0 && TRANSPORTS.has(word) && segments[index + 1] === 'endpoint',
  );
  const transport = TRANSPORTS.get(segments[at] ?? '');
  if (transport === undefined) return undefined;
  return { transport, segments: [...segments.slice(0, at), ...segments.slice(at + 2)] };
}

function atEnd(segments: readonly string[]): Endpoint | undefined {
  const transport = TRANSPORTS.get(segments.at(-1) ?? '');
  return transport === undefined ? undefined : { transport, segments: segments.slice(0, -1) };
}

function behindApp([app, word = '', ...rest]: readonly string[]): Endpoint | undefined {
  const transport = TRANSPORTS.get(word);
  return transport === undefined || app === undefined ? undefined : { transport, segments: [app, ...rest] };
}
