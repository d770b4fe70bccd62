import { afterAll } from '@jest/globals';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const program = join(__dirname, '..', '..', '..', 'dist', 'embedded-origin', 'webrtc-child.js');
const running = new Set<ChildProcess>();

afterAll(() => {
  for (const child of running) child.kill('SIGKILL');
});

/** The embedded origin for WHIP and WHEP in a process of its own; gives its port. */
export async function startWeriftOrigin(): Promise<{ readonly port: number; stop(): void }> {
  const child = fork(program, ['0'], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  running.add(child);
  const [message] = (await once(child, 'message')) as [{ readonly kind: string; readonly port?: number }];
  if (message.port === undefined) throw new Error(`the origin did not start: ${JSON.stringify(message)}`);
  return {
    port: message.port,
    stop: () => {
      running.delete(child);
      child.kill('SIGKILL');
    },
  };
}
