import type { NumberPair } from './wire/transport-header.js';

const CHANNELS = 256;
/** A channel that leads nowhere: its frames are dropped. */
export const NOWHERE = -1;

/** One track of a stream that has been set up. */
export interface Track {
  readonly index: number;
  readonly client: NumberPair;
  readonly origin: NumberPair;
}

/**
 * Which channel of one leg is which of the other. A player's leg leads RTCP to the origin and nothing else.
 */
export class TrackTable {
  /** By the client's channel, the origin's. */
  readonly toOrigin = new Int16Array(CHANNELS).fill(NOWHERE);
  /** By the origin's channel, the client's. */
  readonly toClient = new Int16Array(CHANNELS).fill(NOWHERE);
  readonly #tracks = new Map<number, Track>();
  readonly #isPublisher: boolean;

  constructor(isPublisher: boolean) {
    this.#isPublisher = isPublisher;
  }

  get size(): number {
    return this.#tracks.size;
  }

  has(index: number): boolean {
    return this.#tracks.has(index);
  }

  all(): Iterable<Track> {
    return this.#tracks.values();
  }

  /** The client's channels for a track: those it wants if they are free, else the first two that are (RTSP-16). */
  freeClientChannels(wanted: NumberPair | undefined): NumberPair | undefined {
    const isFree = (channel: number) => ![...this.all()].some(({ client }) => uses(client, channel));
    if (wanted !== undefined && wanted.rtp !== wanted.rtcp && isFree(wanted.rtp) && isFree(wanted.rtcp)) return wanted;
    for (let rtp = 0; rtp < CHANNELS; rtp += 2) if (isFree(rtp) && isFree(rtp + 1)) return { rtp, rtcp: rtp + 1 };
    return undefined;
  }

  /** Adds a track; false when the origin gave channels that another track has. */
  add(track: Track): boolean {
    const { client, origin, index } = track;
    const others = [...this.all()].filter((one) => one.index !== index);
    if (others.some((one) => uses(one.origin, origin.rtp) || uses(one.origin, origin.rtcp))) return false;
    this.#tracks.set(index, track);
    if (this.#isPublisher) this.toOrigin[client.rtp] = origin.rtp;
    this.toOrigin[client.rtcp] = origin.rtcp;
    if (!this.#isPublisher) this.toClient[origin.rtp] = client.rtp;
    this.toClient[origin.rtcp] = client.rtcp;
    return true;
  }
}

function uses(pair: NumberPair, channel: number): boolean {
  return pair.rtp === channel || pair.rtcp === channel;
}
