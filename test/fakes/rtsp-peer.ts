import { RtspReader } from '../../src/transports/rtsp/wire/reader.js';
import type { RtspRequest, RtspResponse } from '../../src/transports/rtsp/wire/message.js';
import { writeFrame } from '../../src/transports/rtsp/wire/frame.js';
import { writeRequest } from '../../src/transports/rtsp/wire/write-message.js';
import { settle, type FakeByteStream } from './byte-stream.js';

/** A frame that was read. */
export interface SeenFrame {
  readonly channel: number;
  readonly payload: Buffer;
}

/** A client of the tests: says what it is told to, and keeps what it hears. */
export class RtspPeer {
  readonly responses: RtspResponse[] = [];
  readonly requests: RtspRequest[] = [];
  readonly frames: SeenFrame[] = [];
  /** Everything in its order: status, `$` and the channel, or the method of a request. */
  readonly order: string[] = [];
  readonly #reader = new RtspReader();
  #sequence = 0;
  closed = false;

  constructor(readonly stream: FakeByteStream) {
    stream.handle({
      onBytes: (bytes) => {
        this.#reader.push(bytes);
        for (let item = this.#reader.next(); item !== undefined; item = this.#reader.next()) {
          if (item.kind === 'frame') this.frames.push({ channel: item.channel, payload: Buffer.from(item.payload) });
          else if (item.kind === 'response') this.responses.push(item);
          else this.requests.push(item);
          this.order.push(
            item.kind === 'frame' ? `$${item.channel}` : item.kind === 'response' ? `${item.status}` : item.method,
          );
        }
      },
      onClose: () => (this.closed = true),
    });
  }

  get last(): RtspResponse {
    const last = this.responses.at(-1);
    if (last === undefined) throw new Error('no response yet');
    return last;
  }

  send(method: string, uri: string, headers: Readonly<Record<string, string>> = {}, body?: string): void {
    this.#sequence += 1;
    const all: [string, string][] = [['CSeq', String(this.#sequence)], ...Object.entries(headers)];
    this.stream.write(
      writeRequest({ method, uri, headers: all, ...(body !== undefined && { body: Buffer.from(body) }) }),
    );
  }

  /** Sends, lets all arrive, gives the answer. */
  async ask(
    method: string,
    uri: string,
    headers: Readonly<Record<string, string>> = {},
    body?: string,
  ): Promise<RtspResponse> {
    const before = this.responses.length;
    this.send(method, uri, headers, body);
    for (let turn = 0; turn < 12 && this.responses.length === before && !this.closed; turn++) await settle();
    return this.responses[before] ?? fail(method);
  }

  frame(channel: number, payload: string | Buffer): void {
    this.stream.write(writeFrame(channel, Buffer.from(payload)));
  }
}

function fail(method: string): never {
  throw new Error(`${method} had no answer`);
}

/** A description of two tracks, named as ffmpeg does. */
export const SDP = [
  'v=0',
  'o=- 0 0 IN IP4 198.51.100.9',
  's=No Name',
  'c=IN IP4 198.51.100.9',
  't=0 0',
  'm=video 0 RTP/AVP 96',
  'a=rtpmap:96 H264/90000',
  'a=control:streamid=0',
  'm=audio 0 RTP/AVP 97',
  'a=rtpmap:97 MPEG4-GENERIC/44100/2',
  'a=control:streamid=1',
  '',
].join('\r\n');

/** An RTP packet with a payload of `text`. */
export function rtp(text: string, ssrc = 0x11223344): Buffer {
  const head = Buffer.from([0x80, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0]);
  head.writeUInt32BE(ssrc, 8);
  return Buffer.concat([head, Buffer.from(text)]);
}
