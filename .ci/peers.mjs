// The programs that the interop tests talk to, and how to get them where that is ours to do.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const aptTimeoutMs = 15 * 60_000;
const policyFile = '/usr/sbin/policy-rc.d';

function answers(command, args) {
  const result = spawnSync(command, args, { stdio: 'ignore', timeout: 60_000 });
  return result.error === undefined && result.status === 0;
}

const moduleFolders = ['/usr/lib/nginx/modules', '/usr/lib64/nginx/modules', '/usr/share/nginx/modules'];
const hasModule = (name) => moduleFolders.some((folder) => existsSync(`${folder}/${name}`));
const hasNginx = () => answers('nginx', ['-v']) || answers('/usr/sbin/nginx', ['-v']);
const gstElements = ['rtmp2sink', 'rtmp2src', 'flvmux', 'flvdemux', 'x264enc', 'h264parse', 'avenc_aac', 'aacparse'];

/** Each peer: how to see that it is here, and Debian's packages that bring it. */
const peers = [
  { name: 'ffmpeg', here: () => answers('ffmpeg', ['-version']), packages: ['ffmpeg'] },
  {
    name: 'nginx with its RTMP module',
    here: () => hasNginx() && hasModule('ngx_rtmp_module.so') && hasModule('ngx_stream_module.so'),
    packages: ['nginx-light', 'libnginx-mod-rtmp', 'libnginx-mod-stream'],
  },
  {
    name: 'GStreamer',
    here: () => gstElements.every((element) => answers('gst-inspect-1.0', ['--exists', element])),
    packages: [
      'gstreamer1.0-tools',
      'gstreamer1.0-plugins-base',
      'gstreamer1.0-plugins-good',
      'gstreamer1.0-plugins-bad',
      'gstreamer1.0-plugins-ugly',
      'gstreamer1.0-libav',
    ],
  },
  {
    name: 'GStreamer for RTSP',
    here: () =>
      answers('gst-inspect-1.0', ['--exists', 'rtspclientsink']) &&
      answers('/usr/bin/python3', ['-c', "import gi; gi.require_version('GstRtspServer', '1.0')"]),
    packages: ['gstreamer1.0-rtsp', 'gir1.2-gst-rtsp-server-1.0', 'python3-gi'],
  },
  // rtmpdump has no quiet question that ends with 0; it being startable is enough.
  { name: 'rtmpdump', here: () => spawnSync('rtmpdump', ['-h']).error === undefined, packages: ['rtmpdump'] },
  { name: 'Chromium', here: () => answers('chromium', ['--version']), packages: ['chromium'] },
  { name: 'openssl', here: () => answers('openssl', ['version']), packages: ['openssl'] },
];

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const ffmpeg8Folder = join(root, '.cache', 'peers', 'ffmpeg8');
const ffmpeg8Version = '6.1.1';
const npmTimeoutMs = 5 * 60_000;

/**
 * ffmpeg 8, whose WHIP muxer Debian does not have yet, as the native module of npm's node-av. Not a dependency: it is 170 MB, and
 * its install script would get a program from elsewhere, so that is not run.
 */
function getFfmpeg8() {
  if (process.platform !== 'linux' || process.arch !== 'x64') return;
  if (existsSync(join(ffmpeg8Folder, 'node_modules', 'node-av', 'package.json'))) return;
  mkdirSync(ffmpeg8Folder, { recursive: true });
  writeFileSync(join(ffmpeg8Folder, 'package.json'), '{ "private": true }\n');
  const packages = ['node-av', '@seydx/node-av-linux-x64'].map((name) => `${name}@${ffmpeg8Version}`);
  const options = ['--ignore-scripts', '--omit=optional', '--no-audit', '--no-fund', '--fetch-retries=1'];
  const result = spawnSync('npm', ['install', '--prefix', ffmpeg8Folder, ...options, ...packages], {
    stdio: 'ignore',
    timeout: npmTimeoutMs,
  });
  if (result.status === 0) return;
  rmSync(ffmpeg8Folder, { recursive: true, force: true });
  console.error("Not on this machine: ffmpeg 8's WHIP muxer (npm's node-av). The test that needs it is skipped.");
}

const red5Folder = join(root, '.cache', 'peers', 'red5');
const red5Pom = join(root, 'test', 'interop', 'peers', 'red5', 'pom.xml');
const mavenTimeoutMs = 10 * 60_000;

