import { createServer, ServerResponse, STATUS_CODES, type IncomingMessage, type Server } from 'node:http';
import { createServer as createSecureServer, type ServerOptions } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { Clock } from '../model/clock.js';
import {
  askingFor,
  showsBadCertificate,
  sniCallback,
  type Certificate,
  type ClientCertificates,
} from './certificates.js';
import { systemClock } from './clock.js';
import {
  clientOf,
  readBody,
  readHead,
  type BadRequestStatus,
  type HttpRequest,
  type HttpResponse,
  type ReadForwarded,
} from './http-request.js';
import { createProxyHeads, readHeadsFirst, type AddressOf, type ProxyRules } from './proxy-head.js';
import { plainAddress } from './socket-stream.js';
import { open, type Listener } from './tcp.js';
import { asError } from './thrown.js';
import { readCertificates, reasonOf, type BadHandshake, type UseCertificates } from './tls.js';
import type { LiveSocket, WebSocketUpgrade } from './web-socket.js';

/** What a client of the port may cost. */
export interface HttpServerLimits {
  readonly maxHeaderBytes: number;
  readonly maxHeaders: number;
  /** Path and query; a token may stand in it. */
  readonly maxTargetLength: number;
  readonly maxBodyBytes: number;
  readonly maxRequestsPerConnection: number;
  /** Until the head of a request is there. */
  readonly headersTimeoutMs: number;
  /** Until the whole request is there. */
  readonly requestTimeoutMs: number;
  /** Between two requests. */
  readonly keepAliveTimeoutMs: number;
  /** Without a byte in either direction, answer under way or not. */
  readonly idleTimeoutMs: number;
}

/** Limits that are right for most; an offer of a browser with many codecs has about 10 kB. */
export const HTTP_SERVER_LIMITS: HttpServerLimits = {
  maxHeaderBytes: 24_576,
  maxHeaders: 100,
  maxTargetLength: 16_384,
  maxBodyBytes: 65_536,
  maxRequestsPerConnection: 200,
  headersTimeoutMs: 5000,
  requestTimeoutMs: 5000,
  keepAliveTimeoutMs: 5000,
  idleTimeoutMs: 30_000,
};

/** Who may have a WebSocket. */
export interface WebSocketDoor {
  readonly upgrade: WebSocketUpgrade;
  /** An answer is a no; a function takes the socket when it is open. */
  readonly ask: (request: Omit<HttpRequest, 'body' | 'gone'>) => HttpResponse | ((socket: LiveSocket) => void);
}

/** Where to listen, and who answers. */
export interface HttpServerOptions {
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
  /** HTTPS; the first serves clients that name no server or an unknown one. */
  readonly certificates?: readonly Certificate[];
  /** Absent: clients are asked for none. */
  readonly clientCertificates?: ClientCertificates | undefined;
  /** Absent: whoever connects is the client. */
  readonly proxies?: ProxyRules | undefined;
  /** Absent: what headers say of the client is not looked at. */
  readonly forwarded?: ReadForwarded | undefined;
  /** Answers a request. */
  readonly handle: (request: HttpRequest) => Promise<HttpResponse>;
  /** The words for a request that is refused before anybody looks at it. */
  readonly refuse: (status: BadRequestStatus) => HttpResponse;
  /** Absent: there are none, and who asks for one is answered as if it had not. */
  readonly webSockets?: WebSocketDoor;
  /** Counts a connection; what comes back is called when it has closed. Undefined: it may not stay, and was destroyed. */
  readonly admit?: (address: string, destroy: () => void) => (() => void) | undefined;
  readonly limits?: Partial<HttpServerLimits>;
  readonly clock?: Clock;
  readonly onError?: (error: Error) => void;
  /** A TLS connection ended before it was one. */
  readonly onBadHandshake?: (reason: BadHandshake) => void;
}

/** An HTTP or HTTPS port. */
export interface HttpListener extends Listener {
  /**
   * Stops accepting, ends connections without a request and the others with the answer they wait for, or after `graceMs`. Idempotent; the
   * shortest time counts.
   */
  close(graceMs?: number): Promise<void>;
  /** Of an HTTPS port. */
  readonly useCertificates?: UseCertificates;
}

/** What requests are answered with. */
interface Answering extends HttpServerOptions {
  addressOf: AddressOf;
  /** No connection outlives the answer it waits for. */
  isClosing: boolean;
}

/** How long answers under way may take when the port closes. */
const CLOSE_GRACE_MS = 300;

