import { beforeAll, describe, expect, it } from '@jest/globals';
import { X509Certificate } from 'node:crypto';
import type { Certificate, Config } from '../../src/config/config.js';
import { createCertificateCare, shownCertificates } from '../../src/gateway/certificates.js';
import type { LogEvent, LogFields, LogLevel } from '../../src/model/telemetry.js';
import { createMetrics } from '../../src/telemetry/metrics.js';
import { complete, configOf, selfSigned } from '../config/loading.js';
import { fakeClock } from '../fakes/clock.js';

const LOOK_MS = 5_000;
type Pair = ReturnType<typeof selfSigned>;
let pairs: { readonly old: Pair; readonly next: Pair };
let startMs: number;

beforeAll(() => {
  pairs = { old: selfSigned(), next: selfSigned() };
  startMs = Date.parse(new X509Certificate(pairs.old.cert).validFrom);
});

/** Certificates in two files, looked after by a clock that stands still. */
function care(more: Readonly<Record<string, unknown>> = {}) {
  const files: Record<string, string> = { 'cert.pem': pairs.old.cert, 'key.pem': pairs.old.key };
  const certificates = [{ cert: { file: 'cert.pem' }, key: { file: 'key.pem' } }];
  const read = (): Config => configOf(complete({ listen: { rtmps: {} }, tls: { certificates, ...more } }), { files });
  const clock = fakeClock(startMs);
  const metrics = createMetrics((problem) => {
    throw new Error(problem);
  });
  const lines: (readonly [LogLevel, LogEvent, LogFields])[] = [];
  const shown: string[] = [];
  const authorities: unknown[] = [];
  const config = read();
  const made = createCertificateCare(config, {
    log: { enabled: () => true, write: (...line) => lines.push(line) },
    ...{ metrics, clock },
    readFile: (path) => {
      const text = files[path];
      if (text === undefined) throw Object.assign(new Error('gone'), { code: 'ENOENT', path });
      return Buffer.from(text);
    },
  });
  made.tell(([first], ca) => {
    shown.push(String(first?.cert));
    authorities.push(ca);
  });
  const look = (times = 1): void => {
    for (let time = 0; time < times; time += 1) clock.advance(LOOK_MS);
  };
  const metric = (line: string): boolean => metrics.render().includes(`portcullis_${line}\n`);
  const outcomes = (): readonly unknown[] =>
    lines.filter(([, event]) => event === 'certificates.read').map(([, , f]) => f);
  return { made, config, files, read, clock, lines, shown, authorities, look, metric, outcomes };
}

const trimmed = ({ cert }: Pair): string => cert.trimEnd();

