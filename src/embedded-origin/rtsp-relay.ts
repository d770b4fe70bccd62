import { WireError } from '../model/errors.js';
import { readControls } from '../transports/rtsp/wire/sdp-control.js';
import { splitControl } from '../transports/rtsp/wire/control.js';
import { writeFrame, type InterleavedFrame } from '../transports/rtsp/wire/frame.js';
import type { HeaderEntry } from '../transports/rtsp/wire/headers.js';
import type { RtspRequest } from '../transports/rtsp/wire/message.js';
import { RtspReader } from '../transports/rtsp/wire/reader.js';
import { readTransport, type NumberPair } from '../transports/rtsp/wire/transport-header.js';
import { readRtspUrl } from '../transports/rtsp/wire/url.js';
import { writeResponse } from '../transports/rtsp/wire/write-message.js';
import { readSdp } from '../wire/sdp.js';

/** A viewer for whom more than this waits has fallen behind and is dropped, in bytes. */
const MAX_WAITING_BYTES = 8 << 20;
const METHODS = 'OPTIONS, DESCRIBE, ANNOUNCE, SETUP, PLAY, PAUSE, RECORD, TEARDOWN, GET_PARAMETER, SET_PARAMETER';

/** A client's connection, as far as the relay must know. */
export interface RelayPeer {
  write(bytes: Buffer): void;
  /** Bytes that wait for the peer. */
  readonly waitingBytes: number;
  close(): void;
}

/** What comes from one connection. */
export interface RelayConnection {
  onBytes(bytes: Buffer): void;
  onClose(): void;
}

/** Who publishes under which path, and who watches. */
export interface RtspRelay {
  /** Takes a connection; each has a session of its own. */
  accept(peer: RelayPeer): RelayConnection;
}

interface Stream {
  readonly sdp: Buffer;
  readonly controls: readonly (string | undefined)[];
  readonly publisher: Member;
  readonly viewers: Set<Member>;
}

/**
 * The RTSP origin of `portcullis dev`: takes streams by ANNOUNCE and RECORD and shows them by DESCRIBE and PLAY, over the TCP
 * connection only. It asks nobody for a token: it listens on loopback, behind the gateway.
 */
export function createRtspRelay(): RtspRelay {
  const streams = new Map<string, Stream>();
  let sessions = 0;
  return {
    accept: (peer) => new Member(peer, streams, String(++sessions)),
  };
}

/** One connection: nobody yet, a publisher, or a viewer. */
class Member implements RelayConnection {
  readonly #peer: RelayPeer;
  readonly #streams: Map<string, Stream>;
  readonly #session: string;
  readonly #reader = new RtspReader();
  /** By track, the channels of this connection. */
  readonly #channels = new Map<number, NumberPair>();
  #stream: Stream | undefined;
  #path = '';
  #isFlowing = false;

  constructor(peer: RelayPeer, streams: Map<string, Stream>, session: string) {
    this.#peer = peer;
    this.#streams = streams;
    this.#session = session;
  }

  onBytes(bytes: Buffer): void {
    try {
      this.#reader.push(bytes);
      for (let item = this.#reader.next(); item !== undefined; item = this.#reader.next()) {
        if (item.kind === 'frame') this.#share(item);
        else if (item.kind === 'request') this.#obey(item);
      }
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#peer.close();
    }
  }

  onClose(): void {
    const stream = this.#stream;
    this.#stream = undefined;
    this.#isFlowing = false;
    this.#channels.clear();
    if (stream === undefined) return;
    stream.viewers.delete(this);
    if (stream.publisher !== this) return;
    this.#streams.delete(this.#path);
    for (const viewer of stream.viewers) viewer.leave();
  }

  /** The publisher has gone. */
  leave(): void {
    this.#peer.close();
  }

