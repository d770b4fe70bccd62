import { configJsonSchema } from './schema.js';
import type { PathStep } from './fault.js';

/** One key of the config, as the JSON Schema describes it. */
export interface KeyNode {
  /** `group` holds named keys, `list` numbered ones, `value` nothing further. */
  readonly kind: 'group' | 'list' | 'value';
  /** JSON type of a value: string, number, integer, boolean. */
  readonly type?: string;
  readonly description: string;
  readonly required: boolean;
  /** Default in JSON; undefined when there is none. */
  readonly fallback?: unknown;
  /** Of a group: words that may stand in its place. */
  readonly choices?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly keys: ReadonlyMap<string, KeyNode>;
  readonly item?: KeyNode;
}

interface SchemaNode {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly items?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
}

let tree: KeyNode | undefined;

/** The tree of all keys; made once, from the same schema that checks the config. */
export function keyTree(): KeyNode {
  tree ??= nodeOf(configJsonSchema(), true);
  return tree;
}

/** The node at a path; undefined when the schema has no such key. */
export function nodeAt(path: readonly PathStep[]): KeyNode | undefined {
  let node: KeyNode | undefined = keyTree();
  for (const step of path) node = typeof step === 'number' ? node?.item : node?.keys.get(step);
  return node;
}

/** Every path that ends in a value or in a list of values; list indices are 0. */
export function valuePaths(
  node: KeyNode = keyTree(),
  path: readonly PathStep[] = [],
): readonly (readonly PathStep[])[] {
  if (node.kind === 'group') return [...node.keys].flatMap(([key, child]) => valuePaths(child, [...path, key]));
  if (node.item?.kind === 'group') return valuePaths(node.item, [...path, 0]);
  return [path];
}

/** A word or a group of keys: the group, with the words as its choices. */
function withWords({ anyOf, ...rest }: SchemaNode): SchemaNode {
  const group = anyOf?.find(({ type }) => type === 'object');
  const words = anyOf?.flatMap((one) => one.enum ?? []) ?? [];
  return group === undefined ? rest : { ...group, ...rest, enum: words };
}

function nodeOf(written: SchemaNode, required: boolean): KeyNode {
  const schema = withWords(written);
  const properties = Object.entries(schema.properties ?? {});
  const keys = new Map(properties.map(([key, child]) => [key, nodeOf(child, schema.required?.includes(key) ?? false)]));
  return {
    kind: schema.type === 'object' ? 'group' : schema.type === 'array' ? 'list' : 'value',
    description: schema.description ?? '',
    required,
    keys,
    ...(schema.type === undefined ? {} : { type: schema.type }),
    ...('default' in schema ? { fallback: schema.default } : {}),
    ...(schema.enum === undefined ? {} : { choices: schema.enum }),
    ...(schema.minimum === undefined ? {} : { minimum: schema.minimum }),
    ...(schema.maximum === undefined ? {} : { maximum: schema.maximum }),
    ...(schema.items === undefined ? {} : { item: nodeOf(schema.items, true) }),
  };
}
