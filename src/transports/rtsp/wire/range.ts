import { WireError } from '../../../model/errors.js';

/** A Range header. Start and end are kept as they came (one of them may be empty), so that nothing is rounded on the way. */
export interface RangeHeader {
  /** `npt`, `clock`, `smpte` or one of its kin. */
  readonly unit: string;
  /** Of `npt` also `now`. */
  readonly start: string;
  readonly end: string;
  /** When it shall happen, as a clock time. */
  readonly time?: string;
}

/** Letters of a whole header; none that means something is longer. */
export const MAX_RANGE = 128;

const NPT = /^(?:now|\d{1,15}(?:\.\d{0,9})?|\d{1,9}:\d{1,2}:\d{1,2}(?:\.\d{0,9})?)?$/;
const SMPTE = /^(?:\d{1,9}:\d{1,2}:\d{1,2}(?::\d{1,2}(?:\.\d{0,2})?)?)?$/;
const CLOCK = /^(?:\d{8}T\d{6}(?:\.\d{0,9})?Z)?$/;
const RANGE =
  /^\s*(?<unit>[a-z0-9-]+)\s*=\s*(?<start>[^-;\s]*)\s*(?:-\s*(?<end>[^-;\s]*)\s*)?(?:;\s*time\s*=\s*(?<time>\S+)\s*)?$/i;
const TIMES: Readonly<Record<string, RegExp>> = {
  npt: NPT,
  clock: CLOCK,
  smpte: SMPTE,
  'smpte-25': SMPTE,
  'smpte-30-drop': SMPTE,
};

/**
 * Reads a Range header. Throws WireError `range-invalid` for a unit or a time that the standard does not know.
 * @see RFC 2326 §12.29, §3.5–3.7
 * @example readRange('npt=0.000-') // { unit: 'npt', start: '0.000', end: '' }
 */
export function readRange(value: string): RangeHeader {
  const groups = value.length > MAX_RANGE ? undefined : RANGE.exec(value)?.groups;
  const { unit = '', start = '', end = '', time } = groups ?? {};
  const range = { unit: unit.toLowerCase(), start, end, ...(time !== undefined && { time }) };
  if (!isRange(range)) throw new WireError('range-invalid', 'npt, clock or smpte times');
  return range;
}

/** Writes a Range header. Throws WireError `unwritable-header` for what readRange would not take. */
export function writeRange(range: RangeHeader): string {
  const { unit, start, end, time } = range;
  if (!isRange(range)) throw new WireError('unwritable-header', 'npt, clock or smpte times');
  return `${unit}=${start}-${end}${time === undefined ? '' : `;time=${time}`}`;
}

function isRange({ unit, start, end, time = '' }: RangeHeader): boolean {
  const times = Object.hasOwn(TIMES, unit) ? TIMES[unit] : undefined;
  return times !== undefined && times.test(start) && times.test(end) && start + end !== '' && CLOCK.test(time);
}
