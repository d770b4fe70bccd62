import { isIPv6 } from 'node:net';
import type { Clock } from '../../../model/clock.js';
import { GatewayError, WireError } from '../../../model/errors.js';
import type { Log, Metrics } from '../../../model/telemetry.js';
import { openUdp as openMachineUdp, type OpenUdp, type UdpPort } from '../../../net/udp.js';
import { asError } from '../../../net/thrown.js';
import { isWildcardHost } from '../../../wire/wildcard-host.js';
import { datagramKind } from '../wire/datagram-kind.js';
import { writeHostCandidate } from '../wire/ice-candidate.js';
import { BINDING, HEADER_BYTES, MAGIC_COOKIE } from '../wire/stun-format.js';
import { readStun, type StunMessage } from '../wire/stun-read.js';
import { noDrops } from './drops.js';
import { DEFAULT_MEDIA_LIMITS, type MediaLimits } from './limits.js';
import type { MediaCounters, MediaOpenInput, MediaPlane, MediaSession, OfferedMediaSession } from './media-plane.js';
import type { PlaneCounts, PlaneParts, Random } from './plane-parts.js';
import { RelaySession } from './relay-session.js';
import { answeredSession, offeredSession, readClientOffer, readOrigin } from './sessions.js';
import { TupleTable, type Sender } from './tuple-table.js';

/** Time between two looks at everything; limits are kept to within it. */
const TICK_MS = 500;
/** What the kernel keeps for all clients together while the loop is busy; it grants what `net.core.rmem_max` allows. */
const BUFFER_BYTES = 4 * 1024 * 1024;

/** Sessions at once where nobody says otherwise. */
const MAX_SESSIONS = 10_000;

/** Faults that are written to the log; the rest would be more of the same. */
const MAX_LOGGED_ERRORS = 20;

/** What the media side of the gateway is made of. */
export interface MediaPlaneOptions {
  /** What to bind: an address, `0.0.0.0` or `::`. */
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
  /** Where clients reach us, IPv4 or IPv6; at least one. Beside a wildcard, an address of either family opens a port of that family. */
  readonly publicAddresses: readonly string[];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Sessions at once, those that have ended and are still being refused included; looked up for each new one. Default: 10 000. */
  readonly maxSessions?: number | undefined;
  readonly limits?: Partial<MediaLimits>;
  readonly openUdp?: OpenUdp;
}

/** Opens the port of the clients. Rejects with GatewayError `listen-failed`. */
export async function createMediaPlane(options: MediaPlaneOptions): Promise<MediaPlane> {
  const plane = new Plane(options);
  try {
    await plane.bind();
  } catch (error) {
    await plane.close();
    throw error;
  }
  return plane;
}

class Plane implements MediaPlane {
  readonly #options: MediaPlaneOptions;
  readonly #parts: PlaneParts;
  readonly #counts: PlaneCounts = { fromClientPackets: 0, fromOriginPackets: 0, checksAnswered: 0, dropped: noDrops() };
  readonly #report: () => void;
  readonly #sessions = new Set<RelaySession>();
  readonly #sockets: UdpPort[] = [];
  /** Shared with every session, so it is filled anew and never replaced. */
  readonly #candidates: string[] = [];
  readonly closed: Promise<void>;
  #tellClosed: () => void = () => undefined;
  /** Grows evenly, whatever the wall clock does; a loop that is held up counts as no time. */
  #nowMs = 0;
  #cancelTick: () => void = () => undefined;
  #isClosed = false;
  #isRetired = false;
  #errors = 0;

  constructor(options: MediaPlaneOptions) {
    const { clock, random, log, metrics, limits, openUdp = openMachineUdp } = options;
    this.#options = options;
    this.closed = new Promise((resolve) => (this.#tellClosed = resolve));
    this.#report = createReport(metrics, this.#counts);
    this.#parts = {
      ...{ clock, random, log, openUdp },
      limits: { ...DEFAULT_MEDIA_LIMITS, ...limits },
      counts: this.#counts,
      tuples: new TupleTable(),
      users: new Map(),
      candidates: this.#candidates,
    };
  }

  get address(): { readonly host: string; readonly port: number } {
    const [first] = this.#sockets;
    return { host: first?.host ?? this.#options.host, port: first?.port ?? this.#options.port };
  }

  get counters(): MediaCounters {
    return { ...this.#counts, dropped: { ...this.#counts.dropped }, sessions: this.#sessions.size };
  }

  /** Opens one port for each family that clients can use; all have one number. */
  async bind(): Promise<void> {
    const { host, publicAddresses } = this.#options;
    const hosts = bindHosts(host, publicAddresses);
    for (const one of hosts) {
      const socket: UdpPort = this.#parts.openUdp({
        host: one,
        port: this.#sockets[0]?.port ?? this.#options.port,
        receiveBufferBytes: BUFFER_BYTES,
        sendBufferBytes: BUFFER_BYTES,
        onDatagram: (bytes, port, from) => this.#received(socket, bytes, port, from),
        onError: (error) => this.#failed(error),
      });
      this.#sockets.push(socket);
      await socket.ready;
    }
    if (this.#reachable(publicAddresses).length === 0) {
      throw new GatewayError('listen-failed', 'gateway', `no public address can be reached by ${host}`);
    }
    this.usePublicAddresses(publicAddresses);
    this.#scheduleTick();
  }

  usePublicAddresses(addresses: readonly string[]): void {
    const reachable = this.#reachable(addresses);
    if (reachable.length === 0) return;
    const { port } = this.address;
    this.#candidates.splice(0, Infinity, ...reachable.map((address, rank) => writeHostCandidate(address, port, rank)));
  }

  /** Those of a family that has a port, IPv4 first. */
  #reachable(addresses: readonly string[]): readonly string[] {
    const has = (isV6: boolean): boolean => this.#sockets.some(({ host }) => isIPv6(host) === isV6);
    return [false, true].flatMap((isV6) => addresses.filter((address) => isIPv6(address) === isV6 && has(isV6)));
  }

