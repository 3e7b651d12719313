import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/clients/**'],
    setupFiles: ['test/support/leaks.ts', 'test/support/checked-fetch.ts'],
    // Processes, not threads: the leak check reads the process's own handles.
    pool: 'forks',
    // Vitest's own default leaves one of two cores idle.
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 20_000,
  },
});
