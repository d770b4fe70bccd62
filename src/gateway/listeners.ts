import type { Config, HttpEndpoint, MediaListener } from '../config/config.js';
import type { ByteStream } from '../model/byte-stream.js';
import type { Log, Metrics } from '../model/telemetry.js';
import type { TransportName } from '../model/transport.js';
import type { Admission } from '../net/admission.js';
import { listenTcp } from '../net/tcp.js';
import { listenTls, type UseCertificates } from '../net/tls.js';
import type { MediaPlane } from '../transports/webrtc/media/media-plane.js';
import type { CertificateCare } from './certificates.js';
import type { TrustedProxies } from './proxies.js';

/** Where a listener can be reached. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** A listener that is open. */
export interface Closable extends ListenAddress {
  /** Of a TLS listener. */
  readonly useCertificates?: UseCertificates;
  close(): Promise<void>;
}

/** What listeners are told with. */
export interface ListenerDeps {
  readonly log: Log;
  readonly metrics: Metrics;
}

type Admin = NonNullable<Config['listen']['admin']>;
type Accept = (stream: ByteStream, onGone: () => void) => void;

/** Counts a client before it is handed to its transport; over the limit it is not. */
export function admitted(
  transport: TransportName,
  accept: Accept,
  { admission, metrics }: { readonly admission: Admission; readonly metrics: Metrics },
): (stream: ByteStream) => void {
  return (stream) => {
    const onGone = admission.admit(stream, transport);
    if (onGone === undefined) return;
    const count = (): void => metrics.gauge('connections', { transport }, admission.total(transport));
    count();
    accept(stream, () => {
      onGone();
      count();
    });
  };
}

/** Who is told of what the listeners hear. */
export interface ListenerUsers {
  /** What TLS listeners show. */
  readonly certificates: CertificateCare;
  readonly proxies: TrustedProxies;
  /** Open already, since its port is part of what others say. */
  readonly media: MediaPlane | undefined;
  readonly RTMP: (stream: ByteStream) => void;
  readonly RTSP: (stream: ByteStream) => void;
  readonly openAdmin: (endpoint: Admin, onError: (error: Error) => void) => Promise<Closable>;
  readonly listenHttp: (
    endpoint: HttpEndpoint,
    isSecure: boolean,
    onError: (error: Error) => void,
  ) => Promise<Closable>;
}

/** Opens every listener that the config names, or none. Rejects with GatewayError `listen-failed`. */
export async function openListeners(
  config: Config,
  deps: ListenerDeps,
  users: ListenerUsers,
): Promise<Map<string, Closable>> {
  const { log, metrics } = deps;
  const { rtmp, rtmps, rtsp, rtsps, http, https, admin } = config.listen;
  const onError = (error: Error): void => log.write('error', 'gateway.error', { error });
  const opened = new Map<string, Closable>();
  const open = async (name: string, listening: Promise<Closable>): Promise<void> => {
    const listener = await listening;
    opened.set(name, listener);
    if (listener.useCertificates !== undefined) users.certificates.tell(listener.useCertificates);
    log.write('info', 'listener.open', { listener: name, host: listener.host, port: listener.port });
  };
  const plain = (at: MediaListener, transport: 'RTMP' | 'RTSP'): Promise<Closable> => {
    const proxies = users.proxies.rulesOf(at, transport);
    return listenTcp({ host: at.host, port: at.port, proxies, onStream: users[transport], onError });
  };
  const secure = (at: MediaListener, transport: 'RTMP' | 'RTSP'): Promise<Closable> =>
    listenTls({
      ...{ host: at.host, port: at.port, proxies: users.proxies.rulesOf(at, transport) },
      ...users.certificates.now,
      timeoutMs: config.limits.handshakeTimeoutSeconds * 1000,
      onStream: users[transport],
      onError,
      onBadHandshake: (reason) => metrics.count('connections_refused_total', { transport, reason }),
    });
  try {
    if (users.media !== undefined) {
      const { address } = users.media;
      await open('media', Promise.resolve({ ...address, close: () => users.media?.close() ?? Promise.resolve() }));
    }
    if (rtmp !== undefined) await open('rtmp', plain(rtmp, 'RTMP'));
    if (rtmps !== undefined) await open('rtmps', secure(rtmps, 'RTMP'));
    if (rtsp !== undefined) await open('rtsp', plain(rtsp, 'RTSP'));
    if (rtsps !== undefined) await open('rtsps', secure(rtsps, 'RTSP'));
    if (http !== undefined) await open('http', users.listenHttp(http, false, onError));
    if (https !== undefined) await open('https', users.listenHttp(https, true, onError));
    if (admin !== undefined) await open('admin', users.openAdmin(admin, onError));
    return opened;
  } catch (error) {
    await Promise.all([...opened.values()].map((listener) => listener.close()));
    throw error;
  }
}
