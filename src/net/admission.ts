import type { ByteStream } from '../model/byte-stream.js';
import { networkOf } from '../wire/cidr.js';

/** Connections at once; 0 is no limit. */
export interface AdmissionLimits {
  readonly connections: number;
  readonly perAddress: number;
}

/** Counts what is connected. */
export interface Admission {
  /**
   * What to call when the stream has closed; undefined when it may not stay (then it has been destroyed). `kind` is of a closed
   * list, for the metrics; the limits hold for all kinds together.
   */
  admit(stream: Pick<ByteStream, 'remoteAddress' | 'destroy'>, kind?: string): (() => void) | undefined;
  /** How many of one kind are here. */
  total(kind?: string): number;
}

/**
 * Makes a counter of connections. An IPv6 /64 counts as one address, since one client owns all of it.
 * `onRefused` gets `limit-connections` and the kind.
 */
export function createAdmission(limits: AdmissionLimits, onRefused: (reason: string, kind: string) => void): Admission {
  const byAddress = new Map<string, number>();
  const byKind = new Map<string, number>();
  const count = (kind: string, by: number): void => void byKind.set(kind, (byKind.get(kind) ?? 0) + by);
  let total = 0;
  return {
    total: (kind = '') => byKind.get(kind) ?? 0,
    admit(stream, kind = '') {
      const key = networkOf(stream.remoteAddress);
      const here = byAddress.get(key) ?? 0;
      const isFull = limits.connections > 0 && total >= limits.connections;
      if (isFull || (limits.perAddress > 0 && here >= limits.perAddress)) {
        onRefused('limit-connections', kind);
        stream.destroy();
        return undefined;
      }
      total += 1;
      count(kind, 1);
      byAddress.set(key, here + 1);
      return () => {
        total -= 1;
        count(kind, -1);
        const left = (byAddress.get(key) ?? 1) - 1;
        if (left > 0) byAddress.set(key, left);
        else byAddress.delete(key);
      };
    },
  };
}
