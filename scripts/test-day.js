// A day of the market in virtual time, against a real Postgres server: test-day.js [--seeds 200] [--from 1] [--jobs 2] | [--seed 17]
import { runSeeds } from './seedRunner.js';

await runSeeds({ tests: 'test/day', prefix: 'SLUICE_DAY', count: 5 });
