import { randomBytes } from 'node:crypto';
import type { Config } from '../config/config.js';
import type { Clock } from '../model/clock.js';
import type { Log, Metrics } from '../model/telemetry.js';
import type { MediaPlane } from '../transports/webrtc/media/media-plane.js';
import { createMediaPlane } from '../transports/webrtc/media/plane.js';
import type { ListenAddress } from './listener-set.js';

/** The UDP port of WebRTC media, from config to config. A session keeps the port that it began with. */
export interface MediaPorts {
  /** Where new sessions get their media; undefined where no port is open. */
  readonly now: MediaPlane | undefined;
  /** Where it is. */
  readonly address: ListenAddress | undefined;
  /**
   * Opens the port of a config, if it is another one. Rejects with GatewayError `listen-failed`, and all is as it was.
   */
  prepare(config: Config): Promise<MediaChange>;
  /** Ends all sessions and closes. */
  close(): Promise<void>;
}

/** A port that is open and not in force yet; one of both is called. */
export interface MediaChange {
  /** From now on new sessions are there; the old port closes with its last session. */
  use(): void;
  /** It is not to be. */
  drop(): Promise<void>;
}

/** What ports are opened with. */
export interface MediaPortsDeps {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly clock: Clock;
  /** Sessions at once, as the config that holds says; 0 is no limit. */
  readonly maxSessions: () => number;
}

type MediaListener = NonNullable<Config['listen']['media']>;

/** Makes the ports, none open. */
export function createMediaPorts(deps: MediaPortsDeps): MediaPorts {
  const { log } = deps;
  const retired = new Set<MediaPlane>();
  let held: { readonly wish: ListenAddress; readonly plane: MediaPlane } | undefined;
  const closed = (): void => log.write('info', 'listener.closed', { listener: 'media' });

  const use = (wish: ListenAddress, plane: MediaPlane): void => {
    retire();
    held = { wish, plane };
    const { host, port } = plane.address;
    log.write('info', 'listener.open', { listener: 'media', host, port });
  };
  const retire = (): void => {
    if (held === undefined) return;
    const { plane } = held;
    held = undefined;
    retired.add(plane);
    void plane.retire().then(() => {
      if (retired.delete(plane)) closed();
    });
  };

  return {
    get now() {
      return held?.plane;
    },
    get address() {
      return held?.plane.address;
    },
    async prepare({ listen: { media } }) {
      if (media === undefined) return changeBy(retire);
      const { host, port, publicAddresses } = media;
      if (held?.wish.host === host && held.wish.port === port) {
        const { plane } = held;
        return changeBy(() => plane.usePublicAddresses(publicAddresses));
      }
      const plane = await openPlane(media, deps);
      return { use: () => use({ host, port }, plane), drop: () => plane.close() };
    },
    async close() {
      const planes = [...retired, ...(held === undefined ? [] : [held.plane])];
      retired.clear();
      held = undefined;
      for (const plane of planes) {
        await plane.close();
        closed();
      }
    },
  };
}

function changeBy(use: () => void): MediaChange {
  return { use, drop: () => Promise.resolve() };
}

function openPlane(
  { host, port, publicAddresses }: MediaListener,
  { maxSessions, ...deps }: MediaPortsDeps,
): Promise<MediaPlane> {
  return createMediaPlane({
    ...{ ...deps, host, port, publicAddresses, random: randomBytes },
    get maxSessions() {
      return maxSessions() || undefined;
    },
  });
}
