import { describe, expect, it } from '@jest/globals';
import { parse, parseAllDocuments } from 'yaml';
import { filesBelow, textOf } from './source.js';

const chart = 'config/helm/portcullis';

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: unknown;
}

const meta = parse(textOf(`${chart}/Chart.yaml`)) as Readonly<Record<string, unknown>>;
const values = parse(textOf(`${chart}/values.yaml`)) as Readonly<Record<string, unknown>>;
const schema = JSON.parse(textOf(`${chart}/values.schema.json`)) as Schema;
const templates = filesBelow(`${chart}/templates`).map(textOf);

/** The manifest that the chart makes again; test/interop/helm.test.ts compares all of it, where there is Helm. */
const manifest = parseAllDocuments(textOf('config/kubernetes/portcullis.yaml')).map(
  (document) => document.toJS() as { readonly kind: string; readonly data?: unknown; readonly spec?: unknown },
);
const find = (kind: string) => manifest.find((one) => one.kind === kind);

/** Each value by its path, as templates write it; what stands below `config` is the gateway's affair. */
function pathsOf(node: unknown, path = ''): readonly string[] {
  const isLeaf = typeof node !== 'object' || node === null || Array.isArray(node) || Object.keys(node).length === 0;
  if (isLeaf || path === 'config' || path === 'resources') return [path];
  return Object.entries(node).flatMap(([key, inner]) => pathsOf(inner, path === '' ? key : `${path}.${key}`));
}

describe('the Helm chart', () => {
  it('has the name and the version of the package', () => {
    const { name, version } = JSON.parse(textOf('package.json')) as Readonly<Record<string, unknown>>;
    expect(meta).toMatchObject({ name, version, appVersion: version, apiVersion: 'v2', type: 'application' });
    expect(chart.endsWith(`/${String(name)}`)).toBe(true);
  });

  it('makes an object of each kind of the manifest, and no other', () => {
    const kinds = templates.flatMap((text) => [...text.matchAll(/^kind: (\w+)$/gm)].map(([, kind]) => kind));
    expect(kinds.sort()).toEqual(manifest.map(({ kind }) => kind).sort());
  });

  it('begins with the config, the image, the Secret and the figures of the manifest', () => {
    const spec = find('Deployment')?.spec as {
      readonly replicas: number;
      readonly template: {
        readonly spec: {
          readonly containers: readonly {
            readonly image: string;
            readonly resources: unknown;
            readonly lifecycle: unknown;
          }[];
          readonly volumes: readonly { readonly name: string; readonly secret?: { readonly secretName: string } }[];
        };
      };
    };
    const [container] = spec.template.spec.containers;
    const config = (find('ConfigMap')?.data as Readonly<Record<string, string>>)['gateway.yaml'] ?? '';
    expect(values).toMatchObject({
      config: parse(config) as object,
      replicas: spec.replicas,
      resources: container?.resources,
      existingSecret: spec.template.spec.volumes.find(({ secret }) => secret !== undefined)?.secret?.secretName,
      service: { type: (find('Service')?.spec as { readonly type: string }).type },
    });
    const { image } = values as { readonly image: { readonly repository: string; readonly tag: string } };
    expect([image.tag, container?.image]).toEqual(['', `${image.repository}:${String(meta['appVersion'])}`]);
    expect(container?.lifecycle).toEqual({ preStop: { sleep: { seconds: values['preStopSeconds'] } } });
  });

  it('reads every value that it names, and no other', () => {
    const read = templates.flatMap((text) => [...text.matchAll(/\.Values\.([\w.]+)/g)].map(([, path = '']) => path));
    const known = pathsOf(values);
    expect(read.filter((path) => !known.some((one) => `${path}.`.startsWith(`${one}.`)))).toEqual([]);
    expect(known.filter((one) => !read.some((path) => `${path}.`.startsWith(`${one}.`)))).toEqual([]);
  });

  it('has a schema for just these values', () => {
    const { global, ...properties } = schema.properties ?? {};
    expect(global).toEqual({ type: 'object' });
    expect([Object.keys(properties).sort(), schema.additionalProperties]).toEqual([Object.keys(values).sort(), false]);
    expect([...(schema.required ?? [])].sort()).toEqual(Object.keys(values).sort());
    for (const part of ['image', 'service'] as const) {
      const inner = schema.properties?.[part];
      expect(Object.keys(inner?.properties ?? {}).sort()).toEqual(Object.keys(values[part] as object).sort());
      expect(inner?.additionalProperties).toBe(false);
    }
  });

  it('knows the listeners of the gateway and their ports', () => {
    const published = JSON.parse(textOf('config/portcullis.schema.json')) as Schema;
    const listeners = Object.entries(published.properties?.['listen']?.properties ?? {}).flatMap(
      ([name, { properties }]) => {
        const port = (properties?.['port'] as { readonly default?: number } | undefined)?.default;
        return port === undefined ? [] : [`"${name}" ${port}`];
      },
    );
    expect(listeners.length).toBe(8);
    const [, told = ''] = /\$defaults := dict (.*?) -\}\}/.exec(textOf(`${chart}/templates/_helpers.tpl`)) ?? [];
    expect([...told.matchAll(/"\w+" \d+/g)].map(([one]) => one).sort()).toEqual(listeners.sort());
  });
});
