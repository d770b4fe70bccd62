import type { ByteStream } from '../model/byte-stream.js';
import { createAddressCount } from './address-count.js';

/** Connections at once; 0 is no limit. */
export interface AdmissionLimits {
  readonly connections: number;
  /** From this one address. */
  perAddress(address: string): number;
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

/** Makes a counter of connections. `onRefused` gets `limit-connections` and the kind. */
export function createAdmission(limits: AdmissionLimits, onRefused: (reason: string, kind: string) => void): Admission {
  const byAddress = createAddressCount();
  const byKind = new Map<string, number>();
  const count = (kind: string, by: number): void => void byKind.set(kind, (byKind.get(kind) ?? 0) + by);
  let total = 0;
  return {
    total: (kind = '') => byKind.get(kind) ?? 0,
    admit(stream, kind = '') {
      const { remoteAddress } = stream;
      const isFull = limits.connections > 0 && total >= limits.connections;
      const leave = isFull ? undefined : byAddress.enter(remoteAddress, limits.perAddress(remoteAddress));
      if (leave === undefined) {
        onRefused('limit-connections', kind);
        stream.destroy();
        return undefined;
      }
      total += 1;
      count(kind, 1);
      return () => {
        total -= 1;
        count(kind, -1);
        leave();
      };
    },
  };
}
