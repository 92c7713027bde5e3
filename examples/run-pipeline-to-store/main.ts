import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { type Observable, tap } from 'rxjs';
import { type Bar, type MarketEvent, PipelineMonitor } from 'sluice';
import { type DeadLetterQueue, openDeadLetters } from 'sluice/dead-letters';
import { pace } from 'sluice/operators';
import { formatReport, isRunError, isSettled, marketDataToStore, type RunReport, run } from 'sluice/pipelines';
import { openGaps, openStore, type Store } from 'sluice/postgres';
import { isProviderChoiceError, isProviderError } from 'sluice/providers';
import { isSettingsError, loadSettings, type Settings } from 'sluice/settings';
import { replayFile, synthetic } from 'sluice/sources';
import { pipelineTelemetry, serveTelemetry } from 'sluice/telemetry';
import { endAtSignal } from './endAtSignal.js';
import { inOptions, readerOptions } from './fileOptions.js';
import { gapReport, openGapsOf } from './gapCounts.js';
import { checkProvider, feedReport, liveSource } from './liveProvider.js';
import { holdsPassword, isLive, type LiveOptions, type Options } from './options.js';
import { progressNote } from './progressNote.js';
import { showTables } from './tables.js';
import { SeriesOfRun } from './writtenSeries.js';

const DEFAULT_SYMBOLS = 100;

/** The package exports its code only; its data lie beside. */
const SP500 = fileURLToPath(new URL('../data/sp500-2000.csv', import.meta.resolve('vega-datasets')));

const OF_SP500 = { columns: { ts: 'date' }, defaults: { vendor: 'vega', symbol: '^GSPC', timeframe: '1d' } };

function bars(options: Options, deadLetters: DeadLetterQueue<unknown>): Observable<Bar> {
  const { count, seed, revisions, duplicates } = options;
  const symbols = typeof options.symbols === 'number' ? options.symbols : DEFAULT_SYMBOLS;
  if (options.provider === 'synthetic') {
    // Another seed, another vendor: its bars are others, and not other versions of these.
    return synthetic({ count, symbols, seed, revisions, duplicates, vendor: `synthetic-${seed}` });
  }
  const { file = SP500 } = options;
  return replayFile(file, {
    // The same file gives the same versions, and a corrected one newer ones, which win.
    seqFrom: 'mtime',
    ...(options.file === undefined ? OF_SP500 : readerOptions({ ...options, file })),
    ...(options.badRows === 'dead-letters' && { badRows: deadLetters }),
  });
}

/** What is open while the pipeline runs. */
interface Resources {
  readonly store: Store;
  readonly deadLetters: DeadLetterQueue<MarketEvent>;
  /** From now on the run answers signals. */
  readonly leaveSignals: () => void;
}

/** The report of a run, and which series it wrote. */
interface Ran {
  readonly report: RunReport;
  readonly written: SeriesOfRun;
}

async function runPipeline(options: Options, settings: Settings, resources: Resources): Promise<Ran> {
  const { store, deadLetters, leaveSignals } = resources;
  const written = new SeriesOfRun();
  const monitor = new PipelineMonitor();
  // What is wrong with it is found before anything else is opened.
  const live = isLive(options) ? await liveSource(options as LiveOptions, monitor, deadLetters, store) : undefined;
  const telemetry = pipelineTelemetry();
  const server = options.metrics
    ? await serveTelemetry(telemetry, { port: settings.metricsPort, sinkCheck: store.check })
    : undefined;
  if (server) console.log(`metrics: ${server.url}/metrics`);
  const gaps = live && openGaps(store.pool, { onError: ({ message }) => console.error(message) });
  const { retry, breaker } = settings;
  const { capacity, workers, batchSize } = { ...settings.coordinator, ...options };
  const records$: Observable<MarketEvent> = live?.records$ ?? bars(options, deadLetters);
  const outcomes$ = records$.pipe(
    pace({ rate: options.rate || Number.POSITIVE_INFINITY, perMs: 1_000 }),
    marketDataToStore(store.pool, {
      coordinator: { ...settings.coordinator, capacity, workers, batchSize },
      policies: { retry, breaker, deadLetters },
      // The file's bars were checked as they were read, and generated ones need no check.
      check: live !== undefined,
    }),
    tap((outcome) => written.take(outcome)),
  );
  const stop = new AbortController();
  // The reader of the output is gone (`| head`): write what is held, and stop.
  process.stdout.on('error', () => stop.abort());
  const timer = options.for === undefined ? undefined : setTimeout(() => stop.abort(), options.for);
  try {
    const observe = [telemetry.pipeline('market-data', { deadLetters, ...(gaps && { gaps }) })];
    leaveSignals();
    const note = () => progressNote(monitor.feeds, gaps?.open);
    const say = (sentence: string) => console.error(sentence);
    // Where nobody looks on, progress goes with the output, by which it is noticed that its reader has gone.
    const shown = process.stdout.isTTY
      ? { progress: { note } }
      : { progress: { output: process.stdout, note }, say, log: say };
    return {
      report: await run(outcomes$, { monitor, stop: stop.signal, observe, ...shown }),
      written,
    };
  } finally {
    clearTimeout(timer);
    const feeds = feedReport(monitor);
    if (feeds !== '') console.log(feeds);
    if (live) console.log(gapReport(live.gaps, await openGapsOf(store, live.vendors)));
    await live?.capture?.close();
    await server?.close();
    telemetry.close();
  }
}

