import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { prometheus } from './needs.js';
import { folder, freePort } from './place.js';
import { start } from './program.js';

const root = join(__dirname, '..', '..', '..');

/** The file of alert rules that is tried. */
export const rulesFile = join(root, 'config', 'alerts', 'portcullis.rules.yaml');

/** One series of an answer. */
export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

/** An alert rule, as the server tells of it. */
export interface LiveRule {
  readonly name: string;
  readonly health: string;
  readonly state: string;
  readonly lastError?: string;
}

/** A Prometheus that scrapes one gateway each second. */
export interface Prometheus {
  query(expr: string): Promise<readonly Series[]>;
  rules(): Promise<readonly LiveRule[]>;
  /** What `look` finds; asked again until it finds something. */
  until<Found>(what: string, look: () => Promise<Found | undefined>): Promise<Found>;
}

/** The lines of docs/packaging.md, with the address, the file of the token and the file of rules put in. */
function configOf(adminPort: number, tokenFile: string): string {
  const page = readFileSync(join(root, 'docs', 'packaging.md'), 'utf8');
  const [, told = ''] = /```yaml\n(scrape_configs:[^]*?)```/.exec(page) ?? [];
  const put = told
    .replace('127.0.0.1:9090', `127.0.0.1:${adminPort}`)
    .replace('/etc/prometheus/portcullis-token', tokenFile)
    .replace('portcullis.rules.yaml', rulesFile);
  const global = { scrape_interval: '1s', evaluation_interval: '1s' };
  return stringify({ global, ...(parse(put) as object) });
}

/** Starts Prometheus on loopback. */
export async function startPrometheus(adminPort: number, adminToken: string): Promise<Prometheus> {
  const home = join(folder, 'prometheus');
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, 'token'), adminToken);
  writeFileSync(join(home, 'prometheus.yml'), configOf(adminPort, join(home, 'token')));
  const port = await freePort();
  const flags = [`--config.file=${home}/prometheus.yml`, `--storage.tsdb.path=${home}/data`];
  const program = start(`${prometheus ?? ''}prometheus`, [...flags, `--web.listen-address=127.0.0.1:${port}`], {
    timeoutMs: 300_000,
  });
  await program.says(/ready to receive web requests/);
  const ask = async (path: string): Promise<unknown> => {
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/${path}`);
    const { status, data, error } = (await answer.json()) as Readonly<Record<string, unknown>>;
    if (status !== 'success') throw new Error(`${path}: ${String(error)}`);
    return data;
  };
  return {
    query: async (expr) =>
      ((await ask(`query?query=${encodeURIComponent(expr)}`)) as { readonly result: readonly Series[] }).result,
    rules: async () => {
      const { groups } = (await ask('rules?type=alert')) as {
        readonly groups: readonly { readonly rules: readonly LiveRule[] }[];
      };
      return groups.flatMap(({ rules }) => rules);
    },
    until: async (what, look) => {
      const untilMs = performance.now() + 30_000;
      for (;;) {
        const found = await look();
        if (found !== undefined) return found;
        if (performance.now() > untilMs) throw new Error(`Prometheus never had ${what}`);
        await new Promise((resolve) => setTimeout(resolve, 250));
      }
    },
  };
}
