/**
 * The child process of the embedded origin: node-media-server's RTMP listener on loopback and nothing else of it.
 * Takes the port as its only argument (0: any free one), says over the channel how it went, and ends with its parent.
 */
import { Server } from 'node:net';
import type { ChildMessage } from './messages.js';

const PACKAGE = 'node-media-server';
const HOST = '127.0.0.1';

/** No listener is opened for what is not named; record, store, HTTP and relay servers of the package stay unstarted. */
const SERVER_CONFIG = { bind: HOST, rtmp: { port: 1 }, webadmin: { enable: false }, record: { auto: false } };

function tell(message: ChildMessage): void {
  process.send?.(message);
}

function fail(message: Extract<ChildMessage, { kind: 'failed' }>): void {
  process.exitCode = 1;
  // The message must be out before the channel goes.
  process.send?.(message, () => process.disconnect());
}

function isConstructor(value: unknown): value is new (config: unknown) => unknown {
  return typeof value === 'function';
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

/** The package's own TCP server, not listening yet: its `run()` would take no port 0 and end the process on a fault. */
async function loadServer(): Promise<Server | undefined> {
  const module: unknown = await import(PACKAGE);
  const NodeMediaServer = property(module, 'default');
  if (!isConstructor(NodeMediaServer)) return undefined;
  const server = property(property(new NodeMediaServer(SERVER_CONFIG), 'rtmpServer'), 'tcpServer');
  return server instanceof Server ? server : undefined;
}

function isMissing(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND') && String(error).includes(PACKAGE);
}

async function main(port: number): Promise<void> {
  const server = await loadServer().catch((error: unknown) => {
    fail({ kind: 'failed', reason: isMissing(error) ? 'package-missing' : 'package-strange', detail: String(error) });
    return null;
  });
  if (server === null) return;
  if (server === undefined) {
    fail({ kind: 'failed', reason: 'package-strange', detail: 'it has no RTMP server where version 4.4.3 has one' });
    return;
  }
  server.on('error', (error) => fail({ kind: 'failed', reason: 'port', detail: error.message }));
  server.listen(port, HOST, () => {
    const address = server.address();
    if (typeof address === 'object' && address !== null) tell({ kind: 'listening', port: address.port });
  });
}

process.title = 'portcullis-origin';
// Signals to the whole group are the parent's to answer: it drains first, then lets go of the channel.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);
process.on('disconnect', () => process.exit());
await main(Number(process.argv[2] ?? 0));