  open(input: MediaOpenInput & { readonly clientSdp: string }): MediaSession {
    const offer = readClientOffer(input.clientSdp, input.role);
    return answeredSession(this.#newSession(input), offer, this.#candidates);
  }

  openForOffer(input: MediaOpenInput & { readonly originSdp: string }): OfferedMediaSession {
    const offer = readOrigin(input.originSdp, 'offer');
    return offeredSession(this.#newSession(input), offer, this.#candidates);
  }

  retire(): void {
    this.#isRetired = true;
    if (this.#sessions.size === 0) void this.close();
  }

  resume(): void {
    this.#isRetired = false;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelTick();
    this.#report();
    for (const session of this.#sessions) session.vanish();
    this.#sessions.clear();
    for (const socket of this.#sockets) socket.close();
    this.#tellClosed();
    await Promise.resolve();
  }

  #newSession(input: MediaOpenInput): RelaySession {
    const { maxSessions = MAX_SESSIONS } = this.#options;
    const isClosed = this.#isClosed || this.#isRetired;
    if (isClosed || this.#sessions.size >= maxSessions) {
      const problem = isClosed ? 'the media port is closed' : `${maxSessions} sessions are open, and no more may be`;
      throw new GatewayError('media-full', 'gateway', problem);
    }
    const session = new RelaySession(this.#parts, input, this.#nowMs);
    this.#sessions.add(session);
    return session;
  }

  /** Each packet of a client comes by here. */
  #received(socket: UdpPort, bytes: Buffer, port: number, host: string): void {
    const { tuples, limits } = this.#parts;
    if (bytes.length > limits.maxDatagramBytes) {
      this.#counts.dropped.oversized++;
      return;
    }
    const kind = datagramKind(bytes);
    if (kind === 'stun') {
      this.#stun(bytes, { socket, port, host });
      return;
    }
    const tuple = tuples.find(port, host);
    if (tuple === undefined) this.#counts.dropped['unknown-address']++;
    else if (kind === 'other') this.#counts.dropped['unknown-kind']++;
    else tuple.owner.onDatagram(tuple, bytes);
  }

  #stun(bytes: Buffer, from: Sender): void {
    const { dropped } = this.#counts;
    const message = readCheck(bytes);
    if (message === undefined) {
      dropped['bad-stun']++;
      return;
    }
    if (message.kind === 'indication') {
      const tuple = this.#parts.tuples.find(from.port, from.host);
      if (tuple === undefined) dropped['unknown-address']++;
      else tuple.owner.onSign(tuple);
      return;
    }
    // What stands behind the colon is the client's name as it was, or will be, in some PATCH: it need not match.
    const generation = this.#parts.users.get(message.username?.split(':', 1)[0] ?? '');
    if (generation === undefined) dropped['unknown-user']++;
    else generation.side.check(message, bytes, from, generation);
  }

  #scheduleTick(): void {
    this.#cancelTick = this.#parts.clock.after(TICK_MS, () => {
      this.#nowMs += TICK_MS;
      this.#scheduleTick();
      for (const session of this.#sessions) {
        this.#tick(session);
        if (session.isGone) this.#sessions.delete(session);
      }
      this.#report();
      if (this.#isRetired && this.#sessions.size === 0) void this.close();
    });
  }

  #tick(session: RelaySession): void {
    try {
      session.tick(this.#nowMs, TICK_MS);
    } catch (error) {
      const fault = asError(error);
      this.#failed(fault);
      session.fault(fault);
    }
  }

  #failed(error: Error): void {
    this.#errors++;
    // One fault may come with every packet.
    if (this.#errors > MAX_LOGGED_ERRORS || this.#isClosed) return;
    this.#parts.log.write('error', 'gateway.error', { where: 'media', error: error.message });
  }
}

/** A Binding request or indication; undefined for all else. Cheap for what only looks like STUN. */
function readCheck(bytes: Buffer): StunMessage | undefined {
  if (bytes.length < HEADER_BYTES || bytes.readUInt32BE(4) !== MAGIC_COOKIE) return undefined;
  try {
    const message = readStun(bytes);
    const isCheck = message.method === BINDING && (message.kind === 'request' || message.kind === 'indication');
    return isCheck ? message : undefined;
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

/** What is bound: the host itself, or in the place of a wildcard that of each family in which clients reach us. */
function bindHosts(host: string, publicAddresses: readonly string[]): readonly string[] {
  if (!isWildcardHost(host)) return [host];
  const isNeeded = (wildcard: string) => publicAddresses.some((address) => isIPv6(address) === isIPv6(wildcard));
  return ['0.0.0.0', '::'].filter(isNeeded);
}

/** Makes what carries the counts over into the metrics, as much as has come to them since the last time. */
function createReport(metrics: Metrics, counts: PlaneCounts): () => void {
  const told = new Map<string, number>();
  const tell = (name: string, label: Readonly<Record<string, string>>, value: number): void => {
    const key = `${name} ${Object.values(label).join()}`;
    const by = value - (told.get(key) ?? 0);
    if (by <= 0) return;
    told.set(key, value);
    metrics.count(name, label, by);
  };
  return () => {
    tell('media_packets_total', { direction: 'in' }, counts.fromClientPackets);
    tell('media_packets_total', { direction: 'out' }, counts.fromOriginPackets);
    for (const [reason, value] of Object.entries(counts.dropped)) tell('media_dropped_total', { reason }, value);
  };
}
