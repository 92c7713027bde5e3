import { fileURLToPath } from 'node:url';
import { configDefaults, defineConfig } from 'vitest/config';

const src = fileURLToPath(new URL('./src', import.meta.url));

/** What takes longest and says least about a small change: `npm run test:slow`, so that the rest ends within minutes. */
const SLOW = [
  ...[
    'examples',
    'cli',
    'timescaleVersions',
    'hostile',
    'million',
    'pooler',
    'migrateWaits',
    'allKinds',
    'backfillKill',
  ].map((name) => `test/integration/${name}.test.ts`),
  'test/fault/replayKill.test.ts',
  'test/property/ibkrWire.test.ts',
];
const isSlow = process.env.TEST_SLOW !== undefined;

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
    include: isSlow ? SLOW : ['src/**/*.test.ts', 'test/**/*.test.ts', 'marble-tests/**/*.test.ts'],
    exclude: [...configDefaults.exclude, ...(isSlow ? [] : SLOW)],
    // Starts a Postgres server, once a run, when the first test asks for a database.
    globalSetup: ['test/postgres/globalSetup.ts'],
    testTimeout: 20_000,
    pool: 'forks',
    maxWorkers: 2,
  },
});
