import { describe, expect, it } from '@jest/globals';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { checkKeys } from '../../src/cli/key-specs.js';
import { EXIT } from '../../src/cli/io.js';
import type { Config } from '../../src/config/config.js';
import { faultLine } from '../../src/config/fault.js';
import { loadConfig } from '../../src/config/load.js';
import { root, textOf } from './source.js';

const SECRET = '0123456789abcdef0123456789abcdef';

/** What the process takes to end when all is asked of it, in seconds: docs/operations.md, "Signals". */
const AFTER_DRAIN_S = 5;

function configOf(text: string, env: Readonly<Record<string, string>> = {}): Config {
  const readFile = (): Buffer => Buffer.from(SECRET);
  const result = loadConfig({ text, env: { MEDIA_SECRET: SECRET, ADMIN_TOKEN: SECRET, ...env }, readFile, checkKeys });
  if (!result.ok) throw new Error(result.faults.map(faultLine).join('\n'));
  expect(result.warnings).toEqual([]);
  return result.config;
}

const drainOf = ({ limits }: Config) => limits.drainTimeoutSeconds + limits.drainSpreadSeconds + AFTER_DRAIN_S;

const portsOf = ({ listen }: Config) =>
  Object.values(listen)
    .map(({ port }) => port)
    .sort();

/** The config of someone who sets no limits. */
const plainConfig = () => configOf(textOf('config/minimal.yaml'));

