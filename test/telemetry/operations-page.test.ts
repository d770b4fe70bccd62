import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { METRICS, type MetricSpec } from '../../src/telemetry/metric-list.js';

it('docs/operations.md lists every metric with its labels and help', () => {
  const page = readFileSync(join(__dirname, '..', '..', 'docs', 'operations.md'), 'utf8');
  const rows = Object.entries<MetricSpec>(METRICS).map(([name, { labels, help }]) => {
    const words = labels.map((label) => `\`${label}\``).join(', ');
    return `| \`portcullis_${name}\` | ${words === '' ? '—' : words} | ${help} |`;
  });
  expect(page.split('\n').filter((line) => line.startsWith('| `portcullis_'))).toEqual(rows);
});
