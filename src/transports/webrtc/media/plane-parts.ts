import type { Clock } from '../../../model/clock.js';
import type { Log } from '../../../model/telemetry.js';
import type { OpenUdp } from '../../../net/udp.js';
import type { IceCredentials } from '../wire/sdp-check.js';
import type { Drops } from './drops.js';
import type { MediaLimits } from './limits.js';
import type { Generation } from './client-side.js';
import type { TupleTable } from './tuple-table.js';

/** Bytes that nobody can guess. */
export type Random = (bytes: number) => Buffer;

/** Counts of all sessions together, written for each packet. */
export interface PlaneCounts {
  fromClientPackets: number;
  fromOriginPackets: number;
  checksAnswered: number;
  readonly dropped: Drops;
}

/** What sessions share. */
export interface PlaneParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly openUdp: OpenUdp;
  readonly limits: MediaLimits;
  readonly counts: PlaneCounts;
  readonly tuples: TupleTable;
  /** Generations of credentials by user name fragment. */
  readonly users: Map<string, Generation>;
  /** Values of `a=candidate` for the client port, best first. */
  readonly candidates: readonly string[];
}

/** 48 and 144 random bits. RFC 8839 §5.4 asks for 24 and 128. */
const UFRAG_BYTES = 6;
const PWD_BYTES = 18;

/** Makes credentials; base64 has just the characters that ICE allows. */
export function newCredentials(random: Random): IceCredentials {
  const bytes = random(UFRAG_BYTES + PWD_BYTES);
  return { ufrag: bytes.toString('base64', 0, UFRAG_BYTES), pwd: bytes.toString('base64', UFRAG_BYTES) };
}
