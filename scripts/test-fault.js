// The faults against a real Postgres server: test-fault.js [--seeds 200] [--from 1] | [--seed 17]
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: { seeds: { type: 'string' }, from: { type: 'string' }, seed: { type: 'string' } },
});
const environment = {
  SLUICE_FAULT_SEEDS: values.seeds,
  SLUICE_FAULT_FROM: values.from,
  SLUICE_FAULT_SEED: values.seed,
};
const given = Object.entries(environment).filter(([, value]) => value !== undefined);
for (const [name, value] of given) {
  if (/^[1-9]\d*$/.test(value)) continue;
  console.error(
    `${name.replace('SLUICE_FAULT_', '--').toLowerCase()} must be a number from 1, got ${JSON.stringify(value)}`,
  );
  process.exit(1);
}

const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');
const { status } = spawnSync(process.execPath, [vitest, 'run', 'test/fault/postgresFaults.test.ts'], {
  cwd: fileURLToPath(new URL('..', import.meta.url)),
  env: { ...process.env, SLUICE_FAULT_VERBOSE: '1', ...Object.fromEntries(given) },
  stdio: 'inherit',
});
process.exit(status ?? 1);
