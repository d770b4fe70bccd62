import { fieldsOf, type AmfFields, type AmfValue } from './amf-value.js';

/** Entries of one list or map, and characters of one FourCC. */
const MAX_ENTRIES = 64;
const MAX_FOUR_CC_LENGTH = 16;

/** What one side says of Enhanced RTMP, by the specification's names; a name that was not sent is absent. */
export type EnhancedFields = Readonly<Record<string, AmfValue>>;

/**
 * Picks the Enhanced RTMP fields out of a connect object or its answer: `fourCcList`, `videoFourCcInfoMap`,
 * `audioFourCcInfoMap`, `capsEx` (also as Red5 spells it, `CapsEx`). Values of another shape than specified are left out, so
 * the rest can be sent on. At most 64 entries each.
 * @see Enhanced RTMP v2, "Enhancing NetConnection connect Command"
 */
export function readEnhanced(fields: AmfFields): EnhancedFields {
  const found: [string, AmfValue][] = [
    ['fourCcList', readList(fields.get('fourCcList'))],
    ['videoFourCcInfoMap', readMap(fields.get('videoFourCcInfoMap'))],
    ['audioFourCcInfoMap', readMap(fields.get('audioFourCcInfoMap'))],
    ['capsEx', readNumber(fields.get('capsEx') ?? fields.get('CapsEx'))],
  ];
  return Object.fromEntries(found.filter(([, value]) => value !== undefined));
}

function readList(value: AmfValue): AmfValue {
  if (typeof value !== 'object' || value?.kind !== 'strict-array') return undefined;
  const items = value.items.filter((item) => typeof item === 'string' && item.length <= MAX_FOUR_CC_LENGTH);
  return { kind: 'strict-array', items: items.slice(0, MAX_ENTRIES) };
}

function readMap(value: AmfValue): AmfValue {
  if (typeof value !== 'object' || value === null) return undefined;
  const entries = [...fieldsOf(value)].filter(
    ([name, mask]) => name.length <= MAX_FOUR_CC_LENGTH && readNumber(mask) !== undefined,
  );
  return entries.length === 0 ? undefined : { kind: 'object', fields: new Map(entries.slice(0, MAX_ENTRIES)) };
}

function readNumber(value: AmfValue): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}
