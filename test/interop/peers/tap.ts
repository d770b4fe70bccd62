import { afterAll } from '@jest/globals';
import { connect, createServer, type Socket } from 'node:net';

/** A wire-tap on loopback: passes everything to `port` and keeps what went by. */
export interface Tap {
  readonly port: number;
  /** All bytes from those who connect to the tap. */
  sent(): Buffer;
  /** All bytes of the answers. */
  answered(): Buffer;
  readonly connections: number;
  /** Breaks all connections; new ones still pass. */
  cut(): void;
  /** Stops passing bytes on all connections, without closing them. */
  freeze(): void;
}

const open = new Set<{ close(): void }>();

afterAll(() => {
  for (const one of open) one.close();
});

/** Starts a tap in front of a port of 127.0.0.1. */
export async function startTap(toPort: number): Promise<Tap> {
  const sent: Buffer[] = [];
  const answered: Buffer[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  let isFrozen = false;
  const carry = (from: Socket, to: Socket, kept: Buffer[]) => {
    sockets.add(from);
    from.on('data', (bytes) => {
      kept.push(bytes);
      if (!isFrozen) to.write(bytes);
    });
    from.on('end', () => to.end());
    from.on('error', () => to.destroy());
    from.on('close', () => {
      sockets.delete(from);
      to.destroy();
    });
  };
  const server = createServer((client) => {
    connections += 1;
    const origin = connect(toPort, '127.0.0.1');
    carry(client, origin, sent);
    carry(origin, client, answered);
  });
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  open.add({
    close: () => {
      server.close();
      cut();
    },
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    sent: () => Buffer.concat(sent),
    answered: () => Buffer.concat(answered),
    get connections() {
      return connections;
    },
    cut,
    freeze: () => {
      isFrozen = true;
    },
  };
}