/**
 * Opens an HTTP or HTTPS port (1.1, no upgrades but to `webSockets`, no CONNECT, one request at a time on a connection). Whatever two servers
 * could read differently is refused, and the connection ends with it. `close()` ends open connections too.
 * Rejects with GatewayError `listen-failed` or `certificate-unusable`.
 */
export async function listenHttpServer(given: HttpServerOptions): Promise<HttpListener> {
  const addressOf: AddressOf = ({ remoteAddress }) => plainAddress(remoteAddress);
  const options: Answering = { ...given, addressOf, isClosing: false };
  const limits = { ...HTTP_SERVER_LIMITS, ...options.limits };
  const { server, ...more } = makeServer(options, limits);
  server.maxHeadersCount = limits.maxHeaders;
  server.maxRequestsPerSocket = limits.maxRequestsPerConnection;
  server.setTimeout(limits.idleTimeoutMs);
  const busy = new WeakMap<Socket, ServerResponse>();
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    const { socket } = request;
    // A second request before the first is answered would be asked for without its outcome.
    if (busy.has(socket)) {
      socket.destroy();
      return;
    }
    busy.set(socket, response);
    response.once('close', () => busy.delete(socket));
    void answer(request, response, options, limits);
  };
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    watch(socket, options);
  });
  server.on('request', onRequest);
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    if (Number(request.headers['content-length'] ?? 0) <= limits.maxBodyBytes) response.writeContinue();
    onRequest(request, response);
  });
  server.on('checkExpectation', (_: IncomingMessage, response: ServerResponse) => {
    send(response, options.refuse(417), true);
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    // One answer is enough, even when more that is wrong comes behind it.
    if (busy.get(socket)?.headersSent === true) socket.destroySoon();
    else refuseRaw(error, socket, options);
  });
  // Where nobody listens, Node goes on as if nothing else had been wished for.
  if (options.webSockets !== undefined) {
    server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
      if (request.headers.upgrade?.toLowerCase() === 'websocket') upgrade(request, socket, head, options, limits);
      else void answerOnce(request, socket, options, limits);
    });
  }
  server.on('connect', (_: IncomingMessage, socket: Duplex) => socket.destroy());
  const { host, port, onError, clock = systemClock, proxies, certificates } = options;
  const heads = proxies && createProxyHeads(proxies, clock);
  if (heads !== undefined) options.addressOf = readHeadsFirst(server, heads, certificates === undefined);
  const listener = await open(server, { host, port, onStream: () => undefined, ...(onError && { onError }) });
  const closed = new Promise<void>((done) => server.once('close', () => done()));
  return {
    ...listener,
    ...more,
    async close(graceMs = CLOSE_GRACE_MS) {
      options.isClosing = true;
      const stopped = listener.close();
      heads?.stop();
      server.closeIdleConnections();
      // Node's own list has neither WebSockets nor handshakes of TLS, and either would hold up the end.
      const cancel = clock.after(graceMs, () => {
        for (const socket of sockets) socket.destroy();
      });
      await Promise.all([stopped, closed]);
      cancel();
    },
  };
}

function makeServer(
  options: HttpServerOptions,
  limits: HttpServerLimits,
): { readonly server: Server; readonly useCertificates?: UseCertificates } {
  const settings: ServerOptions = {
    maxHeaderSize: limits.maxHeaderBytes,
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    // How often Node looks for the deadlines above.
    connectionsCheckingInterval: Math.min(1000, limits.headersTimeoutMs),
    insecureHTTPParser: false,
    requireHostHeader: true,
    noDelay: true,
  };
  const { certificates } = options;
  return certificates === undefined
    ? { server: createServer(settings) }
    : makeSecureServer(options, certificates, settings);
}

function makeSecureServer(
  options: HttpServerOptions,
  certificates: readonly Certificate[],
  settings: ServerOptions,
): { readonly server: Server; readonly useCertificates: UseCertificates } {
  const { clientCertificates: clients, onBadHandshake } = options;
  let chooser = readCertificates(options, certificates, clients?.ca);
  const server = createSecureServer({
    ...settings,
    ...chooser.settings,
    ...askingFor(clients),
    ALPNProtocols: ['http/1.1'],
    handshakeTimeout: settings.headersTimeout,
    SNICallback: sniCallback(() => chooser),
  });
  // Before Node's own, so that nothing is read of a client that may not stay.
  server.prependListener('secureConnection', (socket: TLSSocket) => {
    socket.disableRenegotiation();
    if (!showsBadCertificate(socket, clients)) return;
    socket.destroy();
    onBadHandshake?.('client-certificate');
  });
  server.on('tlsClientError', (error: NodeJS.ErrnoException, socket: TLSSocket) => {
    socket.destroy();
    onBadHandshake?.(reasonOf(error, socket));
  });
  return {
    server,
    useCertificates: (next, clientCa) => {
      chooser = readCertificates(options, next, clients && (clientCa ?? clients.ca));
      server.setSecureContext(chooser.settings);
    },
  };
}

