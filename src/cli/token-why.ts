import type { Auth, Config } from '../config/config.js';
import { didYouMean } from '../config/nearest.js';
import { readFailure } from '../config/resolving.js';
import { readRevocations } from '../config/revocation-file.js';
import { isForeign } from '../gateway/foreign-hooks.js';
import { claimPolicyOf, fetchOf, isFetched, keySpecsOf } from '../gateway/token-keys.js';
import { fetchKeys } from '../hooks/verify-token/key-source.js';
import { createKeySet, joinKeys, type TokenKey } from '../hooks/verify-token/keys.js';
import { explainToken, type Explanation, type TokenQuestion } from '../hooks/verify-token/explain.js';
import type { TokenPolicy } from '../hooks/verify-token/verify.js';
import { pathOf } from '../model/request.js';
import { Secret } from '../model/secret.js';
import type { Action } from '../model/transport.js';
import { createRevocations } from '../store/revocations.js';
import { redact } from '../telemetry/redact.js';
import { normalisePartialPath, normaliseStreamPath } from '../wire/stream-path.js';
import { parseArguments, type ParsedArguments } from './arguments.js';
import { WHY_FLAGS } from './flags.js';
import { usageLine } from './help.js';
import { EXIT, type CliIo, type Command } from './io.js';
import { loadConfigFor } from './load-config.js';
import { transportOf } from './token-mint.js';
import { judgeAddress, limitNotes } from './why-limits.js';

/** What is read of standard input; a token has at most 8 kB. */
const MAX_TOKEN_BYTES = 65_536;

const ACTIONS: readonly Action[] = ['connect', 'publish', 'subscribe'];

type Flags = Extract<ParsedArguments<typeof WHY_FLAGS>, { ok: true }>['flags'];

/** `portcullis token why`: tells what passed and what failed, and by how much; exit code 0 for yes, 1 for no. */
export const runWhy: Command = async (args, io) => {
  const asked = readArguments(args);
  if ('problem' in asked) {
    io.stderr(usageLine('token why', asked.problem));
    return EXIT.usage;
  }
  const { flags, question } = asked;
  const loaded = loadConfigFor('token why', flags.config, io);
  if (!loaded.ok) return loaded.code;
  const { auth } = loaded.config;
  const { limits } = loaded.config;
  const judged = judgeAddress(limits, flags.address);
  if ('problem' in judged) {
    io.stderr(usageLine('token why', judged.problem));
    return EXIT.usage;
  }
  if (judged.no !== undefined) {
    io.stdout(judged.no);
    return EXIT.failed;
  }
  const hooks = loaded.config.hooks.map(({ name }) => name);
  if (!hooks.includes('verify-token')) {
    const [verdict, code] = withoutVerify(loaded.config);
    io.stdout(verdict);
    return code;
  }
  const token = await readToken(asked.word, io);
  const keys = createKeySet(keySpecsOf(auth));
  if (!keys.ok) throw new Error(keys.faults.map(({ message }) => message).join('; '));
  const fetched = await fetchAll(auth, io, flags.offline === true);
  const revoked = readRevoked(flags.revocations ?? auth.revocations?.file, io);
  if ('problem' in revoked) {
    io.stderr(usageLine('token why', revoked.problem));
    return EXIT.usage;
  }
  const policy = { ...claimPolicyOf(auth), ...revoked, keys: joinKeys(keys.keySet.keys, [{ keys: fetched.keys }]) };
  const explanation = explainToken(token.reveal(), question, policy, io.clock.now(), hooks);
  const notes = [...fetched.notes, ...unasked(loaded.config), ...limitNotes(limits, flags.address, explanation.code)];
  io.stdout([report(question, explanation), ...notes].join(''));
  return explanation.ok ? EXIT.fine : EXIT.failed;
};

/** The answer where tokens are not verified at all. */
function withoutVerify(config: Config): readonly [verdict: string, code: number] {
  if (config.hooks.length === 0) return ['no: hooks is empty, everybody is refused\n', EXIT.failed];
  if (config.hooks.some(({ name }) => name === 'open')) {
    return ['yes: the gateway is open, tokens are not looked at\n', EXIT.fine];
  }
  const lines = ['unknown: verify-token is not among the hooks\n', ...unasked(config)];
  return [lines.join(''), EXIT.failed];
}

/** What the file says; what was revoked by a call only the running gateway knows. */
function readRevoked(
  file: string | undefined,
  io: CliIo,
): Pick<TokenPolicy, 'whyRevoked'> | { readonly problem: string } {
  if (file === undefined) return {};
  const problem = (words: string): { readonly problem: string } => ({
    problem: `the file of revocations ${file} ${words}`,
  });
  let bytes: Buffer;
  try {
    bytes = io.readFile(file);
  } catch (error) {
    return problem(readFailure(error));
  }
  const read = readRevocations(bytes);
  if (!read.ok) return problem(read.problem);
  const revocations = createRevocations({ clock: io.clock, maxTokenLifeS: () => Infinity });
  revocations.useFile(read.revocations);
  return { whyRevoked: (token) => revocations.find(token) };
}

