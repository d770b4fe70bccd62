import { networkInterfaces } from 'node:os';
import type { Config } from '../config/config.js';
import { PREFIX } from '../config/environment.js';
import { createNameResolver } from '../net/dns.js';
import { redact } from '../telemetry/redact.js';
import { loadTracePackages } from '../telemetry/traces/otlp.js';
import { parseArguments } from './arguments.js';
import { checkCertificates } from './doctor/certificates.js';
import { findingsOf, type Finding, type Verdict } from './doctor/finding.js';
import { checkClock, checkDescriptors, checkNode } from './doctor/machine.js';
import { checkPorts } from './doctor/ports.js';
import { checkSecrets } from './doctor/secrets.js';
import { checkServers } from './doctor/servers.js';
import { checkTraces } from './doctor/traces.js';
import { DOCTOR_FLAGS } from './flags.js';
import { usageLine } from './help.js';
import { EXIT, type CliIo } from './io.js';
import { loadConfigFor } from './load-config.js';

/** What the doctor is told of the machine; only tests tell otherwise. */
export interface Machine {
  readonly nodeVersion: string;
  readonly ownAddresses: readonly string[];
}

const SHOWN: Readonly<Record<Verdict, string>> = { fine: 'ok', skipped: '-', warning: 'WARN', fault: 'FAULT' };

/**
 * `portcullis doctor`: looks at everything around a gateway, and tells what to do. Without a config it looks at the machine alone.
 * Exit code 1 when there is a fault.
 */
export async function runDoctor(args: readonly string[], io: CliIo, machine: Machine = thisMachine()): Promise<number> {
  const parsed = parseArguments(args, DOCTOR_FLAGS);
  if (!parsed.ok) {
    io.stderr(usageLine('doctor', parsed.problem));
    return EXIT.usage;
  }
  const { config: file, running, json } = parsed.flags;
  const hasConfig = file !== undefined || Object.keys(io.env).some((variable) => variable.startsWith(PREFIX));
  const findings: Finding[] = [checkNode(machine.nodeVersion, io.clock.now())];
  if (hasConfig) {
    const loaded = loadConfigFor('doctor', file, io);
    if (!loaded.ok) return loaded.code;
    const { config, warnings } = loaded;
    findings.push(...(await checkConfig(config, warnings, io, { machine, isRunning: running === true })));
  } else {
    findings.push(
      checkDescriptors(limitsOf(io), undefined),
      checkClock(io.clock.now(), [], 0),
      findingsOf('config', '').skipped('none was given', 'For all the rest: portcullis doctor --config FILE'),
    );
  }
  const clean = findings.map(withoutSecrets);
  io.stdout(json === true ? asJson(clean) : asText(clean));
  return clean.some(({ verdict }) => verdict === 'fault') ? EXIT.failed : EXIT.fine;
}

async function checkConfig(
  config: Config,
  warnings: readonly string[],
  io: CliIo,
  { machine, isRunning }: { readonly machine: Machine; readonly isRunning: boolean },
): Promise<readonly Finding[]> {
  const { clock } = io;
  const ofConfig = findingsOf('config', '');
  const names = createNameResolver(clock);
  try {
    const ports = await checkPorts(config, { isRunning, ownAddresses: machine.ownAddresses });
    const { findings, times } = await checkServers(config, { clock, names });
    return [
      checkDescriptors(limitsOf(io), config),
      checkClock(clock.now(), times, config.auth.leewaySeconds),
      ...(warnings.length === 0
        ? [ofConfig.fine('it can be read, without a warning')]
        : warnings.map((warning) => ofConfig.warning(warning, 'See docs/configuration.md for the key.'))),
      ...checkSecrets(config),
      ...checkCertificates(config, clock.now()),
      ...ports,
      ...findings,
      ...(await checkTraces(config, loadTracePackages)),
    ];
  } finally {
    names.stop();
  }
}

function thisMachine(): Machine {
  return {
    nodeVersion: process.versions.node,
    ownAddresses: Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map(({ address }) => address)),
  };
}

function limitsOf(io: CliIo): string | undefined {
  try {
    return io.readFile('/proc/self/limits').toString('utf8');
  } catch {
    // Only Linux has it.
    return undefined;
  }
}

/** The net below: nothing that is told holds a secret by itself. */
function withoutSecrets({ about, text, advice, ...rest }: Finding): Finding {
  return { ...rest, about: redact(about), text: redact(text), ...(advice !== undefined && { advice: redact(advice) }) };
}

function counts(findings: readonly Finding[]) {
  const of = (wanted: Verdict): number => findings.filter(({ verdict }) => verdict === wanted).length;
  return { faults: of('fault'), warnings: of('warning'), skipped: of('skipped') };
}

function asJson(findings: readonly Finding[]): string {
  const { faults, warnings, skipped } = counts(findings);
  return `${JSON.stringify({ ok: faults === 0, faults, warnings, skipped, findings }, undefined, 2)}\n`;
}

function asText(findings: readonly Finding[]): string {
  const lines = findings.map(({ check, about, verdict, text, advice }) => {
    const head = `${SHOWN[verdict].padEnd(6)}${check.padEnd(12)}${about === '' ? '' : `${about}: `}${text}\n`;
    return advice === undefined ? head : `${head}${' '.repeat(18)}-> ${advice}\n`;
  });
  const { faults, warnings } = counts(findings);
  const words = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;
  return `${lines.join('')}\n${words(faults, 'fault')}, ${words(warnings, 'warning')}.\n`;
}
