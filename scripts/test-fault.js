// The faults against a real Postgres server: test-fault.js [--seeds 200] [--from 1] [--jobs 2] | [--seed 17]
import { runSeeds } from './seedRunner.js';

await runSeeds({ tests: 'test/fault/postgresFaults.test.ts', prefix: 'SLUICE_FAULT', count: 8 });