describe('certificates whose files change', () => {
  it('are shown when both files are there and stayed the same for two looks', () => {
    const { files, shown, look, outcomes, metric } = care();
    look(3);
    files['cert.pem'] = pairs.next.cert;
    look();
    files['key.pem'] = pairs.next.key;
    look();
    expect(shown).toEqual([]);
    look();
    expect(shown).toEqual([trimmed(pairs.next)]);
    look(3);
    expect(outcomes()).toEqual([{ outcome: 'applied', expires: [expect.stringMatching(/^20\d\d-/)] }]);
    expect(metric('tls_reloads_total{outcome="applied"} 1')).toBe(true);
    expect(metric('tls_last_reload_successful 1')).toBe(true);
  });

  it.each<[string, (files: Record<string, string>) => void, RegExp]>([
    ['a certificate without its key', (files) => (files['cert.pem'] = pairs.next.cert), /certificate 1 .*mismatch/],
    ['nonsense', (files) => (files['cert.pem'] = 'nonsense'), /certificate 1 cannot be used/],
    ['an empty file', (files) => (files['key.pem'] = ''), /certificate 1 cannot be used/],
    ['a file that is gone', (files) => delete files['key.pem'], /key\.pem cannot be read: ENOENT/],
  ])('stay as they were on %s, which is told once, and taken when it is right', (_, spoil, problem) => {
    const { files, shown, look, lines, outcomes, metric } = care();
    spoil(files);
    look(5);
    expect(shown).toEqual([]);
    expect(outcomes()).toEqual([{ outcome: 'kept-old', problem: expect.stringMatching(problem) }]);
    expect(lines.find(([, event]) => event === 'certificates.read')?.[0]).toBe('error');
    expect(metric('tls_last_reload_successful 0')).toBe(true);
    expect(JSON.stringify(lines)).not.toContain('PRIVATE KEY');
    Object.assign(files, { 'cert.pem': pairs.next.cert, 'key.pem': pairs.next.key });
    look(2);
    expect(shown).toEqual([trimmed(pairs.next)]);
    expect(metric('tls_last_reload_successful 1')).toBe(true);
  });

  it('are told to be good again when the old ones come back', () => {
    const { files, look, metric } = care();
    files['cert.pem'] = 'nonsense';
    look(2);
    files['cert.pem'] = pairs.old.cert;
    look(2);
    expect(metric('tls_last_reload_successful 1')).toBe(true);
  });

  it('bring another authority of clients with them', () => {
    const clientCertificates = { ca: { file: 'cert.pem' }, mode: 'optional' };
    const { read, files, authorities, look } = care({ clientCertificates });
    expect(shownCertificates(read().tls).clientCertificates).toEqual({ ca: trimmed(pairs.old), isRequired: false });
    Object.assign(files, { 'cert.pem': pairs.next.cert, 'key.pem': pairs.next.key });
    look(2);
    expect(authorities).toEqual([trimmed(pairs.next)]);
  });

  it('are what a listener of the same config that opens later shows', () => {
    const { made, config, files, read, look } = care();
    expect(shownCertificates(made.latest(config.tls)).certificates[0]?.cert).toBe(trimmed(pairs.old));
    Object.assign(files, { 'cert.pem': pairs.next.cert, 'key.pem': pairs.next.key });
    look(2);
    expect(shownCertificates(made.latest(config.tls)).certificates[0]?.cert).toBe(trimmed(pairs.next));
    const other = read().tls;
    expect(made.latest(other)).toBe(other);
  });

  it('are looked at no more after the end', () => {
    const { made, clock } = care();
    made.stop();
    expect(clock.pending).toBe(0);
  });
});

describe('certificates of another config', () => {
  it('are shown when it is put in force, and their files looked at', () => {
    const { made, files, read, shown, look, clock } = care();
    Object.assign(files, { 'cert.pem': pairs.next.cert, 'key.pem': pairs.next.key });
    const put = made.prepare(read());
    expect(shown).toEqual([]);
    put();
    expect(shown).toEqual([trimmed(pairs.next)]);
    expect(clock.pending).toBe(1);
    look(4);
    expect(shown).toHaveLength(1);
  });

  it('leave no time behind of those that are no more, for alerts to go by', () => {
    const { made, read, metric } = care();
    made.prepare({ ...read(), tls: { certificates: [] } })();
    expect(metric('tls_certificate_expiry_seconds{certificate="1"} 172800')).toBe(false);
  });

  it('change nothing when they cannot be used', () => {
    const { made, read, shown } = care();
    const { key, files } = read().tls.certificates[0] as Certificate;
    const bad: Config = { ...read(), tls: { certificates: [{ cert: pairs.next.cert, key, files, serverNames: [] }] } };
    expect(() => made.prepare(bad)).toThrow(/^tls: certificate 1 .*mismatch/);
    expect(shown).toEqual([]);
  });
});

describe('the time that is left', () => {
  it('is told as a metric, which goes on', () => {
    const { look, metric } = care();
    const leftS = 2 * 86_400;
    expect(metric(`tls_certificate_expiry_seconds{certificate="1"} ${leftS}`)).toBe(true);
    look(2);
    expect(metric(`tls_certificate_expiry_seconds{certificate="1"} ${leftS - 10}`)).toBe(true);
  });

  it('is warned of when it is short', () => {
    const { lines } = care();
    expect(lines).toEqual([
      ['warn', 'gateway.warning', { warning: expect.stringMatching(/^certificate 1 expires: 20/) }],
    ]);
  });
});
