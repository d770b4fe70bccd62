import { lookup as lookupName } from 'node:dns';
import { request as requestPlain, type ClientRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as requestSecure } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import type { Clock } from '../model/clock.js';
import { GatewayError } from '../model/errors.js';
import { Secret } from '../model/secret.js';
import { systemClock } from './clock.js';
import { hostPort } from './tcp.js';
import { asError } from './thrown.js';

/** Most bytes of the body of an answer. */
export const MAX_ANSWER_BYTES = 65_536;
/** Most bytes of the head of an answer. */
const MAX_ANSWER_HEAD_BYTES = 16_384;

/** One request to an origin. */
export interface HttpCall {
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
  readonly method: string;
  /** Path and query, percent-encoded; the query may hold credentials. */
  readonly target: Secret;
  readonly headers: readonly (readonly [name: string, value: string | Secret])[];
  readonly body?: string;
  /** For everything, from the name's lookup to the last byte of the answer. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Authorities to trust instead of the system's, PEM. */
  readonly ca?: string | Buffer;
  /** Addresses that are not called, whatever name leads to them. */
  readonly isForbidden?: (address: string) => boolean;
  /** Where a name leads. Default: as the system says. */
  readonly addressesOf?: (host: string) => Promise<readonly string[]>;
  readonly clock?: Clock;
}

/** One whole answer of an origin. */
export interface HttpReply {
  readonly status: number;
  /** By lower-case name; of a name that came twice the first. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/**
 * Asks an origin once, on a connection of its own. Redirects are not followed: they come back like any answer. Strict about
 * framing, and bounded in bytes (64 KiB of body) and time.
 * Rejects with GatewayError `origin-unavailable` (not reached, too late, given up) or `origin-refused` (nonsense, too much).
 */
export function callHttp(call: HttpCall): Promise<HttpReply> {
  const { clock = systemClock, signal, timeoutMs, target } = call;
  if (!/^\/[\x21-\x7e]*$/.test(target.reveal())) {
    return Promise.reject(new GatewayError('origin-refused', 'gateway', 'the address at the origin is no path'));
  }
  // A name is looked at when it has been looked up.
  if (isIP(call.host) !== 0 && call.isForbidden?.(call.host) === true) {
    return Promise.reject(failure('origin-unavailable', call, FORBIDDEN));
  }
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      cancel();
      signal.removeEventListener('abort', onAbort);
    };
    const fail = (code: 'origin-unavailable' | 'origin-refused', why: string, cause?: Error): void => {
      stop();
      reject(failure(code, call, why, cause));
      request.destroy();
    };
    const onAbort = (): void => fail('origin-unavailable', 'the call was given up');
    const request = start(call);
    const cancel = clock.after(timeoutMs, () => fail('origin-unavailable', `no answer within ${timeoutMs} ms`));
    signal.addEventListener('abort', onAbort, { once: true });
    request.on('error', (error: NodeJS.ErrnoException) => {
      const isNonsense = error.code?.startsWith('HPE_') === true;
      const why = error.message === FORBIDDEN ? FORBIDDEN : (error.code ?? 'the connection broke');
      fail(isNonsense ? 'origin-refused' : 'origin-unavailable', why, error);
    });
    request.on('upgrade', () => fail('origin-refused', 'it changed the protocol'));
    request.on('response', (response) => {
      read(response).then(
        (reply) => {
          stop();
          resolve(reply);
          request.destroy();
        },
        (error: unknown) => fail('origin-refused', asError(error).message),
      );
    });
    if (signal.aborted) onAbort();
    else request.end(call.body);
  });
}

const FORBIDDEN = 'its address is link-local or of a metadata service';

/** Looks a name up, and takes it for unknown when any of its addresses is forbidden: the answer may come from anybody. */
function guardedLookup(isForbidden: (address: string) => boolean): LookupFunction {
  return (host, options, callback) => {
    lookupName(host, options, (error, found, family) => {
      const listed = typeof found === 'string' ? [found] : error === null ? found.map(({ address }) => address) : [];
      const refusal = error ?? (listed.some(isForbidden) ? new Error(FORBIDDEN) : null);
      callback(refusal, found, family);
    });
  };
}

/** Looks a name up by `addressesOf`; the addresses are tried in their order. */
function ownLookup({ addressesOf, isForbidden }: HttpCall): LookupFunction | undefined {
  if (addressesOf === undefined) return isForbidden === undefined ? undefined : guardedLookup(isForbidden);
  return (host, { all }, callback) => {
    addressesOf(host).then(
      (addresses) => {
        const found = addresses.map((address) => ({ address, family: isIP(address) }));
        const [first] = found;
        if (addresses.some((address) => isForbidden?.(address) === true)) callback(new Error(FORBIDDEN), [], 0);
        else if (all === true) callback(null, found);
        else callback(null, first?.address ?? '', first?.family);
      },
      (error: unknown) => callback(asError(error), [], 0),
    );
  };
}

function start(call: HttpCall): ClientRequest {
  const { host, port, secure, method, target, headers, body, ca } = call;
  const lookup = ownLookup(call);
  const length: [string, string][] = body === undefined ? [] : [['Content-Length', String(Buffer.byteLength(body))]];
  const shown = headers.map(([name, value]) => [name, value instanceof Secret ? value.reveal() : value] as const);
  const options: RequestOptions = {
    host,
    port,
    method,
    path: target.reveal(),
    headers: Object.fromEntries([...shown, ...length]),
    // A fresh connection each time: no answer can ever belong to another question.
    agent: false,
    insecureHTTPParser: false,
    ...(lookup === undefined ? {} : { lookup }),
    maxHeaderSize: MAX_ANSWER_HEAD_BYTES,
  };
  if (!secure) return requestPlain(options);
  return requestSecure({
    ...options,
    minVersion: 'TLSv1.2',
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(ca === undefined ? {} : { ca }),
  });
}

function read(response: IncomingMessage): Promise<HttpReply> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    response.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > MAX_ANSWER_BYTES) reject(new Error(`its answer has more than ${MAX_ANSWER_BYTES} bytes`));
      else chunks.push(chunk);
    });
    response.on('error', () => reject(new Error('its answer broke off')));
    response.on('end', () => {
      if (!response.complete) {
        reject(new Error('its answer broke off'));
        return;
      }
      const body = Buffer.concat(chunks).toString('utf8');
      resolve({ status: response.statusCode ?? 0, headers: headersOf(response), body });
    });
  });
}

function headersOf({ rawHeaders }: IncomingMessage): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? '').toLowerCase();
    if (!headers.has(name)) headers.set(name, rawHeaders[index + 1] ?? '');
  }
  return headers;
}

function failure(code: string, { host, port, method }: HttpCall, why: string, cause?: Error): GatewayError {
  const what = `${method} to ${hostPort(host, port)} failed: ${why}`;
  return new GatewayError(code, 'origin', what, cause === undefined ? undefined : { cause });
}
