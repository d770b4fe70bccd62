import { describe, expect } from '@jest/globals';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { main } from './peers/gateway.js';
import { helm, itNeeds, type Peer } from './peers/needs.js';
import { folder } from './peers/place.js';
import { run, type Ended } from './peers/program.js';

const NEEDED: readonly Peer[] = ['Helm in PATH or by INTEROP_HELM'];
const root = join(__dirname, '..', '..');
const chart = join(root, 'config', 'helm', 'portcullis');
/** A Helm that was built by `go install` takes itself for one of Kubernetes 1.20. */
const KUBERNETES = ['--kube-version', '1.30.0'];

interface Named {
  readonly name: string;
}

/** An object, as far as tests look into it. */
interface Made {
  readonly kind: string;
  readonly data: Readonly<Record<string, string>>;
  readonly spec: {
    readonly type?: string;
    readonly externalTrafficPolicy?: string;
    readonly ports: readonly (Named & { readonly port: number; readonly targetPort: string })[];
    readonly template: {
      readonly metadata: { readonly annotations: Readonly<Record<string, string>> };
      readonly spec: {
        readonly terminationGracePeriodSeconds: number;
        readonly affinity?: unknown;
        readonly volumes: readonly Named[];
        readonly containers: readonly {
          readonly image: string;
          readonly ports: readonly (Named & { readonly containerPort: number; readonly hostPort?: number })[];
          readonly env?: readonly Named[];
          readonly lifecycle?: unknown;
          readonly volumeMounts: readonly (Named & { readonly mountPath: string })[];
        }[];
      };
    };
  };
}

/** Ports have no order, and the config is compared by what it says. */
function plain(node: unknown): unknown {
  if (Array.isArray(node)) {
    const isPorts = node.every((one: unknown) => typeof one === 'object' && one !== null && 'name' in one);
    const list = node.map(plain);
    return isPorts ? (list as Named[]).sort((a, b) => a.name.localeCompare(b.name)) : list;
  }
  if (typeof node !== 'object' || node === null) return node;
  return Object.fromEntries(
    Object.entries(node).map(([key, value]) => [key, key === 'gateway.yaml' ? parse(value as string) : plain(value)]),
  );
}

function read(text: string): readonly Made[] {
  const objects = parseAllDocuments(text).map((document) => document.toJS() as Made | null);
  return objects.filter((one) => one !== null).sort((a, b) => a.kind.localeCompare(b.kind));
}

function template(values: unknown, release = 'portcullis'): Promise<Ended> {
  const file = join(folder, 'values.json');
  writeFileSync(file, JSON.stringify(values));
  return run(helm, ['template', release, chart, '--namespace', 'media', ...KUBERNETES, '--values', file]);
}

/** What the chart makes of values. */
async function make(values: unknown = {}, release?: string) {
  const { code, stdout, stderr } = await template(values, release);
  expect([code, stderr]).toEqual([0, '']);
  const objects = read(stdout);
  const find = (kind: string) => objects.find((one) => one.kind === kind)!;
  const { template: pod } = find('Deployment').spec;
  return { objects, find, pod, container: pod.spec.containers[0]! };
}

