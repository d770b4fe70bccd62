import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { Secret } from '../model/secret.js';
import { open, type Listener } from './tcp.js';

/** What a client of the HTTP port may cost. */
export interface HttpLimits {
  readonly maxConnections: number;
  readonly maxHeaderBytes: number;
  readonly maxHeaders: number;
  readonly maxPathLength: number;
  readonly maxRequestsPerConnection: number;
  /** Until the head of a request is there. */
  readonly headersTimeoutMs: number;
  /** Until the whole request is there. */
  readonly requestTimeoutMs: number;
  /** Between two requests. */
  readonly keepAliveTimeoutMs: number;
}

/** Limits for a port that a few probes and operators use. */
export const HTTP_LIMITS: HttpLimits = {
  maxConnections: 64,
  maxHeaderBytes: 8192,
  maxHeaders: 64,
  maxPathLength: 1024,
  maxRequestsPerConnection: 1000,
  headersTimeoutMs: 5000,
  requestTimeoutMs: 5000,
  keepAliveTimeoutMs: 5000,
};

/** A whole answer. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Where to listen, and who answers. */
export interface HttpOptions {
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
  /** `path` is without query; `authorization` the whole value of that header. */
  readonly handle: (method: string, path: string, authorization?: Secret) => HttpAnswer;
  readonly limits?: Partial<HttpLimits>;
  readonly onError?: (error: Error) => void;
}

/**
 * Opens an HTTP port for requests without a body. Anything but a small GET or HEAD is refused, upgrades and CONNECT
 * are cut. `close()` ends open connections too. Rejects with GatewayError `listen-failed`.
 */
export async function listenHttp({ host, port, handle, onError, ...rest }: HttpOptions): Promise<Listener> {
  const limits = { ...HTTP_LIMITS, ...rest.limits };
  const server = createServer(
    {
      maxHeaderSize: limits.maxHeaderBytes,
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      keepAliveTimeout: limits.keepAliveTimeoutMs,
      // How often Node looks for the two deadlines above.
      connectionsCheckingInterval: Math.min(1000, limits.headersTimeoutMs),
      insecureHTTPParser: false,
      requireHostHeader: true,
    },
    (request, response) => {
      try {
        send(request, response, answerTo(request, handle, limits));
      } catch (error) {
        onError?.(error instanceof Error ? error : new Error('the handler threw something that is no error'));
        send(request, response, plain(500, 'internal error'));
      }
    },
  );
  server.maxConnections = limits.maxConnections;
  server.maxHeadersCount = limits.maxHeaders;
  server.maxRequestsPerSocket = limits.maxRequestsPerConnection;
  server.on('clientError', (_, socket) => refuse(socket));
  server.on('upgrade', (_, socket) => socket.destroy());
  server.on('connect', (_, socket) => socket.destroy());
  // Without this Node answers `Expect` itself and waits for the body.
  server.on('checkContinue', (request, response) => send(request, response, plain(417, 'no body is taken')));
  const listener = await open(server, { host, port, onStream: () => undefined, ...(onError && { onError }) });
  return {
    ...listener,
    close: async () => {
      const closed = listener.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function answerTo(request: IncomingMessage, handle: HttpOptions['handle'], limits: HttpLimits): HttpAnswer {
  const { method = '', url = '', headers } = request;
  const hasBody = headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
  if (hasBody) return plain(413, 'no body is taken');
  if (url.length > limits.maxPathLength) return plain(414, 'the path is too long');
  if (method !== 'GET' && method !== 'HEAD') {
    return { ...plain(405, 'only GET and HEAD'), headers: { allow: 'GET, HEAD' } };
  }
  const authorization = headers.authorization === undefined ? undefined : new Secret(headers.authorization);
  return handle(method, url.split('?', 1)[0] ?? '', authorization);
}

function send(request: IncomingMessage, response: ServerResponse, { status, headers, body }: HttpAnswer): void {
  // Whoever sends what is not taken gets no second request on this connection.
  if (status === 413 || status === 417 || status === 405) response.shouldKeepAlive = false;
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) });
  response.end(request.method === 'HEAD' ? undefined : body);
}

function plain(status: number, body: string): HttpAnswer {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: `${body}\n` };
}

/** A peer that talks nonsense gets one line and no more time. */
function refuse(socket: Duplex): void {
  if (!socket.writable) socket.destroy();
  else socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n', () => socket.destroy());
}
