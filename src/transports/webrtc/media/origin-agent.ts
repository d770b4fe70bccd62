import { GatewayError, WireError } from '../../../model/errors.js';
import type { UdpPort } from '../../../net/udp.js';
import { datagramKind } from '../wire/datagram-kind.js';
import { PEER_REFLEXIVE_PRIORITY, type IceCandidate } from '../wire/ice-candidate.js';
import type { IceCredentials } from '../wire/sdp-check.js';
import { BINDING, TRANSACTION_BYTES } from '../wire/stun-format.js';
import { hasIntegrity, readStun, type StunMessage } from '../wire/stun-read.js';
import { writeStun, type StunDraft } from '../wire/stun-write.js';
import { Patience } from './patience.js';
import type { PlaneParts } from './plane-parts.js';
import { pickRemotes, Remotes, type Remote } from './remotes.js';

/** Both ends of an origin's leg. */
export interface OriginAgentInput {
  readonly ours: IceCredentials;
  readonly theirs: IceCredentials;
  /** Whether it is we who nominate: always where the origin is lite, and where we made the offer. @see RFC 8445 §6.1.1 */
  readonly isControlling: boolean;
  /** At least one. */
  readonly candidates: readonly IceCandidate[];
}

/** What an agent tells. None may throw. */
export interface OriginAgentEvents {
  /** An address of the origin has answered: `send` works. Once. */
  onReady(): void;
  /** DTLS, RTP or RTCP from an address of the origin that has proven itself, perhaps before `onReady`. */
  onDatagram(bytes: Buffer): void;
  /** It never answered, has stopped answering, or refused to go on. Once; the agent is closed. */
  onLost(error: GatewayError): void;
}

/** A check that waits for its answer. */
interface Pending {
  readonly remote: Remote;
  readonly isControlling: boolean;
}

/** Checks that may wait at once: those of consent over 30 s, or of 8 addresses until they answer. */
const MAX_PENDING = 128;
const RECEIVE_BUFFER_BYTES = 1024 * 1024;

/**
 * A full ICE agent with one socket towards one origin: `idle -> checking -> ready -> closed`.
 * All it sends goes to addresses out of the origin's SDP or such as passed a check. Where media have come from one address alone
 * for a while, the socket is pinned to it: then the system tells when nobody is there any more.
 * @see RFC 8445 §7, RFC 7675
 */
export class OriginAgent {
  readonly #parts: PlaneParts;
  readonly #input: OriginAgentInput;
  readonly #events: OriginAgentEvents;
  readonly #remotes: Remotes;
  readonly #pending = new Map<string, Pending>();
  readonly #tieBreaker: bigint;
  #state: 'idle' | 'checking' | 'ready' | 'closed' = 'idle';
  #isControlling: boolean;
  #socket: UdpPort | undefined;
  #selected: Remote | undefined;
  readonly #patience: Patience;
  #isPinned = false;
  /** Media have come from the chosen address; they have come from another one, too. */
  #hasHeard = false;
  #hasStrayed = false;

