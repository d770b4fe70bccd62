import { isDeepStrictEqual } from 'node:util';
import { GatewayError } from '../model/errors.js';
import type { Log } from '../model/telemetry.js';

/** Where a listener can be reached. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** A listener that is open. */
export interface Closable extends ListenAddress {
  /** Stops accepting at once; resolves when what was being answered has its answer, or after `graceMs`. Streams stay. Idempotent. */
  close(graceMs?: number): Promise<void>;
}

/** A listener that a config names. */
export interface ListenerWish {
  /** Its name in the config. */
  readonly name: string;
  /** All that opening it depends on; one that is open and was opened with an equal value stays as it is. Secrets as fingerprints. */
  readonly opensWith: ListenAddress & Readonly<Record<string, unknown>>;
  /** `port`: as in `opensWith`, or the one that it had before. Rejects with GatewayError `listen-failed` or `certificate-unusable`. */
  readonly open: (port: number) => Promise<Closable>;
}

/** The listeners that are open. */
export interface ListenerSet {
  /** Where a listener is in truth; undefined while it is not open. */
  at(name: string): ListenAddress | undefined;
  /** All of them, by name. */
  readonly addresses: Readonly<Record<string, ListenAddress>>;
  /**
   * Opens what is wished and not open yet; what comes back closes what nobody wishes any more. Streams stay, whatever closes.
   * Rejects with GatewayError `listen-failed` or `certificate-unusable`, and all is as it was.
   */
  prepare(wishes: readonly ListenerWish[]): Promise<() => void>;
  /** Closes all. */
  close(): Promise<void>;
}

/** For the answers that clients of a listener wait for when a config names it no more; setting up a stream may take that long. */
const CHANGEOVER_GRACE_MS = 30_000;

interface Held {
  readonly wish: ListenerWish;
  readonly listener: Closable;
}

/** Makes the set, empty. */
export function createListenerSet(log: Log): ListenerSet {
  const open = new Map<string, Held>();
  const state = { isClosed: false };
  const closing = new Map<Closable, Promise<void>>();

  const told = (name: string, { host, port }: ListenAddress): void =>
    log.write('info', 'listener.open', { listener: name, host, port });
  const closeOne = ({ wish, listener }: Held): void => {
    const closed = listener.close(CHANGEOVER_GRACE_MS).then(() => {
      closing.delete(listener);
      log.write('info', 'listener.closed', { listener: wish.name });
    });
    closing.set(listener, closed);
  };
  /** Puts back what had to make room. */
  const reopen = async (stepped: readonly Held[]): Promise<void> => {
    for (const { wish, listener: old } of stepped) {
      try {
        // Where it was, also if any free port had been asked for.
        const listener = await wish.open(old.port);
        told(wish.name, listener);
        open.set(wish.name, { wish, listener });
        if (state.isClosed) closeOne({ wish, listener });
      } catch (error) {
        open.delete(wish.name);
        log.write('error', 'gateway.error', { during: 'reload', listener: wish.name, error });
      }
    }
  };

  return {
    at: (name) => open.get(name)?.listener,
    get addresses() {
      const placeOf = ({ host, port }: Closable): ListenAddress => ({ host, port });
      return Object.fromEntries([...open].map(([name, { listener }]) => [name, placeOf(listener)]));
    },
    async prepare(wishes) {
      const kept = new Map(wishes.filter((wish) => isOpenFor(open, wish)).map((wish) => [wish.name, wish]));
      const leaving = [...open.values()].filter(({ wish }) => !kept.has(wish.name));
      const stepped: Held[] = [];
      const fresh: Held[] = [];
      try {
        for (const wish of wishes) {
          if (kept.has(wish.name)) continue;
          // Of two with one port, on whatever address, only one can be open.
          for (const one of leaving.filter((held) => !stepped.includes(held) && sharesPort(held, wish))) {
            stepped.push(one);
            closeOne(one);
          }
          const listener = await wish.open(wish.opensWith.port);
          told(wish.name, listener);
          fresh.push({ wish, listener });
          if (state.isClosed) throw new GatewayError('listen-failed', 'gateway', 'the gateway stops');
        }
      } catch (error) {
        for (const held of fresh) closeOne(held);
        if (!state.isClosed) await reopen(stepped);
        throw error;
      }
      return () => {
        if (state.isClosed) {
          for (const held of fresh) closeOne(held);
          return;
        }
        for (const held of leaving) {
          open.delete(held.wish.name);
          if (!stepped.includes(held)) closeOne(held);
        }
        // The new wish in the place of the old, which holds on to its config.
        for (const [name, wish] of kept) open.set(name, { wish, listener: (open.get(name) as Held).listener });
        for (const held of fresh) open.set(held.wish.name, held);
      };
    },
    async close() {
      state.isClosed = true;
      for (const held of open.values()) closeOne(held);
      open.clear();
      // Now there is less time, also for those that were closing before.
      const hurried = [...closing.keys()].map((listener) => listener.close());
      await Promise.all([...hurried, ...closing.values()]);
    },
  };
}

function isOpenFor(open: ReadonlyMap<string, Held>, { name, opensWith }: ListenerWish): boolean {
  return isDeepStrictEqual(open.get(name)?.wish.opensWith, opensWith);
}

function sharesPort({ listener }: Held, { opensWith: { port } }: ListenerWish): boolean {
  return port !== 0 && listener.port === port;
}
