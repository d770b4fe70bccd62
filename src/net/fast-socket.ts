import { writeSync } from 'node:fs';
import { Socket, type OnReadOpts } from 'node:net';

/**
 * The half-internal corner of the hot path, kept in one file: Node has no public way to give an accepted socket a read
 * buffer, or to write to one without an object per message. Where a Node has moved these parts, the functions say so and
 * the caller falls back to 'data' events and `write`.
 */

/** Bytes one read can bring; as much as Node itself asks for. */
export const READ_BYTES = 64 * 1024;

/**
 * All sockets read into this one buffer: what a handler is shown is used up or copied before the next read of any socket,
 * and no write keeps a pointer into it (`writeNow` is over when it returns). So a connection costs no buffer of its own.
 */
const sharedBuffer = Buffer.allocUnsafeSlow(READ_BYTES);

interface Handle {
  readonly fd?: number;
}

interface WithHandle {
  _handle?: Handle | null;
}

/** Reads into the shared buffer and shows each piece; the bytes are valid during the call only. */
export function readShared(onBytes: (bytes: Buffer) => void): OnReadOpts {
  return {
    // A function, so that Node asks again after each read; a fixed buffer would do the same with one check more.
    buffer: () => sharedBuffer,
    callback: (length) => {
      onBytes(sharedBuffer.subarray(0, length));
      return true;
    },
  };
}

/**
 * Takes the connection out of a freshly accepted, paused socket and opens it again with a read buffer, not reading yet.
 * Undefined when this Node does not have the handle where it used to be; then `accepted` is untouched.
 */
export function reopen(accepted: Socket, onread: OnReadOpts): Socket | undefined {
  const holder = accepted as unknown as WithHandle;
  const handle = holder._handle;
  if (handle === undefined || handle === null) return undefined;
  holder._handle = null;
  const options: object = { handle, onread, manualStart: true, readable: true, writable: true, allowHalfOpen: false };
  return new Socket(options);
}

/**
 * Writes straight to the kernel and returns how many bytes it took, perhaps none.
 * Only for a socket with nothing queued (`writableLength` 0), else bytes overtake each other. Throws the system's error.
 */
export function writeNow(socket: Socket, bytes: Buffer): number {
  const fd = (socket as unknown as WithHandle)._handle?.fd ?? -1;
  if (fd < 0 || socket.connecting) return 0;
  try {
    return writeSync(fd, bytes, 0, bytes.length);
  } catch (error) {
    if (isBusy(error)) return 0;
    throw error;
  }
}

/**
 * Makes a socket hand its queue to the kernel write by write. In one go, as Node does, `bufferedBytes` would stand still
 * until a whole backlog has left, and a slow peer would look like one that takes nothing.
 */
export function writeOneByOne(socket: Socket): void {
  Object.defineProperty(socket, '_writev', { value: null });
}

function isBusy(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'EAGAIN' || code === 'EWOULDBLOCK' || code === 'EINTR' || code === 'ENOBUFS';
}
