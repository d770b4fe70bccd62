// Makes a checkout ready to run: dependencies as the lock file says, and with --build a fresh dist.
// Says nothing when there is nothing to do. Needs Node and npm, nothing else.
//
//   node .ci/ready.mjs [--build [--force]]
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const wanted = [20, 19];
const lockStamp = join(root, 'node_modules', '.portcullis-lock');
const buildStamp = join(root, 'node_modules', '.portcullis-build');

function fail(message) {
  console.error(`portcullis: ${message}`);
  process.exit(1);
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > wanted[0] || (major === wanted[0] && minor >= wanted[1])) return;
  fail(
    `Node ${wanted.join('.')} or newer is needed, this is ${process.versions.node}. Get one from https://nodejs.org/`,
  );
}

function readStamp(path) {
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : '';
}

/** The npm that called us, else the one beside this Node, else the one in PATH. */
function npm(args) {
  const caller = process.env.npm_execpath;
  if (caller !== undefined && /npm-cli\.[cm]?js$/.test(caller)) return [process.execPath, [caller, ...args]];
  const beside = join(dirname(process.execPath), '..', 'lib', 'node_modules', 'npm', 'bin', 'npm-cli.js');
  if (existsSync(beside)) return [process.execPath, [beside, ...args]];
  return [process.platform === 'win32' ? 'npm.cmd' : 'npm', args];
}

function run(what, command, args) {
  const result = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32' && command.endsWith('.cmd'),
  });
  if (result.error) fail(`${what} could not be started: ${result.error.message}`);
  if (result.status !== 0) fail(`${what} failed (${result.signal ?? `exit code ${result.status}`}), see above`);
}

/** Whether somebody has installed by hand just what the lock file says; npm keeps its own list of what is there. */
function isInstalledByHand(lock) {
  const list = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(list)) return false;
  const there = JSON.parse(readFileSync(list, 'utf8')).packages;
  const wantedPackages = Object.entries(JSON.parse(lock).packages).filter(([path]) => path !== '');
  // Optional ones may be for another platform.
  return wantedPackages.every(([path, { version, optional }]) =>
    there[path] === undefined ? optional === true : there[path].version === version,
  );
}

function install() {
  const lock = readFileSync(join(root, 'package-lock.json'));
  // The platform belongs to it: a node_modules copied from another machine holds the wrong native parts.
  const hash = createHash('sha256').update(lock).update(`${process.platform} ${process.arch}`).digest('hex');
  if (readStamp(lockStamp) === hash) return;
  if (readStamp(lockStamp) === '' && isInstalledByHand(lock)) {
    writeFileSync(lockStamp, `${hash}\n`);
    return;
  }
  const why = existsSync(join(root, 'node_modules')) ? 'package-lock.json has changed' : 'first start';
  console.error(`portcullis: ${why}, installing dependencies (npm ci) …`);
  // --include: neither NODE_ENV=production nor an omit in the user's npmrc may leave the compiler out.
  run('npm ci', ...npm(['ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund']));
  mkdirSync(dirname(lockStamp), { recursive: true });
  writeFileSync(lockStamp, `${hash}\n`);
}

function filesOf(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesOf(path) : [path];
  });
}

/** Hash over names and contents of all that the compiler reads; file dates are of no use after a checkout. */
function sourceHash() {
  const hash = createHash('sha256');
  const sources = filesOf(join(root, 'src'));
  for (const path of [...sources, join(root, 'tsconfig.json'), join(root, 'package-lock.json')].sort()) {
    hash.update(`${relative(root, path)}\0${statSync(path).size}\0`).update(readFileSync(path));
  }
  return hash.digest('hex');
}

/** Takes away what an earlier build made of a source that is gone. */
function sweepDist() {
  const dist = join(root, 'dist');
  for (const path of existsSync(dist) ? filesOf(dist) : []) {
    const source = relative(dist, path).replace(/\.(d\.ts|js\.map|js)$/, '.ts');
    if (!existsSync(join(root, 'src', source))) rmSync(path);
  }
}

function build(force) {
  const hash = sourceHash();
  if (!force && readStamp(buildStamp) === hash && existsSync(join(root, 'dist', 'main.js'))) return;
  console.error('portcullis: building …');
  rmSync(buildStamp, { force: true });
  run('the build', process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', root]);
  sweepDist();
  writeFileSync(buildStamp, `${hash}\n`);
}

const flags = new Set(process.argv.slice(2));
checkNode();
install();
if (flags.has('--build')) build(flags.has('--force'));
