import type { Metrics } from '../model/telemetry.js';
import type { MetricSpec } from './metric-list.js';
import { METRICS } from './metric-list.js';

/** Most label combinations of one metric; what comes beyond is counted under `other`. */
const MAX_SERIES = 500;

/** Longest label value, in UTF-16 units. */
const MAX_LABEL_LENGTH = 64;

const PREFIX = 'portcullis_';

/** The counts, and how to publish them. */
export interface MetricsRegistry extends Metrics {
  /** All metrics in Prometheus' text format 0.0.4. @see https://prometheus.io/docs/instrumenting/exposition_formats/ */
  render(): string;
}

type Labels = Readonly<Record<string, string>>;

interface Series {
  readonly labels: string;
  value: number;
  /** Of a histogram: how many observations lie at or below each bucket's bound, and how many there are. */
  readonly counts: number[];
  count: number;
}

interface Family {
  readonly name: string;
  readonly spec: MetricSpec;
  readonly series: Map<string, Series>;
}

/**
 * Makes the registry of the metrics in `METRICS`. A name or label that is not listed there is told to `onMisuse` and
 * otherwise does no harm. Nothing here throws or vetoes.
 */
export function createMetrics(onMisuse: (problem: string) => void = () => undefined): MetricsRegistry {
  const families = new Map<string, Family>();
  for (const [name, spec] of Object.entries(METRICS)) families.set(name, { name, spec, series: new Map() });
  const find = (name: string, type: MetricSpec['type'], labels: Labels): Series | undefined => {
    const family = families.get(name);
    if (family?.spec.type !== type) {
      onMisuse(`there is no ${type} ${name}`);
      return undefined;
    }
    if (!fits(family.spec.labels, labels))
      onMisuse(`${name} has the labels ${family.spec.labels.join(', ') || 'none'}`);
    return seriesOf(family, labels);
  };
  for (const family of families.values()) {
    if (family.spec.labels.length === 0) seriesOf(family, {});
  }
  return {
    count: (name, labels = {}, by = 1) => {
      const series = find(name, 'counter', labels);
      if (series !== undefined && by >= 0 && Number.isFinite(by)) series.value += by;
    },
    gauge: (name, labels, value) => {
      if (value === undefined) {
        const family = families.get(name);
        family?.series.delete(labelText(family.spec.labels, (label) => labels[label] ?? 'none'));
        return;
      }
      const series = find(name, 'gauge', labels);
      if (series !== undefined && Number.isFinite(value)) series.value = value;
    },
    observe: (name, labels, seconds) => {
      const series = find(name, 'histogram', labels);
      if (series !== undefined && Number.isFinite(seconds))
        observe(series, families.get(name)?.spec.buckets ?? [], seconds);
    },
    render: () => [...families.values()].map(renderFamily).join(''),
  };
}

function fits(names: readonly string[], labels: Labels): boolean {
  return Object.keys(labels).length === names.length && names.every((name) => Object.hasOwn(labels, name));
}

function seriesOf(family: Family, labels: Labels): Series {
  const key = labelText(family.spec.labels, (name) => labels[name] ?? 'none');
  const known = family.series.get(key);
  if (known !== undefined) return known;
  const isFull = family.series.size >= MAX_SERIES;
  const text = isFull ? labelText(family.spec.labels, () => 'other') : key;
  const series = family.series.get(text) ?? {
    labels: text,
    value: 0,
    count: 0,
    counts: (family.spec.buckets ?? []).map(() => 0),
  };
  family.series.set(text, series);
  return series;
}

function observe(series: Series, buckets: readonly number[], seconds: number): void {
  series.value += seconds;
  series.count += 1;
  buckets.forEach((bound, index) => {
    if (seconds <= bound) series.counts[index] = (series.counts[index] ?? 0) + 1;
  });
}

function labelText(names: readonly string[], valueOf: (name: string) => string): string {
  return names.map((name) => `${name}="${escape(valueOf(name).slice(0, MAX_LABEL_LENGTH))}"`).join(',');
}

function escape(value: string): string {
  return value.replace(/[\\"\n]/g, (char) => (char === '\n' ? '\\n' : `\\${char}`)).replace(/\r/g, '');
}

function renderFamily({ name, spec, series }: Family): string {
  const full = PREFIX + name;
  const head = `# HELP ${full} ${spec.help}\n# TYPE ${full} ${spec.type}\n`;
  const lines = [...series.values()].map((one) =>
    spec.type === 'histogram' ? histogramLines(full, spec.buckets ?? [], one) : line(full, one.labels, one.value),
  );
  return head + lines.join('');
}

function histogramLines(name: string, buckets: readonly number[], series: Series): string {
  const bucket = (bound: string, count: number) => {
    const labels = [series.labels, `le="${bound}"`].filter((part) => part !== '').join(',');
    return line(`${name}_bucket`, labels, count);
  };
  return [
    ...buckets.map((bound, index) => bucket(String(bound), series.counts[index] ?? 0)),
    bucket('+Inf', series.count),
    line(`${name}_sum`, series.labels, series.value),
    line(`${name}_count`, series.labels, series.count),
  ].join('');
}

function line(name: string, labels: string, value: number): string {
  return `${name}${labels === '' ? '' : `{${labels}}`} ${value}\n`;
}
