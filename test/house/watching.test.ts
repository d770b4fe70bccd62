import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { REJECTIONS } from '../../src/model/rejection.js';
import { METRICS, type MetricSpec } from '../../src/telemetry/metric-list.js';
import { textOf } from './source.js';

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

interface Panel {
  readonly id: number;
  readonly datasource?: { readonly type: string; readonly uid: string };
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
  readonly title: string;
  readonly type: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly {
    readonly refId: string;
    readonly expr: string;
    readonly legendFormat: string;
    readonly datasource: unknown;
  }[];
}

const alerts = parse(textOf('config/alerts/portcullis.rules.yaml')) as {
  groups: readonly { rules: readonly Rule[] }[];
};
const rules = alerts.groups.flatMap((group) => group.rules);
const dashboard = JSON.parse(textOf('config/grafana/portcullis.json')) as {
  readonly uid: string;
  readonly schemaVersion: number;
  readonly templating: { readonly list: readonly Readonly<Record<'name' | 'type', string>>[] };
  readonly panels: readonly Panel[];
};
const drawn = dashboard.panels.flatMap(({ title, targets = [] }) => targets.map((target) => ({ title, ...target })));
const questions = [...rules.map(({ alert, expr }) => ({ title: alert, expr })), ...drawn];

/** What Prometheus adds to every series that it fetches. */
const OF_THE_SCRAPE = ['instance', 'job'];

const specOf = (name: string): MetricSpec | undefined =>
  Object.entries<MetricSpec>(METRICS).find(([known]) => known === name)?.[1];

/** The metric that a series belongs to: a histogram is published as three. */
function familyOf(series: string): MetricSpec | undefined {
  const part = /^(.+)_(?:bucket|sum|count)$/.exec(series)?.[1];
  const histogram = part === undefined ? undefined : specOf(part);
  if (histogram?.type === 'histogram') return histogram;
  const spec = specOf(series);
  return spec?.type === 'histogram' ? undefined : spec;
}

const seriesIn = (expr: string) => [...expr.matchAll(/portcullis_(\w+)/g)].map(([, name = '']) => name);

/** The labels of all series of an expression. */
const labelsIn = (expr: string) => [
  ...OF_THE_SCRAPE,
  ...(expr.includes('_bucket') ? ['le'] : []),
  ...seriesIn(expr).flatMap((series) => familyOf(series)?.labels ?? []),
];

/** The labels that an expression keeps: those of its outer `by`, or all. */
function labelsOf(expr: string): readonly string[] {
  const [, kept] = /\bby \(([^)]*)\)/.exec(expr) ?? [];
  return kept === undefined ? labelsIn(expr) : kept.split(/, */);
}

describe('the dashboard and the alert rules', () => {
  it('ask for metrics that there are', () => {
    expect(rules.length).toBeGreaterThan(5);
    expect(drawn.length).toBeGreaterThan(10);
    const unknown = questions.flatMap(({ title, expr }) =>
      seriesIn(expr)
        .filter((series) => familyOf(series) === undefined)
        .map((series) => `${title}: ${series}`),
    );
    expect(unknown).toEqual([]);
  });

  it('ask for labels that their metrics have', () => {
    const unknown = questions.flatMap(({ title, expr }) => {
      const selected = [...expr.matchAll(/portcullis_(\w+)\{([^}]*)\}/g)].flatMap(([, series = '', inner = '']) =>
        [...inner.matchAll(/(\w+)(?:=~|!~|!=|=)"/g)]
          .map(([, label = '']) => label)
          .filter((label) => ![...OF_THE_SCRAPE, ...(familyOf(series)?.labels ?? [])].includes(label)),
      );
      const grouped = [...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = '']) =>
        list.split(/, */).filter((label) => !labelsIn(expr).includes(label)),
      );
      return [...selected, ...grouped].map((label) => `${title}: ${label}`);
    });
    expect(unknown).toEqual([]);
  });

  it('compare with codes and reasons that there are', () => {
    const reasons = [...textOf('src/model/leg.ts').matchAll(/^ {2}\| '([a-z-]+)'/gm)].map(([, word]) => word);
    const valuesOf = (label: string, pattern: RegExp) =>
      questions
        .flatMap(({ expr }) => [...expr.matchAll(pattern)])
        .flatMap(([, text = '']) => text.split('|'))
        .map((value) => `${label} ${value}`);
    const known = [...Object.keys(REJECTIONS).map((code) => `code ${code}`), ...reasons.map((one) => `reason ${one}`)];
    const used = [
      ...valuesOf('code', /\bcode=~?"([^"]*)"/g),
      ...valuesOf('reason', /sessions_ended_total\{[^}]*reason=~?"([^"]*)"/g),
    ];
    expect(used.length).toBeGreaterThan(1);
    expect(used.filter((one) => !known.includes(one))).toEqual([]);
  });

  it('name only labels in their texts that are left', () => {
    const lost = [
      ...rules.flatMap(({ alert, expr, annotations }) =>
        [
          ...Object.values(annotations)
            .join(' ')
            .matchAll(/\$labels\.(\w+)/g),
        ]
          .filter(([, label = '']) => !labelsOf(expr).includes(label))
          .map(([, label]) => `${alert}: ${label ?? ''}`),
      ),
      ...drawn.flatMap(({ title, expr, legendFormat }) =>
        [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)]
          .filter(([, label = '']) => !labelsOf(expr).includes(label))
          .map(([, label]) => `${title}: ${label ?? ''}`),
      ),
    ];
    expect(lost).toEqual([]);
  });

  it('say of each alert what is wrong, what to do, how long and how urgent', () => {
    for (const rule of rules) {
      expect(rule.for).toMatch(/^\d+[sm]$/);
      expect(['page', 'ticket']).toContain(rule.labels['severity']);
      expect(Object.keys(rule.annotations).sort()).toEqual(['action', 'summary']);
    }
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
  });

  it('ask the data source that the user chose, for the gateways that the user chose', () => {
    const names = dashboard.templating.list.map(({ name, type }) => `${name}: ${type}`);
    expect(names).toEqual(['datasource: datasource', 'instance: query']);
    const chosen = { type: 'prometheus', uid: '${datasource}' };
    for (const { title, targets = [], datasource } of dashboard.panels) {
      if (targets.length === 0) continue;
      expect([title, datasource]).toEqual([title, chosen]);
      for (const target of targets) {
        expect([title, target.datasource]).toEqual([title, chosen]);
        const series = target.expr.match(/portcullis_\w+/g) ?? [];
        expect([title, target.expr.match(/instance=~"\$instance"/g)?.length]).toEqual([title, series.length]);
      }
      expect(new Set(targets.map(({ refId }) => refId)).size).toBe(targets.length);
    }
  });

  it('have what Grafana tells panels apart by, and units that it knows', () => {
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
    expect([dashboard.uid, dashboard.schemaVersion]).toEqual(['portcullis', 39]);
    const units = dashboard.panels.map(({ fieldConfig }) => fieldConfig?.defaults.unit ?? 'none');
    const known = ['none', 's', 'd', 'bps', 'pps', 'ops', 'percentunit'];
    expect(units.filter((unit) => !known.includes(unit))).toEqual([]);
  });

  it('draw no panel over another', () => {
    const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, index) => `${x + (index % w)},${y + Math.floor(index / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(dashboard.panels.every(({ gridPos: { x, w } }) => x + w <= 24)).toBe(true);
  });
});
