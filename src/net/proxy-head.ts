import type { Server, Socket } from 'node:net';
import type { Clock } from '../model/clock.js';
import { WireError } from '../model/errors.js';
import { readProxyHeader } from '../wire/proxy-protocol.js';
import { plainAddress, type SocketStream } from './socket-stream.js';

/** Why a connection ended before its protocol began; a closed list, for metrics. */
export type BadProxyHead =
  'proxy-untrusted' | 'proxy-header-missing' | 'proxy-header-malformed' | 'proxy-header-timeout' | 'limit-connections';

/** How a port takes PROXY protocol headers. Figures are looked up for each connection. */
export interface ProxyRules {
  /** `required`: who sends no header, or is not trusted, is cut. `optional`: such a client speaks for itself. */
  readonly mode: 'optional' | 'required';
  readonly isTrusted: (address: string) => boolean;
  /** Until the header, or the first byte that is none, is there. */
  readonly timeoutMs: number;
  /** Connections at once that have not come so far. */
  readonly maxWaiting: number;
  readonly onBadHead?: (reason: BadProxyHead, peer: string, detail: string) => void;
}

/** What stands at the head of a connection: who the client is, and what came behind the header. */
export interface ProxyHead {
  readonly address: string;
  readonly rest: Buffer;
}

interface Refused {
  readonly reason: BadProxyHead;
  readonly detail: string;
}

/** The heads of the connections of one port. */
export interface ProxyHeads {
  /** Reads the head of a stream that nobody handles yet, and gives the stream back as if the rest were all that ever came. */
  ofStream(stream: SocketStream, onHead: () => void): void;
  /** The same of a socket that nobody reads yet; what came behind the header can be read from it again, and it is paused. */
  ofSocket(socket: Socket, peer: string, onHead: (address: string) => void): void;
  /** Ends the connections whose head is still read. */
  stop(): void;
}

/** Reads the heads of connections, each within its deadline; what is not as the rules say is destroyed and told of. */
export function createProxyHeads(rules: ProxyRules, clock: Clock): ProxyHeads {
  const waiting = new Set<() => void>();

  /** `take` is called once with the head; bytes go into what comes back. */
  const begin = (peer: string, destroy: () => void, take: (head: ProxyHead) => void) => {
    const refuse = ({ reason, detail }: Refused): void => {
      end();
      destroy();
      rules.onBadHead?.(reason, peer, detail);
    };
    const end = (): void => {
      cancel();
      waiting.delete(destroy);
    };
    let cancel = (): void => undefined;
    let held: Buffer = Buffer.alloc(0);
    const push = (bytes: Buffer): void => {
      // A copy, for what a stream shows is valid during the call only.
      held = Buffer.concat([held, bytes]);
      const found = readHead(held, peer, rules);
      if (found === undefined) return;
      if ('reason' in found) {
        refuse(found);
        return;
      }
      end();
      take(found);
    };
    if (rules.mode === 'required' && !rules.isTrusted(peer)) {
      refuse({ reason: 'proxy-untrusted', detail: 'only trusted proxies may connect' });
    } else if (waiting.size >= rules.maxWaiting) {
      refuse({ reason: 'limit-connections', detail: 'too many connections have not begun' });
    } else {
      const late = { reason: 'proxy-header-timeout', detail: `nothing whole within ${rules.timeoutMs} ms` } as const;
      cancel = clock.after(rules.timeoutMs, () => refuse(late));
      waiting.add(destroy);
      return { push, end };
    }
    return undefined;
  };

  return {
    ofStream(stream, onHead) {
      const reading = begin(
        stream.remoteAddress,
        () => stream.destroy(),
        ({ address, rest }) => {
          stream.restart(address, rest);
          onHead();
        },
      );
      if (reading !== undefined) stream.handle({ onBytes: reading.push, onClose: reading.end });
    },
    ofSocket(socket, peer, onHead) {
      const off = (): void => void socket.off('data', onData).off('close', onClose).off('end', onEnd);
      const ignored = (): void => undefined;
      socket.on('error', ignored);
      const reading = begin(
        peer,
        () => socket.destroy(),
        ({ address, rest }) => {
          off();
          socket.pause();
          if (rest.length > 0) socket.unshift(rest);
          onHead(address);
          // Not sooner: between the two nobody else would hear of an error.
          socket.off('error', ignored);
        },
      );
      const onData = (bytes: Buffer): void => reading?.push(bytes);
      const onClose = (): void => reading?.end();
      const onEnd = (): void => void socket.destroy();
      if (reading !== undefined) socket.on('data', onData).on('close', onClose).on('end', onEnd).resume();
    },
    stop() {
      for (const destroy of [...waiting]) destroy();
    },
  };
}

/** Undefined: more bytes are needed. */
function readHead(bytes: Buffer, peer: string, { mode, isTrusted }: ProxyRules): ProxyHead | Refused | undefined {
  try {
    const header = readProxyHeader(bytes);
    if (header === undefined) return undefined;
    if (header === 'none') {
      const detail = 'it has sent no PROXY header';
      return mode === 'required' ? { reason: 'proxy-header-missing', detail } : { address: peer, rest: bytes };
    }
    if (!isTrusted(peer)) return { reason: 'proxy-untrusted', detail: 'it has sent a PROXY header' };
    return { address: header.source?.address ?? peer, rest: bytes.subarray(header.length) };
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return { reason: isTrusted(peer) ? 'proxy-header-malformed' : 'proxy-untrusted', detail: error.message };
  }
}

/** Who the client of an open connection is; a TLS socket is known by the connection it is on. */
export type AddressOf = (socket: Socket) => string;

/**
 * Puts the heads before all that a server does with its connections. Called when all its listeners for connections are there.
 * `isPlain`: the server reads its sockets by itself; TLS takes them over.
 */
export function readHeadsFirst(server: Server, heads: ProxyHeads, isPlain: boolean): AddressOf {
  const clients = new Map<string, { readonly address: string }>();
  const handlers = server.listeners('connection');
  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    heads.ofSocket(socket, plainAddress(socket.remoteAddress), (address) => {
      const [key, client] = [endsOf(socket), { address }];
      clients.set(key, client);
      socket.once('close', () => {
        // The same ends may have met again by now.
        if (clients.get(key) === client) clients.delete(key);
      });
      for (const handle of handlers) handle.call(server, socket);
      if (isPlain) socket.resume();
    });
  });
  return (socket) => clients.get(endsOf(socket))?.address ?? plainAddress(socket.remoteAddress);
}

function endsOf({ remoteAddress, remotePort, localAddress }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress}`;
}
