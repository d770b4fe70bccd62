import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { main } from './peers/gateway.js';
import { folder } from './peers/place.js';
import { run, start } from './peers/program.js';

const example = join(__dirname, '..', '..', 'config', 'hooks', 'office-hours.mjs');
const SECRET = '0123456789abcdef0123456789abcdef';

/** A config whose last hook is a module of its own. */
function configWith(name: string, source: string | undefined, options: object = {}): string {
  const place = join(folder, name);
  mkdirSync(place);
  if (source === undefined) cpSync(example, join(place, 'hook.mjs'));
  else writeFileSync(join(place, 'hook.mjs'), source);
  const file = join(place, 'gateway.json');
  const config = {
    listen: { rtmp: { host: '127.0.0.1', port: 0 } },
    auth: { keys: [{ id: 'main', secret: { value: SECRET } }] },
    hooks: [
      ...['verify-token', 'require-transport', 'require-role', 'require-room'],
      { name: 'module', id: 'mine', file: 'hook.mjs', options },
    ],
    origins: [{ name: 'a', rtmp: 'rtmp://127.0.0.1:9' }],
  };
  writeFileSync(file, JSON.stringify(config));
  return file;
}

describe('the built gateway with a module in hooks', () => {
  it('loads the example as it stands, by its path beside the config', async () => {
    const gateway = start(process.execPath, [main, 'serve', '--config', configWith('good', undefined)]);
    await gateway.says(/gateway\.start/);
    expect(await gateway.stop('SIGTERM')).toMatchObject({ code: 0 });
  });

  it.each<[string, string | undefined, object, string]>([
    ['syntax', 'export const decide = (', {}, 'cannot be loaded'],
    ['throwing', 'throw new Error("no database");', {}, 'cannot be loaded: no database'],
    ['without', 'export const foo = 1;', {}, 'has no decide'],
    ['options', undefined, { from: 9, until: 3 }, 'from < until'],
  ])('does not start with a bad one (%s): exit code 78 and one line', async (name, source, options, why) => {
    const { code, stderr } = await run(process.execPath, [
      main,
      'serve',
      '--config',
      configWith(name, source, options),
    ]);
    expect(code).toBe(78);
    expect(stderr).toMatch(/^portcullis: hooks \(mine\): the module .*\n$/);
    expect(stderr).toContain(why);
  });

  it('is checked without being loaded', async () => {
    const file = configWith('checked', 'throw new Error("loaded");');
    expect(await run(process.execPath, [main, 'check', '--config', file])).toMatchObject({ code: 0 });
  });
});
