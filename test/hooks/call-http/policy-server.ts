import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecure } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';

/** One question as it came. */
export interface Heard {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** A server of the test's own, on loopback. */
export interface PolicyServer {
  readonly port: number;
  /** What was asked, in order. */
  readonly heard: Heard[];
  /** Connections that were made, ever. */
  connections(): number;
  /** How it answers from now on. */
  answer: (response: ServerResponse, heard: Heard) => void;
  close(): Promise<void>;
}

/** Answers with a value as JSON. */
export function json(value: unknown, status = 200, headers: Readonly<Record<string, string>> = {}) {
  return (response: ServerResponse): void => {
    response.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(JSON.stringify(value));
  };
}

/** Starts one; `tls` makes it a secure one. */
export async function policyServer(
  answer: PolicyServer['answer'],
  tls?: { readonly cert: string; readonly key: string },
): Promise<PolicyServer> {
  const heard: Heard[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('error', () => undefined);
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      const one = { method, url, headers, body: Buffer.concat(chunks).toString() };
      heard.push(one);
      made.answer(response, one);
    });
  };
  const server: Server = tls === undefined ? createServer(handle) : createSecure(tls, handle);
  server.on('connection', (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const made: PolicyServer = {
    port: (server.address() as AddressInfo).port,
    heard,
    connections: () => connections,
    answer,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        for (const socket of sockets) socket.destroy();
      }),
  };
  return made;
}

/** Waits until something is true, for at most five seconds. */
export async function until(isTrue: () => boolean): Promise<void> {
  for (let turn = 0; turn < 5000 && !isTrue(); turn += 1) await new Promise((done) => setImmediate(done));
  if (!isTrue()) throw new Error('it never came true');
}
