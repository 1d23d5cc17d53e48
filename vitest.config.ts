import { defineConfig } from 'vitest/config';

/** Tests of the package as it is built, which `test/build.ts` builds where it is older than its sources. */
const built = [
  'test/cli/**/*.test.ts',
  'test/package.test.ts',
  'test/readme.test.ts',
  'test/run/**/*.test.ts',
  'test/serve/**/*.test.ts',
  'test/train/strata/**/*.test.ts',
  'test/web/**/*.test.ts',
];
/** Suites with a command of their own: `npm run test:conformance`, `npm run test:soak`. */
const others = ['test/conformance/**/*.test.ts', 'test/soak/**/*.test.ts'];
const globalSetup = 'test/build.ts';

export default defineConfig({
  test: {
    // No test has a limit of its own: a busy machine may take any time. This one ends a test that hangs.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    expect: { poll: { timeout: 600_000 } },
    // Default: one core fewer, which is half of two.
    maxWorkers: '100%',
    setupFiles: 'test/setup.ts',
    projects: [
      {
        extends: true,
        test: { name: 'source', include: ['test/**/*.test.ts'], exclude: [...built, ...others] },
      },
      { extends: true, test: { name: 'package', include: built, globalSetup } },
      { extends: true, test: { name: 'conformance', include: [others[0]], globalSetup } },
      { extends: true, test: { name: 'soak', include: [others[1]], globalSetup } },
    ],
  },
});
