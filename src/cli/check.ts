import type { AuthKey, Config, HookConfig, Origin } from '../config/config.js';
import { effectiveYaml } from '../config/effective.js';
import { parseArguments } from './arguments.js';
import { CHECK_FLAGS } from './flags.js';
import { usageLine } from './help.js';
import { EXIT, type Command } from './io.js';
import { loadConfigFor } from './load-config.js';

/** `portcullis check`: tells what a config comes to, its warnings (standard error) or its faults. */
export const runCheck: Command = (args, io) => {
  const parsed = parseArguments(args, CHECK_FLAGS);
  if (!parsed.ok) {
    io.stderr(usageLine('check', parsed.problem));
    return Promise.resolve(EXIT.usage);
  }
  const loaded = loadConfigFor('check', parsed.flags.config, io);
  if (!loaded.ok) return Promise.resolve(loaded.code);
  io.stdout(parsed.flags.full === true ? effectiveYaml(loaded.config) : summary(loaded.config));
  for (const warning of loaded.warnings) io.stderr(`warning: ${warning}\n`);
  io.stdout(`The config is fine${warningCount(loaded.warnings.length)}.\n`);
  return Promise.resolve(EXIT.fine);
};

function warningCount(count: number): string {
  if (count === 0) return '';
  return `, with ${count} ${count === 1 ? 'warning' : 'warnings'}`;
}

function summary({ listen, tls, auth, hooks, origins, limits }: Config): string {
  const rows: readonly (readonly [string, string])[] = [
    ...Object.entries(listen).map(([name, { host, port }]) => ['listens', `${name} ${host}:${port}`] as const),
    ...tls.certificates.map(
      ({ serverNames }) => ['certificate', serverNames.join(', ') || 'for its own names'] as const,
    ),
    ['profile', `${auth.profile}, sessions ${auth.onExpiry === 'keep' ? 'outlive' : 'end with'} their token`],
    ['hooks', hooks.map(hookText).join(', ') || 'none: everybody is refused'],
    ...auth.keys.map((key) => ['key', keyText(key)] as const),
    ['issuers', auth.issuers.join(', ') || 'not checked'],
    ['audiences', auth.audiences.join(', ') || 'not checked'],
    ['token life', `at most ${auth.maxTtlMinutes} min ahead, leeway ${auth.leewaySeconds} s`],
    ...origins.map((origin) => ['origin', originText(origin)] as const),
    [
      'limits',
      `connections: ${limits.perAddress || 'any number'} per address, ${limits.connections || 'any number'} in all`,
    ],
  ];
  return rows.map(([name, text]) => `${name.padEnd(12)}${text}\n`).join('');
}

function hookText(hook: HookConfig): string {
  const name = hook.id === hook.name ? hook.name : `${hook.name} (${hook.id})`;
  if (hook.name === 'module') return `${name} ${hook.file}`;
  if (hook.name !== 'call-http') return name;
  const { secure, host, port } = hook.url;
  return `${name} ${hook.form} ${secure ? 'https' : 'http'}://${host}:${port}`;
}

function keyText(key: AuthKey): string {
  const head = `${key.id}, ${key.algorithm}`;
  if (key.kind === 'jwks-url') {
    const { secure, host, port } = key.url;
    return `${key.id}, ${key.algorithms.join(' ')}, fetched from ${secure ? 'https' : 'http'}://${host}:${port}`;
  }
  return key.kind === 'secret' ? `${head}, ${key.secret.toString()} (${key.encoding})` : `${head}, ${key.kind}`;
}

function originText(origin: Origin): string {
  const { name, preset, rooms, apps, credentials } = origin;
  const addresses = (['rtmp', 'rtsp', 'http'] as const).flatMap((kind) => {
    const address = origin[kind];
    return address === undefined ? [] : [`${kind}${address.secure ? 's' : ''}://${address.host}:${address.port}`];
  });
  const served = apps === undefined ? 'all apps' : apps.join(', ');
  return `${name} (${preset}) ${addresses.join(' ')}, ${served}, rooms: ${rooms}, credentials: ${credentials.mode}`;
}
