// Runs a test file once per seed, in several processes: for the scripts that try many seeds.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

/**
 * Reads `--seeds`, `--from`, `--jobs` and `--seed`, runs `tests` with them as `<prefix>_SEEDS`, `<prefix>_FROM` and `<prefix>_STEP`, and ends the
 * process: with 1 if a seed fails.
 */
export async function runSeeds({ tests, prefix, count }) {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string' },
      from: { type: 'string' },
      jobs: { type: 'string' },
      seed: { type: 'string' },
    },
  });
  for (const [name, value] of Object.entries(values)) {
    if (/^[1-9]\d*$/.test(value)) continue;
    console.error(`--${name} must be a number from 1, got ${JSON.stringify(value)}`);
    process.exit(1);
  }

  // Each job is a process with a server of its own; of two, one has the odd seeds and the other the even ones.
  const seeds = values.seed === undefined ? Number(values.seeds ?? count) : 1;
  const from = Number(values.seed ?? values.from ?? 1);
  const jobs = Math.min(seeds, Number(values.jobs ?? availableParallelism()));

  const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');
  const ends = Array.from({ length: jobs }, async (_, job) => {
    const run = spawn(process.execPath, [vitest, 'run', tests], {
      cwd: fileURLToPath(new URL('..', import.meta.url)),
      env: {
        ...process.env,
        [`${prefix}_VERBOSE`]: '1',
        [`${prefix}_FROM`]: String(from + job),
        [`${prefix}_STEP`]: String(jobs),
        [`${prefix}_SEEDS`]: String(Math.ceil((seeds - job) / jobs)),
      },
      stdio: 'inherit',
    });
    const [status] = await once(run, 'exit');
    return status ?? 1;
  });
  const failed = (await Promise.all(ends)).filter((status) => status !== 0).length;
  if (failed > 0) console.error(`${failed} of ${jobs} jobs failed: each names its failed seeds above.`);
  process.exit(failed > 0 ? 1 : 0);
}
