import { afterAll, beforeAll, describe, it } from 'vitest';
import { PGBOUNCER_REMEDY, pgBouncerProgram } from '../postgres/pgbouncer.js';
import { type PostgresServer, startPostgres } from '../postgres/server.js';
import { faultScript } from './faultScript.js';
import { runFaultScript } from './postgresFaults.js';

/** What `npm run test:fault` asks for; without it a sample. */
const { SLUICE_FAULT_FROM = '1', SLUICE_FAULT_SEEDS = '8', SLUICE_FAULT_STEP = '1' } = process.env;
const seeds = Array.from(
  { length: Number(SLUICE_FAULT_SEEDS) },
  (_, i) => Number(SLUICE_FAULT_FROM) + i * Number(SLUICE_FAULT_STEP),
);

const isMissing = pgBouncerProgram() === undefined;
const inCI = process.env.CI === 'true';

describe('50,000 bars through a line that breaks', () => {
  // Its own, for it is restarted.
  let server: PostgresServer;
  const failed: number[] = [];
  beforeAll(async () => {
    server = await startPostgres();
  }, 120_000);
  afterAll(async () => {
    if (failed.length > 0) console.log(`Failed seeds, each to be run alone by --seed: ${failed.join(', ')}`);
    await server.stop();
  }, 60_000);

  for (const seed of seeds) {
    const script = faultScript(seed);
    const kinds = script.steps.map(({ kind }) => kind).join(', ');
    const needs = script.pooler && ` (pooler ${script.pooler})`;
    if (needs && isMissing) {
      it.skipIf(!inCI)(`seed ${seed}: not run, for there is no pgbouncer here (${PGBOUNCER_REMEDY})`, () => {
        throw new Error(`CI must run every script: ${PGBOUNCER_REMEDY}`);
      });
      continue;
    }
    it(`seed ${seed}: ${kinds}${needs ?? ''}`, async () => {
      try {
        const { diverted, replays, connections, durationMs } = await runFaultScript(script, server);
        const seconds = (durationMs / 1_000).toFixed(1);
        if (process.env.SLUICE_FAULT_VERBOSE) {
          console.log(
            `seed ${seed}${needs ?? ''}: ${connections} connections, ${diverted} diverted, ${replays} replays, ${seconds} s`,
          );
        }
      } catch (cause) {
        failed.push(seed);
        const reason = cause instanceof Error ? cause.message : String(cause);
        const again = `npm run test:fault -- --seed ${seed}`;
        throw new Error(`${reason}\n  alone: ${again}\n  script: ${JSON.stringify(script)}`, { cause });
      }
    }, 300_000);
  }
});
