import { describe, expect, it } from '@jest/globals';
import * as FLAGS from '../../src/cli/flags.js';
import { TOPIC_NAMES } from '../../src/cli/help.js';
import { configJsonSchema } from '../../src/config/schema.js';
import { METRICS } from '../../src/telemetry/metric-list.js';
import { filesBelow, textOf } from './source.js';

const pages = ['README.md', ...filesBelow('docs', /\.md$/).filter((page) => !page.includes('decisions'))];

interface Node {
  readonly properties?: Readonly<Record<string, Node>>;
  readonly items?: Node;
  readonly anyOf?: readonly Node[];
  readonly oneOf?: readonly Node[];
  readonly allOf?: readonly Node[];
  readonly additionalProperties?: Node | boolean;
}

/** Whether the schema has a key at that path; array marks are stepped over. */
function hasKey(node: Node, path: readonly string[]): boolean {
  const [first, ...rest] = path;
  if (first === undefined) return true;
  const branches = [...(node.anyOf ?? []), ...(node.oneOf ?? []), ...(node.allOf ?? [])];
  if (branches.some((branch) => hasKey(branch, path))) return true;
  if (node.items !== undefined && hasKey(node.items, path)) return true;
  const child = node.properties?.[first];
  return child !== undefined && hasKey(child, rest);
}

/** Keys of Red5's own files that look like ours. */
const RED5_KEYS = /^auth\.(active|rtmp|rtsp|rtc|http|srt|mpegts|streamNameAuth|rtmpA\w+)$/;

/** Events of the log that look like keys of ours. */
const EVENTS = new Set(
  [...textOf('src/model/telemetry.ts').matchAll(/^ {2}\| '([a-z.-]+)'/gm)].map(([, event]) => event ?? ''),
);

/** What stands between backticks, blocks left out. */
const spansOf = (page: string): readonly string[] =>
  [
    ...textOf(page)
      .replace(/^```[^]*?^```/gm, '')
      .matchAll(/`([^`\n]+)`/g),
  ].map(([, span]) => span ?? '');

describe('names in the pages', () => {
  it('of config keys are keys that there are', () => {
    const schema = configJsonSchema() as Node;
    const top = Object.keys(schema.properties ?? {});
    expect(top).toContain('listen');
    const named = pages.flatMap((page) =>
      spansOf(page)
        .map((span) => span.replace(/[:=].*$/, ''))
        .filter((span) => /^[a-z][A-Za-z0-9]*(\[\])?(\.[a-z][A-Za-z0-9]*(\[\])?)+$/.test(span))
        .filter((span) => !RED5_KEYS.test(span) && !EVENTS.has(span) && top.includes(span.split(/[.[]/)[0] ?? ''))
        .map((span) => ({ page, span })),
    );
    expect(named.length).toBeGreaterThan(20);
    const unknown = named.filter(({ span }) => !hasKey(schema, span.replaceAll('[]', '').split('.')));
    expect(unknown).toEqual([]);
  });

  it('of metrics are metrics that there are', () => {
    const known = new Set(Object.keys(METRICS).map((name) => `portcullis_${name}`));
    const named = pages.flatMap((page) =>
      [...textOf(page).matchAll(/\bportcullis_[a-z0-9_]+/g)].map(([name]) => ({ page, name })),
    );
    const unknown = named.filter(
      ({ name }) => !known.has(name) && !known.has(name.replace(/_(bucket|sum|count)$/, '')) && !name.endsWith('_'),
    );
    expect(unknown).toEqual([]);
  });

  it('of commands and their flags are commands and flags that there are', () => {
    const flags = new Set(Object.values(FLAGS).flatMap((specs) => Object.keys(specs)));
    const calls = pages.flatMap((page) =>
      [...textOf(page).matchAll(/(?:\bportcullis|dist\/main\.js) +([a-z][^\n`|>&;)]*)/g)]
        .map(([, rest]) => (rest ?? '').trim())
        .map((call) => ({ page, call })),
    );
    expect(calls.length).toBeGreaterThan(5);
    const isCommand = (call: string): boolean =>
      TOPIC_NAMES.some((name) => call === name || call.startsWith(`${name} `)) || /^(token|help)\b/.test(call);
    const wrong = calls.filter(({ call }) => {
      const wanted = [...call.matchAll(/ --([a-z-]+)/g)].map(([, flag]) => flag ?? '');
      return !isCommand(call) || wanted.some((flag) => !flags.has(flag) && flag !== 'help' && flag !== 'version');
    });
    expect(wrong).toEqual([]);
  });
});
