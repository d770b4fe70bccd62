import type { KeyNode } from '../../src/config/key-tree.js';
import { keyTree } from '../../src/config/key-tree.js';

const HEAD = `# Configuration

The config is YAML or JSON: \`portcullis serve --config FILE\`, looked over without starting anything by
\`portcullis check --config FILE\`. This page is made from the schema that the gateway itself checks with; the same schema,
for editors, is [\`config/portcullis.schema.json\`](../config/portcullis.schema.json). Commented examples stand in
[\`config/\`](../config).

- A bad config stops with exit code 78 and one line a fault: \`FILE:LINE: path.to.key: what is wrong; expected …\`.
  Unknown keys are faults, and so are tags, several documents, and files above 1 MiB.
- A secret is \`{ file: PATH }\`, \`{ env: NAME }\` or \`{ value: TEXT }\`. One newline at the end of a file does not count.
  Relative paths start at the folder of the config file.
- Every key can be set from the environment: \`PORTCULLIS_LISTEN__RTMP__PORT=1936\` sets \`listen.rtmp.port\`. \`__\` goes a
  level down; upper and lower case and single \`_\` do not matter; numbers index lists
  (\`PORTCULLIS_ORIGINS__0__RTMP\`). The environment wins over the file. A \`PORTCULLIS_…\` variable that sets no key is a
  fault, unless the config names it as the source of a secret. Without \`--config\` the environment is all there is.
- Rooms: in \`app/a/b/name\` the room is \`a/b\`, all that stands between app and name; \`red5-room\` is compared with that.
- \`auth.red5Properties\` reads \`jwt.secret\`, \`jwt.ttl.minutes\` and \`jwt.issuer\` as Red5 does. Keys that the config sets
  itself win. Where Red5 leaves a protocol open (\`auth.active\`, \`auth.rtmp\`, \`auth.rtsp\`, \`auth.rtc\` false) the gateway
  stays closed and says so; every property without a counterpart gets one warning.
`;

/** The page `docs/configuration.md`, made from the schema. */
export function configurationPage(): string {
  const groups = [...keyTree().keys].map(([key, node]) => section(key, node));
  return [HEAD, ...groups].join('\n');
}

function section(key: string, node: KeyNode): string {
  const rows = rowsOf(key, node);
  const head = `## ${key}\n\n${node.description}\n`;
  return `${head}\n| key | default | meaning |\n|---|---|---|\n${rows.join('\n')}\n`;
}

function rowsOf(path: string, node: KeyNode): readonly string[] {
  if (isRef(node) || node.kind === 'value') return [row(path, node)];
  if (node.kind === 'list')
    return [row(path, node), ...(node.item?.kind === 'group' ? rowsOf(`${path}[]`, node.item) : [])];
  const own = node.fallback === undefined && node.description !== '' && path.includes('.') ? [row(path, node)] : [];
  return [...own, ...[...node.keys].flatMap(([key, child]) => rowsOf(`${path}.${key}`, child))];
}

/** A secret or file reference is one row: how to write it stands at the head of the page. */
function isRef(node: KeyNode): boolean {
  return (
    node.kind === 'group' &&
    node.keys.has('file') &&
    [...node.keys.keys()].every((key) => /^(file|env|value)$/.test(key))
  );
}

function row(path: string, node: KeyNode): string {
  const words = [node.description, choicesOf(node), rangeOf(node)].filter((part) => part !== '').join(' ');
  return `| \`${path}\` | ${fallbackOf(node)} | ${words.replaceAll('|', '\\|')} |`;
}

function fallbackOf(node: KeyNode): string {
  if (isRef(node)) return node.required ? '(needed)' : '—';
  if (node.fallback !== undefined) return `\`${JSON.stringify(node.fallback).replace(/^"(.*)"$/, '$1')}\``;
  return node.required ? '(needed)' : '—';
}

function choicesOf(node: KeyNode): string {
  const choices = node.choices ?? node.item?.choices ?? [];
  return choices.length === 0 ? '' : `One of ${choices.map((choice) => `\`${String(choice)}\``).join(', ')}.`;
}

function rangeOf(node: KeyNode): string {
  const { minimum, maximum } = node;
  if (maximum === undefined) return '';
  return minimum === undefined ? `At most ${maximum}.` : `${minimum} to ${maximum}.`;
}
