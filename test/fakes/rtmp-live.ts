import { dialTcp } from '../../src/net/dial.js';
import { listenTcp, type Listener } from '../../src/net/tcp.js';
import { MESSAGE } from '../../src/transports/rtmp/wire/message.js';
import { OriginDouble, type OriginBehaviour } from './rtmp-origin.js';
import { RtmpPeer } from './rtmp-peer.js';

/** An RTMP origin on a port of its own, with every connection it got. */
export interface LiveOrigin {
  readonly port: number;
  readonly calls: OriginDouble[];
  close(): Promise<void>;
}

/** Opens an origin on loopback. */
export async function liveOrigin(behaviour: OriginBehaviour = {}): Promise<LiveOrigin> {
  const calls: OriginDouble[] = [];
  const listener: Listener = await listenTcp({
    host: '127.0.0.1',
    port: 0,
    onStream: (stream) => void calls.push(new OriginDouble(stream, behaviour)),
  });
  return {
    port: listener.port,
    calls,
    close: async () => {
      for (const { peer } of calls) peer.stream.destroy();
      await listener.close();
    },
  };
}

/** Waits for something that happens on sockets; rejects when it has not within `withinMs`. */
export async function eventually(isThere: () => boolean, withinMs = 5000): Promise<void> {
  const until = Date.now() + withinMs;
  while (!isThere()) {
    if (Date.now() > until) throw new Error(`it did not happen within ${withinMs} ms`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** A client that has shaken hands with a gateway on loopback, or was closed. */
export async function liveClient(port: number): Promise<RtmpPeer> {
  const signal = new AbortController().signal;
  const peer = new RtmpPeer(
    await dialTcp({ host: '127.0.0.1', port, secure: false, timeoutMs: 5000, signal }),
    'client',
  );
  await eventually(() => peer.isShaken || peer.closed);
  return peer;
}

/** A client that publishes `app/name`, let in or refused. */
export async function livePublisher(port: number, app: string, name: string): Promise<RtmpPeer> {
  const peer = await liveClient(port);
  peer.connect(app);
  await eventually(() => peer.codes.length > 0 || peer.closed);
  if (!peer.codes.includes('NetConnection.Connect.Success')) return peer;
  peer.command('createStream', 2, null);
  await eventually(() => peer.commands.some(({ transactionId }) => transactionId === 2));
  peer.commandOn(1, 'publish', 3, null, name, 'live');
  await eventually(() => peer.codes.length > 1 || peer.closed);
  return peer;
}

/** One video message of a publisher. */
export function sendVideo(peer: RtmpPeer, timestamp: number): void {
  peer.send({ type: MESSAGE.video, chunkStreamId: 6, streamId: 1, timestamp, payload: Buffer.alloc(100, timestamp) });
}
