import { readFileSync } from 'node:fs';

/**
 * The licences of the bundled packages, as text.
 *
 * @param {Iterable<string>} paths of the files that were bundled
 */
export function notices(paths) {
  const folders = new Map();
  for (const path of paths) {
    const [, folder, name] = /^(.*\bnode_modules\/((?:@[^/]+\/)?[^/]+))\//.exec(path) ?? [];
    if (name) folders.set(name, folder);
  }
  const texts = [...folders].sort().map(([name, folder]) => `${name}\n\n${licenceOf(folder)}\n`);
  return texts.join('\n');
}

function licenceOf(folder) {
  for (const file of ['LICENSE', 'LICENSE.md', 'LICENSE.txt', 'license', 'LICENCE']) {
    try {
      return readFileSync(`${folder}/${file}`, 'utf8').trim();
    } catch {
      // Try the next name.
    }
  }
  const { license, repository } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'));
  return `License: ${license}; ${repository?.url ?? repository}`;
}
