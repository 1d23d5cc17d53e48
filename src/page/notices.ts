import { readFileSync } from 'node:fs';
import type { Plugin } from 'vite';

/** Where the packages lie whose code is inside what is built, by name. */
const bundled = new Map<string, string>();

/**
 * Says whose code is inside. Vite's own list leaves out what only a worker holds.
 *
 * @param emits whether this is the page's build, which comes after the worker's
 */
export function notices(emits: boolean): Plugin {
  return {
    name: 'notices',
    apply: 'build',
    generateBundle(_, bundle) {
      for (const chunk of Object.values(bundle))
        for (const id of chunk.type === 'chunk' ? chunk.moduleIds : []) {
          const [, folder, name] = /^(.*\/node_modules\/((?:@[^/]+\/)?[^/]+))\//.exec(id) ?? [];
          if (folder !== undefined) bundled.set(name, folder);
        }
      if (!emits) return;
      const texts = [...bundled].sort().map(([name, folder]) => `${name}\n\n${licenseOf(folder)}\n`);
      this.emitFile({ type: 'asset', fileName: 'THIRD-PARTY.txt', source: texts.join('\n') });
    },
  };
}

function licenseOf(folder: string): string {
  for (const file of ['LICENSE', 'LICENSE.md', 'LICENSE.txt', 'license']) {
    try {
      return readFileSync(`${folder}/${file}`, 'utf8').trim();
    } catch {
      // The next name may be the right one.
    }
  }
  const { license, repository } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'));
  return `License: ${license}; ${repository?.url ?? repository}`;
}
