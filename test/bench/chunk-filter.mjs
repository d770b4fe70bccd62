// node test/bench/chunk-filter.mjs [DIR]: what the RTMP guard's chunk filter costs a message that passes, in a hot loop.
// DIR holds the compiled sources (default: dist). The load is the clip of the other benches: 30 video messages of about 11 kB and
// 44 audio messages of about 370 bytes a second, chunks of 4096 bytes. One number is one best round; the work of a stream-second is 74 of it.
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const root = resolve(import.meta.dirname, '../..');
const wire = resolve(process.argv[2] ?? resolve(root, 'dist'), 'transports/rtmp/wire');
const load = (name) => import(pathToFileURL(resolve(wire, name)).href);
const { ChunkFilter } = await load('chunk-filter.js');
const { ChunkTable, PASS } = await load('chunk-table.js');
const { writeChunkHeader, writeContinuation } = await load('chunk-header.js');

const CHUNK_SIZE = 4096;
const SECONDS = 10;
const ROUNDS = 9;
/** Bytes pushed in one round, so that it takes some tens of milliseconds. */
const ROUND_MESSAGES = 300_000;
const READ_BYTES = 65_536;

/** A type-1 header: the delta, length and type; as ffmpeg and OBS write nearly all of theirs. */
const shortHeader = (id, delta, length, type) =>
  Buffer.from([0x40 | id, 0, 0, delta, length >> 16, (length >> 8) & 0xff, length & 0xff, type]);

/** The clip's messages as chunks; with a type-0 header each where `full`. */
const makeClip = (full) => {
  const messages = [];
  const add = (id, type, time, delta, length) => {
    const fields = { id, time, length, type, streamId: 1 };
    const parts = [full ? writeChunkHeader(0, fields) : shortHeader(id, delta, length, type)];
    for (let at = 0; at < length; at += CHUNK_SIZE) {
      if (at > 0) parts.push(writeContinuation(id, -1));
      parts.push(Buffer.alloc(Math.min(CHUNK_SIZE, length - at), at & 0xff));
    }
    messages.push(Buffer.concat(parts));
  };
  for (let tick = 0; tick < 74 * SECONDS; tick += 1) {
    const time = Math.round((tick * 1000) / 74);
    if ((tick * 30) % 74 < 30) add(6, 9, time, 33, 10_600 + ((tick * 97) % 800));
    else add(4, 8, time, 23, 340 + ((tick * 31) % 60));
  }
  return messages;
};

const cut = (messages) => {
  const bytes = Buffer.concat(messages);
  const reads = [];
  for (let at = 0; at < bytes.length; at += READ_BYTES) reads.push(bytes.subarray(at, at + READ_BYTES));
  return reads;
};

/** Nanoseconds a message, best round. */
const measure = (messages, reads, farStream) => {
  const table = new ChunkTable();
  table.chunkSize = CHUNK_SIZE;
  const filter = new ChunkFilter(
    table,
    { disposition: () => PASS, message: () => undefined, received: () => undefined },
    {
      outChunkSize: CHUNK_SIZE,
      streamId: { from: 1, to: farStream },
      forwardsChunkSize: true,
      initial: Buffer.alloc(0),
      maxCollectedBytes: 4 << 20,
    },
  );
  let forwarded = 0;
  const out = { forward: (bytes) => (forwarded += bytes.length), reply: () => undefined };
  // The first header of each chunk stream must be of type 0.
  for (const id of [4, 6]) filter.push(writeChunkHeader(0, { id, time: 0, length: 0, type: 9, streamId: 1 }), out);
  let best = Infinity;
  const turns = Math.ceil(ROUND_MESSAGES / messages.length);
  for (let round = 0; round < ROUNDS; round += 1) {
    const start = process.hrtime.bigint();
    for (let turn = 0; turn < turns; turn += 1) for (const bytes of reads) filter.push(bytes, out);
    best = Math.min(best, Number(process.hrtime.bigint() - start) / (turns * messages.length));
  }
  if (forwarded === 0) throw new Error('nothing passed');
  return best;
};

const short = makeClip(false);
const full = makeClip(true);
const cases = [
  ['reads of 64 kB, short headers', short, cut(short), 1],
  ['one read a message, short headers', short, short, 1],
  ['one read a message, full headers', full, full, 1],
  ['one read a message, full headers that get another stream id', full, full, 2],
];
for (const [name, messages, reads, farStream] of cases) {
  console.log(`${measure(messages, reads, farStream).toFixed(0).padStart(6)} ns a message: ${name}`);
}
