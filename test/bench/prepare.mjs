// Builds the load tool and the clip into .cache/bench; both are made again only when their recipe changed.
import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';

/** 20 s of 720p30 H.264 at a constant 2.5 Mbit/s, noise on it so that the encoder needs the bits, and AAC. */
const CLIP_RECIPE = [
  ['-f', 'lavfi', '-i', 'testsrc2=size=1280x720:rate=30,noise=alls=20:allf=t'],
  ['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=44100', '-t', '20'],
  ['-c:v', 'libx264', '-profile:v', 'baseline', '-preset', 'veryfast', '-pix_fmt', 'yuv420p'],
  ['-g', '30', '-keyint_min', '30', '-sc_threshold', '0', '-x264-params', 'nal-hrd=cbr:force-cfr=1'],
  ['-b:v', '2500k', '-minrate', '2500k', '-maxrate', '2500k', '-bufsize', '1250k'],
  ['-c:a', 'aac', '-b:a', '128k', '-ac', '2', '-f', 'flv'],
].flat();
const COMPILE_FLAGS = ['-O2', '-Wall', '-Wextra', '-o'];

const digest = (...parts) => createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 10);

/** Runs a maker that writes to the path it is given last, then puts the result in its place in one step. */
function make(what, target, command, args) {
  if (existsSync(target)) return target;
  const unfinished = `${target}.${process.pid}`;
  console.error(`making ${what} ...`);
  const { status, error, stderr } = spawnSync(command, [...args, unfinished], { encoding: 'utf8', timeout: 300_000 });
  if (error?.code === 'ENOENT') throw new Error(`${what} needs \`${command}\`, which is not installed`);
  if (status !== 0) throw new Error(`${what} failed: ${command} said\n${(stderr ?? String(error)).slice(-2000)}`);
  renameSync(unfinished, target);
  return target;
}

/** The path of the compiled load tool. `cc` is any C compiler (environment CC). */
export function buildLoadTool(benchFolder, cacheFolder) {
  mkdirSync(cacheFolder, { recursive: true });
  const folder = join(benchFolder, 'rtmpload');
  const files = readdirSync(folder).sort();
  const texts = files.map((name) => readFileSync(join(folder, name), 'utf8'));
  const sources = files.filter((name) => name.endsWith('.c')).map((name) => join(folder, name));
  const compiler = process.env['CC'] ?? 'cc';
  const target = join(cacheFolder, `rtmpload-${digest(...texts, ...COMPILE_FLAGS)}`);
  return make('the load tool', target, compiler, [...sources, ...COMPILE_FLAGS]);
}

/** The path of the FLV clip that every publisher sends in a loop. */
export function makeClip(cacheFolder) {
  mkdirSync(cacheFolder, { recursive: true });
  const target = join(cacheFolder, `clip-${digest(...CLIP_RECIPE)}.flv`);
  return make('the clip', target, 'ffmpeg', ['-nostdin', '-v', 'error', '-y', ...CLIP_RECIPE]);
}