describe('the Helm chart', () => {
  itNeeds(NEEDED, 'passes helm lint --strict', async () => {
    const { code, stdout, stderr } = await run(helm, ['lint', '--strict', ...KUBERNETES, chart]);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).not.toMatch(/WARNING|ERROR/);
  });

  itNeeds(NEEDED, 'makes the objects of config/kubernetes/portcullis.yaml by default', async () => {
    const manifest = read(readFileSync(join(root, 'config', 'kubernetes', 'portcullis.yaml'), 'utf8'));
    expect(plain((await make()).objects)).toEqual(plain(manifest));
  });

  itNeeds(NEEDED, 'lets ports, mounts and the address of media follow from the config', async () => {
    const { find, pod, container } = await make({
      config: {
        listen: { rtsp: null, media: null, rtmps: { port: 443 }, https: {}, admin: { port: 9191 } },
        tls: {
          certificates: [
            {
              cert: { file: '/etc/portcullis-secrets/tls/tls.crt' },
              key: { file: '/etc/portcullis-secrets/tls/tls.key' },
            },
          ],
        },
      },
      moreSecrets: ['tls'],
      service: { type: 'ClusterIP', ports: { https: 8443 } },
      image: { repository: 'example.test:5000/portcullis', tag: 'v9' },
    });
    expect(container.image).toBe('example.test:5000/portcullis:v9');
    const ports = Object.fromEntries(container.ports.map(({ name, containerPort }) => [name, containerPort]));
    expect(ports).toEqual({ rtmp: 1935, rtmps: 443, http: 5080, https: 5443, admin: 9191 });
    const { spec } = find('Service');
    expect(Object.fromEntries(spec.ports.map(({ targetPort, port }) => [targetPort, port]))).toEqual({
      rtmp: 1935,
      rtmps: 443,
      http: 5080,
      https: 8443,
    });
    expect([spec.type, spec.externalTrafficPolicy]).toEqual(['ClusterIP', undefined]);
    expect([container.env, pod.spec.affinity]).toEqual([undefined, undefined]);
    expect(pod.metadata.annotations['prometheus.io/port']).toBe('9191');
    expect(container.volumeMounts.map(({ mountPath }) => mountPath)).toContain('/etc/portcullis-secrets/tls');
    expect(pod.spec.volumes.map(({ name }) => name)).toEqual(container.volumeMounts.map(({ name }) => name));
  });

  itNeeds(NEEDED, 'waits for preStop, both times of the drain, and 20 s more', async () => {
    const graceOf = async (values: unknown) => (await make(values)).pod.spec.terminationGracePeriodSeconds;
    expect(await graceOf({ config: { limits: { drainTimeoutSeconds: 600, drainSpreadSeconds: 0 } } })).toBe(630);
    // What the gateway does when the config is silent.
    expect(await graceOf({ config: { limits: null }, preStopSeconds: 0 })).toBe(55);
    expect((await make({ preStopSeconds: 0 })).container.lifecycle).toBeUndefined();
  });

  itNeeds(
    NEEDED,
    'names all after the release, and leaves the address of media to the config where asked',
    async () => {
      const { objects, container } = await make({ mediaAddress: 'config' }, 'edge');
      expect(new Set(objects.map((one) => (one as unknown as { metadata: Named }).metadata.name))).toEqual(
        new Set(['edge']),
      );
      expect(container.env).toBeUndefined();
    },
  );

  itNeeds(NEEDED, 'gives the gateway a config that it takes', async () => {
    const secrets = join(folder, 'secret');
    writeFileSync(secrets, '0123456789abcdef0123456789abcdef');
    const { find } = await make({
      config: {
        listen: { rtsp: null, http: null, media: null },
        origins: [{ name: 'a', rtmp: 'rtmp://127.0.0.1:1', health: 'off' }],
      },
    });
    const text = find('ConfigMap').data['gateway.yaml']!.replace(/\/etc\/portcullis-secret\/\S+/g, secrets);
    writeFileSync(join(folder, 'gateway.yaml'), text);
    const { code, stderr } = await run(process.execPath, [main, 'check', '--config', join(folder, 'gateway.yaml')]);
    expect([code, stderr]).toEqual([0, '']);
  });

  const REFUSED: readonly (readonly [string, unknown, RegExp])[] = [
    ['a value that there is not', { replica: 3 }, /replica/],
    ['a key that the gateway does not know', { config: { limits: { drainTimeoutSecond: 3 } } }, /drainTimeoutSecond/],
    // What Helm makes of an unquoted `off`.
    ['a word that became a boolean', { config: { origins: [{ name: 'a', health: false }] } }, /health/],
    ['operators that probes do not reach', { config: { listen: { admin: { host: '127.0.0.1' } } } }, /host/],
    ['no listener for operators', { config: { listen: { admin: null } } }, /admin/],
    ['probes that need a token', { config: { admin: { openPaths: ['/livez'] } } }, /openPaths/],
    ['no listener for media', { config: { listen: { rtmp: null, rtsp: null, http: null } } }, /listen/],
    [
      'ports of RTSP by UDP, which no Service carries',
      { config: { listen: { rtsp: { udpPorts: '20000-20999' } } } },
      /udpPorts/,
    ],
    ['a port that is chosen anew at each start', { config: { listen: { rtmp: { port: 0 } } } }, /port/],
    ['a port of the Service without a listener', { service: { ports: { https: 443 } } }, /listen has no https/],
    ['a kind of Service that there is not', { service: { type: 'Loadbalancer' } }, /type/],
    ['a name of a Secret with a slash', { moreSecrets: ['../etc'] }, /moreSecrets/],
    ['no Secret', { existingSecret: '' }, /existingSecret/],
    ['half a pod', { replicas: 1.5 }, /replicas/],
    ['no origins', { config: { origins: null } }, /origins/],
  ];
  itNeeds(NEEDED, 'refuses what cannot work, and says where it stands', async () => {
    for (const [what, values, said] of REFUSED) {
      const { code, stderr } = await template(values);
      expect([what, code]).toEqual([what, 1]);
      expect(stderr).toMatch(said);
    }
  });
});
