import type { Config, HttpEndpoint, MediaListener } from '../config/config.js';
import type { ByteStream } from '../model/byte-stream.js';
import type { Log, Metrics } from '../model/telemetry.js';
import type { TransportName } from '../model/transport.js';
import type { Admission } from '../net/admission.js';
import type { HttpListener } from '../net/http-server.js';
import { listenTcp } from '../net/tcp.js';
import { listenTls, type UseCertificates } from '../net/tls.js';
import { shownCertificates, type CertificateCare, type ShownCertificates } from './certificates.js';
import type { Closable, ListenerWish } from './listener-set.js';
import type { TrustedProxies } from './proxies.js';

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

/** What listeners are opened with. */
export interface ListenerParts {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly certificates: CertificateCare;
  readonly proxies: TrustedProxies;
  readonly RTMP: (stream: ByteStream) => void;
  readonly RTSP: (stream: ByteStream) => void;
  readonly openAdmin: (endpoint: Admin, onError: OnError) => Promise<Closable>;
  readonly openHttp: (name: 'http' | 'https', opening: HttpOpening) => Promise<HttpListener>;
}

/** What a listener of HTTP is opened with. */
export interface HttpOpening {
  readonly endpoint: HttpEndpoint;
  readonly timeoutMs: number;
  /** What it shows; undefined: it speaks in the clear. */
  readonly tls: ShownCertificates | undefined;
  readonly onError: OnError;
}

type OnError = (error: Error) => void;

/** Every TCP listener that a config names, with how it is opened. */
export function listenerWishes(config: Config, parts: ListenerParts): readonly ListenerWish[] {
  const { log, metrics, certificates, proxies } = parts;
  const { rtmp, rtmps, rtsp, rtsps, http, https, admin } = config.listen;
  // Node takes no fractions, and 1.005 s are 1004.999… ms.
  const timeoutMs = Math.round(config.limits.handshakeTimeoutSeconds * 1000);
  const clients = config.tls.clientCertificates?.mode;
  const onError: OnError = (error) => log.write('error', 'gateway.error', { error });
  // One that opens again shows what has been read since.
  const shownNow = (): ShownCertificates => shownCertificates(certificates.latest(config.tls));
  const plain = (name: string, at: MediaListener, transport: 'RTMP' | 'RTSP'): ListenerWish => ({
    name,
    opensWith: placeOf(at),
    open: (port) => {
      const rules = proxies.rulesOf(at, transport);
      return listenTcp({ host: at.host, port, proxies: rules, onStream: parts[transport], onError });
    },
  });
  const secure = (name: string, at: MediaListener, transport: 'RTMP' | 'RTSP'): ListenerWish => ({
    name,
    opensWith: { ...placeOf(at), clients, timeoutMs },
    open: (port) => {
      const listening = listenTls({
        ...{ host: at.host, port, proxies: proxies.rulesOf(at, transport), timeoutMs, onError },
        ...shownNow(),
        onStream: parts[transport],
        onBadHandshake: (reason) => metrics.count('connections_refused_total', { transport, reason }),
      });
      return told(listening, certificates);
    },
  });
  const overHttp = (name: 'http' | 'https', endpoint: HttpEndpoint): ListenerWish => {
    const isSecure = name === 'https';
    const { forwarded } = endpoint;
    return {
      name,
      opensWith: { ...placeOf(endpoint), forwarded, timeoutMs, ...(isSecure && { clients }) },
      open: (port) => {
        const tls = isSecure ? shownNow() : undefined;
        return told(parts.openHttp(name, { endpoint: { ...endpoint, port }, timeoutMs, tls, onError }), certificates);
      },
    };
  };
  return [
    ...(rtmp ? [plain('rtmp', rtmp, 'RTMP')] : []),
    ...(rtmps ? [secure('rtmps', rtmps, 'RTMP')] : []),
    ...(rtsp ? [plain('rtsp', rtsp, 'RTSP')] : []),
    ...(rtsps ? [secure('rtsps', rtsps, 'RTSP')] : []),
    ...(http ? [overHttp('http', http)] : []),
    ...(https ? [overHttp('https', https)] : []),
    ...(admin ? [adminWish(admin, (port) => parts.openAdmin({ ...admin, port }, onError))] : []),
  ];
}

function placeOf({ host, port, proxyProtocol }: MediaListener) {
  return { host, port, proxyProtocol };
}

/** Secrets look all the same from outside; here they are told apart by their fingerprint. */
function adminWish({ host, port, forwarded, token }: Admin, open: ListenerWish['open']): ListenerWish {
  return { name: 'admin', opensWith: { host, port, forwarded, token: token?.toString() }, open };
}

/** A TLS listener hears of new certificates for as long as it is open. */
async function told(
  listening: Promise<Closable & { readonly useCertificates?: UseCertificates }>,
  certificates: CertificateCare,
): Promise<Closable> {
  const listener = await listening;
  const { useCertificates } = listener;
  if (useCertificates === undefined) return listener;
  const untell = certificates.tell(useCertificates);
  return {
    ...listener,
    close: (graceMs) => {
      untell();
      return listener.close(graceMs);
    },
  };
}
