import { connect as connectTcp, isIP, type OnReadOpts, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ByteStream } from '../model/byte-stream.js';
import type { Clock } from '../model/clock.js';
import { GatewayError } from '../model/errors.js';
import { writeProxyHeader } from '../wire/proxy-protocol.js';
import { systemClock } from './clock.js';
import { SocketStream } from './socket-stream.js';
import { hostPort } from './tcp.js';
import { asError } from './thrown.js';

/** Whom to call, and for how long to wait. */
export interface DialOptions {
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
  /** Name the certificate must be for, where it is not `host`. */
  readonly serverName?: string;
  /** Authorities to trust instead of the system's, PEM. */
  readonly ca?: string | Buffer;
  /** For name lookup, connect and TLS handshake together. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Address of the client, told by a header of the PROXY protocol before all else; empty: the gateway's own call. Absent: no header. */
  readonly client?: string;
  readonly clock?: Clock;
  readonly onError?: (error: Error) => void;
}

/**
 * Connects to an origin. The stream reads nothing before its `handle()`.
 * Rejects with GatewayError `origin-unavailable`, also when `signal` fires; the socket is gone then.
 */
export async function dialTcp(options: DialOptions): Promise<ByteStream> {
  const { clock = systemClock, onError, secure, signal } = options;
  if (signal.aborted) throw failure(options, 'the call was given up');
  const below = options.client !== undefined && secure ? await introduced(options, clock) : undefined;
  let socket: Socket | undefined;
  const stream = new SocketStream(
    (onread) => {
      socket = secure ? startTls(options, below) : startTcp(options, onread);
      // Reads wait for the first handler.
      socket.pause();
      return { socket, isFast: !secure };
    },
    { secure, clock, onFault: onError },
  );
  if (socket !== undefined) await connected(socket, options, clock, secure);
  if (socket !== undefined && !secure) stream.write(introduction(options, socket));
  return stream;
}

/** A connection on which the client has been told of and nothing else been said; TLS comes on top. */
async function introduced(options: DialOptions, clock: Clock): Promise<Socket> {
  const socket = startTcp(options);
  await connected(socket, options, clock, false);
  // Whatever ends it ends the TLS above too, which tells of it.
  socket.on('error', () => undefined);
  socket.write(introduction(options, socket));
  return socket;
}

/** Empty where the origin is told nothing. The client's port is not known, nor whom it called: the origin stands for that. */
function introduction({ client, port }: DialOptions, { remoteAddress }: Socket): Buffer {
  if (client === undefined) return Buffer.alloc(0);
  return writeProxyHeader(
    { address: client, port: 0 },
    remoteAddress === undefined ? undefined : { address: remoteAddress, port },
  );
}

function startTcp({ host, port }: DialOptions, onread?: OnReadOpts): Socket {
  return connectTcp({ host, port, ...(onread && { onread }), noDelay: true, allowHalfOpen: false });
}

function startTls({ host, port, serverName, ca }: DialOptions, below?: Socket): Socket {
  const name = serverName ?? host;
  const socket = connectTls({
    ...(below === undefined ? { host, port } : { host, socket: below }),
    minVersion: 'TLSv1.2',
    ...(isIP(name) === 0 ? { servername: name } : {}),
    ...(ca === undefined ? {} : { ca }),
  });
  return socket.setNoDelay(true);
}

function connected(socket: Socket, options: DialOptions, clock: Clock, secure: boolean): Promise<void> {
  const { timeoutMs, signal } = options;
  return new Promise((done, fail) => {
    const stop = (): void => {
      cancel();
      signal.removeEventListener('abort', onAbort);
      socket.off('error', onError).off('close', onClose).off('connect', onOpen).off('secureConnect', onOpen);
    };
    const giveUp = (why: string, cause?: Error): void => {
      stop();
      socket.destroy();
      fail(failure(options, why, cause));
    };
    const onAbort = (): void => giveUp('the call was given up');
    const onError = (error: NodeJS.ErrnoException): void => giveUp(error.code ?? error.message, error);
    const onClose = (): void => giveUp('closed before it was open');
    const onOpen = (): void => {
      stop();
      done();
    };
    const cancel = clock.after(timeoutMs, () => giveUp(`no answer within ${timeoutMs} ms`));
    signal.addEventListener('abort', onAbort, { once: true });
    socket
      .on('error', onError)
      .on('close', onClose)
      .on(secure ? 'secureConnect' : 'connect', onOpen);
  });
}

function failure({ host, port, secure }: DialOptions, why: string, cause?: Error): GatewayError {
  const what = `cannot reach ${hostPort(host, port)}${secure ? ' by TLS' : ''}: ${why}`;
  return new GatewayError('origin-unavailable', 'origin', what, cause === undefined ? undefined : { cause });
}

/** The next address is called too when one has not answered for so long. @see RFC 8305 §5 */
const NEXT_ADDRESS_MS = 250;

/**
 * Connects to the first of several addresses that answers: in their order, the next one when one fails or after 250 ms. The
 * certificate must be for `host`. Rejects as dialTcp does, with what the last one said.
 */
export async function dialAddresses(addresses: readonly string[], options: DialOptions): Promise<ByteStream> {
  const { host, signal, clock = systemClock } = options;
  const [only] = addresses;
  if (only === undefined) throw failure(options, 'it has no address');
  if (addresses.length === 1) return dialTcp({ ...options, host: only, serverName: options.serverName ?? host });
  const others = new AbortController();
  const onAbort = (): void => others.abort();
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  let cancel = (): void => undefined;
  try {
    return await new Promise<ByteStream>((resolve, reject) => {
      let failed = 0;
      let isDone = false;
      const callFrom = (index: number): void => {
        cancel();
        const address = addresses[index];
        if (address === undefined || isDone) return;
        let isNextCalled = false;
        const next = (): void => {
          if (isNextCalled) return;
          isNextCalled = true;
          callFrom(index + 1);
        };
        cancel = clock.after(NEXT_ADDRESS_MS, next);
        const call = { ...options, host: address, serverName: options.serverName ?? host, signal: others.signal };
        dialTcp(call).then(
          (stream) => {
            if (isDone) stream.destroy();
            isDone = true;
            resolve(stream);
          },
          (error: unknown) => {
            failed += 1;
            if (failed === addresses.length) reject(asError(error));
            else next();
          },
        );
      };
      callFrom(0);
    });
  } finally {
    cancel();
    signal.removeEventListener('abort', onAbort);
    others.abort();
  }
}
