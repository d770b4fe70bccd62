import { createHooks, DEFAULT_HOOKS, type HookName } from '../../../src/hooks/index.js';
import { createPipeline } from '../../../src/hooks/pipeline.js';
import { createKeySet, type TokenPolicy } from '../../../src/hooks/verify-token/index.js';
import { mintToken, type MintOptions } from '../../../src/hooks/verify-token/mint.js';
import { GatewayError } from '../../../src/model/errors.js';
import { Secret } from '../../../src/model/secret.js';
import type { LogFields, Metrics } from '../../../src/model/telemetry.js';
import type { HttpCall, HttpReply } from '../../../src/net/http-client.js';
import type { HttpRequest, HttpResponse } from '../../../src/net/http-request.js';
import { originCredentials, type CredentialsOption } from '../../../src/origin/credentials.js';
import { createChooseOrigin } from '../../../src/origin/pool.js';
import { createDoor, type DoorDeps, type SessionDoor } from '../../../src/session/session.js';
import { createWebrtcTransport, type WebrtcTransport } from '../../../src/transports/webrtc/index.js';
import { DEFAULT_WEBRTC_OPTIONS, type Listening, type WebrtcOptions } from '../../../src/transports/webrtc/options.js';
import type { OriginManners } from '../../../src/transports/webrtc/presets.js';
import { fakeClock, type FakeClock } from '../../fakes/clock.js';
import { settle } from '../../fakes/byte-stream.js';
import { fakeMediaPlane, type FakeMediaPlane } from '../../fakes/media-plane.js';

/** The secret of every bed in tests. */
export const BED_SECRET = 'a secret of the tests, long enough for HS256';

/** One request as the origin got it. */
export interface OriginRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

/** How the origin answers; undefined: it cannot be reached. */
export type OriginAnswer = (
  request: OriginRequest,
) => Partial<HttpReplyInit> | undefined | Promise<Partial<HttpReplyInit>>;

