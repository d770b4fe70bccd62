import type { Clock } from '../../model/clock.js';
import type { ChooseOrigin, OriginChoice } from '../../model/leg.js';
import type { ConnectionRequest } from '../../model/request.js';
import type { ConnectFields } from './credential.js';
import type { EnhancedFields } from './origin-commands.js';

/** How long what an origin said is taken for true, and how long a failure to ask it is remembered. */
const KNOWN_MS = 300_000;
const FAILED_MS = 10_000;
/** What a client waits for a probe of its origin. */
const PROBE_TIMEOUT_MS = 1000;
/** Origins times apps that are remembered. */
const MAX_ENTRIES = 256;

interface Entry {
  readonly fields: Promise<EnhancedFields>;
  readonly untilMs: number;
}

/** Asks an origin by a connection of the gateway's own. Rejects when it cannot be asked. */
export type Probe = (origin: OriginChoice, connect: ConnectFields, signal: AbortSignal) => Promise<EnhancedFields>;

/**
 * What origins say of Enhanced RTMP, by origin and app. A client that announces such fields is told its origin's own, or it would use what
 * the origin lacks. For a client that a token has let in, an origin not asked yet is asked; for one whose token comes with
 * the stream name, only what is known already is told: nobody touches an origin before the law has spoken.
 */
export class Capabilities {
  readonly #entries = new Map<string, Entry>();
  readonly #choose: ChooseOrigin;
  readonly #probe: Probe;
  readonly #clock: Clock;

  constructor(choose: ChooseOrigin, probe: Probe, clock: Clock) {
    this.#choose = choose;
    this.#probe = probe;
    this.#clock = clock;
  }

  /** Remembers what an origin said in a connect of a real stream. */
  learn(origin: OriginChoice, fields: EnhancedFields): void {
    this.#put(origin, Promise.resolve(fields), KNOWN_MS);
  }

  /** The fields for the answer to a connect; none for a client that announced none. Never rejects. */
  async of(request: ConnectionRequest, connect: ConnectFields, mayAsk: boolean): Promise<EnhancedFields> {
    if (Object.keys(connect.enhanced).length === 0) return {};
    // The stream's name is not known yet; the app is what capabilities hang on.
    const [origin] = this.#choose({ ...request, target: { ...request.target, name: '' } });
    if (origin === undefined) return {};
    const known = this.#entries.get(keyOf(origin));
    if (known !== undefined && known.untilMs > this.#clock.now()) return known.fields;
    // One that has to be looked for first is not asked: its first stream tells.
    if (!mayAsk || origin.find !== undefined) return {};
    return this.#ask(origin, connect);
  }

  /** Others may wait for this answer too, so the client that brought it about may leave without ending it. */
  #ask(origin: OriginChoice, connect: ConnectFields): Promise<EnhancedFields> {
    const deadline = new AbortController();
    const asked = new Promise<EnhancedFields>((resolve) => {
      const cancel = this.#clock.after(PROBE_TIMEOUT_MS, () => {
        deadline.abort();
        resolve({});
      });
      this.#probe(origin, connect, deadline.signal).then(
        (fields) => {
          cancel();
          this.learn(origin, fields);
          resolve(fields);
        },
        () => {
          cancel();
          resolve({});
        },
      );
    });
    this.#put(origin, asked, FAILED_MS);
    return asked;
  }

  #put(origin: OriginChoice, fields: Promise<EnhancedFields>, forMs: number): void {
    const key = keyOf(origin);
    this.#entries.delete(key);
    const [oldest] = this.#entries.keys();
    if (oldest !== undefined && this.#entries.size >= MAX_ENTRIES) this.#entries.delete(oldest);
    this.#entries.set(key, { fields, untilMs: this.#clock.now() + forMs });
  }
}

function keyOf(origin: OriginChoice): string {
  return `${origin.name} ${origin.app}`;
}
