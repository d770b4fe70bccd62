import { describe, expect, it } from '@jest/globals';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { main } from './peers/gateway.js';
import { folder } from './peers/place.js';
import { start } from './peers/program.js';
import { secret } from './peers/tokens.js';

const root = join(__dirname, '..', '..');
const readJson = (name: string) => JSON.parse(readFileSync(join(root, name), 'utf8')) as unknown;

interface Package {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

const ownPackage = readJson('package.json') as Package;
const { packages } = readJson('package-lock.json') as { readonly packages: Readonly<Record<string, Package>> };

/** Packages with all that they need in turn. */
function closureOf(names: readonly string[], seen = new Set<string>()): ReadonlySet<string> {
  for (const name of names) {
    if (seen.has(name)) continue;
    seen.add(name);
    closureOf(Object.keys(packages[`node_modules/${name}`]?.dependencies ?? {}), seen);
  }
  return seen;
}

/** Runs `serve` with a listener of every kind, asks it for a stream, ends it, and gives what it had loaded. */
async function loadedBy(
  name: string,
  listen: Readonly<Record<string, unknown>>,
  log: Readonly<Record<string, unknown>> = {},
) {
  const place = { host: '127.0.0.1', port: 0 };
  const config = join(folder, `${name}.json`);
  const trace = join(folder, `${name}.loaded.json`);
  writeFileSync(
    config,
    JSON.stringify({
      listen: { rtmp: place, rtsp: place, http: { ...place, pages: true }, media: place, ...listen },
      log,
      auth: { keys: [{ id: 'test', secret: { env: 'INTEROP_SECRET' } }] },
      origins: [
        {
          ...{ name: 'none', preset: 'mediamtx', health: 'off' },
          ...{ rtmp: 'rtmp://127.0.0.1:9', rtsp: 'rtsp://127.0.0.1:9', http: 'http://127.0.0.1:9' },
        },
      ],
    }),
  );
  const mint = await start(process.execPath, [main, 'token', 'mint', '--config', config], {
    env: { INTEROP_SECRET: secret },
  }).ended;
  const program = start(
    process.execPath,
    ['--require', join(__dirname, 'peers', 'loaded.cjs'), main, 'serve', '--config', config],
    { env: { INTEROP_SECRET: secret, LOADED_FILE: trace } },
  );
  const [, http] = await program.says(/"http":\{"host":"127\.0\.0\.1","port":(\d+)\}/);
  const answer = await fetch(`http://127.0.0.1:${http ?? ''}/live/whip/cam`, {
    method: 'POST',
    headers: { 'content-type': 'application/sdp', authorization: `Bearer ${mint.stdout.trim()}` },
    body: 'v=0\r\n',
  });
  await answer.text();
  expect((await program.stop('SIGTERM', 10_000)).code).toBe(0);
  const urls = JSON.parse(readFileSync(trace, 'utf8')) as readonly string[];
  return {
    packages: new Set(urls.flatMap((url) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1] ?? [])),
    own: urls.flatMap((url) => /\/dist\/(.+)\.js$/.exec(url.includes('/node_modules/') ? '' : url)?.[1] ?? []),
  };
}

const lawAndConfig = ['jsonwebtoken', 'yaml', 'zod'];

describe('portcullis serve', () => {
  it('loads the packages that the law and the config need, and no other', async () => {
    const loaded = await loadedBy('plain', {});
    expect([...loaded.packages]).toEqual(expect.arrayContaining(lawAndConfig));
    const allowed = closureOf(lawAndConfig);
    expect([...loaded.packages].filter((name) => !allowed.has(name))).toEqual([]);
    expect(loaded.own).toContain('gateway');
    expect(loaded.own.filter((file) => /^(embedded-origin\/|cli\/dev|cli\/token)/.test(file))).toEqual([]);
  }, 60_000);

  it('loads ws only for the admin listener', async () => {
    const loaded = await loadedBy('admin', { admin: { host: '127.0.0.1', port: 0 } });
    const allowed = closureOf([...lawAndConfig, 'ws']);
    expect(loaded.packages).toContain('ws');
    expect([...loaded.packages].filter((name) => !allowed.has(name))).toEqual([]);
  }, 60_000);

  it('loads OpenTelemetry only for traces', async () => {
    const loaded = await loadedBy('traces', {}, { traces: { endpoint: 'http://127.0.0.1:9' } });
    const wanted = Object.keys(ownPackage.peerDependencies ?? {});
    expect(wanted).toHaveLength(4);
    expect([...loaded.packages]).toEqual(expect.arrayContaining(wanted));
    const allowed = closureOf([...lawAndConfig, ...wanted]);
    expect([...loaded.packages].filter((name) => !allowed.has(name))).toEqual([]);
  }, 60_000);

  it('has a reason for each package it depends on', () => {
    const page = readFileSync(join(root, 'docs', 'decisions', '0001-dependencies.md'), 'utf8');
    const rows = [...page.matchAll(/^\| `([^`]+)` \| (`serve`|`dev` only, optional|traces, optional)/gm)];
    const told = (who: string) => rows.filter(([, , user]) => user?.startsWith(who)).map(([, name]) => name);
    expect(told('`serve`').sort()).toEqual(Object.keys(ownPackage.dependencies ?? {}).sort());
    expect(told('traces').sort()).toEqual(Object.keys(ownPackage.peerDependencies ?? {}).sort());
    expect(told('`dev`').sort()).toEqual(Object.keys(ownPackage.optionalDependencies ?? {}).sort());
  });
});
