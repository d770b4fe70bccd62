/** The words of the `red5-transport` claim; TLS is a flag beside it. */
export type TransportName = 'RTMP' | 'RTSP' | 'WHIP' | 'WHEP';

/** All transports, in the order in which documents list them. */
export const TRANSPORT_NAMES: readonly TransportName[] = ['RTMP', 'RTSP', 'WHIP', 'WHEP'];

/** What an address of an origin speaks. WHIP and WHEP share one. */
export type EndpointKind = 'rtmp' | 'rtsp' | 'http';

/** The kind of address at which a transport finds its origin. */
export const ENDPOINT_OF: Readonly<Record<TransportName, EndpointKind>> = {
  RTMP: 'rtmp',
  RTSP: 'rtsp',
  WHIP: 'http',
  WHEP: 'http',
};

/** What a client wants; `connect` opens nothing but the right to ask for one of the others. */
export type Action = 'connect' | 'publish' | 'subscribe';
