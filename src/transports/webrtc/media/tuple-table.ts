import type { UdpPort } from '../../../net/udp.js';

/** Whose tuple it is, and who takes its datagrams. */
export interface TupleOwner {
  /** A datagram that is DTLS, RTP or RTCP. */
  onDatagram(tuple: Tuple, bytes: Buffer): void;
  /** Something that only shows life. */
  onSign(tuple: Tuple): void;
  /** Its address has gone over to another session. */
  onLostTuple(tuple: Tuple): void;
}

/** One address of a client that has passed a check: `unknown -> valid -> selected`. The numbers are written for each packet. */
export class Tuple {
  readonly owner: TupleOwner;
  /** The port of ours that it talks to. */
  readonly socket: UdpPort;
  readonly port: number;
  readonly host: string;
  /** Of the newest credentials that it has used. */
  generation: number;
  /** The client chose it with USE-CANDIDATE. */
  isNominated = false;
  /** Everything that came from it. */
  packets = 0;
  /** What came from it and was not STUN. */
  media = 0;
  /** When something was last seen to have come from it, on the plane's own time. */
  aliveMs: number;
  /** What `packets` was when it was last looked at. */
  seenPackets = 0;

  /** A tuple of `owner` that showed itself at `aliveMs`. */
  constructor(owner: TupleOwner, from: Sender, generation: number, aliveMs: number) {
    this.owner = owner;
    this.socket = from.socket;
    this.port = from.port;
    this.host = from.host;
    this.generation = generation;
    this.aliveMs = aliveMs;
  }
}

/** Where a datagram came from, and by which port of ours. */
export interface Sender {
  readonly socket: UdpPort;
  readonly port: number;
  readonly host: string;
}

/** Finds tuples by address. Looked into for each packet: by number first, then by text, so that nothing is put together. */
export class TupleTable {
  readonly #byPort = new Map<number, Map<string, Tuple>>();

  /** The tuple of an address. */
  find(port: number, host: string): Tuple | undefined {
    return this.#byPort.get(port)?.get(host);
  }

  /** Puts it in the place of whatever had its address. */
  add(tuple: Tuple): void {
    const hosts = this.#byPort.get(tuple.port);
    if (hosts === undefined) this.#byPort.set(tuple.port, new Map([[tuple.host, tuple]]));
    else hosts.set(tuple.host, tuple);
  }

  /** Forgets it, unless its address is another's by now. */
  remove(tuple: Tuple): void {
    const hosts = this.#byPort.get(tuple.port);
    if (hosts?.get(tuple.host) !== tuple) return;
    hosts.delete(tuple.host);
    if (hosts.size === 0) this.#byPort.delete(tuple.port);
  }
}
