import type { Clock } from '../../model/clock.js';
import { Secret } from '../../model/secret.js';
import { callHttp, type HttpReply } from '../../net/http-client.js';
import { isMetadataAddress } from '../../wire/metadata-addresses.js';
import { readFetchedKeys, type FetchedFrom, type FetchedKeys } from './fetched-keys.js';
import type { TokenKey } from './keys.js';

/** Failures in a row after which the pause between tries does not double any more. */
const MAX_DOUBLINGS = 10;

/** A set of keys at a URL, and how it is kept up to date. */
export interface KeySourceOptions extends FetchedFrom {
  readonly host: string;
  readonly port: number;
  /** Path and query. */
  readonly path: string;
  readonly ca?: string;
  readonly timeoutMs: number;
  /** Longest pause between two fetches; `max-age` of an answer may make it shorter. */
  readonly refreshMs: number;
  /** Shortest pause between two fetches, whatever asks for them. */
  readonly cooldownMs: number;
  /** How long keys are used that could not be fetched again. */
  readonly maxStaleMs: number;
  readonly clock: Clock;
  /** 0 to 1, so that many gateways do not fetch at one moment. */
  readonly random: () => number;
  readonly onFetch?: (news: FetchNews) => void;
}

/** How a fetch went: `stale` tells that the keys have become too old and are gone. */
export interface FetchNews {
  readonly outcome: 'changed' | 'same' | 'failed' | 'stale';
  readonly keys: number;
  readonly leftOut: readonly string[];
  readonly problem?: string;
}

/** Keys that come from a URL. Who asks for them never waits. */
export interface KeySource {
  readonly id: string;
  readonly algorithms: FetchedFrom['algorithms'];
  readonly keys: readonly TokenKey[];
  /** Why there is no set; undefined when there is one, be it empty. */
  readonly problem: string | undefined;
  /** Resolves when the running fetch is done; starts one if none runs; undefined when it is too early for another. Never rejects. */
  refresh(): Promise<void> | undefined;
  /** Fetches no more. */
  stop(): void;
}

/** Fetches a set once, without keeping it. Rejects with GatewayError when there is no answer. */
export async function fetchKeys(options: KeySourceOptions, signal: AbortSignal): Promise<FetchedKeys> {
  const reply = await get(options, signal, undefined);
  if (reply.status !== 200) return { ok: false, problem: `it answered with status ${reply.status}` };
  return readFetchedKeys(reply.body, options);
}

function get(options: KeySourceOptions, signal: AbortSignal, etag: string | undefined): Promise<HttpReply> {
  const { host, port, secure, path, ca, timeoutMs, clock } = options;
  return callHttp({
    ...{ host, port, secure, timeoutMs, clock, signal, method: 'GET', target: new Secret(path) },
    headers: [['Accept', 'application/jwk-set+json, application/json'], ...ifNoneMatch(etag)],
    isForbidden: isMetadataAddress,
    ...(ca === undefined ? {} : { ca }),
  });
}

function ifNoneMatch(etag: string | undefined): readonly (readonly [string, string])[] {
  return etag === undefined ? [] : [['If-None-Match', etag]];
}

/** Seconds of `max-age`; undefined when the answer has none. @see RFC 9111 §5.2.2.1 */
function maxAgeOf(reply: HttpReply): number | undefined {
  const [, seconds] = /(?:^|[,\s])max-age\s*=\s*"?(\d{1,9})/i.exec(reply.headers.get('cache-control') ?? '') ?? [];
  return seconds === undefined ? undefined : Number(seconds);
}

/**
 * Keeps the keys of a URL: fetched now and again and again, at most one fetch at a time and none sooner than the cool-down.
 * While the server is away or talks nonsense the old keys stay, but not longer than `maxStaleMs`.
 */
export function createKeySource(options: KeySourceOptions): KeySource {
  const { id, algorithms, clock, cooldownMs, refreshMs, maxStaleMs, random, onFetch } = options;
  const stopping = new AbortController();
  let keys: readonly TokenKey[] = [];
  let problem: string | undefined = 'it was not fetched yet';
  let etag: string | undefined;
  let body: string | undefined;
  let running: Promise<void> | undefined;
  let isCooling = false;
  let failures = 0;
  let cancelNext = (): void => undefined;
  let cancelStale = (): void => undefined;
  let cancelCooling = (): void => undefined;

  const tell = (outcome: FetchNews['outcome'], more: Partial<FetchNews> = {}): void =>
    onFetch?.({ outcome, keys: keys.length, leftOut: [], ...more });

  const renew = (reply: HttpReply): number => {
    failures = 0;
    problem = undefined;
    cancelStale();
    cancelStale = clock.after(maxStaleMs, () => {
      problem = 'it could not be fetched for too long';
      [keys, etag, body] = [[], undefined, undefined];
      tell('stale', { problem });
    });
    const maxAgeMs = (maxAgeOf(reply) ?? Infinity) * 1000;
    return Math.min(Math.max(maxAgeMs, cooldownMs), refreshMs);
  };

  const fail = (why: string): number => {
    failures += 1;
    // What is there stays, so this is no reason to be without keys.
    if (problem !== undefined) problem = why;
    tell('failed', { problem: why });
    return Math.min(cooldownMs * 2 ** Math.min(failures - 1, MAX_DOUBLINGS), refreshMs);
  };

  const take = (reply: HttpReply): number => {
    if (reply.status === 304 && etag !== undefined) {
      const delayMs = renew(reply);
      tell('same');
      return delayMs;
    }
    if (reply.status !== 200) return fail(`it answered with status ${reply.status}`);
    const read = readFetchedKeys(reply.body, options);
    if (!read.ok) return fail(read.problem);
    const isSame = reply.body === body;
    body = reply.body;
    etag = reply.headers.get('etag');
    if (!isSame) keys = read.keys;
    const delayMs = renew(reply);
    tell(isSame ? 'same' : 'changed', { leftOut: read.leftOut });
    return delayMs;
  };

  const fetchOnce = async (): Promise<void> => {
    let delayMs: number;
    try {
      delayMs = take(await get(options, stopping.signal, etag));
    } catch (error) {
      if (stopping.signal.aborted) return;
      delayMs = fail(error instanceof Error ? error.message : 'unknown');
    } finally {
      running = undefined;
    }
    if (stopping.signal.aborted) return;
    cancelNext();
    // Earlier by up to a tenth, never later.
    cancelNext = clock.after(Math.max(delayMs * (1 - random() / 10), cooldownMs), () => void refresh());
  };

  const refresh = (): Promise<void> | undefined => {
    if (running !== undefined || isCooling || stopping.signal.aborted) return running;
    isCooling = true;
    cancelCooling = clock.after(cooldownMs, () => {
      isCooling = false;
    });
    running = fetchOnce();
    return running;
  };

  return {
    id,
    algorithms,
    get keys() {
      return keys;
    },
    get problem() {
      return problem;
    },
    refresh,
    stop() {
      stopping.abort();
      for (const cancel of [cancelNext, cancelStale, cancelCooling]) cancel();
    },
  };
}