/** Hooks whose answer only the running gateway gets. */
function unasked({ hooks }: Config): readonly string[] {
  return hooks.filter(isForeign).map(({ name, id }) => `\nNot asked here, but by the gateway: ${name} (${id})\n`);
}

/** The key sets at URLs, fetched now as the gateway would; what cannot be had is told, since the verdict may hang on it. */
async function fetchAll(
  auth: Auth,
  { clock }: CliIo,
  isOffline: boolean,
): Promise<{ readonly keys: readonly TokenKey[]; readonly notes: readonly string[] }> {
  const keys: TokenKey[] = [];
  const notes: string[] = [];
  for (const key of auth.keys.filter(isFetched)) {
    const note = (why: string): unknown => notes.push(`\nThe key set ${key.id} is not here: ${redact(why)}\n`);
    if (isOffline) {
      note('it was not fetched (--offline)');
      continue;
    }
    try {
      const options = { ...fetchOf(key), clock, random: () => 0 };
      const fetched = await fetchKeys(options, new AbortController().signal);
      if (fetched.ok) keys.push(...fetched.keys);
      else note(fetched.problem);
    } catch (error) {
      note(error instanceof Error ? error.message : 'it could not be fetched');
    }
  }
  return { keys, notes };
}

function readArguments(
  args: readonly string[],
): { readonly flags: Flags; readonly question: TokenQuestion; readonly word: string } | { readonly problem: string } {
  const parsed = parseArguments(args, WHY_FLAGS, 1);
  if (!parsed.ok) return parsed;
  const [word] = parsed.words;
  if (word === undefined) return { problem: 'which token? give it, or - for standard input' };
  const question = readQuestion(parsed.flags);
  return typeof question === 'string' ? { problem: question } : { flags: parsed.flags, question, word };
}

function readQuestion(flags: Flags): TokenQuestion | string {
  const transport = transportOf(flags.transport ?? 'RTMP');
  if (transport === undefined) return '--transport is RTMP, RTSP, WHIP or WHEP';
  const action = ACTIONS.find((one) => one === flags.action);
  if (action === undefined) return actionProblem(flags.action);
  if (flags.path === undefined) return 'which stream? give --path app[/room…]/name';
  const path = action === 'connect' ? normalisePartialPath(flags.path) : normaliseStreamPath(flags.path);
  return path.ok ? { transport, action, target: path.target } : `--path: ${path.detail}`;
}

/** Words that other servers use for ours. */
const OTHER_WORDS: Readonly<Record<string, Action>> = {
  play: 'subscribe',
  view: 'subscribe',
  watch: 'subscribe',
  stream: 'publish',
};

function actionProblem(word: string | undefined): string {
  const listed = '--action is connect, publish or subscribe';
  if (word === undefined) return `what does it want? ${listed}`;
  const meant = Object.hasOwn(OTHER_WORDS, word) ? OTHER_WORDS[word] : undefined;
  const hint = meant === undefined ? didYouMean(word, ACTIONS) : `did you mean "${meant}"?`;
  return hint === '' ? listed : `${listed}; ${hint}`;
}

async function readToken(word: string, io: CliIo): Promise<Secret> {
  if (word !== '-') return new Secret(word);
  return new Secret((await io.readStdin(MAX_TOKEN_BYTES)).toString('utf8').trim());
}

const MARKS = { ok: 'ok  ', failed: 'FAIL', skipped: '-   ' } as const;

function report({ transport, action, target }: TokenQuestion, explanation: Explanation): string {
  const what = `${transport} ${action} of ${redact(pathOf(target))}, profile ${explanation.profile}`;
  const verdict = explanation.ok
    ? `yes: ${what}`
    : `no: ${what}\n    ${explanation.code ?? ''}: ${redact(explanation.detail ?? '')}`;
  const width = Math.max(...explanation.steps.map(({ name }) => name.length));
  const steps = explanation.steps.map(
    ({ outcome, name, text }) => `  ${MARKS[outcome]}  ${name.padEnd(width)}  ${redact(text)}`,
  );
  const mistakes = explanation.mistakes.map((mistake) => `  * ${redact(mistake)}`);
  const tail = mistakes.length === 0 ? [] : ['', 'What this looks like:', ...mistakes];
  return `${[verdict, '', ...steps, ...tail].join('\n')}\n`;
}
