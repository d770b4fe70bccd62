import { WireError } from '../../../model/errors.js';
import { quote, readParameter, splitOutsideQuotes } from './quoted.js';

/** Alternatives in one header; GStreamer sends three. */
export const MAX_TRANSPORTS = 16;
/** Parameters of one alternative. */
export const MAX_TRANSPORT_PARAMETERS = 32;

/** Two numbers side by side: channels 0–255 or ports 0–65535 for RTP and RTCP. */
export interface NumberPair {
  readonly rtp: number;
  readonly rtcp: number;
}

/** One way of carrying RTP that a client offers or a server has chosen. */
export interface TransportSpec {
  /** Upper case, with what stands ahead of it: `RTP/AVP`, `RTP/SAVP`, also others (to be answered with 461). */
  readonly profile: string;
  /** Upper case: `UDP` (said or meant), `TCP`, or what nobody knows. */
  readonly lower: string;
  readonly delivery?: 'unicast' | 'multicast';
  /** Absent too when the parameter is empty (`interleaved=`, Red5's Android SDK): the server chooses. */
  readonly interleaved?: NumberPair;
  /** 0 for both: GStreamer's old rtspclientsink, which cannot do UDP (RTSP-17). */
  readonly clientPort?: NumberPair;
  readonly serverPort?: NumberPair;
  /** Ports of a multicast group. */
  readonly port?: NumberPair;
  /** Lower case, without quotes: `play`, `record`, `receive`. The method decides the role, not this. */
  readonly mode?: string;
  /** Empty when the parameter has no value. An address elsewhere than the client's own is an attack. */
  readonly destination?: string;
  readonly source?: string;
  /** As it came: eight hex digits, or what servers make of them. */
  readonly ssrc?: string;
  /** 0–255. */
  readonly ttl?: number;
  /** Everything else, as it came, in its order: `append`, `layers=1`. Not to be passed on unseen. */
  readonly others: readonly string[];
}

type Fields = { -readonly [Field in keyof TransportSpec]: TransportSpec[Field] };

/**
 * Reads a Transport header: its alternatives in the order of the client's wishes. Names, profile and mode count in any case.
 *
 * A pair may be one number: the other is the next. Throws WireError `transport-invalid` for a parameter twice and for numbers that
 * cannot be, `too-many-parts` beyond the limits, and `transport-invalid` when there is no alternative at all.
 * @see RFC 2326 §12.39
 * @example readTransport('RTP/AVP/TCP;unicast;interleaved=0-1;mode=record')[0].interleaved // { rtp: 0, rtcp: 1 }
 */
export function readTransport(value: string): TransportSpec[] {
  const specs = splitOutsideQuotes(value, ',', MAX_TRANSPORTS).map(readSpec);
  if (specs.length === 0) throw invalid('a transport');
  return specs;
}

/**
 * Writes alternatives. Throws WireError `unwritable-header` for a value that holds what would end it early.
 * @see RFC 2326 §12.39
 */
export function writeTransport(...specs: readonly TransportSpec[]): string {
  return specs.map(writeSpec).join(',');
}

function readSpec(text: string): TransportSpec {
  const [head = '', ...parameters] = splitOutsideQuotes(text, ';', MAX_TRANSPORT_PARAMETERS);
  const fields: Fields = { ...readProfile(head), others: [] };
  const others: string[] = [];
  const seen = new Set<string>();
  for (const parameter of parameters) {
    const { name, value = '' } = readParameter(parameter);
    const known = name.toLowerCase();
    if (seen.has(known)) throw invalid('each parameter once');
    seen.add(known);
    if (!readField(fields, known, value)) others.push(parameter);
  }
  return { ...fields, others };
}

function readProfile(head: string): { readonly profile: string; readonly lower: string } {
  const [protocol = '', profile = '', lower = 'UDP', ...more] = head.toUpperCase().split('/');
  const parts = [protocol, profile, lower];
  if (more.length > 0 || parts.some((part) => !/^[A-Z0-9.+-]+$/.test(part))) throw invalid('RTP/AVP first');
  return { profile: `${protocol}/${profile}`, lower };
}

/** Whether `name` is one of the fields. */
function readField(fields: Fields, name: string, value: string): boolean {
  switch (name) {
    case 'unicast':
    case 'multicast':
      fields.delivery ??= name;
      return true;
    case 'interleaved':
      if (value !== '') fields.interleaved = readPair(value, 255);
      return true;
    case 'client_port':
      fields.clientPort = readPair(value, 65535);
      return true;
    case 'server_port':
      fields.serverPort = readPair(value, 65535);
      return true;
    case 'port':
      fields.port = readPair(value, 65535);
      return true;
    case 'mode':
      fields.mode = value.toLowerCase();
      return true;
    case 'ttl':
      fields.ttl = readNumber(value, 255);
      return true;
    case 'destination':
    case 'source':
    case 'ssrc':
      fields[name] = value;
      return true;
    default:
      return false;
  }
}

function readPair(text: string, max: number): NumberPair {
  const dash = text.indexOf('-');
  const rtp = readNumber(dash < 0 ? text : text.slice(0, dash), max);
  const rtcp = dash < 0 ? rtp + 1 : readNumber(text.slice(dash + 1), max);
  if (rtcp > max || rtcp < rtp) throw invalid('two numbers in their order');
  return { rtp, rtcp };
}

function readNumber(text: string, max: number): number {
  const digits = text.trim();
  if (!/^\d{1,5}$/.test(digits) || Number(digits) > max) throw invalid(`a number from 0 to ${max}`);
  return Number(digits);
}

function writeSpec(spec: TransportSpec): string {
  const { profile, lower, delivery, interleaved, clientPort, serverPort, port, ttl, mode, others } = spec;
  const { destination, source, ssrc } = spec;
  const fields: readonly (readonly [string, string | number | NumberPair | undefined])[] = [
    ['destination', destination],
    ['source', source],
    ['interleaved', interleaved],
    ['client_port', clientPort],
    ['server_port', serverPort],
    ['port', port],
    ['ttl', ttl],
    ['ssrc', ssrc],
    ['mode', mode],
  ];
  const written = fields.flatMap(([name, value]) => (value === undefined ? [] : [writeField(name, value)]));
  const head = lower === 'UDP' ? profile : `${profile}/${lower}`;
  const parts = [head, ...(delivery === undefined ? [] : [delivery]), ...written, ...others];
  if (!parts.every((part) => PART.test(part))) {
    throw new WireError('unwritable-header', 'parameters without separators and control characters');
  }
  return parts.join(';');
}

/** Printable, and a comma or semicolon in quotes only. */
const PART = /^(?:[!#-+\--:<-~]|"[^"\\\p{Cc}]*")+$/u;

function writeField(name: string, value: string | number | NumberPair): string {
  if (typeof value === 'object') return `${name}=${value.rtp}-${value.rtcp}`;
  if (value === '') return name;
  const text = String(value);
  // A `mode` of several words.
  return `${name}=${/[,; ]/.test(text) ? quote(text) : text}`;
}

function invalid(expected: string): WireError {
  return new WireError('transport-invalid', expected);
}
