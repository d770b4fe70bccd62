import type { BadRequestStatus, HttpRequest, HttpResponse } from '../../net/http-request.js';
import { HttpExchange } from './connection.js';
import type { Listening, WebrtcDeps, WebrtcOptions } from './options.js';
import { problem } from './problem.js';
import { Sessions } from './sessions.js';

/** The WHIP and WHEP tongue: answers HTTP requests from here on. */
export interface WebrtcTransport {
  /** Answers one request of a listener. */
  answer(request: HttpRequest, listening: Listening): Promise<HttpResponse>;
  /** The words for a request that the listener does not take. */
  refuse(status: BadRequestStatus): HttpResponse;
  /** Resolves when every origin has been told of the sessions that ended; the caller's patience is the caller's. */
  settled(): Promise<void>;
}

const REASONS: Readonly<Record<BadRequestStatus, string>> = {
  400: 'the request is malformed',
  408: 'the request took too long',
  413: 'the body is too large',
  414: 'the URL is too long',
  417: 'this expectation is not met',
  431: 'the headers are too large',
  500: 'the gateway failed',
};

/** Makes the WHIP and WHEP transport; HTTPS is the same code behind a TLS listener. */
export function createWebrtcTransport(deps: WebrtcDeps, options: WebrtcOptions): WebrtcTransport {
  const closing = new Set<Promise<void>>();
  const exchange = new HttpExchange({
    deps,
    options,
    sessions: new Sessions(deps.random),
    await: (closed) => {
      closing.add(closed);
      void closed.finally(() => closing.delete(closed));
    },
  });
  return {
    answer: (request, listening) => exchange.answer(request, listening),
    refuse: (status) =>
      problem({ status, code: status === 408 ? 'timeout' : 'malformed-request', title: REASONS[status] }),
    settled: async () => {
      await Promise.all(closing);
    },
  };
}