describe('docker/Dockerfile', () => {
  const lines = textOf('docker/Dockerfile').split('\n');
  const stages = lines.filter((line) => line.startsWith('FROM '));
  const last = lines.slice(lines.lastIndexOf(stages.at(-1) ?? ''));

  it('builds in one stage and runs in another, without root and without a shell between it and its signals', () => {
    expect(stages).toHaveLength(2);
    expect(last.find((line) => line.startsWith('USER '))).toMatch(/^USER [1-9]\d+:[1-9]\d+$/);
    expect(last.find((line) => line.startsWith('ENTRYPOINT '))).toBe('ENTRYPOINT ["node", "/app/dist/main.js"]');
    expect(last.filter((line) => /npm (ci|install)/.test(line))).toEqual([]);
  });

  it('lets user 10001 read all of it, whatever the checkout lets others read', () => {
    const opened = /^RUN chmod -R a\+rX (.*)$/m.exec(lines.join('\n'))?.[1]?.split(' ') ?? [];
    const copied = last.flatMap((line) => (line.startsWith('COPY ') ? line.split(' ').slice(1, -1) : []));
    expect(copied.filter((path) => path !== '--from=build').sort()).toEqual(
      opened.map((path) => `/build/${path}`).sort(),
    );
  });

  it('copies what there is, and what its .dockerignore lets through', () => {
    const copied = lines
      .filter((line) => line.startsWith('COPY ') && !line.includes('--from='))
      .flatMap((line) => line.split(' ').slice(1, -1))
      .map((path) => path.replace(/^\.\//, ''));
    expect(copied).toContain('src');
    expect(copied.filter((path) => !existsSync(join(root, path)))).toEqual([]);
    const letThrough = textOf('docker/Dockerfile.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    expect([...new Set(copied)].sort()).toEqual(letThrough.sort());
  });
});

describe('docker/compose.yaml', () => {
  interface Service {
    readonly ports?: readonly string[];
    readonly environment: Readonly<Record<string, string>>;
    readonly read_only: boolean;
    readonly cap_drop: readonly string[];
    readonly stop_grace_period: string;
    readonly networks: readonly string[];
  }
  const { services, networks } = parse(textOf('docker/compose.yaml')) as {
    readonly services: { readonly gateway: Service; readonly origin: Service };
    readonly networks: { readonly inside: { readonly internal: boolean } };
  };
  const override = 'PORTCULLIS_LISTEN__MEDIA__PUBLIC_ADDRESSES__0';
  const config = configOf(textOf('docker/gateway.yaml'), { [override]: '203.0.113.7' });

  it('opens the ports of its config, and those of operators on loopback only', () => {
    const inner = (services.gateway.ports ?? []).map((one) => Number(/(\d+)(?:\/udp)?$/.exec(one)?.[1]));
    expect(inner.sort()).toEqual(portsOf(config));
    expect(services.gateway.ports).toContain(`127.0.0.1:${config.listen.admin?.port}:${config.listen.admin?.port}`);
    expect(services.gateway.environment).toHaveProperty(override);
    expect(config.listen.media?.publicAddresses).toEqual(['203.0.113.7']);
  });

  it('leaves the gateway as the only way to the origin', () => {
    expect([services.origin.ports, services.origin.networks]).toEqual([undefined, ['inside']]);
    expect(networks.inside.internal).toBe(true);
  });

  it('lets the gateway write nowhere, and drain before it is killed', () => {
    expect([services.gateway.read_only, services.gateway.cap_drop]).toEqual([true, ['ALL']]);
    expect(Number.parseInt(services.gateway.stop_grace_period)).toBeGreaterThanOrEqual(drainOf(config));
  });
});

describe('config/systemd/portcullis.service', () => {
  const settings = new Map(
    [...textOf('config/systemd/portcullis.service').matchAll(/^(\w+)=(.*)$/gm)].map(([, key, value]) => [key, value]),
  );

  it('lets it drain before it is killed', () => {
    expect(Number(settings.get('TimeoutStopSec'))).toBeGreaterThanOrEqual(drainOf(plainConfig()));
  });

  it('does not start it again where that cannot help', () => {
    expect(settings.get('RestartPreventExitStatus')).toBe(`${EXIT.usage} ${EXIT.badConfig}`);
  });
});

describe('config/kubernetes/portcullis.yaml', () => {
  interface Probe {
    readonly httpGet: { readonly path: string; readonly port: string };
  }
  interface Port {
    readonly name: string;
    readonly containerPort: number;
    readonly protocol?: string;
  }
  interface Container extends Readonly<Record<'startupProbe' | 'livenessProbe' | 'readinessProbe', Probe>> {
    readonly ports: readonly Port[];
    readonly env: readonly { readonly name: string }[];
    readonly securityContext: Readonly<Record<string, unknown>>;
    readonly lifecycle: { readonly preStop: { readonly sleep: { readonly seconds: number } } };
  }
  interface Pod {
    readonly terminationGracePeriodSeconds: number;
    readonly securityContext: Readonly<Record<string, unknown>>;
    readonly containers: readonly Container[];
  }
  const labels = { app: 'portcullis' };
  const documents = parseAllDocuments(textOf('config/kubernetes/portcullis.yaml')).map(
    (document) => document.toJS() as { readonly kind: string; readonly data: unknown; readonly spec: unknown },
  );
  const find = (kind: string) => documents.find((one) => one.kind === kind);
  const { template } = find('Deployment')?.spec as {
    readonly template: { readonly metadata: { readonly labels: unknown }; readonly spec: Pod };
  };
  const pod = template.spec;
  const container = pod.containers[0] as Container;
  const config = configOf((find('ConfigMap')?.data as Readonly<Record<string, string>>)['gateway.yaml'] ?? '', {
    PORTCULLIS_LISTEN__MEDIA__PUBLIC_ADDRESSES__0: '203.0.113.7',
  });

  it('opens the ports of its config, media by UDP', () => {
    expect(container.ports.map(({ containerPort }) => containerPort).sort()).toEqual(portsOf(config));
    const media = container.ports.find(({ name }) => name === 'media');
    expect(media).toMatchObject({ containerPort: config.listen.media?.port, protocol: 'UDP' });
    expect(container.env.map(({ name }) => name)).toEqual(['PORTCULLIS_LISTEN__MEDIA__PUBLIC_ADDRESSES__0']);
  });

  it('waits for the drain before it kills', () => {
    const { seconds } = container.lifecycle.preStop.sleep;
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(seconds + drainOf(config));
  });

  it('probes what is answered without a token', () => {
    for (const name of ['startupProbe', 'livenessProbe', 'readinessProbe'] as const) {
      const { path, port } = container[name].httpGet;
      expect([config.admin.openPaths.includes(path as '/livez'), port]).toEqual([true, 'admin']);
    }
    expect(container.readinessProbe.httpGet.path).toBe('/readyz');
  });

  it('runs without root, on a root that is read only', () => {
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
  });

  it('sends the Service and the budget for disruptions to the pods, and nobody from outside to operators', () => {
    const service = find('Service')?.spec as {
      readonly selector: unknown;
      readonly ports: readonly { readonly targetPort: string }[];
    };
    const budget = find('PodDisruptionBudget')?.spec as { readonly selector: unknown };
    expect([template.metadata.labels, service.selector, budget.selector]).toEqual([
      labels,
      labels,
      { matchLabels: labels },
    ]);
    const names = container.ports.map(({ name }) => name);
    expect(service.ports.filter(({ targetPort }) => !names.includes(targetPort))).toEqual([]);
    expect(service.ports.map(({ targetPort }) => targetPort)).not.toContain('admin');
  });
});
