import { describe, expect } from '@jest/globals';
import { createServer } from 'node:net';
import { ANY_PORTS, startDev } from './peers/dev.js';
import { main } from './peers/gateway.js';
import { itNeeds } from './peers/needs.js';
import { freePort } from './peers/place.js';
import { run, start } from './peers/program.js';

/** Runs a printed command as a person would: pasted into a shell. */
const paste = (command: string) => start('sh', ['-c', `exec ${command}`]);

function childrenOf(stderr: string): readonly number[] {
  return [...stderr.matchAll(/^\s*(\d+)\s+(\d+)$/gm)].map(([, child]) => Number(child));
}

describe('portcullis dev', () => {
  itNeeds(
    ['ffmpeg', 'node-media-server'],
    'prints commands that publish, play and are refused when pasted',
    async () => {
      const dev = await startDev();
      const [publishing = '', , playing = '', refused = ''] = dev.commands;
      const publisher = paste(publishing);
      await dev.program.says(/session\.start.*action=publish path=live\/demo/);
      const played = await paste(playing.replace('-t 10', '-t 3')).ended;
      expect([played.code, /frame= *[1-9]/.test(played.stderr)]).toEqual([0, true]);
      const no = await paste(refused).ended;
      expect(no.stderr).toContain('role-denied');
      expect(no.code).not.toBe(0);
      await publisher.stop('SIGINT');
      expect(await dev.stop()).toBe(0);
    },
  );

  itNeeds(['node-media-server'], 'ends its origin with itself, by Ctrl-C and when it is killed', async () => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGKILL'] as const) {
      const dev = await startDev();
      const listed = await run('ps', ['-o', 'pid=,ppid=', '--ppid', String(dev.program.pid)]);
      const [child = 0] = childrenOf(listed.stdout);
      expect(child).toBeGreaterThan(0);
      expect(await dev.stop(signal)).toBe(signal === 'SIGKILL' ? null : 0);
      await gone(child);
    }
  });

  itNeeds(
    ['node-media-server', 'ffmpeg'],
    'brings its origin back after a crash and takes the next publisher',
    async () => {
      const dev = await startDev();
      const listed = await run('ps', ['-o', 'pid=,ppid=', '--ppid', String(dev.program.pid)]);
      const [child = 0] = childrenOf(listed.stdout);
      process.kill(child, 'SIGKILL');
      await dev.program.says(/embedded-origin .*state=crashed/);
      await dev.program.says(/embedded-origin .*state=restarted/);
      const publisher = paste(dev.commands[0] ?? '');
      await dev.program.says(/session\.start.*action=publish path=live\/demo/);
      await publisher.stop('SIGINT');
      expect(await dev.stop()).toBe(0);
    },
  );

  itNeeds(['node-media-server'], 'has a dashboard without a token, and ends when the admin API drains it', async () => {
    const dev = await startDev();
    const [, url = ''] = await dev.program.says(/dashboard +(http:\S+)/);
    expect(await (await fetch(url)).text()).toContain('<title>');
    expect(await (await fetch(`${url}metrics`)).text()).toContain('portcullis_sessions');
    const post = (path: string) =>
      fetch(`${url}api/v1/${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' });
    expect((await post('reload')).status).toBe(404);
    expect((await post('drain')).status).toBe(202);
    expect((await dev.program.ended).code).toBe(0);
  });

  itNeeds([], 'says which flag helps when its port is taken', async () => {
    const port = await freePort();
    const server = createServer().listen(port, '127.0.0.1');
    const ended = await run(process.execPath, [main, 'dev', ...ANY_PORTS.slice(2), '--rtmp-port', String(port)]);
    server.close();
    expect([ended.code, ended.stderr]).toEqual([1, expect.stringContaining('--rtmp-port')]);
  });

  itNeeds([], 'refuses flags that are none', async () => {
    const ended = await run(process.execPath, [main, 'dev', '--rtmp-port', 'many']);
    expect([ended.code, ended.stderr]).toEqual([2, expect.stringContaining('--rtmp-port takes a port')]);
  });
});

/** Waits until a process is gone. */
async function gone(pid: number): Promise<void> {
  const waiting = start('sh', ['-c', `while kill -0 ${pid} 2>/dev/null; do sleep 0.05; done`], { timeoutMs: 10_000 });
  expect((await waiting.ended).code).toBe(0);
}
