import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { transformSync } from '@swc/core';
import ts from 'typescript';
import { readUserModule } from '../../../src/hooks/user-module/index.js';
import type { Hook } from '../../../src/model/hook.js';
import { makeIdentity, makeRequest } from '../requests.js';

const root = join(__dirname, '..', '..', '..');
const file = join(root, 'config', 'hooks', 'office-hours.mjs');

/** The example as it stands, made a function of, since the test runner knows no ES modules. */
function load(): unknown {
  const { code } = transformSync(readFileSync(file, 'utf8'), { module: { type: 'commonjs' }, filename: file });
  const module = { exports: {} };
  // eslint-disable-next-line @typescript-eslint/no-implied-eval, @typescript-eslint/no-unsafe-call
  new Function('module', 'exports', code)(module, module.exports);
  return module.exports;
}

async function hookAt(hour: number, options: object = {}): Promise<Hook> {
  const tools = { now: () => Date.UTC(2026, 10, 25, hour, 30), log: () => undefined };
  const read = await readUserModule(load(), { id: 'office-hours', options: { ...options }, tools });
  if (!read.ok) throw new Error(read.problem);
  return read.hook;
}

describe('the example config/hooks/office-hours.mjs', () => {
  const never = new AbortController().signal;

  it.each<[number, boolean]>([
    [8, false],
    [9, true],
    [16, true],
    [17, false],
    [23, false],
  ])('at half past %d: %s', async (hour, isOpen) => {
    expect((await (await hookAt(hour)).decide(makeRequest(), undefined, never)).ok).toBe(isOpen);
  });

  it('lets nobody stay longer than the office is open', async () => {
    const decision = await (await hookAt(16)).decide(makeRequest(), makeIdentity({ subject: 'anna' }), never);
    const expiresAtS = Date.UTC(2026, 10, 25, 17) / 1000;
    expect(decision).toEqual({ ok: true, identity: { subject: 'anna', expiresAtS } });
  });

  it('minds its own apps only', async () => {
    const hook = await hookAt(3, { apps: ['studio'] });
    expect(await hook.decide(makeRequest(), undefined, never)).toEqual({ ok: true });
  });

  it('refuses hours that are none, at the start', async () => {
    await expect(hookAt(9, { from: 17, until: 9 })).rejects.toThrow('from < until');
  });

  it('loads as Node loads it', () => {
    const program = `const { createHook } = await import(${JSON.stringify(`${pathToFileURL(file).href}?0123`)});
      console.log(JSON.stringify(createHook({}, { now: () => 0, log() {} }).decide({ target: { app: 'live' } })));`;
    const said = execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
    expect(JSON.parse(said)).toMatchObject({ allow: false });
  });

  it('is right by the types that the package publishes for hooks', () => {
    const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      readonly exports: Readonly<Record<string, { readonly types: string }>>;
    };
    const types = exports['./hook']?.types.replace('./dist/', `${root}/src/`).replace(/\.d\.ts$/, '.ts') ?? '';
    const options: ts.CompilerOptions = {
      ...{ allowJs: true, checkJs: true, noEmit: true, strict: true, skipLibCheck: true, types: ['node'] },
      ...{ target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.NodeNext, verbatimModuleSyntax: true },
      ...{ moduleResolution: ts.ModuleResolutionKind.NodeNext, paths: { 'portcullis/hook': [types] } },
    };
    const program = ts.createProgram([file], options);
    const said = ts
      .getPreEmitDiagnostics(program)
      .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '));
    expect(said).toEqual([]);
    // The types were really looked at: the module is one that knows what a verdict is.
    expect(program.getSourceFile(types)).toBeDefined();
  }, 30_000);
});
