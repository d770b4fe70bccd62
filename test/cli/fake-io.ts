import type { CliIo, CliSignal } from '../../src/cli/io.js';
import type { Secret } from '../../src/model/secret.js';
import { fakeClock, type FakeClock } from '../fakes/clock.js';

/** A world of the test's own, with what a command said to it. */
export interface FakeIo extends CliIo {
  readonly clock: FakeClock;
  out(): string;
  err(): string;
  /** What is kept out of a crash. */
  readonly hidden: readonly Secret[];
  /** Sends a signal; false when nobody listens. */
  signal(name: CliSignal): boolean;
}

/** What the world holds. */
export interface FakeWorld {
  readonly files?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
}

/** Makes a world. */
export function fakeIo({ files = {}, env = {}, stdin = '' }: FakeWorld = {}): FakeIo {
  const [out, err]: [string[], string[]] = [[], []];
  const hidden: Secret[] = [];
  const listeners = new Map<CliSignal, () => void>();
  return {
    stdout: (text) => out.push(text),
    stderr: (text) => err.push(text),
    out: () => out.join(''),
    err: () => err.join(''),
    env,
    cwd: '/',
    version: '1.2.3',
    clock: fakeClock(),
    readFile: (path) => {
      const found = files[path];
      if (found === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
      return Buffer.from(found);
    },
    readStdin: (maxBytes) => Promise.resolve(Buffer.from(stdin).subarray(0, maxBytes)),
    hidden,
    hide: (secrets) => void hidden.splice(0, hidden.length, ...secrets),
    onExit: () => undefined,
    onSignal: (signal, call) => {
      listeners.set(signal, call);
      return () => listeners.delete(signal);
    },
    signal: (name) => {
      listeners.get(name)?.();
      return listeners.has(name);
    },
  };
}

/** A secret of 32 bytes. */
export const SECRET = '0123456789abcdef0123456789abcdef';

/** A config that is right, in which a test replaces whole top keys. */
export function configText(parts: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({
    listen: { rtmp: {} },
    auth: { keys: [{ id: 'main', secret: { value: SECRET } }] },
    origins: [{ name: 'a', rtmp: 'rtmp://10.0.0.5:1935' }],
    ...parts,
  });
}
