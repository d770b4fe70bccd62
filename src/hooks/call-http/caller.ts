import type { Clock } from '../../model/clock.js';
import { GatewayError } from '../../model/errors.js';
import { Secret } from '../../model/secret.js';
import { callHttp, type HttpReply } from '../../net/http-client.js';
import { isMetadataAddress } from '../../wire/metadata-addresses.js';
import { createAnswerCache } from './answer-cache.js';
import { createBreaker, type BreakerState } from './breaker.js';
import type { Answer } from './form.js';

/** The one address that is called. */
export interface CallTarget {
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
  /** Path and query. */
  readonly path: string;
}

/** How a server is called. */
export interface CallerOptions {
  readonly target: CallTarget;
  readonly headers: readonly (readonly [name: string, value: Secret])[];
  readonly ca?: string;
  readonly timeoutMs: number;
  /** Calls at once; one on top is not made. */
  readonly maxConcurrent: number;
  /** 0: no answer is kept. */
  readonly cacheMs: number;
  /** 0: no breaker. */
  readonly breakerFailures: number;
  readonly breakerMs: number;
  readonly clock: Clock;
  readonly onBreaker?: (state: BreakerState) => void;
  /** After each question: what became of it, and how long the call took (0 where none was made). */
  readonly onCall?: (outcome: CallOutcome, seconds: number) => void;
}

/** What became of a question; a closed list, for the metric. */
export type CallOutcome = 'yes' | 'no' | 'nonsense' | 'failed' | 'busy' | 'breaker-open' | 'cached';

/** An answer, or why there is none. */
export type Asked = Answer | { readonly says: 'nothing'; readonly detail: string };

/** On whose behalf a server is called. */
export interface CallOfAnother {
  readonly signal: AbortSignal;
  /** Sent as `traceparent`. */
  readonly traceParent?: string | undefined;
}

/** Asks one server. */
export interface Caller {
  /** Never rejects. `read` gets the body of an answer with status 200. */
  ask(question: string, read: (body: string) => Answer, call: CallOfAnother): Promise<Asked>;
  /**
   * Sends something whose answer does not matter, past cache and breaker, to another path perhaps; at most `maxConcurrent` at
   * once, the others in turn. Never rejects.
   */
  tell(message: string, target: CallTarget, signal: AbortSignal): Promise<void>;
}

/** Most messages that wait for their turn; thousands of streams may end in one moment. */
const MAX_WAITING_TELLS = 10_000;

/** Statuses below 500 with which a server says that it could not judge, rather than no. */
const NOT_NOW: ReadonlySet<number> = new Set([408, 425, 429]);

/** Makes what calls a server: bounded in time, bytes and number, with a breaker and a small cache. */
export function createCaller(options: CallerOptions): Caller {
  const { target, maxConcurrent, cacheMs, clock, onCall } = options;
  const cache = createAnswerCache<Answer>(cacheMs, clock);
  const breaker = createBreaker({
    failures: options.breakerFailures,
    openMs: options.breakerMs,
    clock,
    ...(options.onBreaker && { onChange: options.onBreaker }),
  });
  let running = 0;
  let telling = 0;
  const waiting: (() => void)[] = [];

  async function call(question: string, read: (body: string) => Answer, of: CallOfAnother): Promise<Asked> {
    try {
      const asked = understand(await post(options, target, question, of), read);
      if (asked.says === 'nothing' || asked.says === 'nonsense') breaker.failed();
      else breaker.succeeded();
      return asked;
    } catch (error) {
      breaker.failed();
      // What came was no HTTP, or too much of it: it was reached, and did not say yes.
      const isNonsense = error instanceof GatewayError && error.code === 'origin-refused';
      return { says: isNonsense ? 'nonsense' : 'nothing', detail: error instanceof Error ? error.message : 'unknown' };
    }
  }

  return {
    async ask(question, read, of) {
      const kept = cache.get(question);
      if (kept !== undefined) {
        onCall?.('cached', 0);
        return kept;
      }
      if (running >= maxConcurrent) {
        onCall?.('busy', 0);
        return { says: 'nothing', detail: `${running} calls are running already` };
      }
      if (!breaker.allows()) {
        onCall?.('breaker-open', 0);
        return { says: 'nothing', detail: 'the server failed so often that it is left alone for a while' };
      }
      running += 1;
      const startedMs = clock.now();
      const asked = await call(question, read, of);
      running -= 1;
      onCall?.(asked.says === 'nothing' ? 'failed' : asked.says, (clock.now() - startedMs) / 1000);
      if (asked.says === 'yes' || asked.says === 'no') cache.put(question, asked);
      return asked;
    },
    async tell(message, at, signal) {
      if (telling >= maxConcurrent) {
        if (waiting.length >= MAX_WAITING_TELLS) return;
        await new Promise<void>((resolve) => waiting.push(resolve));
      } else {
        telling += 1;
      }
      try {
        await post(options, at, message, { signal });
      } catch {
        // Red5 does not look at it either; a server that must know asks for the list of sessions.
      }
      // Whoever waited longest takes this place over.
      const next = waiting.shift();
      if (next === undefined) telling -= 1;
      else next();
    },
  };
}

function post(
  options: CallerOptions,
  { path, ...at }: CallTarget,
  body: string,
  { signal, traceParent }: CallOfAnother,
): Promise<HttpReply> {
  const trace: [string, string][] = traceParent === undefined ? [] : [['traceparent', traceParent]];
  return callHttp({
    ...at,
    method: 'POST',
    target: new Secret(path),
    headers: [['Accept', 'application/json'], ['Content-type', 'application/json'], ...trace, ...options.headers],
    body,
    timeoutMs: options.timeoutMs,
    signal,
    isForbidden: isMetadataAddress,
    clock: options.clock,
    ...(options.ca === undefined ? {} : { ca: options.ca }),
  });
}

/** Only 200 can be a yes. What says that the server could not judge is no answer; all else is a no. */
function understand({ status, body }: HttpReply, read: (body: string) => Answer): Asked {
  if (status === 200) return read(body);
  if (status >= 500 || NOT_NOW.has(status)) return { says: 'nothing', detail: `it answered with status ${status}` };
  return { says: 'no', code: 'hook-denied', detail: `it answered with status ${status}` };
}
