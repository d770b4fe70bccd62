import { RtspReader } from '../../src/transports/rtsp/wire/reader.js';
import type { RtspRequest } from '../../src/transports/rtsp/wire/message.js';
import { writeFrame } from '../../src/transports/rtsp/wire/frame.js';
import { writeRequest, writeResponse } from '../../src/transports/rtsp/wire/write-message.js';
import type { FakeByteStream } from './byte-stream.js';
import { SDP, type SeenFrame } from './rtsp-peer.js';

/** How an origin differs from a good one. */
export interface RtspOriginBehaviour {
  /** Statuses by method. */
  readonly refuse: Readonly<Record<string, number>>;
  /** Asks for credentials with these headers until a request bears Authorization. */
  readonly challenges?: readonly string[];
  readonly contentBase?: string | undefined;
  readonly sdp?: string;
  readonly session?: string;
  /** Added to the channels it was asked for. */
  readonly channelShift?: number;
  readonly rtpInfo?: string;
  readonly silent?: readonly string[];
}

/** An origin of the tests. */
export class RtspOriginDouble {
  readonly requests: RtspRequest[] = [];
  readonly frames: SeenFrame[] = [];
  readonly answers: number[] = [];
  readonly #reader = new RtspReader();
  closed = false;

  constructor(
    readonly stream: FakeByteStream,
    readonly behaviour: Partial<RtspOriginBehaviour>,
  ) {
    stream.handle({
      onBytes: (bytes) => {
        this.#reader.push(bytes);
        for (let item = this.#reader.next(); item !== undefined; item = this.#reader.next()) {
          if (item.kind === 'frame') this.frames.push({ channel: item.channel, payload: Buffer.from(item.payload) });
          else if (item.kind === 'request') this.#answer(item);
          else this.answers.push(item.status);
        }
      },
      onClose: () => (this.closed = true),
    });
  }

  get methods(): string[] {
    return this.requests.map(({ method }) => method);
  }

  request(method: string): RtspRequest {
    const found = this.requests.findLast((one) => one.method === method);
    if (found === undefined) throw new Error(`the origin got no ${method}`);
    return found;
  }

  frame(channel: number, payload: string | Buffer): void {
    this.stream.write(writeFrame(channel, Buffer.from(payload)));
  }

  asks(method: string): void {
    this.stream.write(writeRequest({ method, uri: '*', headers: [['CSeq', '77']] }));
  }

  #answer(request: RtspRequest): void {
    this.requests.push(request);
    const { refuse = {}, challenges = [], silent = [] } = this.behaviour;
    if (silent.includes(request.method)) return;
    const headers: [string, string][] = [['CSeq', request.headers.get('CSeq') ?? '']];
    if (challenges.length > 0 && request.method !== 'OPTIONS' && !request.headers.has('Authorization')) {
      for (const challenge of challenges) headers.push(['WWW-Authenticate', challenge]);
      this.stream.write(writeResponse({ status: 401, headers }));
      return;
    }
    const status = refuse[request.method] ?? 200;
    const body = status === 200 && request.method === 'DESCRIBE' ? Buffer.from(this.behaviour.sdp ?? SDP) : undefined;
    if (status === 200) headers.push(...this.#extra(request));
    this.stream.write(writeResponse({ status, headers, ...(body && { body }) }));
  }

  #extra(request: RtspRequest): [string, string][] {
    const { session = 'origin-session;timeout=60', channelShift = 0, rtpInfo } = this.behaviour;
    switch (request.method) {
      case 'OPTIONS':
        return [['Public', 'OPTIONS, DESCRIBE, ANNOUNCE, SETUP, PLAY, RECORD, TEARDOWN, GET_PARAMETER']];
      case 'DESCRIBE': {
        const base = 'contentBase' in this.behaviour ? this.behaviour.contentBase : `${request.uri.split('?')[0]}/`;
        return [
          ['Content-Type', 'application/sdp'],
          ...(base === undefined ? [] : [['Content-Base', base] as [string, string]]),
        ];
      }
      case 'SETUP': {
        const [, from = '0'] = /interleaved=(\d+)/.exec(request.headers.get('Transport') ?? '') ?? [];
        const first = Number(from) + channelShift;
        return [
          ['Session', session],
          ['Transport', `RTP/AVP/TCP;unicast;interleaved=${first}-${first + 1};ssrc=AABBCCDD`],
        ];
      }
      case 'PLAY':
        return [['Range', 'npt=0.000-'], ...(rtpInfo === undefined ? [] : [['RTP-Info', rtpInfo] as [string, string]])];
      default:
        return [];
    }
  }
}
