import { defineConfig } from 'vitest/config';

/** Tests of the package as it is built, which `test/build.ts` builds where it is older than its sources. */
const built = [
  'test/cli/**/*.test.ts',
  'test/package.test.ts',
  'test/docs/**/*.test.ts',
  'test/run/**/*.test.ts',
  'test/serve/**/*.test.ts',
  'test/train/strata/**/*.test.ts',
  'test/web/**/*.test.ts',
];
/** `npm run test:conformance`. */
const conformance = ['test/conformance/**/*.test.ts'];
/** Tests that replace modules, which other files in the same process would get, too. */
const isolated = ['test/artifact/crash.test.ts'];
/** `npm run test:soak`: tests of random cases, which have many more of them there; see `test/support/soak.ts`. */
const soak = ['test/soak/**/*.test.ts'];
const globalSetup = 'test/build.ts';

export default defineConfig({
  test: {
    // No test has a limit of its own: a busy machine may take any time. This one ends a test that hangs.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    expect: { poll: { timeout: 600_000 } },
    // Default: one core fewer, which is half of two.
    maxWorkers: '100%',
    // One file after another in the same process, which loads the sources once.
    isolate: false,
    setupFiles: 'test/setup.ts',
    // For tests that import ONNX Runtime themselves, and for the programs that they start.
    env: { ORT_DISABLE_TELEMETRY: '1' },
    projects: [
      {
        extends: true,
        test: {
          name: 'source',
          include: ['test/**/*.test.ts'],
          exclude: [...built, ...conformance, ...isolated, ...soak],
        },
      },
      { extends: true, test: { name: 'isolated', include: isolated, isolate: true } },
      { extends: true, test: { name: 'package', include: built, globalSetup } },
      { extends: true, test: { name: 'conformance', include: conformance, globalSetup } },
      {
        extends: true,
        test: {
          name: 'soak',
          isolate: true,
          include: soak,
          globalSetup,
          provide: { soak: Number(process.env.SEED ?? Date.now() % 2 ** 31) },
        },
      },
    ],
  },
});
