import { defineConfig, mergeConfig } from 'vitest/config';
import config from '../vitest.config.ts';

/** Those that need a newer Node than this project itself. */
export default mergeConfig(
  { ...config, test: { ...config.test, include: [] } },
  defineConfig({ test: { include: ['test/clients/newest/*.test.ts'] } }),
);
