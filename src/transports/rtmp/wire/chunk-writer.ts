import { extensionOf, writeChunkHeader, writeContinuation } from './chunk-header.js';
import { readControlNumber } from './control.js';
import { MESSAGE, type Message } from './message.js';

/**
 * Writes a message as chunks: a type-0 header first, type-3 headers with the extended timestamp repeated after it.
 * `chunkSize` is the size last announced to the reader, in bytes.
 * @see RTMP 1.0 §5.3.1
 */
export function writeMessage(message: Message, chunkSize: number): Buffer {
  const { chunkStreamId: id, timestamp: time, type, streamId, payload } = message;
  const head = writeChunkHeader(0, { id, time, length: payload.length, type, streamId });
  if (payload.length <= chunkSize) return Buffer.concat([head, payload]);
  const continuation = writeContinuation(id, extensionOf(time));
  const parts = [head, payload.subarray(0, chunkSize)];
  for (let at = chunkSize; at < payload.length; at += chunkSize) {
    parts.push(continuation, payload.subarray(at, at + chunkSize));
  }
  return Buffer.concat(parts);
}

/**
 * Several messages in one buffer, so that a peer reads them whole. A Set Chunk Size among them counts for those behind it.
 * @see RTMP 1.0 §5.4.1
 */
export function writeMessages(messages: readonly Message[], chunkSize: number): Buffer {
  let size = chunkSize;
  return Buffer.concat(
    messages.map((message) => {
      const bytes = writeMessage(message, size);
      if (message.type === MESSAGE.setChunkSize) size = readControlNumber(message.payload);
      return bytes;
    }),
  );
}

/**
 * Chunks of zeros that fill up a message of which a reader still misses `missing` bytes; their headers are of type 3.
 * `extension` is the extended timestamp the message began with, or -1.
 */
export function writeFill(id: number, extension: number, missing: number, chunkSize: number): Buffer {
  const continuation = writeContinuation(id, extension);
  const count = Math.ceil(missing / chunkSize);
  const bytes = Buffer.alloc(missing + count * continuation.length);
  for (let at = 0; at < bytes.length; at += continuation.length + chunkSize) continuation.copy(bytes, at);
  return bytes;
}
