/** A program that uses what is hardest to bundle: a logger, migrations, a metrics server, settings, files and letters. */
export const PROGRAM = `
import { writeFileSync } from 'node:fs';
import { formatReport, run, synthetic, writeCoordinator } from 'sluice';
import { openDeadLetters } from 'sluice/dead-letters';
import { replayFile } from 'sluice/files';
import { migrate, openStore } from 'sluice/postgres';
import { loadSettings } from 'sluice/settings';
import { barsSink } from 'sluice/sinks';
import { createLogger, pipelineTelemetry, serveTelemetry } from 'sluice/telemetry';

const settings = loadSettings();
const logger = createLogger();
const store = await openStore({ databaseUrl: settings.databaseUrl?.reveal() });
const { steps } = await migrate(store.pool);
logger.info({ steps: steps.length }, 'migrated');

const telemetry = pipelineTelemetry();
const server = await serveTelemetry(telemetry, { port: 0 });
const deadLetters = await openDeadLetters('letters', { pipeline: 'bundled' });
const sink = barsSink(store.pool);
const coordinator = () => writeCoordinator(sink, { policies: { deadLetters } });

console.log(formatReport(await run(synthetic({ count: 1000, seed: 7 }).pipe(coordinator()), { observe: [telemetry] })));
writeFileSync('bars.csv', 'symbol,time,open,high,low,close,volume\\nABC,2026-01-02T00:00:00Z,1,2,1,2,10\\n');
const file = replayFile('bars.csv', { columns: { ts: 'time' }, defaults: { timeframe: '1d', vendor: 'file' } });
console.log(formatReport(await run(file.pipe(coordinator()))));

const metrics = await (await fetch(new URL('/metrics', server.url))).text();
console.log(metrics.split('\\n').filter((line) => line.startsWith('sink_')).length > 0 ? 'metrics served' : metrics);
const { rows } = await store.pool.query('SELECT count(*)::int AS count FROM bars');
console.log(rows[0].count + ' rows');
await deadLetters.close();
await server.close();
await store.close();
`;