  /** One packet of the publisher; `track` and `isRtcp` say what it is. */
  take(frame: InterleavedFrame, track: number, isRtcp: boolean): void {
    const pair = this.#channels.get(track);
    if (!this.#isFlowing || pair === undefined) return;
    if (this.#peer.waitingBytes > MAX_WAITING_BYTES) {
      this.#peer.close();
      return;
    }
    const channel = isRtcp ? pair.rtcp : pair.rtp;
    this.#peer.write(channel === frame.channel ? frame.bytes : writeFrame(channel, frame.payload));
  }

  #share(frame: InterleavedFrame): void {
    const stream = this.#stream;
    if (stream?.publisher !== this || !this.#isFlowing) return;
    const { channel } = frame;
    for (const [track, { rtp, rtcp }] of this.#channels) {
      if (channel !== rtp && channel !== rtcp) continue;
      for (const viewer of stream.viewers) viewer.take(frame, track, channel === rtcp);
    }
  }

  #obey(request: RtspRequest): void {
    switch (request.method) {
      case 'OPTIONS':
        this.#answer(request, 200, [['Public', METHODS]]);
        return;
      case 'GET_PARAMETER':
      case 'SET_PARAMETER':
        this.#answer(request, 200);
        return;
      case 'ANNOUNCE':
        this.#announce(request);
        return;
      case 'DESCRIBE':
        this.#describe(request);
        return;
      case 'SETUP':
        this.#setUp(request);
        return;
      case 'PLAY':
      case 'RECORD':
      case 'PAUSE':
        this.#flow(request);
        return;
      case 'TEARDOWN':
        this.#answer(request, 200);
        this.onClose();
        return;
      default:
        this.#answer(request, 501);
    }
  }

  #announce(request: RtspRequest): void {
    const path = pathOf(request);
    if (this.#streams.has(path) || this.#stream !== undefined) {
      this.#answer(request, 403);
      return;
    }
    const controls = readControls(readSdp(request.body));
    this.#path = path;
    this.#stream = { sdp: request.body, controls, publisher: this, viewers: new Set() };
    this.#streams.set(path, this.#stream);
    this.#answer(request, 200);
  }

  #describe(request: RtspRequest): void {
    const path = pathOf(request);
    const stream = this.#streams.get(path);
    if (stream === undefined) {
      this.#answer(request, 404);
      return;
    }
    this.#stream = stream;
    this.#path = path;
    const base = `${request.uri.replace(/\?.*$/, '').replace(/\/+$/, '')}/`;
    const headers: readonly HeaderEntry[] = [
      ['Content-Base', base],
      ['Content-Type', 'application/sdp'],
    ];
    this.#answer(request, 200, headers, stream.sdp);
  }

  #setUp(request: RtspRequest): void {
    const stream = this.#stream;
    const { control } = splitControl(readRtspUrl(request.uri));
    const track = stream?.controls.indexOf(control) ?? -1;
    if (stream === undefined || track < 0) {
      this.#answer(request, stream === undefined ? 455 : 404);
      return;
    }
    const spec = readTransport(request.headers.get('Transport') ?? '').find(({ lower }) => lower === 'TCP');
    if (spec === undefined) {
      this.#answer(request, 461);
      return;
    }
    const pair = spec.interleaved ?? { rtp: 2 * track, rtcp: 2 * track + 1 };
    this.#channels.set(track, pair);
    this.#answer(request, 200, [['Transport', `RTP/AVP/TCP;unicast;interleaved=${pair.rtp}-${pair.rtcp}`]]);
  }

  #flow(request: RtspRequest): void {
    const stream = this.#stream;
    const isPublisher = stream?.publisher === this;
    if (stream === undefined || this.#channels.size === 0 || isPublisher === (request.method === 'PLAY')) {
      this.#answer(request, 455);
      return;
    }
    this.#answer(request, 200, [['Range', 'npt=0.000-']]);
    this.#isFlowing = request.method !== 'PAUSE';
    if (!isPublisher) stream.viewers.add(this);
  }

  #answer(request: RtspRequest, status: number, headers: readonly HeaderEntry[] = [], body?: Buffer): void {
    const sequence = request.headers.get('CSeq') ?? '0';
    const session: readonly HeaderEntry[] = this.#channels.size === 0 ? [] : [['Session', this.#session]];
    const all: readonly HeaderEntry[] = [['CSeq', sequence], ...session, ...headers];
    this.#peer.write(writeResponse({ status, headers: all, ...(body && { body }) }));
  }
}

function pathOf(request: RtspRequest): string {
  return readRtspUrl(request.uri).path.replace(/\/+$/, '');
}
