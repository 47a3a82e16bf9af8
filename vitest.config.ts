import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

const slow = ['test/scenarios/**/*.test.ts', 'test/crash/**/*.test.ts', 'test/browser/**/*.test.ts'];

export default defineConfig({
  test: {
    globalSetup: ['test/support/global-setup.ts'],
    setupFiles: ['test/support/property-seed.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // What is waited for comes when it comes: only a test that hangs has no end.
    expect: { poll: { timeout: 100_000 } },
    // Most tests wait for git and for programs they start: on two cores one alone leaves both idle half of the time.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts', 'web/src/**/*.test.ts', 'test/*.test.ts'],
          exclude: slow,
        },
      },
      { extends: true, test: { name: 'scenarios', include: slow } },
    ],
  },
});
