/**
 * The child process of the embedded origin for RTSP, on loopback. Takes the port as its only argument (0: any free one), says over
 * the channel how it went, and ends with its parent.
 */
import { createServer } from 'node:net';
import type { ChildMessage } from './messages.js';
import { createRtspRelay } from './rtsp-relay.js';

const HOST = '127.0.0.1';

function tell(message: ChildMessage): void {
  process.send?.(message);
}

function fail(detail: string): void {
  process.exitCode = 1;
  // The message must be out before the channel goes.
  process.send?.({ kind: 'failed', reason: 'port', detail } satisfies ChildMessage, () => process.disconnect());
}

function listen(port: number): void {
  const relay = createRtspRelay();
  const server = createServer({ noDelay: true }, (socket) => {
    const connection = relay.accept({
      write: (bytes) => void socket.write(bytes),
      get waitingBytes() {
        return socket.writableLength;
      },
      close: () => socket.destroySoon(),
    });
    socket.on('data', (bytes: Buffer) => connection.onBytes(bytes));
    socket.on('error', () => undefined);
    socket.on('close', () => connection.onClose());
  });
  server.on('error', (error) => fail(error.message));
  server.listen(port, HOST, () => {
    const address = server.address();
    if (typeof address === 'object' && address !== null) tell({ kind: 'listening', port: address.port });
  });
}

process.title = 'portcullis-origin-rtsp';
// Signals to the whole group are the parent's to answer: it drains first, then lets go of the channel.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);
process.on('disconnect', () => process.exit());
listen(Number(process.argv[2] ?? 0));
