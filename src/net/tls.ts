import { createServer, type Socket } from 'node:net';
import { createServer as createTlsServer, TLSSocket, type Server as TlsServer } from 'node:tls';
import { GatewayError } from '../model/errors.js';
import {
  askingFor,
  createCertificateChooser,
  showsBadCertificate,
  sniCallback,
  type Certificate,
  type CertificateChooser,
  type ClientCertificates,
} from './certificates.js';
import { systemClock } from './clock.js';
import { createProxyHeads, readHeadsFirst, type AddressOf } from './proxy-head.js';
import { plainAddress, SocketStream } from './socket-stream.js';
import { hostPort, open, type Listener, type ListenOptions } from './tcp.js';
import { asError } from './thrown.js';

/** Why a TLS handshake came to nothing; a closed list, for metrics. */
export type BadHandshake =
  'plain-bytes' | 'handshake-timeout' | 'handshake-failed' | 'left-in-handshake' | 'client-certificate';

/** What a TLS port needs beside what a TCP port needs. */
export interface TlsListenOptions extends ListenOptions {
  /** The first serves clients that name no server or an unknown one. */
  readonly certificates: readonly Certificate[];
  /** Absent: clients are asked for none. */
  readonly clientCertificates?: ClientCertificates | undefined;
  /** For the handshake, from accept. */
  readonly timeoutMs: number;
  /** A connection ended before it was a stream. */
  readonly onBadHandshake?: (reason: BadHandshake) => void;
}

/**
 * From now on new clients get these, and their own are checked with this CA. Throws GatewayError `certificate-unusable` and keeps
 * the old ones if one is bad.
 */
export type UseCertificates = (certificates: readonly Certificate[], clientCa?: string | Buffer) => void;

/** A TLS port. */
export interface TlsListener extends Listener {
  readonly useCertificates: UseCertificates;
}

/**
 * Opens a TLS port (1.2 and later, any ALPN, no renegotiation). A stream is told of when its handshake is done.
 * Rejects with GatewayError `listen-failed` or `certificate-unusable`.
 */
export async function listenTls(options: TlsListenOptions): Promise<TlsListener> {
  const { clock = systemClock, onStream, onError, clientCertificates: clients, proxies } = options;
  const heads = proxies && createProxyHeads(proxies, clock);
  let chooser = readCertificates(options, options.certificates, clients?.ca);
  let addressOf: AddressOf = ({ remoteAddress }) => plainAddress(remoteAddress);
  const onSecure = (secured: TLSSocket): void => {
    const remoteAddress = addressOf(secured);
    secured.disableRenegotiation();
    const open = () => ({ socket: secured, isFast: false });
    const stream = new SocketStream(open, { secure: true, clock, remoteAddress, onFault: onError });
    try {
      onStream(stream);
    } catch (error) {
      stream.destroy();
      onError?.(asError(error));
    }
  };
  const asking = clients && askingServer(() => chooser, options, clients, onSecure);
  const server =
    asking ?? createServer({ noDelay: true }, (accepted) => shakeHands(accepted, () => chooser, options, onSecure));
  if (heads !== undefined) addressOf = readHeadsFirst(server, heads, false);
  const listener = await open(server, options);
  return {
    ...listener,
    useCertificates(certificates, clientCa) {
      chooser = readCertificates(options, certificates, clients && (clientCa ?? clients.ca));
      asking?.setSecureContext(chooser.settings);
    },
  };
}

/** Only Node's own server tells whether a client's certificate is good, so its deadline is Node's too. */
function askingServer(
  chooser: () => CertificateChooser,
  { timeoutMs, onBadHandshake }: TlsListenOptions,
  clients: ClientCertificates,
  onSecure: (secured: TLSSocket) => void,
): TlsServer {
  const server = createTlsServer({
    ...chooser().settings,
    ...askingFor(clients),
    SNICallback: sniCallback(chooser),
    handshakeTimeout: timeoutMs,
    noDelay: true,
  });
  server.on('secureConnection', (secured) => {
    if (!showsBadCertificate(secured, clients)) {
      onSecure(secured);
      return;
    }
    secured.on('error', () => undefined).destroy();
    onBadHandshake?.('client-certificate');
  });
  server.on('tlsClientError', (error, secured) => {
    secured.on('error', () => undefined).destroy();
    onBadHandshake?.(reasonOf(error, secured));
  });
  return server;
}

/** Ends with one of `onSecure` and `onBadHandshake`, once. */
function shakeHands(
  accepted: Socket,
  chooser: () => CertificateChooser,
  { clock = systemClock, timeoutMs, onBadHandshake }: TlsListenOptions,
  onSecure: (secured: TLSSocket) => void,
): void {
  const secured = new TLSSocket(accepted, {
    isServer: true,
    secureContext: chooser().fallback,
    SNICallback: sniCallback(chooser),
  });
  const over = (): void => {
    cancel();
    secured.off('error', onError).off('close', onClose).off('secure', onDone);
  };
  const failed = (reason: BadHandshake): void => {
    over();
    // Errors after the first are of no interest, and without a listener they would end the process.
    secured.on('error', () => undefined).destroy();
    onBadHandshake?.(reason);
  };
  const onError = (error: NodeJS.ErrnoException): void => failed(reasonOf(error));
  const onClose = (): void => failed('left-in-handshake');
  const onDone = (): void => {
    over();
    onSecure(secured);
  };
  const cancel = clock.after(timeoutMs, () => failed('handshake-timeout'));
  secured.on('error', onError).on('close', onClose).on('secure', onDone);
}

/** Makes the chooser of a port. Throws GatewayError `certificate-unusable`. */
export function readCertificates(
  { host, port }: Pick<ListenOptions, 'host' | 'port'>,
  certificates: readonly Certificate[],
  clientCa: string | Buffer | undefined,
): CertificateChooser {
  try {
    return createCertificateChooser(certificates, clientCa);
  } catch (cause) {
    const message = `cannot serve TLS on ${hostPort(host, port)}: ${asError(cause).message}`;
    throw new GatewayError('certificate-unusable', 'gateway', message, { cause });
  }
}

/** The reason in the words of a metric. */
export function reasonOf(error: NodeJS.ErrnoException, secured?: TLSSocket): BadHandshake {
  // Node ends a client whose certificate is bad without an error of its own.
  if (secured?.authorizationError) return 'client-certificate';
  switch (error.code) {
    case 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE':
      return 'client-certificate';
    case 'ERR_TLS_HANDSHAKE_TIMEOUT':
      return 'handshake-timeout';
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'ERR_SSL_HTTP_REQUEST':
    case 'ERR_SSL_HTTPS_PROXY_REQUEST':
    case 'ERR_SSL_PACKET_LENGTH_TOO_LONG':
      return 'plain-bytes';
    case 'ECONNRESET':
    case 'EPIPE':
      return 'left-in-handshake';
    default:
      return 'handshake-failed';
  }
}
