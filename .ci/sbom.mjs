// Writes the bill of materials of `serve` to standard output, in CycloneDX. npm's own --omit leaves out what optional packages
// need too, so the list of everything is asked for, and followed from the dependencies on.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const args = ['sbom', '--package-lock-only', '--sbom-format', 'cyclonedx', '--sbom-type', 'application'];
const options = { cwd: root, encoding: 'utf8', maxBuffer: 1 << 28, shell: process.platform === 'win32' };
const bill = JSON.parse(execFileSync('npm', args, options));
const { component } = bill.metadata;
component.name = 'portcullis';

const needs = new Map(bill.dependencies.map(({ ref, dependsOn }) => [ref, dependsOn ?? []]));
const nameOf = (ref) => ref.slice(0, ref.indexOf('@', 1));
const direct = needs.get(component['bom-ref']).filter((ref) => Object.hasOwn(dependencies, nameOf(ref)));
const kept = new Set();
const keep = (ref) => {
  if (kept.has(ref)) return;
  kept.add(ref);
  needs.get(ref)?.forEach(keep);
};
direct.forEach(keep);

bill.components = bill.components.filter((one) => kept.has(one['bom-ref']));
bill.dependencies = [
  { ref: component['bom-ref'], dependsOn: direct },
  ...bill.dependencies.filter(({ ref }) => kept.has(ref)),
];
console.log(JSON.stringify(bill, null, 2));
