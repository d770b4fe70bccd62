import { isIPv6 } from 'node:net';
import { randomBytes } from 'node:crypto';
import type { Config } from '../config/config.js';
import type { Clock } from '../model/clock.js';
import { GatewayError } from '../model/errors.js';
import type { Log, Metrics } from '../model/telemetry.js';
import { hostPort } from '../net/tcp.js';
import type { MediaPlane } from '../transports/webrtc/media/media-plane.js';
import { createMediaPlane } from '../transports/webrtc/media/plane.js';
import { isWildcardHost } from '../wire/wildcard-host.js';
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

/** A port that is open and not in force yet; one of `use` and `drop` is called. */
export interface MediaChange {
  /** From now on new sessions are there; the old port closes with its last session. */
  use(): void;
  /** It is not to be. */
  drop(): Promise<void>;
  /** What of it waits for a restart, one line a key. */
  readonly notes: readonly string[];
}

/** What ports are opened with. */
export interface MediaPortsDeps {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly clock: Clock;
  /** Sessions at once, as the config that holds says; 0 is no limit. */
  readonly maxSessions: () => number;
}

type MediaEndpoint = NonNullable<Config['listen']['media']>;

/** A port, with what it was opened for. */
interface Held {
  readonly wish: MediaEndpoint;
  readonly plane: MediaPlane;
}

/** Makes the ports, none open. */
export function createMediaPorts(deps: MediaPortsDeps): MediaPorts {
  const { log } = deps;
  /** Those that new sessions have or had; the others than `held` serve their last ones. */
  const open = new Set<Held>();
  const state = { isClosed: false };
  let held: Held | undefined;

  const take = (next: Held | undefined): void => {
    if (next === held) return;
    held?.plane.retire();
    held = next;
    if (next !== undefined) told(next);
  };
  const told = (next: Held): void => {
    const { host, port } = next.plane.address;
    log.write('info', 'listener.open', { listener: 'media', host, port });
    if (open.has(next)) return;
    open.add(next);
    void next.plane.closed.then(() => {
      open.delete(next);
      log.write('info', 'listener.closed', { listener: 'media' });
    });
  };
  const changeTo = (
    next: Held,
    { publicAddresses }: MediaEndpoint,
    drop: () => void,
    notes: readonly string[] = [],
  ): MediaChange => ({
    use() {
      if (state.isClosed) {
        void next.plane.close();
        return;
      }
      next.plane.usePublicAddresses(publicAddresses);
      take(next);
    },
    async drop() {
      drop();
      await Promise.resolve();
    },
    notes,
  });
  const keep = (same: Held, wish: MediaEndpoint): MediaChange => {
    const { plane } = same;
    if (same === held) return changeTo(same, wish, () => undefined, familyNotes(same, wish));
    // Its last sessions may end before this is in force, and it must not close with them.
    plane.resume();
    return changeTo(same, wish, () => plane.retire(), familyNotes(same, wish));
  };

  return {
    get now() {
      return held?.plane;
    },
    get address() {
      return held?.plane.address;
    },
    async prepare({ listen: { media: wish } }) {
      if (wish === undefined) return { use: () => take(undefined), drop: () => Promise.resolve(), notes: [] };
      checkReach(wish);
      const same = [...open].find((one) => one.wish.host === wish.host && one.wish.port === wish.port);
      if (same !== undefined) return keep(same, wish);
      try {
        const plane = await openPlane(wish, deps);
        return changeTo({ wish, plane }, wish, () => void plane.close());
      } catch (error) {
        const inTheWay = [...open].find((one) => isInTheWay(one, wish));
        if (inTheWay === undefined) throw error;
        if (inTheWay !== held) throw stillInUse(inTheWay, wish);
        const note = `listen.media.host is another, and port ${wish.port} stays: moving it waits for a restart`;
        return changeTo(inTheWay, wish, () => undefined, [note]);
      }
    },
    async close() {
      state.isClosed = true;
      held = undefined;
      for (const { plane } of [...open]) await plane.close();
    },
  };
}

/** As at the start. Throws GatewayError `listen-failed`. */
function checkReach({ host, publicAddresses }: MediaEndpoint): void {
  if (isWildcardHost(host) || publicAddresses.some((address) => isIPv6(address) === isIPv6(host))) return;
  throw new GatewayError('listen-failed', 'gateway', `no public address can be reached by ${host}`);
}

/** Beside a wildcard the port was opened once for each IP version in which clients reached it. */
function familyNotes({ wish: opened }: Held, { host, publicAddresses }: MediaEndpoint): readonly string[] {
  const has = (isV6: boolean): boolean => opened.publicAddresses.some((address) => isIPv6(address) === isV6);
  if (!isWildcardHost(host) || publicAddresses.every((address) => has(isIPv6(address)))) return [];
  return [
    'listen.media.publicAddresses has addresses of another IP version: opening the port for it waits for a restart',
  ];
}

/** Whether the port that could not be opened is one of ours: of a wildcard and an address, only one can have it. */
function isInTheWay({ wish: { host }, plane }: Held, wish: MediaEndpoint): boolean {
  return plane.address.port === wish.port && (host === wish.host || isWildcardHost(host) || isWildcardHost(wish.host));
}

function stillInUse({ plane }: Held, { host, port }: MediaEndpoint): GatewayError {
  const { sessions } = plane.counters;
  const problem = `sessions of an earlier config still run there (${sessions}); it is free when the last has ended`;
  return new GatewayError('listen-failed', 'gateway', `cannot listen on ${hostPort(host, port)} (UDP): ${problem}`);
}

function openPlane(
  { host, port, publicAddresses }: MediaEndpoint,
  { maxSessions, ...deps }: MediaPortsDeps,
): Promise<MediaPlane> {
  return createMediaPlane({
    ...{ ...deps, host, port, publicAddresses, random: randomBytes },
    get maxSessions() {
      return maxSessions() || undefined;
    },
  });
}
