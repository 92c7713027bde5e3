/**
 * From a provider to the store: streams records through pacing into the ready-made pipeline, which routes and writes them, with
 * retries, a breaker and dead letters as the settings say, and ends with the account of every record and a query of the tables.
 * The pipeline is in run-pipeline-to-store/main.ts.
 *
 * Run it: npm start, or npm start -- --help
 */
import { endAtSignal } from './run-pipeline-to-store/endAtSignal.js';
import { readOptions } from './run-pipeline-to-store/options.js';

const options = readOptions(process.argv);
const leaveSignals = endAtSignal('ended before anything was received');
// Loaded only now, because it takes longer than the answer to a wrong option may.
const { runToStore } = await import('./run-pipeline-to-store/main.js');
await runToStore(options, leaveSignals);
