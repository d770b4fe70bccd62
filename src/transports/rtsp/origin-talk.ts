import { WireError } from '../../model/errors.js';
import type { OriginAccount } from './origin-account.js';
import { PRODUCT } from './options.js';
import { readCSeq, type RtspRequest, type RtspResponse } from './wire/message.js';
import type { HeaderEntry } from './wire/headers.js';
import { readSession } from './wire/session-header.js';
import { writeRequest, writeResponse } from './wire/write-message.js';

/** Requests that may wait for their answer at once. */
const MAX_WAITING = 32;
/** A challenge, and a nonce that went stale meanwhile. */
const MAX_ATTEMPTS = 3;

/** What the gateway wants of the origin. */
export interface OriginRequest {
  readonly method: string;
  readonly url: string;
  readonly headers?: readonly HeaderEntry[];
  readonly body?: Buffer;
}

interface Waiting {
  readonly request: OriginRequest;
  readonly onAnswer: (response: RtspResponse) => void;
  readonly attempt: number;
}

/**
 * The gateway's conversation with one origin: numbers, signs and sends requests, finds the answers' askers, answers what the
 * origin asks, and keeps its session id. It knows no socket: who reads hands it what came.
 */
export class OriginTalk {
  readonly #account: OriginAccount;
  readonly #waiting = new Map<number, Waiting>();
  #write: (bytes: Buffer) => void;
  #sequence = 0;
  #session: string | undefined;
  /** Seconds that the origin keeps a silent session, once it has said so. */
  timeoutS: number | undefined;

  constructor(account: OriginAccount, write: (bytes: Buffer) => void) {
    this.#account = account;
    this.#write = write;
  }

  /** From now on requests leave this way. */
  writeThrough(write: (bytes: Buffer) => void): void {
    this.#write = write;
  }

  /** Sends a request. Throws WireError `origin-silent` when too many have no answer yet. */
  ask(request: OriginRequest, onAnswer: (response: RtspResponse) => void): void {
    if (this.#waiting.size >= MAX_WAITING) throw new WireError('origin-silent', 'answers to earlier requests');
    this.#send({ request, onAnswer, attempt: 1 });
  }

  /** Takes a response; those that nobody waits for are dropped. */
  answered(response: RtspResponse): void {
    if (response.status < 200) return;
    const sequence = readCSeq(response.headers) ?? this.#waiting.keys().next().value;
    const waiting = sequence === undefined ? undefined : this.#waiting.get(sequence);
    if (sequence === undefined || waiting === undefined) return;
    this.#waiting.delete(sequence);
    if (response.status === 401 && waiting.attempt < MAX_ATTEMPTS) {
      const challenges = response.headers.all('WWW-Authenticate');
      if (this.#account.challenged(challenges, waiting.attempt > 1)) {
        this.#send({ ...waiting, attempt: waiting.attempt + 1 });
        return;
      }
    }
    if (response.status < 300) this.#keepSession(response);
    waiting.onAnswer(response);
  }

  /** The answer to what the origin asks: it may look whether we are there, and nothing else. */
  answerTo(request: RtspRequest): Buffer {
    const sequence = request.headers.get('CSeq');
    const isFine = ['OPTIONS', 'GET_PARAMETER', 'SET_PARAMETER'].includes(request.method);
    const headers: HeaderEntry[] = sequence === undefined ? [] : [['CSeq', sequence]];
    if (request.method === 'OPTIONS') headers.push(['Public', 'OPTIONS, GET_PARAMETER, SET_PARAMETER']);
    return writeResponse({ status: isFine ? 200 : 501, headers });
  }

  #send(waiting: Waiting): void {
    const { request } = waiting;
    this.#sequence += 1;
    this.#waiting.set(this.#sequence, waiting);
    const authorization = this.#account.authorization(request);
    const headers: HeaderEntry[] = [
      ['CSeq', String(this.#sequence)],
      ['User-Agent', PRODUCT],
      ...(this.#session === undefined ? [] : [['Session', this.#session] as const]),
      ...(authorization === undefined ? [] : [['Authorization', authorization] as const]),
      ...(request.headers ?? []),
    ];
    this.#write(writeRequest({ ...request, uri: request.url, headers }));
  }

  #keepSession(response: RtspResponse): void {
    const value = response.headers.get('Session');
    if (value === undefined) return;
    const { id, timeoutS } = readSession(value);
    this.#session = id;
    if (timeoutS !== undefined) this.timeoutS = timeoutS;
  }
}