  /** Nothing is opened before `start()`. */
  constructor(parts: PlaneParts, input: OriginAgentInput, events: OriginAgentEvents) {
    this.#parts = parts;
    this.#input = input;
    this.#events = events;
    this.#isControlling = input.isControlling;
    this.#remotes = new Remotes(pickRemotes(input.candidates, parts.limits.maxRemotes), parts.limits.maxRemotes);
    this.#tieBreaker = parts.random(8).readBigUInt64BE(0);
    this.#patience = new Patience(parts, {
      ask: () => this.#ask(),
      onGivenUp: (code, message) => this.#lose(code, message),
      onFault: (error) => this.#lose('media-fault', error.message, 'gateway'),
    });
  }

  /** Whether `send` works. */
  get isReady(): boolean {
    return this.#state === 'ready';
  }

  /** Opens the socket and makes the first checks. */
  start(): void {
    if (this.#state !== 'idle') return;
    this.#state = 'checking';
    this.#socket = this.#parts.openUdp({
      host: this.#remotes.bindHost,
      port: 0,
      receiveBufferBytes: RECEIVE_BUFFER_BYTES,
      onDatagram: (bytes, port, host) => this.#received(bytes, port, host),
      onError: (error) => this.#socketFailed(error),
      onRefused: () => this.#patience.refused(),
    });
    if (this.#isClosed()) this.#socket.close();
    else this.#patience.start();
  }

  /** Makes a check out of turn: if nobody is there any more, the system says so. Only where it would. */
  probe(): void {
    if (this.#isPinned && !this.#isClosed()) this.#ask();
  }

  /** Sends a datagram to the address that was chosen; false when it was dropped. */
  send(bytes: Buffer): boolean {
    const to = this.#selected;
    return to !== undefined && this.#socket?.send(bytes, to.port, to.host) === true;
  }

  /** Closes the socket. No more events. Idempotent. */
  close(): void {
    this.#state = 'closed';
    this.#patience.stop();
    this.#pending.clear();
    this.#socket?.close();
  }

  #isClosed(): boolean {
    return this.#state === 'closed';
  }

  #received(bytes: Buffer, port: number, host: string): void {
    const { limits, counts } = this.#parts;
    if (this.#isClosed()) return;
    if (bytes.length > limits.maxDatagramBytes) {
      counts.dropped.oversized++;
      return;
    }
    const kind = datagramKind(bytes);
    if (kind === 'stun') this.#stun(bytes, port, host);
    else if (kind === 'other') counts.dropped['unknown-kind']++;
    else if (this.#isPinned || this.#isFromProven(port, host)) this.#events.onDatagram(bytes);
    else counts.dropped['unknown-address']++;
  }

  #isFromProven(port: number, host: string): boolean {
    const selected = this.#selected;
    if (selected !== undefined && port === selected.port && host === selected.host) {
      this.#hasHeard = true;
      return true;
    }
    this.#hasStrayed = true;
    return this.#remotes.find(port, host)?.isProven === true;
  }

  #stun(bytes: Buffer, port: number, host: string): void {
    const { dropped } = this.#parts.counts;
    let message: StunMessage;
    try {
      message = readStun(bytes);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      dropped['bad-stun']++;
      return;
    }
    if (message.method !== BINDING) dropped['bad-stun']++;
    else if (message.kind === 'request') this.#asked(message, bytes, port, host);
    else if (message.kind !== 'indication') this.#answered(message, bytes, port, host);
  }

  /** The origin makes a check of its own. */
  #asked(message: StunMessage, bytes: Buffer, port: number, host: string): void {
    const { dropped } = this.#parts.counts;
    const { ours } = this.#input;
    if (message.username?.split(':', 1)[0] !== ours.ufrag) {
      dropped['unknown-user']++;
      return;
    }
    if (!hasIntegrity(bytes, message, ours.pwd)) {
      dropped['bad-integrity']++;
      return;
    }
    const { transaction, unknown } = message;
    const fail = (code: number, reason: string): void =>
      this.#reply(
        { kind: 'error', transaction, error: { code, reason }, ...(code === 420 && { unknown }) },
        port,
        host,
      );
    if (unknown.length > 0) fail(420, 'Unknown Attribute');
    else if (this.#isConflict(message)) fail(487, 'Role Conflict');
    else {
      this.#reply({ kind: 'success', transaction, mapped: { host, port } }, port, host);
      this.#heardFrom(port, host, message.useCandidate);
    }
  }

  /** Two of one role: the higher tie-breaker keeps it. Gives way itself where it must. @see RFC 8445 §7.3.1.1 */
  #isConflict({ controlling, controlled }: StunMessage): boolean {
    const theirs = this.#isControlling ? controlling : controlled;
    if (theirs === undefined) return false;
    const isOursHigher = this.#tieBreaker >= theirs;
    if (isOursHigher === this.#isControlling) return true;
    this.#isControlling = !this.#isControlling;
    return false;
  }

  #heardFrom(port: number, host: string, isNominated: boolean): void {
    const remote = this.#remotes.find(port, host) ?? this.#remotes.learn(port, host);
    if (remote === undefined) return;
    remote.isProven = true;
    if (isNominated && !this.#isControlling) remote.isNominated = true;
    // Data may come from there from now on; ours goes there when it has answered a check of ours.
    if (!remote.hasAnswered) this.#check(remote);
    else if (remote.isNominated) this.#selected = remote;
  }

  #answered(message: StunMessage, bytes: Buffer, port: number, host: string): void {
    const { dropped } = this.#parts.counts;
    const key = message.transaction.toString('latin1');
    const pending = this.#pending.get(key);
    // An answer from elsewhere than the check went to proves nothing. @see RFC 8445 §7.2.5.2.1
    if (pending?.remote.port !== port || pending.remote.host !== host) dropped['unknown-address']++;
    else if (!hasIntegrity(bytes, message, this.#input.theirs.pwd)) dropped['bad-integrity']++;
    else {
      this.#pending.delete(key);
      if (message.kind === 'success') this.#confirmed(pending.remote);
      else this.#refused(message.errorCode, pending);
    }
  }

  #confirmed(remote: Remote): void {
    remote.isProven = true;
    remote.hasAnswered = true;
    if (this.#selected === undefined || remote.isNominated) this.#selected = remote;
    if (remote === this.#selected) this.#patience.answered();
    if (this.#state !== 'checking') this.#pin();
    else {
      this.#state = 'ready';
      this.#events.onReady();
    }
  }

  /** Once and for all: we control, so the origin stays with the address that we chose. */
  #pin(): void {
    const to = this.#selected;
    const isAlone = this.#hasHeard && !this.#hasStrayed;
    this.#hasStrayed = false;
    if (this.#isPinned || !isAlone || !this.#isControlling || to === undefined) return;
    this.#isPinned = this.#socket?.pin(to.port, to.host) === true;
  }

  #refused(code: number | undefined, { remote, isControlling }: Pending): void {
    if (code === 487) {
      if (isControlling === this.#isControlling) this.#isControlling = !isControlling;
      this.#check(remote);
    } else if (code === 403) {
      // Consent is withdrawn. @see RFC 7675 §5.2
      this.#lose('origin-forbids-media', 'it answered a check with 403');
    }
  }

  #ask(): void {
    const { all } = this.#remotes;
    if (this.#state === 'checking') for (const remote of all) this.#check(remote);
    else if (this.#selected !== undefined) this.#check(this.#selected);
  }

  #check(remote: Remote): void {
    const { ours, theirs } = this.#input;
    const transaction = this.#parts.random(TRANSACTION_BYTES);
    const [oldest] = this.#pending.keys();
    if (this.#pending.size >= MAX_PENDING && oldest !== undefined) this.#pending.delete(oldest);
    this.#pending.set(transaction.toString('latin1'), { remote, isControlling: this.#isControlling });
    // Whoever answers first is it; a lite origin then hears so with each check of consent.
    const useCandidate = this.#selected === undefined || this.#selected === remote;
    const role = this.#isControlling
      ? { controlling: this.#tieBreaker, useCandidate }
      : { controlled: this.#tieBreaker };
    const username = `${theirs.ufrag}:${ours.ufrag}`;
    const draft: StunDraft = { kind: 'request', transaction, username, priority: PEER_REFLEXIVE_PRIORITY, ...role };
    this.#put(writeStun(draft, theirs.pwd), remote.port, remote.host);
  }

  #reply(draft: StunDraft, port: number, host: string): void {
    this.#put(writeStun(draft, this.#input.ours.pwd), port, host);
  }

  #put(bytes: Buffer, port: number, host: string): void {
    if (this.#socket?.send(bytes, port, host) === false) this.#parts.counts.dropped['send-failed']++;
  }

  #socketFailed(error: Error): void {
    if (!(error instanceof GatewayError) || error.code !== 'listen-failed') {
      this.#parts.log.write('warn', 'gateway.error', { where: 'origin-media', error: error.message });
      return;
    }
    this.#lose(error.code, error.message, 'gateway');
  }

  #lose(code: string, message: string, side: 'origin' | 'gateway' = 'origin'): void {
    if (this.#isClosed()) return;
    this.close();
    this.#events.onLost(new GatewayError(code, side, message));
  }
}
