import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Training and child processes; most tests take far less.
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
