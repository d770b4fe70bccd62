import { WireError } from '../../../model/errors.js';
import {
  attributeValue,
  readAttribute,
  readAttributes,
  readMediaLine,
  readSdp,
  type Sdp,
  type SdpLines,
} from '../../../wire/sdp.js';
import { readCandidate, type IceCandidate } from './ice-candidate.js';

/** User name fragment and password of one side of ICE. */
export interface IceCredentials {
  readonly ufrag: string;
  readonly pwd: string;
}

/** A description that one port can serve. */
export interface Description {
  readonly sdp: Sdp;
  readonly ice: IceCredentials;
  readonly isLite: boolean;
  /** Those that can be used, in the order in which they stand. */
  readonly candidates: readonly IceCandidate[];
  /** The section that owns the transport of all: the first of BUNDLE. */
  readonly transportSection: number;
}

/** Whose description it is and what for. */
export interface DescriptionRole {
  readonly kind: 'offer' | 'answer';
  /** Sections of the offer that it answers. */
  readonly sections?: number;
}

const PROTOCOLS: ReadonlySet<string> = new Set([
  ...['UDP/TLS/RTP/SAVPF', 'UDP/TLS/RTP/SAVP', 'TCP/DTLS/RTP/SAVPF', 'TCP/TLS/RTP/SAVPF', 'RTP/SAVPF', 'RTP/SAVP'],
  ...['UDP/DTLS/SCTP', 'TCP/DTLS/SCTP', 'DTLS/SCTP'],
]);

/** More than RFC 8839's ice-char, for the sake of older peers; but no colon, which ends a ufrag in STUN. */
const UFRAG = /^[!-9;-~]{4,256}$/;
const PWD = /^[!-~]{22,256}$/;
const FINGERPRINT = /^[A-Za-z0-9-]{1,32} [0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){15,127}$/;

/** By who may say it: only an offer leaves the choice open. `passive` offers come from ffmpeg. @see RFC 8842 §5 */
const SETUPS: Readonly<Record<DescriptionRole['kind'], ReadonlySet<string>>> = {
  offer: new Set(['actpass', 'active', 'passive']),
  answer: new Set(['active', 'passive']),
};

/**
 * Reads a description and checks that a single DTLS transport over ICE can carry all of it; codecs are not looked at.
 *
 * Throws the WireErrors of `readSdp`, and `sdp-no-media`, `sdp-ice`, `sdp-fingerprint`, `sdp-setup`, `sdp-sections` (another number of
 * sections than in the offer); `unsupported-sdp-rejected` (no section in use), `unsupported-sdp-protocol`, `unsupported-sdp-bundle`,
 * `unsupported-sdp-rtcp-mux`.
 */
export function readDescription(text: string, role: DescriptionRole): Description {
  const sdp = readSdp(Buffer.from(text, 'utf8'));
  if (sdp.media.length === 0) throw new WireError('sdp-no-media', 'at least one m= line');
  if (role.sections !== undefined && sdp.media.length !== role.sections) {
    throw new WireError('sdp-sections', `${role.sections} m= lines, as in the offer`);
  }
  const used = usedSections(sdp);
  if (used.length === 0) throw new WireError('unsupported-sdp-rejected', 'a section that is not rejected');
  for (const at of used) checkSection(sdp.media[at] ?? []);
  const transportSection = findTransportSection(sdp, used);
  checkDtls(sdp, transportSection, role.kind);
  return {
    sdp,
    ice: readIce(sdp, transportSection),
    isLite: readAttributes(sdp.session, 'ice-lite').length > 0,
    candidates: candidatesOf(sdp),
    transportSection,
  };
}

/** Checks what a client does with media, and that it is a full ICE agent. Throws `unsupported-sdp-direction`, `unsupported-sdp-ice-lite`. */
export function checkClient({ sdp, isLite }: Description, role: 'publisher' | 'subscriber'): void {
  if (isLite) throw new WireError('unsupported-sdp-ice-lite', 'a client that makes checks');
  const wanted = role === 'publisher' ? 'sendonly' : 'recvonly';
  const fits = usedSections(sdp).some((at) => {
    const { kind } = readMediaLine(sdp.media[at] ?? []);
    const direction = directionOf(sdp, at);
    return (kind === 'audio' || kind === 'video') && (direction === wanted || direction === 'sendrecv');
  });
  if (!fits) throw new WireError('unsupported-sdp-direction', `audio or video that is ${wanted} or sendrecv`);
}

