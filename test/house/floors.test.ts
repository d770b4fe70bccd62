import { describe, expect, it } from '@jest/globals';
import { readdirSync } from 'node:fs';
import { ambientsOf, filesBelow, importsOf, root, type Import } from './source.js';

/** Floor 0 is pure, floor 1 opens sockets, floor 2 does the work, the roof (3) introduces everybody. */
type Floor = 0 | 1 | 2 | 3;

interface Room {
  readonly name: string;
  readonly floor: Floor;
}

/** Every room there is. A file in none of them fails the test: drawers without a label cannot appear. */
const ROOMS: readonly (readonly [RegExp, Floor])[] = [
  [/^src\/(model|wire)\//, 0],
  [/^src\/(transports\/\w+\/wire)\//, 0],
  [/^src\/(net)\//, 1],
  [/^src\/(hooks|session|origin|relay|store|admin|telemetry|config)\//, 2],
  [/^src\/(transports\/(?:rtmp|rtsp|webrtc))\//, 2],
  [/^src\/(cli|embedded-origin)\//, 3],
  [/^src\/(main)\.ts$/, 3],
  [/^src\/(gateway)(?:\.ts$|\/)/, 3],
];

/** Rooms of one floor that may be looked into from others of that floor: the words are everybody's. */
const OPEN_DOORS: Readonly<Record<string, RegExp>> = {
  model: /./,
  wire: /^transports\/\w+\/wire$/,
  gateway: /^(main|cli)$/,
  'embedded-origin': /^(main|cli)$/,
  cli: /^main$/,
};

function roomOf(file: string): Room | undefined {
  for (const [pattern, floor] of ROOMS) {
    const name = pattern.exec(file)?.[1];
    if (name !== undefined) return { name, floor };
  }
  return undefined;
}

/** What is wrong with an import between two of our files, if anything. */
function faultOf({ file, target }: Import): string | undefined {
  const from = roomOf(file);
  const to = roomOf(target);
  if (from === undefined || to === undefined || from.name === to.name) return undefined;
  const words = `${file} imports ${target}`;
  if (to.floor > from.floor) return `${words}: ${from.name} is below ${to.name}`;
  if (to.floor === from.floor && OPEN_DOORS[to.name]?.test(from.name) !== true) {
    return `${words}: ${from.name} and ${to.name} are on one floor`;
  }
  const transport = /^(transports\/\w+)\/wire$/.exec(to.name)?.[1];
  const isStranger = transport !== undefined && from.floor < 3 && from.name !== transport;
  return isStranger ? `${words}: the bytes of ${transport} are its own business` : undefined;
}

const files = filesBelow('src', /\.ts$/);
const imports = files.flatMap(importsOf);
const foreign = imports.filter((one) => !one.isOurs);
const nameOf = (file: string) => roomOf(file)?.name ?? '';
const floorOf = (file: string) => roomOf(file)?.floor ?? 3;
const words = ({ file, target }: Import) => `${file} imports ${target}`;

describe('the floors', () => {
  it('have a room for every file', () => {
    expect(files.filter((file) => roomOf(file) === undefined)).toEqual([]);
  });

  it('are left only downwards, and rooms of one floor do not know each other', () => {
    expect(imports.filter((one) => one.isOurs).flatMap((one) => faultOf(one) ?? [])).toEqual([]);
  });

  it('are told apart by this test: it finds an import upwards, sideways and into a strange transport', () => {
    const made = (file: string, target: string): Import => ({
      file,
      target,
      isOurs: true,
      isTypeOnly: false,
      names: [],
    });
    expect(faultOf(made('src/wire/a.ts', 'src/net/b.ts'))).toContain('below');
    expect(faultOf(made('src/hooks/a.ts', 'src/session/b.ts'))).toContain('one floor');
    expect(faultOf(made('src/wire/a.ts', 'src/transports/rtmp/wire/b.ts'))).toContain('one floor');
    expect(faultOf(made('src/hooks/a.ts', 'src/transports/rtmp/wire/b.ts'))).toContain('own business');
    expect(faultOf(made('src/gateway.ts', 'src/cli/b.ts'))).toContain('one floor');
    expect(faultOf(made('src/transports/rtmp/a.ts', 'src/transports/rtmp/wire/b.ts'))).toBeUndefined();
  });

  it('have files named in lower case with dashes', () => {
    expect(files.filter((file) => !/^[a-z0-9-]+\.ts$/.test(file.split('/').at(-1) ?? ''))).toEqual([]);
  });
});

describe('what rooms take from outside', () => {
  /** Who may import a module of Node or a package. Everything else is closed to everybody. */
  const OUTSIDE: readonly (readonly [RegExp, RegExp])[] = [
    [/^node:(buffer|url|path|util)$/, /./],
    [/^node:crypto$/, /./],
    [/^node:(net|tls|http|https|http2|dgram|dns|dns\/promises|stream)$/, /^(net|embedded-origin)$/],
    [/^node:(fs|fs\/promises|os)$/, /^(config|cli|main|embedded-origin)$/],
    [/^node:child_process$/, /^(embedded-origin)$/],
    [/^node:(process|timers|timers\/promises|perf_hooks)$/, /^(net|telemetry|cli|main|gateway)$/],
    [/^jsonwebtoken$/, /^(hooks|origin|cli)$/],
    [/^(yaml|zod)$/, /^config$/],
    [/^ws$/, /^net$/],
    [/^@opentelemetry\/(api|sdk-trace|resources|otlp-transformer)$/, /^telemetry$/],
    // The program of the child loads the origin by a name held in a constant; werift is named for its types alone.
    [/^(\?|werift)$/, /^embedded-origin$/],
    // The modules of `hooks`, by the path that the config gives.
    [/^\?$/, /^gateway$/],
  ];

  /** Single names that may be taken besides, and why. */
  const NAMES: readonly (readonly [RegExp, string, readonly string[], string])[] = [
    [/./, 'node:net', ['isIP', 'isIPv4', 'isIPv6'], 'they only look at a text'],
    [/^src\/net\/fast-socket\.ts$/, 'node:fs', ['writeSync'], 'it writes to the descriptor of a socket'],
  ];

  it('is what the lists allow them', () => {
    const isAllowed = ({ file, target, names }: Import) =>
      OUTSIDE.some(([module, rooms]) => module.test(target) && rooms.test(nameOf(file))) ||
      NAMES.some(
        ([where, module, taken]) =>
          where.test(file) && module === target && names.length > 0 && names.every((name) => taken.includes(name)),
      );
    expect(foreign.filter((one) => !isAllowed(one)).map(words)).toEqual([]);
  });

  it('is no package on floor 0, and of node:crypto only what is always the same', () => {
    const pure = new Set(['createHash', 'createHmac', 'timingSafeEqual']);
    const faults = foreign
      .filter(({ file }) => floorOf(file) === 0)
      .filter(({ target, names }) =>
        target === 'node:crypto' ? !names.every((name) => pure.has(name)) : !target.startsWith('node:'),
      );
    expect(faults.map(words)).toEqual([]);
  });

  it('is randomness only on the roof', () => {
    const random = /^(random|generate|getRandom|webcrypto)/;
    const faults = foreign.filter(
      ({ file, target, names }) =>
        target === 'node:crypto' && floorOf(file) < 3 && names.some((name) => random.test(name)),
    );
    expect(faults.map(words)).toEqual([]);
  });
});

describe('what surrounds a room', () => {
  /** Files that may use something ambient, and why. */
  const EXCEPTIONS: readonly (readonly [RegExp, readonly string[], string])[] = [
    [/^src\/net\/clock\.ts$/, ['Date.now', 'setTimeout'], 'it is the clock that all others are given'],
    [/^src\/net\//, ['setImmediate'], 'the order of socket events is its business'],
    [/^src\/(main\.ts$|cli\/)/, ['process', 'process.env'], 'it stands between the process and the rooms'],
    [/^src\/gateway\.ts$/, ['performance'], 'it hands the rooms a measure of time that never jumps'],
    [/^src\/embedded-origin\/(?:rt[ms]p|webrtc)-child\.ts$/, ['process'], 'it is a process of its own'],
  ];

  it('comes in as an argument, not as a global', () => {
    const faults = files.flatMap((file) =>
      [...ambientsOf(file)]
        .filter((name) => !EXCEPTIONS.some(([pattern, names]) => pattern.test(file) && names.includes(name)))
        .map((name) => `${file} uses ${name}`),
    );
    expect(faults).toEqual([]);
  });
});

describe('the top level', () => {
  const ALLOWED = new Set([
    ...['src', 'test', 'config', 'docker', 'docs', '.ci'],
    ...['README.md', 'LICENSE', 'CHANGELOG.md', 'package.json', 'package-lock.json', 'tsconfig.json'],
    ...['eslint.config.js', '.prettierrc.json', '.prettierignore', '.swcrc', '.npmrc', '.gitignore'],
    ...['.git', 'node_modules', 'dist', 'coverage', '.cache'],
  ]);

  it('holds what it is meant to hold', () => {
    const entries = readdirSync(root).filter((name) => !name.endsWith('.log') && !name.endsWith('.tgz'));
    expect(entries.filter((name) => !ALLOWED.has(name))).toEqual([]);
  });
});
