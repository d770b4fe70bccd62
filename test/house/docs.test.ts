import { describe, expect, it } from '@jest/globals';
import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { REJECTIONS } from '../../src/model/rejection.js';
import { filesBelow, root, textOf, undocumentedExports } from './source.js';

const pages = [
  ...['README.md', 'CHANGELOG.md'].filter((page) => existsSync(join(root, page))),
  ...filesBelow('docs', /\.md$/),
];
const sources = filesBelow('src', /\.ts$/);

/** Cells of a row of a Markdown table. */
function cellsOf(line: string): readonly string[] {
  return line
    .trim()
    .replace(/^\||\|$/g, '')
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim());
}

/** Rows of the tables whose first column is headed `heading`, as objects by column. */
function rowsOf(page: string, heading: string): readonly Readonly<Record<string, string>>[] {
  const rows: Readonly<Record<string, string>>[] = [];
  let columns: readonly string[] | undefined;
  for (const line of textOf(page).split('\n')) {
    const cells = line.trim().startsWith('|') ? cellsOf(line) : undefined;
    if (cells === undefined) columns = undefined;
    else if (columns === undefined) columns = cells.map((cell) => cell.toLowerCase());
    else if (columns[0] === heading && !/^:?-+:?$/.test(cells[0] ?? '')) {
      rows.push(Object.fromEntries(columns.map((column, index) => [column, cells[index] ?? ''])));
    }
  }
  return rows;
}

const bare = (cell: string | undefined) => (cell ?? '').replaceAll('`', '');

describe('docs/rejections.md', () => {
  const page = 'docs/rejections.md';
  const read = () => {
    if (!existsSync(join(root, page))) throw new Error(`${page} is missing: it explains every rejection code`);
    return rowsOf(page, 'code');
  };

  it('explains every code, and no other', () => {
    const explained = read().map((row) => bare(row['code']));
    expect([...new Set(explained)].sort()).toEqual(Object.keys(REJECTIONS).sort());
  });

  it('gives each code the kind and the side it has', () => {
    const rows = read();
    expect(rows.map((row) => Object.keys(row))).toEqual(
      rows.map(() => expect.arrayContaining(['kind', expect.stringMatching(/side|fault/)])),
    );
    for (const row of rows) {
      const code = bare(row['code']);
      const side = Object.entries(row).find(([column]) => /side|fault/.test(column))?.[1];
      const known = Object.entries(REJECTIONS).find(([name]) => name === code)?.[1];
      expect([code, bare(row['kind']), bare(side)]).toEqual([code, known?.kind, known?.side]);
    }
  });
});

describe('the pages', () => {
  it('name every event of the log', () => {
    const events = [...textOf('src/model/telemetry.ts').matchAll(/^ {2}\| '([a-z.-]+)'/gm)].map(
      ([, name]) => name ?? '',
    );
    const told = ['docs/operations.md', 'docs/log.md']
      .filter((page) => existsSync(join(root, page)))
      .map(textOf)
      .join();
    expect(events.length).toBeGreaterThan(5);
    expect(events.filter((event) => !told.includes(`\`${event}\``))).toEqual([]);
  });

  it('link to what is there', () => {
    const anchorsOf = (page: string) =>
      [...textOf(page).matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
        (heading ?? '')
          .toLowerCase()
          .replace(/[^\p{L}\p{N} _-]/gu, '')
          .replaceAll(' ', '-'),
      );
    const isDead = (page: string, link: string) => {
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? page : normalize(join(dirname(page), decodeURI(path)));
      if (!existsSync(join(root, target))) return true;
      return anchor !== undefined && target.endsWith('.md') && !anchorsOf(target).includes(anchor);
    };
    const dead = pages.flatMap((page) => {
      const text = textOf(page)
        .replace(/^```[^]*?^```/gm, '')
        .replace(/`[^`\n]*`/g, '');
      return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
        .map(([, link]) => link ?? '')
        .filter((link) => !/^[a-z]+:/.test(link) && isDead(page, link))
        .map((link) => `${page}: ${link}`);
    });
    expect(dead).toEqual([]);
  });

  it('list every room of the source in docs/architecture.md', () => {
    const page = textOf('docs/architecture.md');
    const rooms = new Set(sources.map((file) => file.split('/')[1]?.replace(/\.ts$/, '') ?? ''));
    expect([...rooms].filter((room) => !new RegExp(`\`${room}(\`|/|\\.ts)`).test(page))).toEqual([]);
  });
});

describe('the source', () => {
  it('has no file beyond 400 lines', () => {
    const files = [...sources, ...filesBelow('.ci')];
    expect(files.filter((file) => textOf(file).split('\n').length > 401)).toEqual([]);
  });

  it('has a docstring on every export', () => {
    expect(sources.flatMap(undocumentedExports)).toEqual([]);
  });

  it('has no note of work that is still to be done', () => {
    expect(sources.filter((file) => /\b(TODO|FIXME|XXX|HACK)\b/.test(textOf(file)))).toEqual([]);
  });
});

describe('no file', () => {
  const ownPath = 'test/house/docs.test.ts';
  const places = ['src', 'test', 'docs', 'config', 'docker', '.ci', '']
    .flatMap((folder) =>
      folder === '' ? [...pages, 'package.json', 'package-lock.json', '.npmrc'] : filesBelow(folder),
    )
    .filter((file) => file !== ownPath && existsSync(join(root, file)) && !/\.(png|flv|bin|ico)$/.test(file));

  it('holds a path of somebody’s machine', () => {
    const path = /(?<![\w.:/-])\/(work|root|home\/\w|Users\/\w|workspace|mnt)\//;
    expect(places.filter((file) => path.test(textOf(file)))).toEqual([]);
  });

  it('holds the host of a package registry or mirror', () => {
    const host = /"resolved":|https?:\/\/[^\s"')]*(registry\.|npmjs\.|artifactory|nexus|verdaccio|\/simple\/|mirror)/i;
    expect(places.filter((file) => host.test(textOf(file)))).toEqual([]);
  });
});
