import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { METRICS } from '../../src/telemetry/metric-list.js';
import { createMetrics } from '../../src/telemetry/metrics.js';

describe('the metrics', () => {
  it('are all published from the start, with help and type', () => {
    const text = createMetrics().render();
    for (const [name, { type, help }] of Object.entries(METRICS)) {
      expect(text).toContain(`# HELP portcullis_${name} ${help}\n# TYPE portcullis_${name} ${type}\n`);
    }
    expect(text).toContain('portcullis_event_loop_lag_seconds 0\n');
    expect(text.endsWith('\n')).toBe(true);
  });

  it('count', () => {
    const metrics = createMetrics();
    const labels = { transport: 'RTMP', action: 'publish', outcome: 'no', code: 'role-denied' };
    metrics.count('decisions_total', labels);
    metrics.count('decisions_total', labels, 2);
    metrics.count('decisions_total', labels, -5);
    metrics.count('decisions_total', labels, Number.NaN);
    expect(metrics.render()).toContain(
      'portcullis_decisions_total{transport="RTMP",action="publish",outcome="no",code="role-denied"} 3\n',
    );
  });

  it('gauge', () => {
    const metrics = createMetrics();
    metrics.gauge('origin_up', { origin: 'red5-a' }, 1);
    metrics.gauge('origin_up', { origin: 'red5-a' }, 0);
    expect(metrics.render()).toContain('portcullis_origin_up{origin="red5-a"} 0\n');
  });

  it('forget what is no more', () => {
    const metrics = createMetrics();
    metrics.gauge('origin_up', { origin: 'red5-a' }, 0);
    metrics.gauge('origin_up', { origin: 'red5-b' }, 1);
    metrics.gauge('origin_up', { origin: 'red5-a' }, undefined);
    metrics.gauge('no_such_gauge', {}, undefined);
    expect(metrics.render()).not.toContain('red5-a');
    expect(metrics.render()).toContain('portcullis_origin_up{origin="red5-b"} 1\n');
  });

  it('put observations into cumulative buckets', () => {
    const metrics = createMetrics();
    for (const seconds of [0.0005, 0.02, 100])
      metrics.observe('setup_seconds', { transport: 'RTMP', role: 'publisher' }, seconds);
    const text = metrics.render();
    const labels = 'transport="RTMP",role="publisher"';
    expect(text).toContain(`portcullis_setup_seconds_bucket{${labels},le="0.001"} 1\n`);
    expect(text).toContain(`portcullis_setup_seconds_bucket{${labels},le="0.01"} 1\n`);
    expect(text).toContain(`portcullis_setup_seconds_bucket{${labels},le="0.025"} 2\n`);
    expect(text).toContain(`portcullis_setup_seconds_bucket{${labels},le="10"} 2\n`);
    expect(text).toContain(`portcullis_setup_seconds_bucket{${labels},le="+Inf"} 3\n`);
    expect(text).toContain(`portcullis_setup_seconds_sum{${labels}} 100.0205\n`);
    expect(text).toContain(`portcullis_setup_seconds_count{${labels}} 3\n`);
  });

  it('escape label values', () => {
    const metrics = createMetrics();
    metrics.gauge('origin_up', { origin: 'a"b\\c\nd\r' }, 1);
    expect(metrics.render()).toContain('portcullis_origin_up{origin="a\\"b\\\\c\\nd"} 1\n');
  });

  it('stay bounded, whatever labels come', () => {
    const metrics = createMetrics();
    for (let index = 0; index < 2000; index += 1) {
      metrics.count('connections_refused_total', { transport: 'RTMP', reason: `r${index}` });
    }
    const lines = metrics
      .render()
      .split('\n')
      .filter((line) => line.startsWith('portcullis_connections_refused_total{'));
    expect(lines).toHaveLength(501);
    expect(lines).toContain('portcullis_connections_refused_total{transport="other",reason="other"} 1500');
  });

  it('are told apart from what is no metric, without harm', () => {
    const problems: string[] = [];
    const metrics = createMetrics((problem) => problems.push(problem));
    metrics.count('nothing');
    metrics.count('__proto__');
    metrics.gauge('decisions_total', {}, 1);
    metrics.count('hook_errors_total', { banana: 'x' });
    expect(problems).toEqual([
      'there is no counter nothing',
      'there is no counter __proto__',
      'there is no gauge decisions_total',
      'hook_errors_total has the labels hook',
    ]);
    expect(metrics.render()).toContain('portcullis_hook_errors_total{hook="none"} 1\n');
  });

  it('have ascending buckets, base units and words that Prometheus takes', () => {
    for (const [name, spec] of Object.entries(METRICS)) {
      expect(name).toMatch(/^[a-z][a-z0-9_]*$/);
      expect(name.endsWith('_total')).toBe(spec.type === 'counter');
      if ('buckets' in spec) expect([...spec.buckets].sort((a, b) => a - b)).toEqual(spec.buckets);
    }
  });

  it('are the ones the rooms use', () => {
    const src = join(__dirname, '..', '..', 'src');
    const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
    const used = files.flatMap((file) => {
      const calls = readFileSync(join(src, file), 'utf8').matchAll(/metrics\.(?:count|gauge|observe)\(\s*'([a-z_]+)'/g);
      return [...calls].map((call) => call[1] ?? '');
    });
    expect(used.filter((name) => !Object.hasOwn(METRICS, name))).toEqual([]);
  });
});
