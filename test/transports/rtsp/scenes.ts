import type { RtspGate } from '../../fakes/rtsp-gate.js';
import type { RtspOriginDouble } from '../../fakes/rtsp-origin.js';
import { SDP, type RtspPeer } from '../../fakes/rtsp-peer.js';

export const HOST = 'rtsp://gate.example:8554';
export const URL = `${HOST}/live/cam`;
export const TYPE = { 'Content-Type': 'application/sdp' };

export const tcp = (pair: string, more = ''): Record<string, string> => ({
  Transport: `RTP/AVP/TCP;unicast;interleaved=${pair}${more}`,
});

/** The origin that was dialled last. */
export function lastOrigin(gate: RtspGate): RtspOriginDouble {
  const origin = gate.origins.at(-1);
  if (origin === undefined) throw new Error('no origin was dialled');
  return origin;
}

/** A publisher that records two tracks. */
export async function publishing(gate: RtspGate, query = `?token=${gate.token()}`): Promise<RtspPeer> {
  const peer = gate.client();
  await peer.ask('OPTIONS', URL);
  await peer.ask('ANNOUNCE', `${URL}${query}`, TYPE, SDP);
  const first = await peer.ask('SETUP', `${URL}${query}/streamid=0`, tcp('0-1', ';mode=record'));
  const session = { Session: first.headers.get('Session') ?? '' };
  await peer.ask('SETUP', `${URL}${query}/streamid=1`, { ...tcp('2-3', ';mode=record'), ...session });
  await peer.ask('RECORD', URL, { Range: 'npt=0.000-', ...session });
  return peer;
}

/** A viewer that plays two tracks. */
export async function playing(
  gate: RtspGate,
  transports: readonly Record<string, string>[] = [tcp('0-1'), tcp('2-3')],
): Promise<RtspPeer> {
  const peer = gate.client();
  await peer.ask('OPTIONS', URL);
  await peer.ask('DESCRIBE', `${URL}?token=${gate.token()}`, { Accept: 'application/sdp' });
  for (const [index, transport] of transports.entries()) {
    await peer.ask('SETUP', `${URL}/trackID=${index}`, transport);
  }
  await peer.ask('PLAY', `${URL}/`, { Range: 'npt=0.000-' });
  return peer;
}