async function main(options: Options, settings: Settings, leaveSignals: () => void): Promise<void> {
  const { folder, workers = settings.coordinator.workers, deadLetters: letters = settings.deadLetterFolder } = options;
  const databaseUrl = options.databaseUrl ?? settings.databaseUrl?.reveal();
  if (isLive(options)) await checkProvider(options as LiveOptions);
  const isNew = !existsSync(join(folder, 'PG_VERSION'));
  const where = `embedded PGlite in ${folder}${isNew ? ', which is created now: that takes some seconds' : ''}`;
  console.log(`store: ${databaseUrl ? 'Postgres' : where}`);
  const store = await openStore({ databaseUrl, folder, poolSize: workers });
  try {
    const deadLetters = await openDeadLetters<MarketEvent>(letters, {
      pipeline: 'market-data',
      onHold: ({ error }) => console.error(`dead letters wait for their disk: ${sentence(error)}`),
    });
    let ran: Ran;
    try {
      ran = await runPipeline(options, settings, { store, deadLetters, leaveSignals });
      const { report } = ran;
      endAtSignal('ended; what is written stays written');
      console.log(`\n${formatReport(report)}\n`);
      if (report.diverted > 0) {
        console.error(`error: what was diverted is in ${letters}: see it with \`npx sluice dlq ls\``);
      }
      if (report.held > 0) {
        console.error('error: what was held is not written: run again, the same bars are written to the same keys');
      }
      if (report.diverted > 0 || !isSettled(report)) {
        process.exitCode = 1;
        return;
      }
    } finally {
      await deadLetters.close();
    }
    await showTables(store, ran.written, process.stdout.isTTY ? process.stdout.columns || 80 : undefined);
  } finally {
    await store.close();
  }
}

/** One sentence: what is wrong, and what to do about it. */
function sentence(error: unknown): string {
  const cause = isRunError(error) ? error.cause : error;
  return inOptions(cause instanceof Error ? cause.message : String(cause));
}

/** Whether what was asked for cannot be had: the next attempt would end the same way. */
function isMistake(error: unknown): boolean {
  const cause = isRunError(error) ? error.cause : error;
  // An option that a part of the pipeline refuses, such as a time zone that there is not.
  if (error instanceof RangeError) return true;
  return isProviderChoiceError(cause) || (isProviderError(cause) && !cause.retryable);
}

/** Every user of a machine can read the command lines of its processes. */
function warnOfPassword({ databaseUrl }: Options): void {
  if (databaseUrl === undefined || !holdsPassword(databaseUrl)) return;
  console.error(
    'warning: --database-url holds a password, which every user of this machine can read: set DATABASE_URL, or put it into .env',
  );
}

/** All that is wrong with the settings, and nothing started. */
function readSettings(): Settings {
  try {
    return loadSettings();
  } catch (error) {
    if (!isSettingsError(error)) throw error;
    console.error(error.message);
    process.exit(2);
  }
}

/** What the command line asks for; what it leaves open is as the settings say. */
export async function runToStore(options: Options, leaveSignals: () => void): Promise<void> {
  warnOfPassword(options);
  try {
    await main(options, readSettings(), leaveSignals);
  } catch (error) {
    if (isRunError(error) && error.report.received > 0) console.error(`\n${formatReport(error.report)}\n`);
    console.error(options.verbose ? error : `error: ${sentence(error)}`);
    process.exitCode = isMistake(error) ? 2 : 1;
  }
}
