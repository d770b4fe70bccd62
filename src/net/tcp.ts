import { createServer, type Server, type Socket } from 'node:net';
import type { ByteStream } from '../model/byte-stream.js';
import type { Clock } from '../model/clock.js';
import { GatewayError } from '../model/errors.js';
import { systemClock } from './clock.js';
import { reopen } from './fast-socket.js';
import { createProxyHeads, type ProxyRules } from './proxy-head.js';
import { SocketStream } from './socket-stream.js';
import { asError } from './thrown.js';

/** Connections the kernel keeps for us while the loop is busy; it takes at most its own `somaxconn`. */
const DEFAULT_BACKLOG = 4096;

/** A port that is open. */
export interface Listener {
  readonly host: string;
  /** The real one, where 0 was asked for. */
  readonly port: number;
  /** Stops accepting; streams that are open stay. Idempotent. */
  close(): Promise<void>;
}

/** Where to listen and who is told. */
export interface ListenOptions {
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
  readonly backlog?: number;
  readonly clock?: Clock;
  /** Absent: whoever connects is the client. */
  readonly proxies?: ProxyRules | undefined;
  /** A client has connected. Nothing is read before the stream's `handle()`. */
  readonly onStream: (stream: ByteStream) => void;
  /** Something went wrong that ends nothing: no descriptors left for a client, a handler that threw. */
  readonly onError?: (error: Error) => void;
}

/** Opens a TCP port. Rejects with GatewayError `listen-failed`. */
export async function listenTcp(options: ListenOptions): Promise<Listener> {
  const { clock = systemClock, proxies, onStream, onError } = options;
  const heads = proxies && createProxyHeads(proxies, clock);
  const hand = (stream: SocketStream): void => {
    try {
      onStream(stream);
    } catch (error) {
      stream.destroy();
      onError?.(asError(error));
    }
  };
  const server = createServer({ pauseOnConnect: true, noDelay: true, allowHalfOpen: false }, (accepted) => {
    const stream = acceptStream(accepted, clock, onError);
    if (heads === undefined) hand(stream);
    else heads.ofStream(stream, () => hand(stream));
  });
  return open(server, options);
}

function acceptStream(accepted: Socket, clock: Clock, onFault: ((error: Error) => void) | undefined): SocketStream {
  return new SocketStream(
    (onread) => {
      const socket = reopen(accepted, onread);
      return socket === undefined ? { socket: accepted, isFast: false } : { socket, isFast: true };
    },
    { secure: false, clock, onFault },
  );
}

/** Binds a server and keeps its later errors away from the process. Rejects with GatewayError `listen-failed`. */
export function open(server: Server, options: ListenOptions): Promise<Listener> {
  const { host, port, backlog = DEFAULT_BACKLOG, onError } = options;
  return new Promise((done, fail) => {
    const refused = (error: NodeJS.ErrnoException): void => fail(listenFailed(host, port, error));
    server.once('error', refused);
    server.listen({ host, port, backlog }, () => {
      server.off('error', refused);
      // EMFILE and its kin when accepting: libuv drops that one client, and the port stays open.
      server.on('error', (error) => onError?.(error));
      const address = server.address();
      const bound = typeof address === 'object' && address !== null ? address.port : port;
      done({ host, port: bound, close: () => stopAccepting(server) });
    });
  });
}

async function stopAccepting(server: Server): Promise<void> {
  // The server's own callback would wait for the open streams as well.
  server.close();
  await new Promise<void>((done) => setImmediate(done));
}

const WHAT_TO_DO: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another process has this port; stop it or choose another port',
  EACCES: 'not allowed to open this port; choose one above 1023 or grant CAP_NET_BIND_SERVICE',
  EADDRNOTAVAIL: 'this machine does not have that address; listen on 0.0.0.0, :: or one of its own',
  ENOTFOUND: 'the host name is unknown; use an IP address of this machine',
  EMFILE: 'no file descriptors left; raise the limit (ulimit -n)',
};

function listenFailed(host: string, port: number, error: NodeJS.ErrnoException): GatewayError {
  const code = error.code ?? 'unknown error';
  const advice = WHAT_TO_DO[code] ?? 'see the cause';
  return new GatewayError('listen-failed', 'gateway', `cannot listen on ${hostPort(host, port)}: ${code}: ${advice}`, {
    cause: error,
  });
}

/** `host:port`, with brackets around an IPv6 address. */
export function hostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
