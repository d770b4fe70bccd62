// What is measured: a command line, its configuration and which scenarios it can take part in.
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';

const HOST = '127.0.0.1';
const HERE = import.meta.dirname;
const NGINX = process.env['NGINX'] ?? 'nginx';
const NGINX_MODULES = process.env['NGX_MODULES'] ?? '/usr/lib/nginx/modules';
const HAPROXY = process.env['HAPROXY'] ?? 'haproxy';

const isExecutable = (path) => {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};
const onPath = (program) =>
  program.includes('/')
    ? isExecutable(program)
    : [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'].some((folder) =>
        isExecutable(join(folder, program)),
      );
const needsProgram = (program) => (onPath(program) ? undefined : `\`${program}\` is not installed`);
const needsNginx = (module) => {
  const file = join(NGINX_MODULES, module);
  return needsProgram(NGINX) ?? (existsSync(file) ? undefined : `${module} is not in ${NGINX_MODULES}`);
};

/** A Node program; all of them get the hook that collects garbage on demand. */
const node = (...args) => [process.execPath, '--require', join(HERE, 'settle.cjs'), ...args];

const nginx = (module, blocks) => (at) => ({
  argv: [NGINX, '-c', join(at.folder, 'nginx.conf'), '-e', join(at.folder, 'boot.log')],
  files: {
    'nginx.conf': `load_module ${NGINX_MODULES}/${module};
user root; worker_processes 1; daemon off; pid ${at.folder}/nginx.pid; error_log ${at.folder}/error.log warn;
events { worker_connections 16384; }
${blocks(at)}
`,
  },
});

const nginxRtmp = (relay) =>
  nginx(
    'ngx_rtmp_module.so',
    ({ listen, origin }) => `rtmp { access_log off; server { listen ${HOST}:${listen}; chunk_size 4096;
  application live { live on; ${relay} rtmp://${HOST}:${origin}/live; } } }`,
  );

const PEERS = [
  { name: 'direct', scenarios: ['s1', 's2', 's3'], command: undefined },
  {
    name: 'node-pipe',
    isNode: true,
    scenarios: ['s1', 's2', 's3', 's4'],
    command: ({ listen, origin }) => ({ argv: node(join(HERE, 'node-pipe.mjs'), String(listen), String(origin)) }),
  },
  {
    name: 'haproxy',
    missing: () => needsProgram(HAPROXY),
    scenarios: ['s1', 's2', 's3', 's4'],
    command: ({ folder, listen, origin }) => ({
      argv: [HAPROXY, '-db', '-f', join(folder, 'haproxy.cfg')],
      files: {
        'haproxy.cfg': `global
  maxconn 4000
  nbthread 1
defaults
  mode tcp
  option splice-request
  option splice-response
  timeout connect 5s
  timeout client 300s
  timeout server 300s
listen relay
  bind ${HOST}:${listen}
  server origin ${HOST}:${origin}
`,
      },
    }),
  },
  {
    name: 'nginx-stream',
    missing: () => needsNginx('ngx_stream_module.so'),
    scenarios: ['s1', 's2', 's3', 's4'],
    command: nginx(
      'ngx_stream_module.so',
      ({ listen, origin }) => `stream { access_log off; server { listen ${HOST}:${listen} backlog=4096; tcp_nodelay on;
  proxy_timeout 300s; proxy_pass ${HOST}:${origin}; } }`,
    ),
  },
  {
    name: 'nginx-rtmp-push',
    missing: () => needsNginx('ngx_rtmp_module.so'),
    scenarios: ['s1', 's3', 's4'],
    command: nginxRtmp('push'),
  },
  {
    name: 'nginx-rtmp-pull',
    missing: () => needsNginx('ngx_rtmp_module.so'),
    scenarios: ['s2'],
    command: nginxRtmp('pull'),
  },
];

/** The gateway's configuration for a run: tokens are checked, nothing else limits the load. */
const gatewayConfig = ({ listen, origin, issuer, idleS, paceMs }) => ({
  listen: { rtmp: { host: HOST, port: listen } },
  auth: {
    profile: 'red5',
    keys: [{ id: 'bench', algorithm: 'HS256', secret: { env: 'PORTCULLIS_BENCH_KEY' }, encoding: 'utf8' }],
    issuers: [issuer],
  },
  origins: [{ name: 'sink', preset: 'generic', rtmp: `rtmp://${HOST}:${origin}` }],
  limits: { perAddress: 0, publishTimeoutSeconds: idleS },
  ...(paceMs === undefined ? {} : { relay: { paceMs } }),
});

/**
 * This gateway as a target: `file` is the main.js of a build, `nodeArgs` are put before it (a profiler's, say).
 * A gateway shows the sink to its clients only after it has checked each one's token.
 */
export function gatewayTarget(name, file, { nodeArgs = [], paceMs } = {}) {
  return {
    name,
    isNode: true,
    isGateway: true,
    missing: () => (existsSync(file) ? undefined : `${file} is not built`),
    scenarios: paceMs === undefined ? ['s1', 's2', 's3', 's4'] : ['s1', 's2'],
    command: (at) => ({
      argv: node(...nodeArgs, resolve(file), 'serve', '--config', join(at.folder, 'portcullis.json')),
      env: { PORTCULLIS_BENCH_KEY: at.secret },
      files: { 'portcullis.json': JSON.stringify(gatewayConfig({ ...at, paceMs }), null, 2) },
    }),
  };
}

/** All peers, and the gateway as it is and paced; further builds of it by `more` as [name, file]. */
export function allTargets(mainFile, more, nodeArgs) {
  return [
    ...PEERS,
    gatewayTarget('portcullis', mainFile, { nodeArgs }),
    ...more.map(([name, file]) => gatewayTarget(name, file, { nodeArgs })),
    gatewayTarget('portcullis-paced', mainFile, { nodeArgs, paceMs: 5 }),
  ];
}
