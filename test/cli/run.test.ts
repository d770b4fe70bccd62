import { describe, expect, it } from '@jest/globals';
import { helpOf, TOPIC_NAMES } from '../../src/cli/help.js';
import { CHECK_FLAGS, DOCTOR_FLAGS, MINT_FLAGS, SERVE_FLAGS, WHY_FLAGS } from '../../src/cli/flags.js';
import { runCli } from '../../src/cli/run.js';
import { configText, fakeIo } from './fake-io.js';

const TOKEN = `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.${'a'.repeat(43)}`;

async function run(...args: readonly string[]) {
  const io = fakeIo({ files: { 'g.yaml': configText() } });
  const code = await runCli(args, io);
  return { code, out: io.out(), err: io.err() };
}

describe('the command line', () => {
  it.each([['--version'], ['-v']])('tells the version: %s', async (flag) => {
    expect(await run(flag)).toEqual({ code: 0, out: '1.2.3\n', err: '' });
  });

  it.each([['--help'], ['-h'], ['help']])('tells all commands: %s', async (word) => {
    const { code, out } = await run(word);
    expect(code).toBe(0);
    for (const name of TOPIC_NAMES) expect(out).toContain(`  ${name}`);
  });

  it('tells all commands, as a mistake, when there is none', async () => {
    expect(await run()).toMatchObject({ code: 2, out: '' });
  });

  it.each(TOPIC_NAMES)('helps with %s, flag by flag', async (name) => {
    const flags = {
      ...{ serve: SERVE_FLAGS, check: CHECK_FLAGS, 'token mint': MINT_FLAGS, 'token why': WHY_FLAGS },
      ...{ dev: {}, doctor: DOCTOR_FLAGS },
    }[name];
    for (const args of [
      [...name.split(' '), '--help'],
      ['help', ...name.split(' ')],
      [...name.split(' '), '--x', '-h'],
    ]) {
      const { code, out } = await run(...args);
      expect(code).toBe(0);
      expect(out).toBe(helpOf(name));
    }
    for (const flag of Object.keys(flags)) expect(helpOf(name)).toContain(`--${flag}`);
    expect(helpOf(name)).toContain('Exit codes: 0 fine, 1 failed, 2 usage, 78 bad config.');
  });

  it.each<[readonly string[], string]>([
    [['sevre'], 'portcullis: unknown command "sevre"; did you mean "serve"? (see portcullis --help)\n'],
    [['banana'], 'portcullis: unknown command "banana" (see portcullis --help)\n'],
    [['--verison'], 'portcullis: unknown flag "--verison" (see portcullis --help)\n'],
    [['token'], 'portcullis: token what? mint or why (see portcullis --help)\n'],
    [['token', 'wyh'], 'portcullis: token what? mint or why; did you mean "token why"? (see portcullis --help)\n'],
    [['token', TOKEN], 'portcullis: token what? mint or why (see portcullis --help)\n'],
    [[TOKEN], 'portcullis: unknown command "[token]" (see portcullis --help)\n'],
    [
      ['check', '--confg', 'x'],
      'portcullis: unknown flag "--confg"; did you mean --config? (see portcullis check --help)\n',
    ],
    [['check'], 'portcullis: which config? give --config FILE (see portcullis check --help)\n'],
    [['constructor'], 'portcullis: unknown command "constructor" (see portcullis --help)\n'],
  ])('answers %j with one line and exit code 2', async (args, err) => {
    expect(await run(...args)).toEqual({ code: 2, out: '', err });
  });

  it('helps with both token commands at once', async () => {
    const { code, out } = await run('token', '--help');
    expect(code).toBe(0);
    expect(out).toBe(`${helpOf('token mint')}\n${helpOf('token why')}`);
  });

  it('tells what was thrown in one line, without a stack', async () => {
    const io = { ...fakeIo(), env: null as never };
    expect(await runCli(['check', '--config', 'x'], io)).toBe(1);
    expect(io.err()).toMatch(/^portcullis: [^\n]*\n$/);
  });
});