function watch(socket: Socket, { admit, addressOf }: Answering): void {
  if (admit === undefined) return;
  const onGone = admit(addressOf(socket), () => socket.destroy());
  if (onGone !== undefined) socket.once('close', onGone);
}

/** Never rejects. */
async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  options: Answering,
  limits: HttpServerLimits,
): Promise<void> {
  const { handle, refuse, onError } = options;
  try {
    const head = readHead(request, limits.maxTargetLength);
    const body = typeof head === 'number' ? head : await readBody(request, limits.maxBodyBytes);
    if (typeof head === 'number' || typeof body === 'number') {
      send(response, refuse(typeof head === 'number' ? head : typeof body === 'number' ? body : 400), true);
      return;
    }
    const gone = new AbortController();
    response.once('close', () => {
      if (!response.writableFinished) gone.abort();
    });
    const { method = '', socket } = request;
    const client = clientOf(head, peerOf(socket, options), options.forwarded);
    const answered = await handle({ ...head, method, body, ...client, gone: gone.signal });
    send(response, answered, options.isClosing);
  } catch (error) {
    onError?.(asError(error));
    send(response, refuse(500), true);
  }
}

function peerOf(socket: Socket, { addressOf, certificates }: Answering) {
  return { address: addressOf(socket), secure: certificates !== undefined };
}

function send(response: ServerResponse, { status, headers, body = '' }: HttpResponse, isLast: boolean): void {
  if (response.headersSent || response.destroyed) return;
  if (isLast) response.shouldKeepAlive = false;
  const isEmpty = status === 204 || status === 304;
  const length: [string, string][] = isEmpty ? [] : [['Content-Length', String(Buffer.byteLength(body))]];
  response.writeHead(status, [...headers, ...length].flat());
  // Node leaves the body out where the method is HEAD.
  response.end(isEmpty ? undefined : body);
}

/**
 * Answers in HTTP/1.1 who would like another protocol, and ends the connection, since Node reads no more of it: neither a body
 * nor a second request. Never rejects.
 * @see RFC 9110 §7.8
 */
async function answerOnce(
  request: IncomingMessage,
  socket: Socket,
  options: Answering,
  limits: HttpServerLimits,
): Promise<void> {
  socket.on('error', () => socket.destroy());
  // The server looks after it no more.
  socket.setTimeout(limits.idleTimeoutMs, () => socket.destroy());
  if (Number(request.headers['content-length'] ?? 0) > 0 || request.headers['transfer-encoding'] !== undefined) {
    writeRaw(socket, options.refuse(400));
    return;
  }
  const response = new ServerResponse(request);
  response.assignSocket(socket);
  response.once('finish', () => socket.destroySoon());
  await answer(request, response, { ...options, isClosing: true }, limits);
}

/** @see RFC 6455 §4.2 */
function upgrade(
  request: IncomingMessage,
  socket: Socket,
  first: Buffer,
  options: Answering,
  limits: HttpServerLimits,
): void {
  const { webSockets, refuse, onError, forwarded } = options;
  socket.on('error', () => socket.destroy());
  if (webSockets === undefined) {
    socket.destroy();
    return;
  }
  try {
    const head = readHead(request, limits.maxTargetLength);
    if (typeof head === 'number') {
      writeRaw(socket, refuse(head));
      return;
    }
    const { method = '' } = request;
    const asked = webSockets.ask({ ...head, method, ...clientOf(head, peerOf(socket, options), forwarded) });
    if (typeof asked !== 'function') {
      writeRaw(socket, asked);
      return;
    }
    // Pings watch over it from here on.
    socket.setTimeout(0);
    webSockets.upgrade(request, socket, first, asked);
  } catch (error) {
    onError?.(asError(error));
    socket.destroy();
  }
}

const RAW_STATUS: Readonly<Record<string, BadRequestStatus>> = {
  HPE_HEADER_OVERFLOW: 431,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/** A peer that talks nonsense gets one answer and no more time. */
function refuseRaw(error: NodeJS.ErrnoException, socket: Duplex, options: HttpServerOptions): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  writeRaw(socket, options.refuse(RAW_STATUS[error.code ?? ''] ?? 400));
}

function writeRaw(socket: Duplex, { status, headers, body = '' }: HttpResponse): void {
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    ...headers.map(([name, value]) => `${name}: ${value}`),
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body.toString()}`, () => socket.destroy());
}
