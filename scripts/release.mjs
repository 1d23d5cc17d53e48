// Packs the package into a folder (default: here), and writes beside the tarball what is in it: a software bill of
// materials in CycloneDX. It lists what an installation brings along, and the packages that the build has put into dist/.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = process.argv[2] ?? '.';
mkdirSync(folder, { recursive: true });

const npm = (...args) => JSON.parse(execFileSync('npm', args, { encoding: 'utf8', maxBuffer: 2 ** 26 }));
const json = (path) => JSON.parse(readFileSync(path, 'utf8'));

const [{ filename, name }] = npm('pack', '--json', '--pack-destination', folder);
const bill = npm('sbom', '--package-lock-only', '--sbom-format', 'cyclonedx', '--sbom-type', 'library');
const { packages } = json('package-lock.json');
const refOf = (name) => `${name}@${packages[`node_modules/${name}`].version}`;

// With --omit dev, npm leaves out dependencies that a tool depends on, too. What the project has for its tools alone, such
// as TypeScript, may be an optional peer of a dependency.
const tools = Object.keys(packages).flatMap((path) =>
  packages[path].devOptional ? [refOf(path.replace('node_modules/', ''))] : [],
);
const needs = new Map(bill.dependencies.map(({ ref, dependsOn }) => [ref, dependsOn]));
const listed = new Set(tools);
const list = (ref) => {
  if (listed.has(ref)) return;
  listed.add(ref);
  for (const other of needs.get(ref)) list(other);
};
for (const name of Object.keys(json('package.json').dependencies)) list(refOf(name));
const notices = ['dist/THIRD-PARTY', 'dist/standalone/THIRD-PARTY', 'dist/page/THIRD-PARTY.txt']
  .map((path) => `\n${readFileSync(path, 'utf8')}`)
  .join('\n');
for (const { name } of bill.components) if (notices.includes(`\n${name}\n\n`)) listed.add(refOf(name));
for (const tool of tools) listed.delete(tool);

const root = bill.metadata.component;
// npm writes the name of the project's folder.
root.name = name;
listed.add(root['bom-ref']);
bill.components = bill.components.filter((component) => listed.has(component['bom-ref']));
bill.dependencies = bill.dependencies
  .filter(({ ref }) => listed.has(ref))
  .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((other) => listed.has(other)) }));

const path = join(folder, filename.replace(/\.tgz$/, '.cdx.json'));
writeFileSync(path, `${JSON.stringify(bill, null, 2)}\n`);
console.log(`${join(folder, filename)}\n${path}`);
