import { isHandshake } from '../wire/datagram-kind.js';
import type { IceCredentials } from '../wire/sdp-check.js';
import { hasIntegrity, type StunMessage } from '../wire/stun-read.js';
import { writeStun, type StunDraft } from '../wire/stun-write.js';
import { newCredentials, type PlaneParts } from './plane-parts.js';
import { Tuple, type Sender, type TupleOwner } from './tuple-table.js';

/** Credentials of ours for one client, from the first or from an ICE restart. */
export interface Generation extends IceCredentials {
  readonly side: ClientSide;
  /** Counts from 0. */
  readonly number: number;
  /** When it is forgotten, on the plane's own time; undefined while it is the newest in use. */
  retireMs: number | undefined;
}

/** What the session of a client side hears from it. */
export interface ClientSideEvents extends TupleOwner {
  /** A check was verified and has been answered. */
  onChecked(tuple: Tuple): void;
}

/** What is done with checks: nothing before the session runs, a signed 403 after its end. */
type Mode = 'closed' | 'open' | 'forbidden';

/**
 * The ice-lite side of one session: credentials, addresses that have proven themselves, and which of them gets the media.
 * @see RFC 8445 §7.3, §8.1.2
 */
export class ClientSide {
  readonly #parts: PlaneParts;
  readonly #events: ClientSideEvents;
  readonly #tuples: Tuple[] = [];
  readonly #generations: Generation[] = [];
  #mode: Mode = 'closed';
  #count = 0;
  #nowMs: number;
  #selected: Tuple | undefined;

  /** Nobody is answered before `open()`. */
  constructor(parts: PlaneParts, events: ClientSideEvents, nowMs: number) {
    this.#parts = parts;
    this.#events = events;
    this.#nowMs = nowMs;
    this.current = this.renew();
  }

  /** The newest credentials. */
  current: Generation;

  /** Where the client's media goes. */
  get selected(): Tuple | undefined {
    return this.#selected;
  }

  /** From now on checks are answered. */
  open(): void {
    this.#mode = 'open';
  }