/** The jars of a Red5 server, as Maven Central has them. The POM beside the tests names each; a copy of it marks the whole set. */
function getRed5() {
  const wanted = readFileSync(red5Pom, 'utf8');
  const mark = join(red5Folder, 'pom.xml');
  if (existsSync(mark) && readFileSync(mark, 'utf8') === wanted) return;
  rmSync(red5Folder, { recursive: true, force: true });
  const goal = ['dependency:copy-dependencies', `-DoutputDirectory=${red5Folder}`];
  const result = spawnSync('mvn', ['-B', '-q', '-f', red5Pom, ...goal], {
    encoding: 'utf8',
    timeout: mavenTimeoutMs,
  });
  if (result.error === undefined && result.status === 0 && readdirSync(red5Folder).length > 0) {
    writeFileSync(mark, wanted);
    return;
  }
  rmSync(red5Folder, { recursive: true, force: true });
  const missed = /Could not (?:find|transfer) artifact \S+/.exec(result.stdout ?? '')?.[0];
  const why = result.error === undefined ? (missed ?? `mvn ended with ${result.status}`) : 'no mvn';
  console.error(`Not on this machine: Red5's jars (${why}). The tests that need them are skipped.`);
}

const prometheusFolder = join(root, '.cache', 'peers', 'prometheus');

/**
 * Prometheus and promtool, unpacked from Debian's package (19 MB, 96 MB on disk) and not installed: what it depends on is for its
 * web pages, and it would make a user and a service.
 */
function getPrometheus() {
  const programs = ['prometheus', 'promtool'];
  const areIn = (place) => programs.every((name) => answers(`${place}${name}`, ['--version']));
  if (areIn('') || areIn(`${join(prometheusFolder, 'usr', 'bin')}/`)) return;
  mkdirSync(prometheusFolder, { recursive: true });
  if (isDebianRoot() && apt(['update']) && apt(['download', 'prometheus'], prometheusFolder)) {
    const archive = readdirSync(prometheusFolder).find((name) => name.endsWith('.deb'));
    if (answers('dpkg-deb', ['-x', join(prometheusFolder, archive), prometheusFolder])) {
      rmSync(join(prometheusFolder, archive));
      return;
    }
  }
  rmSync(prometheusFolder, { recursive: true, force: true });
  console.error('Not on this machine: prometheus and promtool. The tests that need them are skipped.');
}

function isDebianRoot() {
  if (process.platform !== 'linux' || process.getuid?.() !== 0 || !existsSync('/etc/os-release')) return false;
  return /^ID(_LIKE)?=.*debian/m.test(readFileSync('/etc/os-release', 'utf8')) && answers('apt-get', ['--version']);
}

function apt(args, cwd = root) {
  const options = ['-o', 'Acquire::Retries=2', '-o', 'DPkg::Lock::Timeout=120', '-o', 'Dpkg::Use-Pty=0'];
  const result = spawnSync('apt-get', ['-q', '-y', ...options, ...args], {
    cwd,
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    encoding: 'utf8',
    timeout: aptTimeoutMs,
  });
  if (result.error === undefined && result.status === 0) return true;
  const tail = `${result.stdout ?? ''}${result.stderr ?? ''}`.trim().split('\n').slice(-5).join('\n');
  console.error(`apt-get ${args[0]} failed: ${result.error?.message ?? tail}`);
  return false;
}

/** Debian starts a service when its package comes (nginx); nobody asked for that here. */
function withoutServices(install) {
  const ours = !existsSync(policyFile);
  if (ours) writeFileSync(policyFile, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    return install();
  } finally {
    if (ours) rmSync(policyFile, { force: true });
  }
}

/** Gets what is missing where we may, and says what to install where we may not. Never fails. */
export function getPeers() {
  getFfmpeg8();
  getRed5();
  getDebianPeers();
  getPrometheus();
}

function getDebianPeers() {
  const missing = peers.filter((peer) => !peer.here());
  if (missing.length === 0) return;
  const names = missing.map((peer) => peer.name).join(', ');
  const packages = missing.flatMap((peer) => peer.packages);
  if (!isDebianRoot()) {
    console.error(`Not on this machine: ${names}. The tests that need them are skipped.`);
    console.error(`On Debian or Ubuntu: sudo apt-get install ${packages.join(' ')}`);
    return;
  }
  console.error(`Not on this machine: ${names}; getting them from Debian's packages …`);
  try {
    apt(['update']);
    // One peer at a time: what one archive lacks must not keep the others away.
    withoutServices(() => {
      for (const peer of missing) apt(['install', '--no-install-recommends', ...peer.packages]);
    });
  } catch (error) {
    console.error(`Could not install: ${error.message}`);
  }
  for (const peer of missing.filter((one) => !one.here())) {
    console.error(`Still missing: ${peer.name}. The tests that need it are skipped.`);
  }
}
