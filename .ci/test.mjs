// What `npm test` runs after the build: the real peers, then all tests; the totals are the last line.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { getPeers } from './peers.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const jest = join(root, 'node_modules', 'jest', 'bin', 'jest.js');
const folder = mkdtempSync(join(tmpdir(), 'portcullis-test-'));

function run(name, args) {
  const file = join(folder, `${name}.json`);
  console.error(`\n== ${name} tests`);
  const result = spawnSync(process.execPath, [jest, ...args, '--json', '--outputFile', file], {
    cwd: root,
    // With --json jest prints the report to stdout as well; the file is what is read.
    stdio: ['inherit', 'ignore', 'inherit'],
  });
  try {
    return summary(JSON.parse(readFileSync(file, 'utf8')), result.status === 0);
  } catch {
    console.error(`jest gave no report: ${result.error?.message ?? result.signal ?? `exit code ${result.status}`}`);
    return { passed: 0, failed: 1, skipped: [] };
  }
}

function summary(report, isFine) {
  const tests = report.testResults.flatMap((suite) => suite.assertionResults);
  const count = (status) => tests.filter((test) => test.status === status).length;
  const failed = count('failed') + report.numRuntimeErrorTestSuites;
  const skipped = tests.filter((test) => !['passed', 'failed'].includes(test.status)).map((test) => test.fullName);
  return { passed: count('passed'), failed: failed === 0 && !isFine ? 1 : failed, skipped };
}

getPeers();
const runs = [
  run('house and unit', ['--selectProjects', 'house', 'unit']),
  run('interop', ['--selectProjects', 'interop', '--runInBand']),
];
rmSync(folder, { recursive: true, force: true });

const sum = (key) => runs.reduce((total, one) => total + one[key], 0);
const skipped = runs.flatMap((one) => one.skipped);
console.log('');
for (const name of skipped) console.log(`skipped: ${name}`);
console.log(`${sum('passed')} passed, ${sum('failed')} failed, ${skipped.length} skipped`);
process.exitCode = sum('failed') === 0 ? 0 : 1;
