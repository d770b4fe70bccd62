/** The words of the `red5-transport` claim; TLS is a flag beside it. */
export type TransportName = 'RTMP' | 'RTSP' | 'WHIP' | 'WHEP';

/** All transports, in the order in which documents list them. */
export const TRANSPORT_NAMES: readonly TransportName[] = ['RTMP', 'RTSP', 'WHIP', 'WHEP'];

/** What a client wants; `connect` opens nothing but the right to ask for one of the others. */
export type Action = 'connect' | 'publish' | 'subscribe';
