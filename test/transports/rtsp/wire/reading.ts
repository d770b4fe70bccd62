import { WireError } from '../../../../src/model/errors.js';
import { RtspReader, type ReaderLimits } from '../../../../src/transports/rtsp/wire/reader.js';
import type { RtspItem } from '../../../../src/transports/rtsp/wire/message.js';

/** An item as plain data, so that items can be compared. */
export type Plain = Readonly<Record<string, unknown>>;

/** What an item says, its bytes as latin1 text and copied. */
export function plain(item: RtspItem): Plain {
  if (item.kind === 'frame') return { frame: item.channel, payload: item.payload.toString('latin1') };
  return { ...item, headers: [...item.headers], body: item.body.toString('latin1') };
}

/** Pulls all that is there; the error, if one ends it, is the last item. */
export function drain(reader: RtspReader): Plain[] {
  const items: Plain[] = [];
  try {
    for (let item = reader.next(); item !== undefined; item = reader.next()) items.push(plain(item));
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    items.push({ error: error.code });
  }
  return items;
}

/**
 * Feeds `pieces` one after another and gives all items. Each piece is overwritten once it is read, as the sockets' shared
 * read buffer is. Stops at an error.
 */
export function feed(pieces: Iterable<Buffer>, limits?: ReaderLimits): Plain[] {
  const reader = new RtspReader(limits);
  const items: Plain[] = [];
  for (const piece of pieces) {
    const shown = Buffer.from(piece);
    reader.push(shown);
    items.push(...drain(reader));
    shown.fill(0x24);
    if (items.at(-1)?.['error'] !== undefined) break;
  }
  return items;
}

/** Reads latin1 text or bytes in one piece. */
export function readAll(input: string | Buffer, limits?: ReaderLimits): Plain[] {
  return feed([bytesOf(input)], limits);
}

/** `input` in two pieces, cut at `at`. */
export function cut(input: Buffer, at: number): Buffer[] {
  return [input.subarray(0, at), input.subarray(at)];
}

/** Text as latin1 bytes. */
export function bytesOf(input: string | Buffer): Buffer {
  return typeof input === 'string' ? Buffer.from(input, 'latin1') : input;
}

/** Lines with CRLF, and the empty one that ends a head. */
export function head(...lines: readonly string[]): string {
  return [...lines, '', ''].join('\r\n');
}