/** Whether a description is an offer for sure: only offers leave the DTLS role open. */
export function isOffer(text: string): boolean {
  return /^a=setup:actpass\r?$/m.test(text);
}

/** Sections in use: not rejected with port 0, except where `bundle-only` means something else. @see RFC 9143 §6 */
function usedSections(sdp: Sdp): readonly number[] {
  return sdp.media.flatMap((lines, at) => {
    const isRejected =
      /^0(?:\/|$)/.test(readMediaLine(lines).port) && readAttributes(lines, 'bundle-only').length === 0;
    return isRejected ? [] : [at];
  });
}

function checkSection(lines: SdpLines): void {
  const { kind, protocol } = readMediaLine(lines);
  if (!PROTOCOLS.has(protocol.toUpperCase())) throw new WireError('unsupported-sdp-protocol', 'media over DTLS');
  const isRtp = kind !== 'application';
  if (isRtp && readAttributes(lines, 'rtcp-mux').length === 0) {
    throw new WireError('unsupported-sdp-rtcp-mux', 'a=rtcp-mux in each section of RTP');
  }
}

/** The section whose transport all others share. One section needs no group. @see RFC 9143 §7.2 */
function findTransportSection(sdp: Sdp, used: readonly number[]): number {
  const [only] = used;
  if (used.length === 1 && only !== undefined) return only;
  const mids = new Map(used.map((at) => [readAttributes(sdp.media[at] ?? [], 'mid')[0] ?? '', at]));
  for (const group of readAttributes(sdp.session, 'group')) {
    const [semantics, ...bundled] = group.split(/ +/);
    if (semantics?.toUpperCase() !== 'BUNDLE' || mids.size !== used.length) continue;
    if (![...mids.keys()].every((mid) => bundled.includes(mid))) continue;
    const tagged = bundled.map((mid) => mids.get(mid)).find((at) => at !== undefined);
    if (tagged !== undefined) return tagged;
  }
  throw new WireError('unsupported-sdp-bundle', 'all sections in one BUNDLE group');
}

function checkDtls(sdp: Sdp, section: number, kind: DescriptionRole['kind']): void {
  const fingerprint = readAttribute(sdp, section, 'fingerprint');
  if (fingerprint === undefined || !FINGERPRINT.test(fingerprint)) {
    throw new WireError('sdp-fingerprint', 'a=fingerprint:HASH XX:XX…');
  }
  const setup = readAttribute(sdp, section, 'setup');
  if (setup !== undefined && !SETUPS[kind].has(setup)) {
    throw new WireError('sdp-setup', `a=setup of ${[...SETUPS[kind]].join(', ')}`);
  }
}

function readIce(sdp: Sdp, section: number): IceCredentials {
  const ufrag = readAttribute(sdp, section, 'ice-ufrag') ?? '';
  const pwd = readAttribute(sdp, section, 'ice-pwd') ?? '';
  if (!isUfrag(ufrag) || !isPwd(pwd)) throw new WireError('sdp-ice', 'a=ice-ufrag and a=ice-pwd');
  return { ufrag, pwd };
}

/** Whether a text can be a user name fragment. */
export function isUfrag(text: string): boolean {
  return UFRAG.test(text);
}

/** Whether a text can be an ICE password. */
export function isPwd(text: string): boolean {
  return PWD.test(text);
}

function candidatesOf(sdp: Sdp): readonly IceCandidate[] {
  const values = [sdp.session, ...sdp.media].flatMap((lines) => readAttributes(lines, 'candidate'));
  return values.flatMap((value) => readCandidate(value) ?? []);
}

const DIRECTIONS: readonly string[] = ['sendrecv', 'sendonly', 'recvonly', 'inactive'];

function directionOf(sdp: Sdp, at: number): string {
  const inLines = (lines: SdpLines) =>
    lines.find((line) => line.startsWith('a=') && attributeValue(line) === '' && DIRECTIONS.includes(line.slice(2)));
  const line = inLines(sdp.media[at] ?? []) ?? inLines(sdp.session);
  return line?.slice(2) ?? 'sendrecv';
}
