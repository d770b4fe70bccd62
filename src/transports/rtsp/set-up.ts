import type { DatagramStream } from './datagram-stream.js';
import type { DatagramPair, RtspDeps } from './options.js';
import type { RtspOriginLeg } from './origin-leg.js';
import type { TrackTable } from './tracks.js';
import { chooseTransport, chosenSpec, type TrackTransport } from './transport-choice.js';
import type { RtspRequest, RtspResponse } from './wire/message.js';
import { readTransport, writeTransport, type NumberPair, type TransportSpec } from './wire/transport-header.js';

/** What setting up a track needs of the exchange it belongs to. */
export interface SetUpContext {
  readonly deps: RtspDeps;
  readonly role: 'publisher' | 'subscriber';
  readonly stream: DatagramStream;
  readonly origin: RtspOriginLeg;
  readonly tracks: TrackTable;
  /** The session has ended meanwhile. */
  readonly isOver: () => boolean;
  /** Calls outside of a push: what is thrown ends the session. */
  readonly guarded: (call: () => void) => void;
}

/** How it went: the status for the client, and the transport when it is 200. */
export type OnSetUp = (status: number, transport?: string) => void;

/**
 * Sets one track up on both legs: opens ports if the client wants datagrams, asks the origin for two channels, and puts both
 * into the table. `onDone` is called once, unless the session ends before. Throws WireError for a Transport header that cannot be.
 */
export function setUpTrack(context: SetUpContext, request: RtspRequest, index: number, onDone: OnSetUp): void {
  const { deps, stream } = context;
  const chosen = chooseTransport(readTransport(request.headers.get('Transport') ?? ''), {
    remoteAddress: stream.remoteAddress,
    hasDatagrams: deps.openDatagrams !== undefined && !stream.secure,
  });
  if (chosen === undefined) {
    onDone(461);
    return;
  }
  if (chosen.kind === 'interleaved' || deps.openDatagrams === undefined) {
    askOrigin(context, { index, chosen, pair: undefined }, onDone);
    return;
  }
  deps.openDatagrams({ ...chosen.clientPorts, address: stream.remoteAddress }).then(
    (pair) => {
      if (context.isOver()) pair.close();
      else context.guarded(() => askOrigin(context, { index, chosen, pair }, onDone));
    },
    // No port is free: TCP will do.
    () => context.guarded(() => onDone(461)),
  );
}

interface Wanted {
  readonly index: number;
  readonly chosen: TrackTransport;
  readonly pair: DatagramPair | undefined;
}

function askOrigin(context: SetUpContext, wanted: Wanted, onDone: OnSetUp): void {
  const { origin, role, isOver } = context;
  const { index, chosen, pair } = wanted;
  const offered: TransportSpec = {
    profile: chosen.spec.profile,
    lower: 'TCP',
    delivery: 'unicast',
    interleaved: { rtp: 2 * index, rtcp: 2 * index + 1 },
    ...(role === 'publisher' && { mode: 'record' }),
    others: [],
  };
  const url = origin.places.tracks[index] ?? origin.places.stream;
  origin.talk.ask({ method: 'SETUP', url, headers: [['Transport', writeTransport(offered)]] }, (response) => {
    const transport = response.status === 200 && !isOver() ? join(context, wanted, response, offered) : undefined;
    if (transport === undefined) pair?.close();
    if (response.status !== 200) onDone(statusFor(response));
    else if (transport === undefined) onDone(502);
    else onDone(200, transport);
  });
}

/** Both legs have their channels or ports; undefined when the origin gave what cannot be used. */
function join(
  context: SetUpContext,
  { index, chosen, pair }: Wanted,
  response: RtspResponse,
  offered: TransportSpec,
): string | undefined {
  const { tracks, stream } = context;
  const [given] = readTransport(response.headers.get('Transport') ?? 'RTP/AVP/TCP');
  const origin = given?.interleaved ?? offered.interleaved;
  const client = tracks.freeClientChannels(chosen.kind === 'interleaved' ? chosen.wanted : undefined);
  if (given?.lower !== 'TCP' || origin === undefined || client === undefined) return undefined;
  if (!tracks.add({ index, client, origin })) return undefined;
  if (pair !== undefined) stream.join(client, pair);
  return transportOf(context, chosen, pair?.ports ?? client, given.ssrc);
}

function transportOf(
  { role }: SetUpContext,
  chosen: TrackTransport,
  pair: NumberPair,
  ssrc: string | undefined,
): string {
  const isWritable = ssrc !== undefined && /^[0-9a-f]{1,8}$/i.test(ssrc);
  const parts = { pair, ssrc: isWritable ? ssrc : undefined, isRecord: role === 'publisher' };
  return writeTransport(chosenSpec(chosen, parts));
}

/** Statuses of an origin that help a client to mend its request. */
const HELPFUL: ReadonlySet<number> = new Set([404, 451, 453, 454, 455, 456, 457, 459, 460, 461]);

/** What the client hears of an origin's no: its status where that helps, else that the origin is to blame. */
export function statusFor(response: RtspResponse): number {
  return HELPFUL.has(response.status) ? response.status : 503;
}
