import { describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ANY_PORTS } from './peers/dev.js';
import { folder } from './peers/place.js';
import { run } from './peers/program.js';

const root = join(__dirname, '..', '..');

/** Runs npm, and shows what it said when it failed. */
async function npm(args: readonly string[], cwd: string): Promise<string> {
  const { code, stdout, stderr } = await run('npm', args, { cwd, timeoutMs: 240_000 });
  if (code !== 0) throw new Error(`npm ${args.join(' ')}: exit code ${code ?? 'none'}\n${stderr}`);
  return stdout;
}

/** Packs the checkout as it is built, and installs that into an empty folder. */
async function installPacked(): Promise<string> {
  const place = join(folder, 'somewhere');
  mkdirSync(place);
  await npm(['pack', '--ignore-scripts', '--pack-destination', folder], root);
  const archive = readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? '';
  // Without --prefix npm climbs from an empty folder to the next one above that has a node_modules, and installs there.
  const flags = ['--prefix', place, '--prefer-offline', '--no-audit', '--no-fund'];
  await npm(['install', ...flags, join(folder, archive)], place);
  return place;
}

/** Runs `npx portcullis dev` until it has shown its banner, ends it as Ctrl-C does, and gives all that it printed. */
function tryDev(cwd: string): Promise<string> {
  // A group of its own: npx passes no signal on, and a terminal sends it to the whole group.
  const stdio = ['ignore', 'pipe', 'inherit'] as const;
  const npx = spawn('npx', ['portcullis', 'dev', ...ANY_PORTS], { cwd, detached: true, stdio: [...stdio] });
  const kill = (signal: NodeJS.Signals): boolean => npx.pid !== undefined && process.kill(-npx.pid, signal);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => kill('SIGKILL'), 30_000);
    let text = '';
    let isAsked = false;
    npx.stdout.setEncoding('utf8').on('data', (part: string) => {
      text += part;
      if (isAsked || !/Stream Key[^]*(?:WHIP and WHEP are left out|In a browser)/.test(text)) return;
      isAsked = true;
      kill('SIGINT');
    });
    npx.on('error', reject);
    // Not `exit`: npx is gone before what it has started.
    npx.on('close', () => {
      clearTimeout(timer);
      resolve(text);
    });
  });
}

describe('npm pack', () => {
  it('makes a package that runs from an empty folder: portcullis dev, check, and a page for each key', async () => {
    const place = await installPacked();
    const inside = join(place, 'node_modules', 'portcullis');
    expect(readdirSync(inside).sort()).toEqual(
      expect.arrayContaining(['LICENSE', 'README.md', 'config', 'dist', 'docs']),
    );
    expect(existsSync(join(inside, 'docs', 'configuration.md'))).toBe(true);
    expect(readdirSync(inside).filter((name) => ['src', 'test', '.ci', 'node_modules'].includes(name))).toEqual([]);
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { readonly version: string };
    const told = await run('npx', ['portcullis', '--version'], { cwd: place });
    expect([told.code, told.stdout.trim()]).toEqual([0, version]);
    const checked = await run('npx', ['portcullis', 'check', '--config', join(inside, 'config', 'minimal.yaml')], {
      cwd: place,
      env: { MEDIA_SECRET: '0123456789abcdef0123456789abcdef' },
    });
    expect([checked.code, checked.stderr]).toEqual([0, '']);

    // Traces are for those who install what they need.
    const traced = join(folder, 'traced.yaml');
    writeFileSync(
      traced,
      'listen: { rtmp: { host: 127.0.0.1, port: 0 } }\nhooks: [open]\norigins: [{ name: o, rtmp: "rtmp://127.0.0.1:9" }]\nlog: { traces: { endpoint: "http://127.0.0.1:9" } }\n',
    );
    const untraced = await run('npx', ['portcullis', 'serve', '--config', traced], { cwd: place });
    expect([untraced.code, untraced.stderr]).toEqual([78, expect.stringMatching(/npm install @opentelemetry\/api@/)]);

    expect(await tryDev(place)).toMatch(/Server +rtmp:\/\/127\.0\.0\.1:\d+\/live[^]*gateway\.stop/);
  }, 300_000);
});
