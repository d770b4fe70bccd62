/**
 * The child process of the embedded origin for WHIP and WHEP, on loopback. Takes the port as its only argument (0: any free
 * one), says over the channel how it went, and ends with its parent.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { systemClock } from '../net/clock.js';
import type { ChildMessage } from './messages.js';
import { WebrtcRooms, type WeriftModule } from './webrtc-rooms.js';

const HOST = '127.0.0.1';
const PACKAGE = 'werift';
const MAX_OFFER_BYTES = 65_536;
/** A stream, and what is wanted of it; the gateway folds names into these letters. */
const ENDPOINT = /^\/((?:[A-Za-z0-9_-]{1,1024}\/){1,16})(whip|whep)$/;
const SESSION = /^\/session\/([\w-]{22})$/;

function tell(message: ChildMessage): void {
  process.send?.(message);
}

function fail(message: Extract<ChildMessage, { kind: 'failed' }>): void {
  process.exitCode = 1;
  // The message must be out before the channel goes.
  process.send?.(message, () => process.disconnect());
}

async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_OFFER_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

async function answer(rooms: WebrtcRooms, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method, url = '', headers } = request;
  const [, session] = SESSION.exec(url) ?? [];
  const [, path, kind] = ENDPOINT.exec(url) ?? [];
  const end = (status: number, more: Readonly<Record<string, string>> = {}, body = ''): void => {
    response.writeHead(status, more).end(body);
  };
  if (session !== undefined) {
    if (method === 'DELETE') end(rooms.end(session) ? 200 : 404);
    // Candidates are not needed: whoever sends a check is known by it.
    else if (method === 'PATCH') end(rooms.has(session) ? 204 : 404);
    else end(405);
    return;
  }
  if (path === undefined) {
    end(404);
    return;
  }
  // A web page may not send this type to another site without asking first, and is not answered then.
  if (method !== 'POST' || headers['content-type'] !== 'application/sdp') {
    end(method === 'POST' ? 415 : 405);
    return;
  }
  const sdp = await bodyOf(request);
  if (sdp === undefined) {
    end(413);
    return;
  }
  const stream = path.slice(0, -1);
  const opened = kind === 'whip' ? await rooms.publish(stream, sdp) : await rooms.watch(stream, sdp);
  if (!opened.ok) end(opened.status);
  else end(201, { 'content-type': 'application/sdp', location: `/session/${opened.id}` }, opened.sdp);
}

function listen(rooms: WebrtcRooms, port: number): void {
  const server = createServer((request, response) => {
    answer(rooms, request, response).catch(() => response.destroy());
  });
  server.on('error', (error) => fail({ kind: 'failed', reason: 'port', detail: error.message }));
  server.listen(port, HOST, () => {
    const address = server.address();
    if (typeof address === 'object' && address !== null) tell({ kind: 'listening', port: address.port });
  });
}

function isMissing(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ERR_MODULE_NOT_FOUND' && String(error).includes(PACKAGE);
}

async function main(port: number): Promise<void> {
  try {
    const werift = (await import(PACKAGE)) as WeriftModule;
    listen(new WebrtcRooms(werift, systemClock), port);
  } catch (error) {
    fail({ kind: 'failed', reason: isMissing(error) ? 'package-missing' : 'package-strange', detail: String(error) });
  }
}

process.title = 'portcullis-origin-webrtc';
// Signals to the whole group are the parent's to answer: it drains first, then lets go of the channel.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);
process.on('disconnect', () => process.exit());
// A packet that a peer's socket does not take is no reason to end all streams.
process.on('unhandledRejection', (error) => process.stderr.write(`unhandled: ${String(error)}\n`));
await main(Number(process.argv[2] ?? 0));
