/** URL of a file of `dist`. Node 20 cannot run TypeScript, so the sources, too, start the built threads and processes. */
export const built = (name: string): URL =>
  new URL(import.meta.url.endsWith('.ts') ? `../../dist/${name}` : `./${name}`, import.meta.url);
