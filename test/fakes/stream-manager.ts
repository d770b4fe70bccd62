import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A Stream Manager 2 as the vendor's pages describe it: node lookup, and a login that hands out a Bearer token. */
export interface StreamManagerDouble {
  readonly port: number;
  /** `METHOD path`, in order. */
  readonly asked: string[];
  /** Answers a lookup of a stream; default is one node at 127.0.0.1. */
  answer: (action: string, path: string) => { readonly status: number; readonly body: string };
  /** The one that is taken; undefined asks for none. */
  token: string | undefined;
  close(): void;
}

/** One entry of an answer. */
export function node(serverAddress: unknown) {
  return { streamGuid: 'live/cam', serverAddress, nodeRole: 'origin', subGroup: 'default', nodeState: 'INSERVICE' };
}

/** Starts one on loopback; `login` is `username:password`. */
export async function startStreamManager(login = 'edge:secret'): Promise<StreamManagerDouble> {
  const double = {
    asked: [] as string[],
    answer: () => ({ status: 200, body: JSON.stringify([node('127.0.0.1')]) }),
    token: undefined,
  } as Omit<StreamManagerDouble, 'port' | 'close'>;
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    const { method = '', url = '', headers } = request;
    double.asked.push(`${method} ${url}`);
    const send = (status: number, body: string) => void response.writeHead(status).end(body);
    if (method === 'PUT' && url === '/as/v1/auth/login') {
      const isRight = headers.authorization === `Basic ${Buffer.from(login).toString('base64')}`;
      send(isRight ? 200 : 401, isRight ? JSON.stringify({ token: double.token }) : '{}');
      return;
    }
    if (double.token !== undefined && headers.authorization !== `Bearer ${double.token}`) {
      send(401, '{}');
      return;
    }
    const [, action = '', path = ''] = /^\/as\/v1\/streams\/stream\/eu\/(publish|subscribe)\/(.+)$/.exec(url) ?? [];
    const { status, body } = action === '' ? { status: 404, body: '' } : double.answer(action, path);
    send(status, body);
  };
  const server = createServer(handle);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return Object.assign(double, { port, close: () => void server.close() });
}
