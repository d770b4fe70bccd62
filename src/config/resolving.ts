import { isAbsolute, join } from 'node:path';
import { TextDecoder } from 'node:util';
import { Secret } from '../model/secret.js';
import type { PathStep } from './fault.js';
import { pathText, quoted } from './fault.js';
import type { Finding } from './issues.js';
import type { FileRef, SecretRef } from './schema-fields.js';

/** Reads a whole file; throws the system's error. */
export type ReadFile = (path: string) => Buffer;

/** Largest file a config may name, in bytes. */
export const MAX_REFERENCED_BYTES = 1_048_576;

/** What the parts of the config share while secrets are read and cross-checks are made. */
export class Resolving {
  readonly findings: Finding[] = [];
  readonly warnings: Finding[] = [];

  constructor(
    private readonly env: Readonly<Record<string, string | undefined>>,
    private readonly readFile: ReadFile,
    /** Where relative paths start: the folder of the config file. */
    private readonly folder: string,
  ) {}

  /** Notes a fault; the null stands for what could not be read because of it. */
  fault(path: readonly PathStep[], problem: string, expected = ''): null {
    this.findings.push({ path, problem, expected });
    return null;
  }

  /** Notes a warning, shown at every start. */
  warn(path: readonly PathStep[], problem: string, expected = ''): void {
    this.warnings.push({ path, problem, expected });
  }

  /** Whether something was noted at exactly this path. */
  hasFault(path: readonly PathStep[]): boolean {
    return this.findings.some((one) => pathText(one.path) === pathText(path));
  }

  /** Whether something was warned of at exactly this path. */
  hasWarning(path: readonly PathStep[]): boolean {
    return this.warnings.some((one) => pathText(one.path) === pathText(path));
  }

  /** Where a file that the config names lies. */
  pathOf(file: string): string {
    return isAbsolute(file) ? file : join(this.folder, file);
  }

  /** The bytes of a file that the config names; a fault when it cannot be read. */
  bytes(path: readonly PathStep[], file: string, maxBytes = MAX_REFERENCED_BYTES): Buffer | null {
    const at = this.pathOf(file);
    try {
      const bytes = this.readFile(at);
      if (bytes.length <= maxBytes) return bytes;
      return this.fault(path, `names the file ${at}, which is larger than ${maxBytes} bytes`);
    } catch (error) {
      return this.fault(path, `names the file ${at}, which ${readFailure(error)}`, 'expected a readable file');
    }
  }

  /** The text behind a file or value; one trailing newline of a file does not count. */
  text(path: readonly PathStep[], ref: FileRef): string | null {
    if (ref.file === undefined) return ref.value ?? null;
    const bytes = this.bytes([...path, 'file'], ref.file);
    if (bytes === null) return null;
    const text = decodeUtf8(bytes);
    if (text === undefined) return this.fault([...path, 'file'], 'names a file that is not UTF-8 text');
    const trimmed = text.replace(/\r?\n$/, '');
    return trimmed === '' ? this.fault([...path, 'file'], 'names a file that is empty') : trimmed;
  }

  /** The secret behind a file, variable or value. */
  secret(path: readonly PathStep[], ref: SecretRef): Secret | null {
    if (ref.env === undefined) {
      const text = this.text(path, ref);
      return text === null ? null : new Secret(text);
    }
    const text = this.env[ref.env];
    if (text !== undefined && text !== '') return new Secret(text);
    const state = text === undefined ? 'is not set' : 'is empty';
    return this.fault([...path, 'env'], `names the environment variable ${ref.env}, which ${state}`);
  }

  /** Says which entries repeat an earlier one's name. */
  unique(path: readonly PathStep[], key: string, names: readonly string[]): void {
    names.forEach((name, index) => {
      const first = names.indexOf(name);
      if (first !== index)
        this.fault([...path, index, key], `${quoted(name)} is already entry ${first}`, 'expected a name of its own');
    });
  }
}

/** The text of bytes, without byte order mark; undefined when they are not UTF-8. */
export function decodeUtf8(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Why a file could not be read, as the end of a sentence. */
export function readFailure(error: unknown): string {
  const code = (error as NodeJS.ErrnoException | undefined)?.code ?? '';
  const words: Readonly<Record<string, string>> = {
    ENOENT: 'does not exist',
    ENOTDIR: 'does not exist',
    EACCES: 'may not be read by this user',
    EPERM: 'may not be read by this user',
    EISDIR: 'is a folder',
    ENAMETOOLONG: 'has too long a name',
  };
  return words[code] ?? 'cannot be read';
}
