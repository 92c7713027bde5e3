import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const src = fileURLToPath(new URL('./src', import.meta.url));

export default defineConfig({
  resolve: {
    alias: [
      { find: /^sluice$/, replacement: `${src}/index.ts` },
      {
        find: /^sluice\/([a-z-]+(?:\/[a-z-]+)?)$/,
        replacement: `${src}/$1/index.ts`,
      },
    ],
  },
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'marble-tests/**/*.test.ts'],
    // Starts a Postgres server, once a run, when the first test asks for a database.
    globalSetup: ['test/postgres/globalSetup.ts'],
    testTimeout: 20_000,
    pool: 'forks',
    maxWorkers: 2,
  },
});
