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

/** What replaces modules would do so for the files after it in the same process. */
const MOCKING = [
  'src/files/ndjsonSink.test.ts',
  'src/providers/registry.test.ts',
  'src/providers/usualSilence.test.ts',
];

/** What needs a database, starts processes, or breaks things. */
const WHOLE = ['test/{integration,fault,day}/**/*.test.ts', ...MOCKING];

/** What packs the package and installs it: `npm run test:package`. */
const PACKAGE = ['test/package/**/*.test.ts'];

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
    // Starts a Postgres server, once a run, when the first test asks for a database.
    globalSetup: ['test/postgres/globalSetup.ts'],
    // On a machine that is busy with other things a test takes ten times as long, and is still right.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
    // One more than CI has processors, because many tests wait for a server.
    maxWorkers: 3,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          // Loading the modules anew for each file takes as long as the tests.
          isolate: false,
          include: isSlow ? [] : ['src/**/*.test.ts', 'test/**/*.test.ts', 'marble-tests/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...WHOLE, ...PACKAGE, ...SLOW],
        },
      },
      {
        extends: true,
        test: {
          name: 'whole',
          include: isSlow ? SLOW : WHOLE,
          exclude: [...configDefaults.exclude, ...(isSlow ? [] : SLOW)],
        },
      },
      { extends: true, test: { name: 'package', include: isSlow ? [] : PACKAGE } },
    ],
  },
});
