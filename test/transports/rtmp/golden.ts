import { amfObject, type AmfValue } from '../../../src/transports/rtmp/wire/amf-value.js';
import { writeAmf0 } from '../../../src/transports/rtmp/wire/amf0.js';
import { writeCommand } from '../../../src/transports/rtmp/wire/command.js';
import { userControlMessage } from '../../../src/transports/rtmp/wire/control.js';
import { Dice, PlainWriter, u32 } from './wire/reference.js';

/** All that a client sends from its first byte to its goodbye, in the order and chunks of a real one, with tiny media. */
export interface Golden {
  readonly name: string;
  readonly role: 'publisher' | 'subscriber';
  /** `token` stands where this client puts it. */
  readonly bytes: (token: string) => Session;
  /** Payloads of the media it publishes. */
  readonly media: readonly string[];
}

/** The bytes of a session: what brings the stream about and feeds it, and what ends it. */
export interface Session {
  readonly live: Buffer;
  readonly goodbye: Buffer;
  /** Where in `live` the command that asks for the stream ends. */
  readonly askedAt: number;
}

/** C0, C1 and C2. */
export const HANDSHAKE_BYTES = 1 + 2 * 1536;
const AUDIO = 8;
const VIDEO = 9;
const DATA = 18;
const COMMAND = 20;
const METADATA = writeAmf0('@setDataFrame', 'onMetaData', amfObject({ width: 2, height: 2 }));

/** Writes a session chunk by chunk: which chunk stream, which header format. */
class Script {
  readonly #writer = new PlainWriter(new Dice(1));
  #liveBytes = 0;
  #askedAt = 0;

  command(at: { csid: number; format?: 0 | 1; streamId?: number }, ...words: Parameters<typeof writeCommand>): this {
    this.message(COMMAND, { ...at, time: 0 }, writeCommand(...words));
    if (words[0] === 'publish' || words[0] === 'play') this.#askedAt ||= this.#writer.size;
    return this;
  }

  message(type: number, at: { csid: number; format?: number; streamId?: number; time: number }, payload: Buffer): this {
    const { csid: chunkStreamId, format = 0, streamId = 0, time: timestamp } = at;
    this.#writer.write({ chunkStreamId, timestamp, type, streamId, payload }, format);
    return this;
  }

  chunkSize(size: number, format: 0 | 1 = 0): this {
    this.message(1, { csid: 2, format, time: 0 }, u32(size));
    this.#writer.chunkSize = size;
    return this;
  }

  control(type: number, value: number, format = 0): this {
    return this.message(type, { csid: 2, format, time: 0 }, u32(value));
  }

  bufferLength(streamId: number, extra: number, format = 0): this {
    const { type, payload } = userControlMessage({ event: 3, value: streamId, extra });
    return this.message(type, { csid: 2, format, time: 0 }, payload);
  }

  /** What follows ends the stream. */
  goodbye(): this {
    this.#liveBytes = this.#writer.size;
    return this;
  }

