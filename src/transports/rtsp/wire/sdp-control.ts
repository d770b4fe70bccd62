import {
  attributeName,
  attributeValue,
  editLines,
  readAttributes,
  type Sdp,
  type SdpPlace,
} from '../../../wire/sdp.js';

/** The control value of each media section in its order; undefined where there is none (a section of its own is then the stream's URL). */
export function readControls(sdp: Sdp): (string | undefined)[] {
  return sdp.media.map((lines) => readAttributes(lines, 'control')[0]?.trim());
}

/**
 * The same description with every `a=control` value replaced by what `rename` returns; undefined drops the line.
 * `place` is null at session level. Sections without the attribute stay without.
 * @see RFC 2326 §C.1.1
 */
export function rewriteControls(sdp: Sdp, rename: (control: string, place: SdpPlace) => string | undefined): Sdp {
  return editLines(sdp, (line, place) => {
    if (attributeName(line) !== 'control') return line;
    const control = rename(attributeValue(line).trim(), place);
    return control === undefined ? [] : `a=control:${control}`;
  });
}
