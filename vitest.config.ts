import { defineConfig } from 'vitest/config';

/** Tests of the package as it is built; `test/build.ts` builds it before them. */
const built = [
  'test/cli/**/*.test.ts',
  'test/package.test.ts',
  'test/readme.test.ts',
  'test/run/**/*.test.ts',
  'test/serve/**/*.test.ts',
  'test/train/strata/**/*.test.ts',
  'test/web/**/*.test.ts',
];

export default defineConfig({
  test: {
    // Training and child processes; most tests take far less.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 30_000 } },
    setupFiles: 'test/setup.ts',
    projects: [
      { extends: true, test: { name: 'source', include: ['test/**/*.test.ts'], exclude: built } },
      { extends: true, test: { name: 'package', include: built, globalSetup: 'test/build.ts' } },
    ],
  },
});
