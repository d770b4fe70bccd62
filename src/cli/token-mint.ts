import type { Config } from '../config/config.js';
import { mintToken, type MintOptions } from '../hooks/verify-token/mint.js';
import type { Role } from '../model/identity.js';
import { TRANSPORT_NAMES, type TransportName } from '../model/transport.js';
import { didYouMean } from '../config/nearest.js';
import { redact } from '../telemetry/redact.js';
import { parseArguments, type ParsedArguments } from './arguments.js';
import { MINT_FLAGS } from './flags.js';
import { usageLine } from './help.js';
import { EXIT, type Command } from './io.js';
import { planMint, type MintWish } from '../gateway/minting.js';
import { loadConfigFor } from './load-config.js';

const ROLES: Readonly<Record<string, readonly Role[]>> = {
  publisher: ['red5-publisher'],
  subscriber: ['red5-subscriber'],
  both: ['red5-publisher', 'red5-subscriber'],
};

type Flags = Extract<ParsedArguments<typeof MINT_FLAGS>, { ok: true }>['flags'];
type Claims = Omit<MintWish, 'keyId' | 'tokenId'>;

/** `portcullis token mint`: makes a token with a key of the config; only the token goes to standard output. */
export const runMint: Command = (args, io) => Promise.resolve(mint(args, io));

function mint(args: readonly string[], io: Parameters<Command>[1]): number {
  const asked = readArguments(args);
  if ('problem' in asked) {
    io.stderr(usageLine('token mint', asked.problem));
    return EXIT.usage;
  }
  const { flags, wanted } = asked;
  const loaded = loadConfigFor('token mint', flags.config, io);
  if (!loaded.ok) return loaded.code;
  const { auth } = loaded.config;
  const plan = planMint(auth, { ...wanted, ...(flags.key !== undefined && { keyId: flags.key }) });
  if (!plan.ok) {
    const ceiling = `auth.maxTtlMinutes is ${auth.maxTtlMinutes} (${auth.maxTtlMinutes * 60} s)`;
    const tooLong = `a token of ${plan.ttlS} s would be refused: ${ceiling}`;
    io.stderr(`portcullis: ${plan.problem === 'no-key' ? noKey(loaded.config, flags.key) : tooLong}\n`);
    return EXIT.failed;
  }
  const { options } = plan;
  const nowS = io.clock.now() / 1000;
  io.stdout(`${mintToken(options, nowS)}\n`);
  io.stderr(notes(options, loaded.config, nowS));
  return EXIT.fine;
}

function readArguments(
  args: readonly string[],
): { readonly flags: Flags; readonly wanted: Claims } | { readonly problem: string } {
  const parsed = parseArguments(args, MINT_FLAGS);
  if (!parsed.ok) return parsed;
  const wanted = readClaims(parsed.flags);
  return typeof wanted === 'string' ? { problem: wanted } : { flags: parsed.flags, wanted };
}

function readClaims(flags: Flags): Claims | string {
  const { role, subject } = flags;
  const roles = role === undefined ? undefined : Object.hasOwn(ROLES, role) ? ROLES[role] : null;
  if (roles === null) return `--role is publisher, subscriber or both${hint(role ?? '', Object.keys(ROLES))}`;
  const transports = listOf(flags.transport)?.map(transportOf);
  if (transports?.includes(undefined) === true)
    return `--transport knows ${TRANSPORT_NAMES.join(', ')}, with commas between`;
  const ttlS = flags.ttl === undefined ? undefined : secondsOf(flags.ttl);
  if (Number.isNaN(ttlS)) return '--ttl is a time such as 90s, 10m or 2h';
  const rooms = listOf(flags.room);
  if (rooms?.includes('') === true) return '--room has an empty entry';
  return {
    ...(roles !== undefined && { roles }),
    ...(transports !== undefined && { transports: transports.filter((one) => one !== undefined) }),
    ...(rooms !== undefined && { rooms }),
    ...(ttlS !== undefined && { ttlS }),
    ...(subject !== undefined && { subject }),
  };
}

function hint(word: string, known: readonly string[]): string {
  const question = didYouMean(word, known);
  return question === '' ? '' : `; ${question}`;
}

function listOf(text: string | undefined): readonly string[] | undefined {
  return text?.split(',').map((entry) => entry.trim());
}

/** The transport of a word in any case, as the claim is read. */
export function transportOf(word: string): TransportName | undefined {
  return TRANSPORT_NAMES.find((name) => name === word.toUpperCase());
}

const UNITS: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3600, d: 86_400 };

function secondsOf(text: string): number {
  const [, digits = '', unit = ''] = /^(\d{1,7})([smhd]?)$/.exec(text) ?? [];
  const seconds = digits === '' ? Number.NaN : Number(digits) * (UNITS[unit] ?? Number.NaN);
  return seconds > 0 ? seconds : Number.NaN;
}

function noKey({ auth }: Config, id: string | undefined): string {
  const able = auth.keys.filter((key) => key.kind === 'secret').map((key) => key.id);
  if (able.length === 0) return 'the config holds no secret; a token can only be made where the private key is';
  return `there is no key ${redact(id ?? '')} with a secret; there is: ${able.join(', ')}`;
}

function notes({ key, ttlS, ...options }: MintOptions, { auth }: Config, nowS: number): string {
  const until = new Date((Math.floor(nowS) + ttlS) * 1000).toISOString();
  const absent = (['roles', 'transports', 'rooms'] as const).filter((name) => options[name] === undefined);
  const flag = { roles: '--role', transports: '--transport', rooms: '--room' } as const;
  const flags = absent.map((name) => flag[name]).join(', ');
  const meaning = auth.profile === 'strict' ? 'refused by profile strict' : 'no limit in profile red5';
  return `${key.algorithm}, good until ${until} (${ttlS} s)${flags === '' ? '' : `; without ${flags}: ${meaning}`}\n`;
}
