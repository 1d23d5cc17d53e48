import { inject } from 'vitest';

declare module 'vitest' {
  interface ProvidedContext {
    /** The seed of random cases in `npm run test:soak`; `npm test` has none, and takes the same cases every time. */
    readonly soak?: number;
  }
}

/** How often a test tries something random: a few times in `npm test`, and many times in `npm run test:soak`. */
export const runs = (few: number, many: number): number => (inject('soak') === undefined ? few : many);
