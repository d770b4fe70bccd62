import type { NumberPair, TransportSpec } from './wire/transport-header.js';

/** How one track comes to the client or from it. */
export type TrackTransport =
  | { readonly kind: 'interleaved'; readonly spec: TransportSpec; readonly wanted: NumberPair | undefined }
  | { readonly kind: 'datagrams'; readonly spec: TransportSpec; readonly clientPorts: NumberPair };

/** What there is to choose by. */
export interface ChoiceContext {
  readonly remoteAddress: string;
  /** UDP is on, and this client is not inside TLS. */
  readonly hasDatagrams: boolean;
}

/** What RTP may be inside of; keys and packets pass untouched. */
const PROFILES: ReadonlySet<string> = new Set(['RTP/AVP', 'RTP/AVPF', 'RTP/SAVP', 'RTP/SAVPF']);

/**
 * The first of the client's wishes that can be met; undefined means 461. Multicast never, datagrams only to the ports of the
 * client's own address (a `destination` elsewhere would make a weapon of us; ports 0 are a client that cannot, RTSP-17).
 */
export function chooseTransport(specs: readonly TransportSpec[], context: ChoiceContext): TrackTransport | undefined {
  for (const spec of specs) {
    if (!PROFILES.has(spec.profile) || spec.delivery === 'multicast') continue;
    if (spec.lower === 'TCP') return { kind: 'interleaved', spec, wanted: spec.interleaved };
    if (spec.lower !== 'UDP' || !context.hasDatagrams || !isOwn(spec.destination, context.remoteAddress)) continue;
    const { clientPort } = spec;
    if (clientPort === undefined || clientPort.rtp === 0 || clientPort.rtcp === 0) continue;
    return { kind: 'datagrams', spec, clientPorts: clientPort };
  }
  return undefined;
}

/** The transport as the answer to SETUP says it. `ssrc` is the origin's, left alone. */
export function chosenSpec(
  chosen: TrackTransport,
  parts: { readonly pair: NumberPair; readonly ssrc: string | undefined; readonly isRecord: boolean },
): TransportSpec {
  const { profile, lower } = chosen.spec;
  const base = {
    profile,
    lower,
    delivery: 'unicast',
    others: [],
    ...(parts.ssrc !== undefined && { ssrc: parts.ssrc }),
    ...(parts.isRecord && { mode: 'record' }),
  } as const;
  return chosen.kind === 'interleaved'
    ? { ...base, interleaved: parts.pair }
    : { ...base, clientPort: chosen.clientPorts, serverPort: parts.pair };
}

function isOwn(destination: string | undefined, remoteAddress: string): boolean {
  return destination === undefined || destination === '' || destination === remoteAddress;
}
