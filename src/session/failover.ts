import type { Clock } from '../model/clock.js';
import { GatewayError } from '../model/errors.js';
import type { ClientLeg, LocateOrigin, OriginChoice, OriginLeg } from '../model/leg.js';
import type { ConnectionRequest } from '../model/request.js';
import { dialOrigin, type DialPlan } from './dialling.js';

/** How the origins of one session are called, one after the other. */
export interface FailoverPlan<Leg extends OriginLeg> extends Pick<
  DialPlan<Leg>,
  'signal' | 'mayStillBeOurs' | 'onLate' | 'onRetry'
> {
  readonly request: ConnectionRequest;
  /** Best first. */
  readonly candidates: Iterable<OriginChoice>;
  readonly locate: LocateOrigin | undefined;
  readonly client: Pick<ClientLeg<Leg>, 'dial'>;
  readonly clock: Clock;
  /** Milliseconds of a clock that never jumps. */
  readonly elapsedMs: () => number;
  /** For all of them together; a name that is still in use may add three seconds. */
  readonly timeoutMs: number;
  /** This one is called now. */
  readonly onTry: (origin: OriginChoice) => void;
  /** It could not be reached, and another is called. */
  readonly onFailover: (origin: OriginChoice, error: GatewayError) => void;
  /** It was reached, perhaps, but has not answered in time. */
  readonly onSilent: (origin: OriginChoice) => void;
}

/**
 * Opens the leg at the first origin that can be reached. Only one that cannot be reached, or is silent, is passed over: a no
 * is a no. While there is another, an origin gets half of the time that is left.
 * Rejects with what the last one said, or GatewayError `origin-unavailable`.
 */
export async function dialFirst<Leg extends OriginLeg>(plan: FailoverPlan<Leg>): Promise<Leg> {
  const startedMs = plan.elapsedMs();
  for (const origin of plan.candidates) {
    const leftMs = Math.round(plan.timeoutMs - (plan.elapsedMs() - startedMs));
    const isLast = origin.connectTimeoutMs === undefined;
    plan.onTry(origin);
    try {
      return await dialOrigin({
        ...plan,
        timeoutMs: Math.max(1, isLast ? leftMs : Math.ceil(leftMs / 2)),
        dial: (signal) => reach(plan, origin, signal),
        onSilent: () => plan.onSilent(origin),
      });
    } catch (error) {
      if (isLast || plan.signal.aborted || !isUnavailable(error)) throw error;
      plan.onFailover(origin, error);
    }
  }
  throw new GatewayError('origin-unavailable', 'origin', 'no origin serves the stream');
}

/** An origin may be several machines, of which one has to answer. */
async function reach<Leg extends OriginLeg>(
  { client, locate, request }: FailoverPlan<Leg>,
  origin: OriginChoice,
  signal: AbortSignal,
): Promise<Leg> {
  if (origin.find === undefined || locate === undefined) return client.dial(origin, signal);
  const places = await locate(origin, request, signal);
  for (const place of places.slice(0, -1)) {
    try {
      return await client.dial(place, signal);
    } catch (error) {
      if (signal.aborted || !isUnavailable(error)) throw error;
    }
  }
  const last = places.at(-1);
  if (last === undefined) throw new GatewayError('origin-unavailable', 'origin', `origin ${origin.name} is nowhere`);
  return client.dial(last, signal);
}

function isUnavailable(error: unknown): error is GatewayError {
  return error instanceof GatewayError && error.code === 'origin-unavailable';
}