interface HttpReplyInit {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface BedOptions {
  readonly hooks?: readonly HookName[];
  readonly policy?: Partial<TokenPolicy>;
  readonly options?: Partial<WebrtcOptions>;
  readonly manners?: Partial<OriginManners>;
  readonly credentials?: CredentialsOption;
  readonly origin?: OriginAnswer;
  readonly door?: Partial<DoorDeps>;
  readonly listening?: Partial<Listening>;
  /** No port for media is open. */
  readonly noMedia?: boolean;
}

/** What a test sends; all has a default. */
export interface Sent {
  readonly headers?: Readonly<Record<string, string>>;
  readonly authorization?: string | readonly string[];
  readonly body?: string;
  readonly secure?: boolean;
  readonly gone?: AbortSignal;
}

/** An answer, easy to look at. */
export interface Got {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  /** All values of headers that may come more than once. */
  readonly links: readonly string[];
  /** Names of all headers, as often as they came. */
  readonly names: readonly string[];
  readonly body: string;
  readonly code: string | undefined;
}

/** The WebRTC half of a gateway without a network: rooms as `gateway.ts` joins them, a fake origin, a fake media plane. */
export interface Bed {
  readonly clock: FakeClock;
  readonly lines: { readonly level: string; readonly event: string; readonly fields: LogFields }[];
  readonly metrics: string[];
  readonly media: FakeMediaPlane;
  readonly door: SessionDoor;
  readonly transport: WebrtcTransport;
  /** What the origin was asked, in order. */
  readonly asked: OriginRequest[];
  origin: OriginAnswer;
  isDraining: boolean;
  send(method: string, target: string, sent?: Sent): Promise<Got>;
  /** POST of an offer with a good token; rejects when that is not answered with a session. */
  open(target: string, sent?: Sent): Promise<{ readonly got: Got; readonly url: string }>;
  token(claims?: Partial<MintOptions>): string;
  decisions(): readonly LogFields[];
  ends(): readonly LogFields[];
}

const FINGERPRINT = `a=fingerprint:sha-256 ${Array.from({ length: 32 }, () => 'AB').join(':')}`;

/** A description as browsers write it, only shorter. */
export function sdp(
  direction: 'sendonly' | 'recvonly',
  setup: 'actpass' | 'active' | 'passive',
  ufrag = 'cl1e',
): string {
  return [
    'v=0',
    'o=- 1 2 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    'a=group:BUNDLE 0',
    'a=group:LS 0 1',
    'm=audio 9 UDP/TLS/RTP/SAVPF 111',
    'c=IN IP4 0.0.0.0',
    `a=ice-ufrag:${ufrag}`,
    'a=ice-pwd:abcdefghijklmnopqrstuvwx',
    FINGERPRINT,
    `a=setup:${setup}`,
    'a=mid:0',
    `a=${direction}`,
    'a=rtcp-mux',
    'a=candidate:1 1 udp 2130706431 192.0.2.77 5000 typ host',
    'a=rtpmap:111 OPUS/48000/2',
    '',
  ].join('\r\n');
}

export const OFFER = { WHIP: sdp('sendonly', 'actpass'), WHEP: sdp('recvonly', 'actpass') } as const;
export const ANSWER = { WHIP: sdp('recvonly', 'passive', 'or1g'), WHEP: sdp('sendonly', 'passive', 'or1g') } as const;
export const FRAGMENT_TYPE = 'application/trickle-ice-sdpfrag';

/** What a browser sends once it knows its candidates. */
export function fragment(ufrag = 'cl1e'): string {
  return [
    `a=ice-ufrag:${ufrag}`,
    'a=ice-pwd:abcdefghijklmnopqrstuvwx',
    'm=audio 9 UDP/TLS/RTP/SAVPF 0',
    'a=mid:0',
    'a=candidate:1 1 udp 2130706431 192.0.2.77 5000 typ host',
    'a=end-of-candidates',
    '',
  ].join('\r\n');
}

/** An origin that takes everything. */
export const kindOrigin: OriginAnswer = ({ method, target }) => {
  if (method === 'POST') {
    const kind = /whep/i.test(target) ? 'WHEP' : 'WHIP';
    return {
      status: 201,
      headers: {
        location: `${target.split('?')[0]}/origin-session`,
        etag: '"origin-tag"',
        link: '<turn:origin.example>; rel="ice-server"',
        'set-cookie': 'origin=1',
        'access-control-allow-origin': 'https://origin.example',
        'www-authenticate': 'Basic realm="origin"',
        server: 'origin/1',
      },
      body: ANSWER[kind],
    };
  }
  return { status: 204 };
};

/** Makes a bed. */
export function makeBed(options: BedOptions = {}): Bed {
  const clock = fakeClock();
  const media = fakeMediaPlane();
  const lines: Bed['lines'] = [];
  const counted: string[] = [];
  const asked: OriginRequest[] = [];
  const keys = createKeySet([{ id: 'main', algorithm: 'HS256', secret: new Secret(BED_SECRET) }]);
  if (!keys.ok) throw new Error('the key of the tests was refused');
  const policy: TokenPolicy = {
    ...{ profile: 'red5', issuers: [], audiences: [], maxTtlS: 3600, leewayS: 0, keys: keys.keySet },
    ...options.policy,
  };
  const log = {
    write: (level: string, event: string, fields: LogFields) => void lines.push({ level, event, fields }),
    enabled: () => true,
  };
  const tell = (name: string, labels = {}) => void counted.push(`${name}${JSON.stringify(labels)}`);
  const metrics: Metrics = { count: tell, gauge: tell, observe: tell };
  const chooseOrigin = createChooseOrigin(
    [
      {
        name: 'origin',
        endpoints: { http: { host: 'origin.example', port: 5080, secure: false, rooms: 'name' } },
        credentials: options.credentials ?? { mode: 'strip' },
      },
    ],
    (origin, request) => originCredentials(origin.credentials, request, { nowMs: clock.now(), tokenId: 'fresh' }),
  );
  const state = { isDraining: false, origin: options.origin ?? kindOrigin };
  let ids = 0;
  const door = createDoor({
    decide: createPipeline(
      createHooks(
        (options.hooks ?? DEFAULT_HOOKS).map((name) => ({ name })),
        { policy, clock },
      ),
      { clock, hookTimeoutMs: 3000 },
    ),
    chooseOrigin,
    startRelay: () => {
      throw new Error('media of WebRTC is no stream');
    },
    ...{ log, metrics, clock },
    newId: () => `s${++ids}`,
    dialTimeoutMs: 5000,
    publisherConflict: 'reject',
    onExpiry: 'keep',
    isDraining: () => state.isDraining,
    ...options.door,
  });
  const call = async (request: HttpCall): Promise<HttpReply> => {
    const told: OriginRequest = {
      method: request.method,
      target: request.target.reveal(),
      headers: Object.fromEntries(
        request.headers.map(([name, value]) => [name.toLowerCase(), value instanceof Secret ? value.reveal() : value]),
      ),
      body: request.body,
    };
    asked.push(told);
    const answer = await state.origin(told);
    if (answer === undefined) throw new GatewayError('origin-unavailable', 'origin', 'connection refused');
    const { status = 200, headers = {}, body = '' } = answer;
    return { status, headers: new Map(Object.entries(headers)), body };
  };
  let drawn = 0;
  const transport = createWebrtcTransport(
    {
      ...{ door, call, clock, log, metrics },
      mannersOf: () => ({
        ...{ preset: 'generic', basePath: '', credentials: 'header', media: 'relay' },
        ...options.manners,
      }),
      media: options.noMedia === true ? undefined : media,
      random: (size) => Buffer.alloc(size, ++drawn),
    },
    { ...DEFAULT_WEBRTC_OPTIONS, ...options.options },
  );
  const bed: Bed = {
    ...{ clock, lines, metrics: counted, media, door, transport, asked },
    get origin() {
      return state.origin;
    },
    set origin(answer) {
      state.origin = answer;
    },
    get isDraining() {
      return state.isDraining;
    },
    set isDraining(is) {
      state.isDraining = is;
    },
    async send(method, target, sent = {}) {
      const listening = {
        publicUrl: 'https://media.example.com/edge',
        pages: false,
        framedBy: [],
        ...options.listening,
      };
      return seen(await transport.answer(requestOf(method, target, sent), listening));
    },
    async open(target, sent = {}) {
      const kind = /whep/.test(target) ? 'WHEP' : 'WHIP';
      const got = await bed.send('POST', target, {
        authorization: `Bearer ${bed.token()}`,
        body: OFFER[kind],
        ...sent,
        headers: { 'content-type': 'application/sdp', ...sent.headers },
      });
      const url = /\/session\/.+$/.exec(got.headers.get('location') ?? '')?.[0];
      if (url === undefined) throw new Error(`no session: ${got.status} ${got.body}`);
      await settle();
      return { got, url };
    },
    token: (claims = {}) => mintToken({ key: keys.keySet.keys[0]!, ttlS: 60, ...claims }, clock.now() / 1000),
    decisions: () => lines.filter(({ event }) => event === 'decision').map(({ fields }) => fields),
    ends: () => lines.filter(({ event }) => event === 'session.end').map(({ fields }) => fields),
  };
  return bed;
}

function requestOf(method: string, target: string, sent: Sent): HttpRequest {
  const mark = target.indexOf('?');
  const authorization = typeof sent.authorization === 'string' ? [sent.authorization] : (sent.authorization ?? []);
  return {
    method,
    path: mark < 0 ? target : target.slice(0, mark),
    query: mark < 0 ? undefined : new Secret(target.slice(mark + 1)),
    authorization: authorization.map((value) => new Secret(value)),
    headers: new Map(Object.entries({ host: 'gw.example:5080', ...sent.headers })),
    body: Buffer.from(sent.body ?? ''),
    remoteAddress: '192.0.2.1',
    secure: sent.secure ?? false,
    gone: sent.gone ?? new AbortController().signal,
  };
}

function seen({ status, headers, body = '' }: HttpResponse): Got {
  const text = body.toString();
  const lower = headers.map(([name, value]) => [name.toLowerCase(), value] as const);
  const isProblem = lower.some(([, value]) => value === 'application/problem+json');
  const told = isProblem ? (JSON.parse(text) as { readonly code: string }) : undefined;
  return {
    status,
    headers: new Map(lower),
    links: lower.filter(([name]) => name === 'link').map(([, value]) => value),
    names: lower.map(([name]) => name),
    body: text,
    code: told?.code,
  };
}

/** Lets everything that is under way arrive. */
export async function quiet(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await settle();
}
