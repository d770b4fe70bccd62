import type { ByteStream } from '../model/byte-stream.js';
import type { Clock } from '../model/clock.js';
import type { TransportName } from '../model/transport.js';
import type { Metrics } from '../model/telemetry.js';
import type { ConnectionWatcher } from '../model/watcher.js';
import { createAddressCount } from './address-count.js';

/** A client that is connected and asks for nothing for so long is not setting up any more. */
const IDLE_MS = 1000;

/** What a waiting room is made of. */
export interface WaitingRoomOptions {
  readonly transport: TransportName;
  /** Connections at once that nothing has been said yes to. */
  readonly max: () => number;
  /** Of them, from this one address; 0 is no limit. */
  readonly maxPerAddress: (address: string) => number;
  readonly metrics: Metrics;
  readonly clock: Clock;
  /** Told that a connection is being set up, so that paced relays do not delay it; call what comes back when it is over. */
  readonly setupStarted: () => () => void;
}

/** Where connections wait for their decision. */
export interface WaitingRoom {
  /** Who watches over the connection; undefined when the room is full, then the stream is destroyed and `onGone` has been called. */
  enter(stream: ByteStream, onGone: () => void): ConnectionWatcher | undefined;
}

/** Makes a waiting room; each transport has its own. */
export function createWaitingRoom(options: WaitingRoomOptions): WaitingRoom {
  const { transport, max, maxPerAddress, metrics, clock, setupStarted } = options;
  const byAddress = createAddressCount();
  let waiting = 0;
  return {
    enter(stream, onGone) {
      const { remoteAddress } = stream;
      const leave = waiting < max() ? byAddress.enter(remoteAddress, maxPerAddress(remoteAddress)) : undefined;
      if (leave === undefined) {
        metrics.count('connections_refused_total', { transport, reason: 'limit-connections' });
        stream.destroy();
        onGone();
        return undefined;
      }
      waiting += 1;
      const endSetUp = setupStarted();
      let isSettingUp = true;
      let cancelIdle = (): void => undefined;
      const onSetUp = (): void => {
        cancelIdle();
        if (isSettingUp) endSetUp();
        isSettingUp = false;
      };
      return {
        onLetIn: () => {
          waiting -= 1;
          leave();
        },
        onConnected: () => {
          if (isSettingUp) cancelIdle = clock.after(IDLE_MS, onSetUp);
        },
        onSetUp,
        onGone,
      };
    },
  };
}
