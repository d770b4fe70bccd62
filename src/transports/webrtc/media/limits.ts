/** What the media side tolerates, and for how long. Times count only while the loop runs, so nobody is blamed for a pause of ours. */
export interface MediaLimits {
  /** Longest datagram that is relayed. WebRTC keeps below 1500; jumbo frames and loopback are no reason for more. */
  readonly maxDatagramBytes: number;
  /** Addresses of one client at once. */
  readonly maxTuples: number;
  /** Generations of credentials of one client at once. */
  readonly maxGenerations: number;
  /** What is held in each direction until both sides are connected. A ClientHello with a post-quantum share is two datagrams. */
  readonly holdDatagrams: number;
  readonly holdBytes: number;
  /** How long a client may take to answer an origin's offer. @see draft-ietf-wish-whep-04 (valid-until) */
  readonly waitAnswerMs: number;
  /** And how long until its first check. */
  readonly waitClientMs: number;
  /**
   * Silence after which a client is suspect, and after which it is dead. Chromium checks every 2.7 s, even when muted, and takes
   * us for dead after 16 s; with 25 s viewers hear of a publisher that was killed within 30.
   */
  readonly suspectMs: number;
  readonly deadMs: number;
  /** The same for a client that has sent a DTLS alert. */
  readonly closingMs: number;
  /** Silence after which an address is forgotten. */
  readonly tupleIdleMs: number;
  /** Silence of the selected address after which another one that passes checks takes its place. */
  readonly roamMs: number;
  /** How long old credentials are good after newer ones have been used. */
  readonly graceMs: number;
  /** How long checks of an ended session are refused. */
  readonly forbidMs: number;
  /** How long an origin may take to answer a check. */
  readonly connectMs: number;
  /** First and longest time between two checks towards an origin that has not answered yet. */
  readonly checkMinMs: number;
  readonly checkMaxMs: number;
  /** Time from the first answer of an origin to the check after which, at the earliest, its socket is pinned to the address. */
  readonly settleMs: number;
  /** How long an origin has to answer when its system says that its port is closed. */
  readonly refusedMs: number;
  /** Time between two checks towards an origin that has answered, give or take a fifth, and without an answer until it is dead. @see RFC 7675 §5.1 */
  readonly consentMs: number;
  readonly consentLostMs: number;
  /** Addresses of one origin that are tried. */
  readonly maxRemotes: number;
}

/** As tried with Chromium, werift and libwebrtc. */
export const DEFAULT_MEDIA_LIMITS: MediaLimits = {
  maxDatagramBytes: 2048,
  maxTuples: 8,
  maxGenerations: 4,
  holdDatagrams: 8,
  holdBytes: 12 * 1024,
  waitAnswerMs: 30_000,
  waitClientMs: 20_000,
  suspectMs: 10_000,
  deadMs: 25_000,
  closingMs: 5_000,
  tupleIdleMs: 30_000,
  roamMs: 5_000,
  graceMs: 10_000,
  forbidMs: 30_000,
  connectMs: 10_000,
  checkMinMs: 50,
  checkMaxMs: 1_600,
  settleMs: 1_000,
  refusedMs: 500,
  consentMs: 5_000,
  consentLostMs: 30_000,
  maxRemotes: 8,
};
