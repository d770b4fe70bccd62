import { setMaxListeners } from 'node:events';
import { GatewayError } from '../../src/model/errors.js';
import type { Decision } from '../../src/model/decision.js';
import type { Identity } from '../../src/model/identity.js';
import type { ClientLeg, EndReason, OriginChoice, OriginLeg, RelayEnds } from '../../src/model/leg.js';
import type { Rejection } from '../../src/model/rejection.js';
import type { ConnectionRequest } from '../../src/model/request.js';
import type { LogFields } from '../../src/model/telemetry.js';
import { createDoor, type DoorDeps, type SessionDoor } from '../../src/session/session.js';
import { streamPair } from '../fakes/byte-stream.js';
import { fakeClock, type FakeClock } from '../fakes/clock.js';

export interface Line {
  readonly level: string;
  readonly event: string;
  readonly fields: LogFields;
}

/** What the test does in place of a dial. */
export type Dial = (origin: OriginChoice, signal: AbortSignal) => Promise<OriginLeg>;

export interface FakeLeg extends ClientLeg<OriginLeg> {
  /** Everything that was done to it, in order. */
  readonly calls: string[];
  readonly refusals: Rejection[];
  readonly opened: { closes: number }[];
}

export interface Bed {
  readonly clock: FakeClock;
  readonly door: SessionDoor;
  readonly lines: Line[];
  readonly counted: Map<string, number>;
  /** Ends of relays that were started, and whether they were stopped. */
  readonly relays: { end: (reason: EndReason, error?: Error) => void; stops: number; bytes: [number, number] }[];
  /** What happened everywhere, in order. */
  readonly order: string[];
  fieldsOf(event: string): readonly LogFields[];
}

export const ORIGIN: OriginChoice = {
  name: 'red5-a',
  host: '192.0.2.9',
  port: 1935,
  secure: false,
  app: 'live',
  streamName: 'cam',
  credentials: { placement: 'none', pairs: [] },
};

let ids = 0;

export function requestFor(name: string, more: Partial<ConnectionRequest> = {}): ConnectionRequest {
  return {
    sessionId: `s${++ids}`,
    action: 'publish',
    transport: 'RTMP',
    secure: true,
    remoteAddress: '198.51.100.7',
    target: { app: 'live', room: null, name },
    ...more,
  };
}

/** Microtasks only: nothing here needs the loop. */
export async function turns(count = 20): Promise<void> {
  for (let turn = 0; turn < count; turn++) await Promise.resolve();
}

export function makeBed(more: Partial<DoorDeps> & { readonly verdict?: () => Decision | Promise<Decision> } = {}): Bed {
  const clock = fakeClock();
  const lines: Line[] = [];
  const counted = new Map<string, number>();
  const relays: Bed['relays'] = [];
  const order: string[] = [];
  const key = (name: string, labels: object): string => `${name}${JSON.stringify(labels)}`;
  const door = createDoor({
    decide: async () => more.verdict?.() ?? { ok: true },
    chooseOrigin: () => [ORIGIN],
    startRelay: (_ends, onEnd) => {
      const relay: Bed['relays'][number] = { end: onEnd, stops: 0, bytes: [0, 0] };
      relays.push(relay);
      return {
        get clientBytes() {
          return relay.bytes[0];
        },
        get originBytes() {
          return relay.bytes[1];
        },
        stop: () => {
          order.push('relay.stop');
          relay.stops++;
        },
      };
    },
    log: {
      write: (level, event, fields) => void lines.push({ level, event, fields }),
      enabled: () => true,
    },
    metrics: {
      count: (name, labels = {}, by = 1) => {
        const at = key(name, labels);
        counted.set(at, (counted.get(at) ?? 0) + by);
      },
      gauge: (name, labels, value) => void counted.set(key(name, labels), value ?? 0),
      observe: (name, labels) => {
        const at = key(name, labels);
        counted.set(at, (counted.get(at) ?? 0) + 1);
      },
    },
    clock,
    newId: () => 'fresh',
    dialTimeoutMs: 5000,
    publisherConflict: 'reject',
    onExpiry: 'keep',
    isDraining: () => false,
    ...more,
  });
  const fieldsOf = (event: string): readonly LogFields[] =>
    lines.filter((line) => line.event === event).map((line) => line.fields);
  return { clock, door, lines, counted, relays, order, fieldsOf };
}

export function makeLeg(bed: Bed, dial?: Dial): FakeLeg {
  const calls: string[] = [];
  const refusals: Rejection[] = [];
  const opened: { closes: number }[] = [];
  const note = (call: string): void => {
    calls.push(call);
    bed.order.push(call);
  };
  const [client] = streamPair();
  const [origin] = streamPair();
  const guard = { push: () => undefined };
  const ends: RelayEnds = { client: { stream: client, guard }, origin: { stream: origin, guard }, mediaFrom: 'client' };
  return {
    calls,
    refusals,
    opened,
    dial: (choice, signal) => {
      note('dial');
      if (dial !== undefined) return dial(choice, signal);
      return Promise.resolve(originLeg(bed, opened));
    },
    confirm: () => {
      note('confirm');
      return ends;
    },
    refuse: (rejection) => {
      note(`refuse ${rejection.code}`);
      refusals.push(rejection);
    },
    goodbye: (reason) => note(`goodbye ${reason}`),
  };
}

export function originLeg(bed: Bed, opened: { closes: number }[] = []): OriginLeg & { closes: number } {
  const leg = {
    closes: 0,
    close: () => {
      bed.order.push('origin.close');
      leg.closes++;
    },
  };
  opened.push(leg);
  return leg;
}

export const busy = (): GatewayError => new GatewayError('stream-busy', 'origin', 'NetStream.Publish.BadName');
/** A client that never leaves; one signal for all of a file's sessions. */
export const never = new AbortController().signal;
setMaxListeners(0, never);

export const identity = (more: Partial<Identity> = {}): Identity => ({ expiresAtS: 2_000_000_000, ...more });
export const yes = (more: Partial<Identity> = {}): Decision => ({ ok: true, identity: identity(more) });
