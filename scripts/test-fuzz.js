// Damaged frames of every provider: test-fuzz.js [--count 1000000] [--venue massive]
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { count: { type: 'string' }, venue: { type: 'string' } } });
const count = values.count ?? '1000000';
if (!/^[1-9]\d*$/.test(count)) {
  console.error(`--count must be a number from 1, got ${JSON.stringify(count)}`);
  process.exit(1);
}
const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');
const { status } = spawnSync(
  process.execPath,
  [vitest, 'run', `test/property/${values.venue ?? ''}`, '-t', 'damaged'],
  {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    env: { ...process.env, FUZZ_FRAMES: count },
    stdio: 'inherit',
  },
);
process.exit(status ?? 1);
