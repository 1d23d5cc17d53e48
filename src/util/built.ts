/** A file of `dist`. Node 20 runs no TypeScript, so threads and processes of the sources are the built ones too. */
export const built = (name: string): URL =>
  new URL(import.meta.url.endsWith('.ts') ? `../../dist/${name}` : `./${name}`, import.meta.url);