  session(): Session {
    const handshake = Buffer.alloc(HANDSHAKE_BYTES, 0x3c);
    handshake.fill(0, 1, 9);
    handshake.writeUInt8(3, 0);
    const bytes = this.#writer.bytes();
    return {
      live: Buffer.concat([handshake, bytes.subarray(0, this.#liveBytes)]),
      goodbye: bytes.subarray(this.#liveBytes),
      askedAt: HANDSHAKE_BYTES + this.#askedAt,
    };
  }
}

const connectObject = (app: string, more: Readonly<Record<string, AmfValue>> = {}) =>
  amfObject({ app, type: 'nonprivate', flashVer: 'FMLE/3.0', tcUrl: `rtmp://gate.example/${app}`, ...more });

const body = (text: string): Buffer => Buffer.from(text);

/** Publishes as ffmpeg does: takes the chunk size it was told, data and audio on 4, video on 6, type-1 headers. */
const ffmpegPublish: Golden = {
  name: 'ffmpeg publish',
  role: 'publisher',
  media: ['@', 'a1', 'v1', 'a2', 'v2'],
  bytes: (token) => {
    const own = { csid: 4, streamId: 1 };
    return new Script()
      .command({ csid: 3 }, 'connect', 1, connectObject('live'))
      .chunkSize(4096)
      .command({ csid: 3, format: 1 }, 'releaseStream', 2, null, `cam?token=${token}`)
      .command({ csid: 3, format: 1 }, 'FCPublish', 3, null, `cam?token=${token}`)
      .command({ csid: 3, format: 1 }, 'createStream', 4, null)
      .command({ csid: 8, streamId: 1 }, 'publish', 5, null, `cam?token=${token}`, 'live')
      .message(DATA, { ...own, time: 0 }, METADATA)
      .message(AUDIO, { ...own, format: 1, time: 0 }, body('a1'))
      .message(VIDEO, { csid: 6, streamId: 1, time: 0 }, body('v1'))
      .message(AUDIO, { ...own, format: 1, time: 23 }, body('a2'))
      .message(VIDEO, { csid: 6, streamId: 1, format: 1, time: 40 }, body('v2'))
      .goodbye()
      .command({ csid: 3, format: 1 }, 'FCUnpublish', 6, null, `cam?token=${token}`)
      .command({ csid: 3, format: 1 }, 'deleteStream', 7, null, 1)
      .session();
  },
};

/** Publishes as OBS does: chunk size before connect, the stream key as typed, everything on 4 with type-1 headers. */
const obsPublish: Golden = {
  name: 'OBS publish',
  role: 'publisher',
  media: ['@', 'a1', 'v1', 'v2'],
  bytes: (token) => {
    const own = { csid: 4, streamId: 1, format: 1 };
    return new Script()
      .chunkSize(4096)
      .command({ csid: 3 }, 'connect', 1, connectObject('live/room1', { swfUrl: 'rtmp://gate.example/live/room1' }))
      .command({ csid: 3, format: 1 }, 'releaseStream', 2, null, `cam?token=${token}`)
      .command({ csid: 3, format: 1 }, 'FCPublish', 3, null, `cam?token=${token}`)
      .command({ csid: 3, format: 1 }, 'createStream', 4, null)
      .command({ csid: 4, streamId: 1 }, 'publish', 5, null, `cam?token=${token}`, 'live')
      .message(DATA, { ...own, time: 0 }, METADATA)
      .message(AUDIO, { ...own, time: 0 }, body('a1'))
      .message(VIDEO, { ...own, time: 5 }, body('v1'))
      .message(VIDEO, { ...own, format: 2, time: 45 }, body('v2'))
      .goodbye()
      .command({ csid: 3, format: 1 }, 'FCUnpublish', 6, null, `cam?token=${token}`)
      .command({ csid: 3, format: 1 }, 'deleteStream', 7, null, 1)
      .session();
  },
};

/** Publishes as rtmp2sink does: no transaction ids, chunk size behind publish with a type-1 header, the name at the end. */
const gstreamerPublish: Golden = {
  name: 'GStreamer publish',
  role: 'publisher',
  media: ['@', 'a1', 'v1'],
  bytes: (token) =>
    new Script()
      .command({ csid: 3 }, 'connect', 1, connectObject('live'))
      .control(5, 2_500_000)
      .command({ csid: 3, format: 1 }, 'releaseStream', 0, null, `cam?token=${token}`)
      .command({ csid: 3, format: 1 }, 'FCPublish', 0, null, `cam?token=${token}`)
      .command({ csid: 3, format: 1 }, 'createStream', 2, null)
      .command({ csid: 3, streamId: 1 }, 'publish', 3, null, `cam?token=${token}`, 'live')
      .chunkSize(300, 1)
      .message(DATA, { csid: 4, streamId: 1, time: 0 }, METADATA)
      .message(AUDIO, { csid: 5, streamId: 1, time: 0 }, body('a1'))
      .message(VIDEO, { csid: 6, streamId: 1, time: 0 }, body('v1'))
      .goodbye()
      .command({ csid: 3, format: 1 }, 'FCUnpublish', 4, null, `cam?token=${token}`)
      .command({ csid: 3, format: 1 }, 'deleteStream', 5, null, `cam?token=${token}`)
      .session(),
};

/** Publishes as Haivision's encoders do: bandwidth check first, createStream before FCPublish. */
const haivisionPublish: Golden = {
  name: 'Haivision publish',
  role: 'publisher',
  media: ['@', 'v1', 'v2'],
  bytes: (token) =>
    new Script()
      .command({ csid: 3 }, 'connect', 1, connectObject(`live?token=${token}`))
      .command({ csid: 3, format: 1 }, '_checkbw', 2, null)
      .command({ csid: 3, format: 1 }, 'createStream', 3, null)
      .command({ csid: 3, format: 1 }, 'FCPublish', 4, null, 'cam')
      .command({ csid: 8, streamId: 1 }, 'publish', 5, null, 'cam', 'live')
      .message(DATA, { csid: 4, streamId: 1, time: 0 }, METADATA)
      .message(VIDEO, { csid: 6, streamId: 1, time: 0xfffffe }, body('v1'))
      .message(VIDEO, { csid: 6, streamId: 1, format: 0, time: 0x1000026 }, body('v2'))
      .goodbye()
      .command({ csid: 3, format: 1 }, 'closeStream', 0, null)
      .command({ csid: 8, streamId: 1 }, 'closeStream', 0, null)
      .session(),
};

/** Plays as librtmp does, with the token in the arguments of connect. */
const librtmpPlay: Golden = {
  name: 'librtmp play',
  role: 'subscriber',
  media: [],
  bytes: (token) =>
    new Script()
      .command({ csid: 3 }, 'connect', 1, connectObject('live', { fpad: false }), 'jwt', 'jwt', token)
      .control(5, 2_500_000)
      .bufferLength(0, 300)
      .command({ csid: 3, format: 1 }, 'createStream', 2, null)
      .command({ csid: 8, streamId: 1 }, 'FCSubscribe', 3, null, 'cam')
      .command({ csid: 8, streamId: 1 }, 'play', 4, null, 'cam', -1000)
      .bufferLength(1, 30_000, 3)
      .goodbye()
      .command({ csid: 3, format: 1 }, 'deleteStream', 5, null, 1)
      .session(),
};

/** Plays as ffmpeg does. */
const ffmpegPlay: Golden = {
  name: 'ffmpeg play',
  role: 'subscriber',
  media: [],
  bytes: (token) =>
    new Script()
      .command({ csid: 3 }, 'connect', 1, connectObject('live', { fpad: false, capabilities: 15, videoFunction: 1 }))
      .control(5, 2_500_000)
      .chunkSize(4096)
      .command({ csid: 3, format: 1 }, 'createStream', 2, null)
      .command({ csid: 8 }, 'getStreamLength', 3, null, `cam?token=${token}`)
      .command({ csid: 8, streamId: 1 }, 'play', 4, null, `cam?token=${token}`, -2000)
      .bufferLength(1, 3000)
      .goodbye()
      .command({ csid: 3, format: 1 }, 'deleteStream', 5, null, 1)
      .session(),
};

/** Publishes, ends its stream, and publishes under another name: one connection, two streams, one after the other. */
export function publishTwice(token: string): Session {
  return new Script()
    .command({ csid: 3 }, 'connect', 1, connectObject(`live?token=${token}`))
    .command({ csid: 3, format: 1 }, 'createStream', 2, null)
    .command({ csid: 8, streamId: 1 }, 'publish', 3, null, 'cam', 'live')
    .message(VIDEO, { csid: 6, streamId: 1, time: 0 }, body('first!'))
    .goodbye()
    .command({ csid: 3, format: 1 }, 'FCUnpublish', 4, null, 'cam')
    .command({ csid: 3, format: 1 }, 'deleteStream', 5, null, 1)
    .command({ csid: 3, format: 1 }, 'createStream', 6, null)
    .command({ csid: 8, streamId: 2 }, 'publish', 7, null, 'other', 'live')
    .message(VIDEO, { csid: 6, streamId: 2, time: 0 }, body('second'))
    .session();
}

/** One session of each client whose order of things differs. */
export const GOLDEN: readonly Golden[] = [
  ffmpegPublish,
  obsPublish,
  gstreamerPublish,
  haivisionPublish,
  librtmpPlay,
  ffmpegPlay,
];
