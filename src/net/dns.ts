import { lookup, Resolver as SystemResolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { Clock } from '../model/clock.js';
import { GatewayError } from '../model/errors.js';
import { asError } from './thrown.js';

/** An answer of DNS is taken for true for so long at least, whatever it says of itself … */
const MIN_TTL_S = 5;
/** … and at most. */
const MAX_TTL_S = 300;
/** For answers that say nothing of it: SRV, and what only the system knows. */
const DEFAULT_TTL_S = 30;
/** After a failed question, the next. */
const RETRY_MS = 2000;
/** A name nobody has asked for in this time is forgotten. */
const UNUSED_MS = 600_000;
/** Names that are remembered. */
const MAX_NAMES = 1024;
/** Addresses or targets of one name that count. */
const MAX_ANSWERS = 16;

/** One machine of a service. @see RFC 2782 */
export interface SrvTarget {
  readonly host: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
}

/** An address, and for how many seconds it holds. */
export interface AddressAnswer {
  readonly address: string;
  readonly ttl: number;
}

/** The questions themselves. Each rejects with the system's error. */
export interface DnsQuestions {
  v4(host: string): Promise<readonly AddressAnswer[]>;
  v6(host: string): Promise<readonly AddressAnswer[]>;
  /** What the system makes of a name, files included. */
  system(host: string): Promise<readonly string[]>;
  srv(name: string): Promise<readonly SrvTarget[]>;
}

/** Names and where they lead. */
export interface NameResolver {
  /**
   * Addresses of a host, IPv6 and IPv4 by turns, in an order that stays the same while they do; an address is its own.
   * Rejects with GatewayError `origin-unavailable` when the name has never been found.
   */
  addresses(host: string): Promise<readonly string[]>;
  /** The machines of a service, lowest priority first. Rejects likewise. */
  targets(name: string): Promise<readonly SrvTarget[]>;
  /** Ends the refreshing. */
  stop(): void;
}

interface Entry<T> {
  value: readonly T[] | undefined;
  asking: Promise<readonly T[]> | undefined;
  usedMs: number;
  cancel: () => void;
}

/**
 * Remembers what names lead to: asked for once, refreshed in the background as long as somebody uses them, and kept as they
 * were while DNS is away.
 */
export function createNameResolver(clock: Clock, questions: DnsQuestions = systemQuestions()): NameResolver {
  const hosts = createMemory(clock, (host) => askAddresses(questions, host));
  const services = createMemory(clock, async (name) => {
    const targets = await questions.srv(name);
    const sorted = [...targets].sort((a, b) => a.priority - b.priority || compare(a.host, b.host));
    // A single dot says that there is no such service. @see RFC 2782
    return { found: sorted.filter(({ host }) => host !== '' && host !== '.'), ttlS: DEFAULT_TTL_S };
  });
  return {
    addresses: (host) => (isIP(host) === 0 ? hosts.get(host) : Promise.resolve([host])),
    targets: (name) => services.get(name),
    stop() {
      hosts.stop();
      services.stop();
    },
  };
}

interface Found<T> {
  readonly found: readonly T[];
  readonly ttlS: number;
}

function createMemory<T>(clock: Clock, ask: (name: string) => Promise<Found<T>>) {
  const entries = new Map<string, Entry<T>>();
  let isStopped = false;
  const later = (name: string, entry: Entry<T>, delayMs: number): void => {
    entry.cancel();
    if (isStopped || entries.get(name) !== entry) return;
    entry.cancel = clock.after(delayMs, () => {
      if (Math.abs(clock.now() - entry.usedMs) > UNUSED_MS) entries.delete(name);
      // It says itself how it went.
      else void refresh(name, entry).catch(() => undefined);
    });
  };
  const refresh = (name: string, entry: Entry<T>): Promise<readonly T[]> => {
    entry.asking ??= (async () => {
      try {
        const { found, ttlS } = await ask(name);
        if (found.length === 0) throw new Error('it leads nowhere');
        entry.value = found.slice(0, MAX_ANSWERS);
        later(name, entry, Math.min(MAX_TTL_S, Math.max(MIN_TTL_S, ttlS)) * 1000);
        return entry.value;
      } catch (error) {
        const { code = '', message } = asError(error) as NodeJS.ErrnoException;
        if (entry.value === undefined) entries.delete(name);
        else later(name, entry, RETRY_MS);
        throw new GatewayError('origin-unavailable', 'origin', `cannot find ${name}: ${code || message}`, {
          cause: error,
        });
      } finally {
        entry.asking = undefined;
      }
    })();
    return entry.asking;
  };
  return {
    get(name: string): Promise<readonly T[]> {
      let entry = entries.get(name);
      if (entry === undefined) {
        const [oldest] = entries;
        if (oldest !== undefined && entries.size >= MAX_NAMES) {
          oldest[1].cancel();
          entries.delete(oldest[0]);
        }
        entry = { value: undefined, asking: undefined, usedMs: 0, cancel: () => undefined };
        entries.set(name, entry);
      }
      entry.usedMs = clock.now();
      return entry.value === undefined ? refresh(name, entry) : Promise.resolve(entry.value);
    },
    stop(): void {
      isStopped = true;
      for (const entry of entries.values()) entry.cancel();
      entries.clear();
    },
  };
}

/**
 * The system has the last word on where a name leads, since only it knows its files (`/etc/hosts`, what a container was given)
 * and search domains; DNS says how long that holds, and answers alone where the system does not know.
 */
async function askAddresses(questions: DnsQuestions, host: string): Promise<Found<string>> {
  const nothing: readonly AddressAnswer[] = [];
  const inDns = host.includes('.');
  const [system, v6, v4] = await Promise.all([
    settled(questions.system(host)),
    inDns ? questions.v6(host).catch(() => nothing) : nothing,
    inDns ? questions.v4(host).catch(() => nothing) : nothing,
  ]);
  const answers = [...v6, ...v4];
  const ofDns = new Set(answers.map(addressOf));
  const known = system.value ?? [...ofDns];
  if (system.value === undefined && known.length === 0) throw system.error;
  const family = (wanted: number) => [...new Set(known)].filter((address) => isIP(address) === wanted);
  const isOfDns = answers.length > 0 && known.every((address) => ofDns.has(address));
  const ttlS = isOfDns ? Math.min(...answers.map(({ ttl }) => ttl)) : DEFAULT_TTL_S;
  return { found: byTurns(family(6), family(4)), ttlS };
}

type Settled<T> = { readonly value: T } | { readonly value: undefined; readonly error: Error };

function settled<T>(asked: Promise<T>): Promise<Settled<T>> {
  return asked.then(
    (value) => ({ value }),
    (error: unknown) => ({ value: undefined, error: asError(error) }),
  );
}

function addressOf({ address }: AddressAnswer): string {
  return address;
}

/** DNS answers in a new order each time; publisher and viewers have to begin with the same address. @see RFC 8305 §4 */
function byTurns(v6: readonly string[], v4: readonly string[]): readonly string[] {
  const [first, second] = [[...v6].sort(compare), [...v4].sort(compare)];
  return Array.from({ length: Math.max(first.length, second.length) }, (_, index) => [first[index], second[index]])
    .flat()
    .filter((address) => address !== undefined);
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** Asks the name servers of the system, or `servers` (`host:port`) instead. */
export function systemQuestions(servers?: readonly string[]): DnsQuestions {
  const resolver = new SystemResolver({ timeout: 2000, tries: 2 });
  if (servers !== undefined) resolver.setServers(servers);
  return {
    v4: (host) => resolver.resolve4(host, { ttl: true }),
    v6: (host) => resolver.resolve6(host, { ttl: true }),
    system: async (host) => (await lookup(host, { all: true })).map(({ address }) => address),
    srv: async (name) =>
      (await resolver.resolveSrv(name)).map(({ name: host, port, priority, weight }) => ({
        ...{ host, port, priority, weight },
      })),
  };
}
