import { defineConfig, mergeConfig } from 'vitest/config';
import base from './vitest.config.js';

/** What holds them to a naive model. */
const MODELS = [
  'backoff,batch,bisection,boundedBuffer,boundedMergeMap,bulkHandOver,circuitBreaker,lanes,pace,refusedItems',
  'ring,sharedPacer,tokenBucket,vendorPacing',
].join();

/** The tests that mutants of `flow`, `policies` and `operators` are tried against: all in virtual time, none with a database. */
export default mergeConfig(
  { ...base, test: { ...base.test, projects: undefined, globalSetup: [], maxWorkers: 1 } },
  defineConfig({
    test: {
      include: [
        'src/{flow,policies,operators,primitives}/**/*.test.ts',
        'marble-tests/**/*.test.ts',
        'src/pipelines/**/*.test.ts',
        'test/unit/{flow,operators,pipelines}/**/*.test.ts',
        `test/property/{${MODELS}}.test.ts`,
        'test/conformance/operators.test.ts',
      ],
    },
  }),
);
