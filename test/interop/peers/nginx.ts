import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nginxModule } from './needs.js';
import { folder, freePort } from './place.js';
import { start, type Program } from './program.js';

/** nginx with its RTMP module as an origin on loopback. */
export interface Nginx {
  readonly port: number;
  readonly program: Program;
  url(path: string): string;
  /** What the RTMP module wrote of sessions that are over: app, name, arguments, tcUrl of each. */
  accessLog(): string;
  stop(): Promise<void>;
}

let count = 0;

/** Applications of the test origin: `live` and `other` take everything, `closed` takes no publisher. */
function configOf(port: number, home: string): string {
  return `rtmp {
  log_format all '$command app=$app name=$name args=$args tcurl=$tcurl pageurl=$pageurl swfurl=$swfurl flashver=$flashver';
  access_log ${home}/access.log all;
  server {
    listen 127.0.0.1:${port};
    chunk_size 4096;
    application live { live on; }
    application other { live on; }
    application closed { live on; deny publish all; }
  }
}
`;
}

/** Runs nginx with one module and what `configOf` says of a folder of its own; resolves when it works. */
export async function runNginx(
  module: string,
  configOf: (home: string) => string,
): Promise<{ readonly home: string; readonly program: Program }> {
  count += 1;
  const home = join(folder, `nginx-${count}`);
  mkdirSync(home, { recursive: true });
  const file = join(home, 'nginx.conf');
  writeFileSync(
    file,
    `load_module ${nginxModule(module) ?? ''};
daemon off;
master_process off;
pid ${home}/nginx.pid;
error_log stderr notice;
${process.getuid?.() === 0 ? 'user root;' : ''}
events { worker_connections 256; }
${configOf(home)}`,
  );
  const program = start('nginx', ['-e', 'stderr', '-p', home, '-c', file], { timeoutMs: 300_000 });
  await program.says(/start worker process|using the "epoll"|built by|OS: /);
  return { home, program };
}

/** Starts nginx and waits until it listens. On the port of one that was stopped it stands in for a restart. */
export async function startNginx(onPort?: number): Promise<Nginx> {
  const port = onPort ?? (await freePort());
  const { home, program } = await runNginx('ngx_rtmp_module.so', (place) => configOf(port, place));
  return {
    port,
    program,
    url: (path) => `rtmp://127.0.0.1:${port}/${path}`,
    accessLog: () => readFileSync(join(home, 'access.log'), 'utf8'),
    stop: async () => {
      await program.stop('SIGTERM');
    },
  };
}
