import type { ByteStream } from '../model/byte-stream.js';
import type { TransportName } from '../model/transport.js';
import type { Metrics } from '../model/telemetry.js';
import type { ConnectionWatcher } from '../model/watcher.js';

/** What a waiting room is made of. */
export interface WaitingRoomOptions {
  readonly transport: TransportName;
  /** Connections at once that nothing has been said yes to. */
  readonly max: number;
  readonly metrics: Metrics;
  /** Told that a connection is being set up, so that paced relays do not delay it; call what comes back when it is over. */
  readonly setupStarted: () => () => void;
}

/** Where connections wait for their decision. */
export interface WaitingRoom {
  /** Who watches over the connection; undefined when the room is full, then the stream is destroyed and `onGone` has been called. */
  enter(stream: ByteStream, onGone: () => void): ConnectionWatcher | undefined;
}

/** Makes a waiting room; each transport has its own. */
export function createWaitingRoom({ transport, max, metrics, setupStarted }: WaitingRoomOptions): WaitingRoom {
  let waiting = 0;
  return {
    enter(stream, onGone) {
      if (waiting >= max) {
        metrics.count('connections_refused_total', { transport, reason: 'limit-connections' });
        stream.destroy();
        onGone();
        return undefined;
      }
      waiting += 1;
      const endSetUp = setupStarted();
      let isSettingUp = true;
      return {
        onLetIn: () => {
          waiting -= 1;
        },
        onSetUp: () => {
          if (isSettingUp) endSetUp();
          isSettingUp = false;
        },
        onGone,
      };
    },
  };
}