  /** From now on they are refused, and nothing else comes from this client. */
  forbid(): void {
    this.#mode = 'forbidden';
    this.#selected = undefined;
    for (const tuple of this.#tuples.splice(0)) this.#parts.tuples.remove(tuple);
  }

  /** As if it had never been. */
  forget(): void {
    this.forbid();
    for (const generation of this.#generations.splice(0)) this.#parts.users.delete(generation.ufrag);
  }

  /** Makes new credentials for an ICE restart; the old ones stay good until these are used. */
  renew(): Generation {
    const { users, random, limits } = this.#parts;
    let made = newCredentials(random);
    while (users.has(made.ufrag)) made = newCredentials(random);
    const generation = { ...made, side: this, number: this.#count++, retireMs: undefined };
    const used = this.#selected?.generation;
    const spare = this.#generations.find(({ number }) => number !== used);
    if (this.#generations.length >= limits.maxGenerations && spare !== undefined) this.#retire(spare);
    this.#generations.push(generation);
    users.set(generation.ufrag, generation);
    this.current = generation;
    return generation;
  }

  /** A Binding request with a user name of this side. */
  check(message: StunMessage, bytes: Buffer, from: Sender, generation: Generation): void {
    const { dropped } = this.#parts.counts;
    if (!hasIntegrity(bytes, message, generation.pwd)) dropped['bad-integrity']++;
    else if (this.#mode === 'closed') dropped['not-relaying']++;
    else this.#verified(message, from, generation);
  }

  /** DTLS or media came by a tuple that is not the selected one. */
  strayed(tuple: Tuple, bytes: Buffer): void {
    const selected = this.#selected;
    // A client that has not chosen is where it sends from; one that chose and then shook hands elsewhere is there (W20).
    const isFree = selected === undefined || !selected.isNominated;
    const isUnused = selected?.media === 0 && isHandshake(bytes) && tuple.generation >= selected.generation;
    if (isFree || isUnused) this.#select(tuple);
  }

  /** Another session has the address now. */
  lost(tuple: Tuple): void {
    const at = this.#tuples.indexOf(tuple);
    if (at >= 0) this.#tuples.splice(at, 1);
    if (this.#selected === tuple) this.#selected = undefined;
  }

  /** Time passes: forgets what is old, and turns to another address when the selected one has fallen silent. */
  tick(nowMs: number): void {
    const { limits } = this.#parts;
    this.#nowMs = nowMs;
    for (const tuple of [...this.#tuples]) {
      if (tuple.packets !== tuple.seenPackets) tuple.aliveMs = nowMs;
      tuple.seenPackets = tuple.packets;
      if (tuple !== this.#selected && nowMs - tuple.aliveMs >= limits.tupleIdleMs) this.#drop(tuple);
    }
    for (const generation of [...this.#generations]) {
      if (generation.retireMs !== undefined && nowMs >= generation.retireMs) this.#retire(generation);
    }
    this.#roam();
  }

  #verified(message: StunMessage, from: Sender, generation: Generation): void {
    const { counts } = this.#parts;
    counts.checksAnswered++;
    const error = this.#errorFor(message);
    if (error !== undefined) {
      this.#reply(from, generation, { kind: 'error', transaction: message.transaction, ...error });
      return;
    }
    const tuple = this.#admit(from, generation);
    if (tuple === undefined) {
      counts.checksAnswered--;
      counts.dropped['address-taken']++;
      return;
    }
    tuple.packets++;
    tuple.generation = Math.max(tuple.generation, generation.number);
    // The answer leaves first: Chromium loses DTLS that comes before it.
    const mapped = { host: from.host, port: from.port };
    this.#reply(from, generation, { kind: 'success', transaction: message.transaction, mapped });
    this.#consider(tuple, message.useCandidate);
    this.#events.onChecked(tuple);
  }

  /** PRIORITY and role may be missing, as ffmpeg has it (W18). */
  #errorFor(message: StunMessage): Pick<StunDraft, 'error' | 'unknown'> | undefined {
    if (this.#mode === 'forbidden') return { error: { code: 403, reason: 'Forbidden' } };
    if (message.unknown.length > 0) {
      return { error: { code: 420, reason: 'Unknown Attribute' }, unknown: message.unknown };
    }
    if (message.controlled !== undefined) return { error: { code: 487, reason: 'Role Conflict' } };
    return undefined;
  }

  #reply(from: Sender, generation: Generation, draft: StunDraft): void {
    const isSent = from.socket.send(writeStun(draft, generation.pwd), from.port, from.host);
    if (!isSent) this.#parts.counts.dropped['send-failed']++;
  }

  /** The tuple of an address that has passed a check. Undefined while a living session of somebody else has it. */
  #admit(from: Sender, generation: Generation): Tuple | undefined {
    const { tuples, limits } = this.#parts;
    const known = tuples.find(from.port, from.host);
    if (known?.owner === this.#events) return known;
    if (known !== undefined) {
      // Whoever can forge a sender's address shall not draw its media away with a check of his own session.
      const isAlive = known.packets !== known.seenPackets || this.#nowMs - known.aliveMs < limits.roamMs;
      if (isAlive) return undefined;
      known.owner.onLostTuple(known);
    }
    const tuple = new Tuple(this.#events, from, generation.number, this.#nowMs);
    const spare = this.#tuples.find((one) => one !== this.#selected);
    if (this.#tuples.length >= limits.maxTuples && spare !== undefined) this.#drop(spare);
    this.#tuples.push(tuple);
    tuples.add(tuple);
    return tuple;
  }

  #consider(tuple: Tuple, isNominated: boolean): void {
    const selected = this.#selected;
    if (isNominated && tuple.generation >= (selected?.generation ?? 0)) {
      tuple.isNominated = true;
      this.#select(tuple);
    } else if (selected === undefined || selected === tuple) {
      this.#select(tuple);
    }
  }

  #select(tuple: Tuple): void {
    this.#selected = tuple;
    for (const generation of this.#generations) {
      if (generation.number < tuple.generation) generation.retireMs ??= this.#nowMs + this.#parts.limits.graceMs;
    }
  }

  #roam(): void {
    const { roamMs } = this.#parts.limits;
    const selected = this.#selected;
    if (selected !== undefined && this.#nowMs - selected.aliveMs < roamMs) return;
    const alive = this.#tuples.filter((tuple) => tuple !== selected && this.#nowMs - tuple.aliveMs < roamMs);
    const [best] = alive.sort((a, b) => b.generation - a.generation || b.aliveMs - a.aliveMs);
    if (best !== undefined) this.#select(best);
  }

  #drop(tuple: Tuple): void {
    this.lost(tuple);
    this.#parts.tuples.remove(tuple);
  }

  #retire(generation: Generation): void {
    this.#generations.splice(this.#generations.indexOf(generation), 1);
    this.#parts.users.delete(generation.ufrag);
  }
}
