import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../../src/config/config.js';
import { faultLine } from '../../src/config/fault.js';
import type { LoadInput } from '../../src/config/load.js';
import { loadConfig } from '../../src/config/load.js';

/** A secret of 32 bytes. */
export const SECRET = '0123456789abcdef0123456789abcdef';

/** What a test gives beside the text of `gateway.yaml`. */
export interface Around {
  readonly env?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string | Buffer>>;
  readonly checkKeys?: LoadInput['checkKeys'];
}

/** Loads a text as the file `gateway.yaml`, with files of the test's own. */
export function load(text: string, { env = {}, files = {}, checkKeys }: Around = {}) {
  const all: Readonly<Record<string, string | Buffer>> = { 'gateway.yaml': text, ...files };
  const readFile = (path: string): Buffer => {
    const found = all[path];
    if (found === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
    return Buffer.from(found);
  };
  return loadConfig({ file: 'gateway.yaml', env, readFile, ...(checkKeys && { checkKeys }) });
}

/** The lines of the faults; empty when there are none. */
export function faultsOf(text: string, around: Around = {}): readonly string[] {
  const result = load(text, around);
  return result.ok ? [] : result.faults.map(faultLine);
}

/** The config; an error with the faults when there are any. */
export function configOf(text: string, around: Around = {}): Config {
  const result = load(text, around);
  if (!result.ok) throw new Error(result.faults.map(faultLine).join('\n'));
  return result.config;
}

/** The warnings of a config without faults. */
export function warningsOf(text: string, around: Around = {}): readonly string[] {
  const result = load(text, around);
  if (!result.ok) throw new Error(result.faults.map(faultLine).join('\n'));
  return result.warnings;
}

/** A config that is right, in which a test replaces whole top keys. */
export function complete(parts: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify(
    {
      listen: { rtmp: {} },
      auth: { keys: [{ id: 'main', secret: { value: SECRET } }] },
      origins: [{ name: 'a', rtmp: 'rtmp://10.0.0.5:1935' }],
      ...parts,
    },
    null,
    2,
  );
}

/** A certificate of its own with its key, in PEM. */
export function selfSigned(): { readonly cert: string; readonly key: string } {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-'));
  try {
    const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    const subject = ['-subj', '/CN=localhost', '-days', '2'];
    const options = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', ...subject];
    execFileSync('openssl', [...options, '-keyout', key, '-out', cert], { stdio: 'ignore' });
    return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
