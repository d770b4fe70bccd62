import type { IceCandidate } from '../wire/ice-candidate.js';

/** An address of an origin. */
export interface Remote {
  readonly port: number;
  readonly host: string;
  /** It made a check with our password or answered one with its own: media from it is taken. */
  isProven: boolean;
  /** It answered a check of ours: media may go there. */
  hasAnswered: boolean;
  /** The origin, being the one that controls, chose it. */
  isNominated: boolean;
}

const isIPv6 = (host: string): boolean => host.includes(':');
const isLoopback = (host: string): boolean => host === '::1' || host.startsWith('127.');

/** The best candidates, each address once, IPv4 only where there is any: there is one socket, and it has one family. */
export function pickRemotes(candidates: readonly IceCandidate[], most: number): readonly IceCandidate[] {
  const hasIPv4 = candidates.some(({ host }) => !isIPv6(host));
  const best = candidates.filter(({ host }) => isIPv6(host) !== hasIPv4).sort((a, b) => b.priority - a.priority);
  return [...new Map(best.map((one) => [`${one.host} ${one.port}`, one])).values()].slice(0, most);
}

/** The addresses of one origin, from its SDP and from its checks. */
export class Remotes {
  readonly #all: Remote[];
  readonly #most: number;
  /** What a socket is bound to that can reach them: no farther than loopback where they are all there. */
  readonly bindHost: string;

  /** Starts with `candidates`, of one family; keeps at most `most`. */
  constructor(candidates: readonly IceCandidate[], most: number) {
    this.#all = candidates.map(({ port, host }) => remote(port, host));
    this.#most = most;
    const [first] = candidates;
    const isNear = candidates.every(({ host }) => isLoopback(host));
    if (first !== undefined && isIPv6(first.host)) this.bindHost = isNear ? '::1' : '::';
    else this.bindHost = isNear ? '127.0.0.1' : '0.0.0.0';
  }

  /** All there are. */
  get all(): readonly Remote[] {
    return this.#all;
  }

  /** The one with this address. */
  find(port: number, host: string): Remote | undefined {
    return this.#all.find((one) => one.port === port && one.host === host);
  }

  /** Takes up an address that has made a check, in the place of one that never proved itself if there are too many. */
  learn(port: number, host: string): Remote | undefined {
    const made = remote(port, host);
    if (this.#all.length >= this.#most) {
      const spare = this.#all.findLastIndex(({ isProven }) => !isProven);
      if (spare < 0) return undefined;
      this.#all.splice(spare, 1);
    }
    this.#all.push(made);
    return made;
  }
}

function remote(port: number, host: string): Remote {
  return { port, host, isProven: false, hasAnswered: false, isNominated: false };
}
