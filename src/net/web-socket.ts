import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

/** One open WebSocket, for texts in one direction. */
export interface LiveSocket {
  /** Hands over one text; `whenSent` is called when it has left for the kernel, or never will. */
  send(text: string, whenSent: () => void): void;
  ping(): void;
  /** @see RFC 6455 §7.4 */
  close(code: number, reason: string): void;
  /** Ends it without a word. */
  destroy(): void;
  onPong(call: () => void): void;
  /** Called once. */
  onClose(call: () => void): void;
}

/** Turns requests into WebSockets. */
export interface WebSocketUpgrade {
  (request: IncomingMessage, socket: Duplex, head: Buffer, onOpen: (socket: LiveSocket) => void): void;
}

/** Clients have nothing to say but pongs. */
const MAX_PAYLOAD_BYTES = 1024;

/** Loads what upgrades requests: no compression, small messages only. It is not loaded where nobody asks for it. */
export async function loadWebSockets(): Promise<WebSocketUpgrade> {
  const { WebSocketServer } = await import('ws');
  const server = new WebSocketServer({
    ...{ noServer: true, clientTracking: false, perMessageDeflate: false },
    maxPayload: MAX_PAYLOAD_BYTES,
  });
  return (request, socket, head, onOpen) => {
    server.handleUpgrade(request, socket, head, (opened) => {
      // What it says is followed by its close.
      opened.on('error', () => undefined);
      onOpen({
        send: (text, whenSent) => opened.send(text, () => whenSent()),
        ping: () => opened.ping(),
        close: (code, reason) => opened.close(code, reason),
        destroy: () => opened.terminate(),
        onPong: (call) => void opened.on('pong', call),
        onClose: (call) => void opened.once('close', call),
      });
    });
  };
}
