import { createServer, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { GatewayError } from '../model/errors.js';
import { createCertificateChooser, type Certificate, type CertificateChooser } from './certificates.js';
import { systemClock } from './clock.js';
import { SocketStream } from './socket-stream.js';
import { hostPort, open, type Listener, type ListenOptions } from './tcp.js';
import { asError } from './thrown.js';

/** Why a TLS handshake came to nothing; a closed list, for metrics. */
export type BadHandshake = 'plain-bytes' | 'handshake-timeout' | 'handshake-failed' | 'left-in-handshake';

/** What a TLS port needs beside what a TCP port needs. */
export interface TlsListenOptions extends ListenOptions {
  /** The first serves clients that name no server or an unknown one. */
  readonly certificates: readonly Certificate[];
  /** For the handshake, from accept. */
  readonly timeoutMs: number;
  /** A connection ended before it was a stream. */
  readonly onBadHandshake?: (reason: BadHandshake) => void;
}

/** A TLS port. */
export interface TlsListener extends Listener {
  /** From now on new clients get these; throws GatewayError `certificate-unusable` and keeps the old ones if one is bad. */
  useCertificates(certificates: readonly Certificate[]): void;
}

/**
 * Opens a TLS port (1.2 and later, any ALPN, no renegotiation). A stream is told of when its handshake is done.
 * Rejects with GatewayError `listen-failed` or `certificate-unusable`.
 */
export async function listenTls(options: TlsListenOptions): Promise<TlsListener> {
  const { clock = systemClock, onStream, onError } = options;
  let chooser = read(options, options.certificates);
  const server = createServer({ noDelay: true }, (accepted) => {
    shakeHands(accepted, chooser, options, (secured) => {
      const open = () => ({ socket: secured, isFast: false });
      const stream = new SocketStream(open, { secure: true, clock, onFault: onError });
      try {
        onStream(stream);
      } catch (error) {
        stream.destroy();
        onError?.(asError(error));
      }
    });
  });
  const listener = await open(server, options);
  return {
    ...listener,
    useCertificates(certificates) {
      chooser = read(options, certificates);
    },
  };
}

/** Ends with one of `onSecure` and `onBadHandshake`, once. */
function shakeHands(
  accepted: Socket,
  chooser: CertificateChooser,
  { clock = systemClock, timeoutMs, onBadHandshake }: TlsListenOptions,
  onSecure: (secured: TLSSocket) => void,
): void {
  const secured = new TLSSocket(accepted, {
    isServer: true,
    secureContext: chooser.fallback,
    SNICallback: (serverName, done) => done(null, chooser.choose(serverName)),
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
    secured.disableRenegotiation();
    onSecure(secured);
  };
  const cancel = clock.after(timeoutMs, () => failed('handshake-timeout'));
  secured.on('error', onError).on('close', onClose).on('secure', onDone);
}

function read({ host, port }: TlsListenOptions, certificates: readonly Certificate[]): CertificateChooser {
  try {
    return createCertificateChooser(certificates);
  } catch (cause) {
    const message = `cannot serve TLS on ${hostPort(host, port)}: ${asError(cause).message}`;
    throw new GatewayError('certificate-unusable', 'gateway', message, { cause });
  }
}

/** The reason in the words of a metric. */
export function reasonOf(error: NodeJS.ErrnoException): BadHandshake {
  switch (error.code) {
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
