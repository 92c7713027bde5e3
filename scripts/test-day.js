// A day of the market in virtual time, against a real Postgres server: test-day.js [--seeds 200] [--from 1] [--jobs 2] | [--seed 17]
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: { seeds: { type: 'string' }, from: { type: 'string' }, jobs: { type: 'string' }, seed: { type: 'string' } },
});
for (const [name, value] of Object.entries(values)) {
  if (/^[1-9]\d*$/.test(value)) continue;
  console.error(`--${name} must be a number from 1, got ${JSON.stringify(value)}`);
  process.exit(1);
}

// Each job is a process with a server of its own; of two, one has the odd seeds and the other the even ones.
const seeds = values.seed === undefined ? Number(values.seeds ?? 5) : 1;
const from = Number(values.seed ?? values.from ?? 1);
const jobs = Math.min(seeds, Number(values.jobs ?? availableParallelism()));

const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');
const ends = Array.from({ length: jobs }, async (_, job) => {
  const run = spawn(process.execPath, [vitest, 'run', 'test/day'], {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    env: {
      ...process.env,
      SLUICE_DAY_VERBOSE: '1',
      SLUICE_DAY_FROM: String(from + job),
      SLUICE_DAY_STEP: String(jobs),
      SLUICE_DAY_SEEDS: String(Math.ceil((seeds - job) / jobs)),
    },
    stdio: 'inherit',
  });
  const [status] = await once(run, 'exit');
  return status ?? 1;
});
const failed = (await Promise.all(ends)).filter((status) => status !== 0).length;
if (failed > 0) console.error(`${failed} of ${jobs} jobs failed: each names its failed seeds above.`);
process.exit(failed > 0 ? 1 : 0);
