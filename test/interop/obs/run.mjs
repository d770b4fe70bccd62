// npm run interop:obs: OBS itself against the built gateway, on a display of its own. Needs Debian's packages
// obs-studio, xvfb, ffmpeg and libnginx-mod-rtmp; takes about eight minutes. What was seen: docs/interop.md.
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { missingForObs, startDisplay } from './obs.mjs';
import { stopAll, versionOf } from './programs.mjs';
import { allScenes } from './scenes.mjs';
import { hasNginx, root } from './stage.mjs';

const HELP = `npm run interop:obs -- [options]

Lets OBS publish, be refused and come back through the gateway; one PASS or FAIL a line. Exit 1 when one failed.

  --only a,b      scenes: ${Object.keys(allScenes).join(', ')}
  --cases REGEX   of the scene 'refused' only the cases whose name matches
  --main FILE     another build of the gateway (its main.js)
  --pictures DIR  puts a picture of OBS's window there after each refusal
  --keep          leaves the folder of the run, with the tokens in OBS's settings, and says where it is
`;

/** Writes down what was seen, at once. */
class Report {
  failed = 0;
  passed = 0;

  check(what, isFine, detail) {
    this[isFine ? 'passed' : 'failed'] += 1;
    console.log(`  ${isFine ? 'PASS' : 'FAIL'}  ${what}${detail === '' ? '' : `: ${detail}`}`);
  }

  note(text) {
    console.log(`        ${text}`);
  }
}

function readCommandLine() {
  const text = { type: 'string' };
  const flag = { type: 'boolean', default: false };
  const options = { only: text, cases: text, main: text, pictures: text, keep: flag, help: flag };
  const { values } = parseArgs({ options });
  const names = values.only?.split(',') ?? Object.keys(allScenes);
  const odd = names.find((name) => allScenes[name] === undefined);
  if (odd !== undefined) throw new Error(`--only: no '${odd}'; there are ${Object.keys(allScenes).join(', ')}`);
  return { ...values, names };
}

function printVersions(main) {
  const versions = [versionOf('obs', '--version'), versionOf('ffmpeg', '-version').replace(/ Copyright.*/, '')];
  versions.push(versionOf('nginx', '-v'), `Portcullis ${versionOf(process.execPath, main, '--version')}`);
  console.log(`${versions.join('; ')}; Node ${process.versions.node}`);
}

/** What a scene is given: the display, the build, a folder of its own, and where to report. */
function stageFor(name, folder, parts) {
  const own = join(folder, name);
  mkdirSync(own, { recursive: true });
  chmodSync(own, 0o711);
  let count = 0;
  return {
    ...parts,
    folder: own,
    home: () => join(own, `obs-${(count += 1)}`),
    picture: async (obs, what) => {
      if (parts.pictures !== undefined)
        await obs.picture(join(resolve(parts.pictures), `${name}-${what.replaceAll(/\W+/g, '-')}.png`));
    },
  };
}

async function runScenes(values, folder, report) {
  const display = await startDisplay(join(folder, 'display'));
  const main = resolve(values.main ?? join(root, 'dist/main.js'));
  printVersions(main);
  const cases = values.cases === undefined ? undefined : new RegExp(values.cases);
  for (const name of values.names) {
    console.log(`\n${name}`);
    const scene = stageFor(name, folder, { report, main, cases, display: display.name, pictures: values.pictures });
    await allScenes[name](scene).catch((error) => report.check('the scene runs to its end', false, error.message));
    // A scene that broke off leaves its programs behind; the display stays.
    await stopAll(display.program);
  }
}

async function run() {
  const values = readCommandLine();
  if (values.help) return console.log(HELP);
  const missing = [...missingForObs(), ...(hasNginx ? [] : ['nginx with its RTMP module'])];
  if (missing.length > 0)
    throw new Error(`missing: ${missing.join(', ')} (Debian: obs-studio xvfb ffmpeg nginx libnginx-mod-rtmp)`);
  if (values.pictures !== undefined) mkdirSync(values.pictures, { recursive: true });
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-obs-'));
  chmodSync(folder, 0o711);
  const report = new Report();
  const end = async () => {
    await stopAll();
    if (values.keep) console.log(`\nkept: ${folder}`);
    else rmSync(folder, { recursive: true, force: true });
  };
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void end().then(() => process.exit(1)));
  try {
    await runScenes(values, folder, report);
  } finally {
    await end();
  }
  console.log(`\n${report.passed} passed, ${report.failed} failed`);
  if (report.failed > 0) process.exitCode = 1;
}

run().catch((error) => {
  console.error(`interop:obs: ${error.message}`);
  process.exitCode = 1;
});
