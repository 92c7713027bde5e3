/**
 * How soon bars are committed again after the server has cut every connection, and how long a full queue takes to drain after
 * a stall.
 *
 * Method. A real server, started for this with its own durable defaults, or the one that TEST_DATABASE_URL names, on the same
 * machine. The pipeline is `fromIterable` and `writeCoordinator(barsSink(pool))`, four workers, batches of 500, with its
 * default policies: up to five attempts, the first wait drawn from 0 to 50 ms, a breaker, a time limit.
 *
 * - restart: at 10,000 bars a second another connection calls `pg_terminate_backend` on a pool connection that is in the middle of
 *   a write, and in other rounds on all of them. The time runs from sending that call to the commit of the first batch that was
 *   cut: detection, a new connection with its login, the write. Twenty rounds each; the figure is the median of those that lost
 *   a batch. A kill that meets no batch in flight is repeated.
 * - drain: another connection locks the table; the source fills the queue (10,000 bars, and what the workers hold besides) and
 *   is paused. The time runs from the release of the lock until everything is committed. Ten rounds; the figure is the median.
 * - outage: at 10,000 bars a second a proxy before the server cuts every connection and refuses new ones for 60 seconds (or for
 *   as long as the first argument says). The policies are the defaults here too: the breaker probes after a second, and each time
 *   a tenth later. The time runs from when the proxy accepts connections again until the gate of the queue opens, which is when
 *   it has drained to its low watermark; most of it is the wait for the next probe. A second outage, of 9 seconds, is measured
 *   the same way. The run fails if an item is lost or diverted, or if there is an attempt that neither helped to open the
 *   breaker nor was one of its probes.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { type Observable, Subject, takeUntil } from 'rxjs';
import { type Bar, PipelineMonitor, type WriteOutcome, withContext } from 'sluice';
import { pace, writeCoordinator } from 'sluice/operators';
import { barsSink, openStore } from 'sluice/sinks';
import { fromIterable, syntheticBars } from 'sluice/sources';
import { probeGate, startFaultProxy } from 'sluice/testing';
import { startPostgres } from '../test/postgres/server.js';
import { median, printTable, quantile, rounded } from './report/table.js';

const KILLS = 20;
const STALLS = 10;
const QUEUE = 10_000;
const WORKERS = 4;
const BATCH = 500;

const server = await startPostgres({ durable: true });
const database = await server.database();
const admin = new pg.Client({ connectionString: database.url, application_name: 'admin' });
await admin.connect();
const store = await openStore({ databaseUrl: database.url, poolSize: WORKERS });

function* endless(): Generator<Bar> {
  for (let seed = 1; ; seed++) yield* syntheticBars({ symbols: 500, count: 100_000, seed });
}

function pipeline(
  bars: Iterable<Bar>,
  monitor: PipelineMonitor,
  rate = Number.POSITIVE_INFINITY,
): Observable<WriteOutcome<Bar>> {
  const sink = barsSink(store.pool, { strategy: 'unnest' });
  const config = { workers: WORKERS, batchSize: BATCH, capacity: QUEUE, highWatermark: 1 };
  return fromIterable(bars).pipe(
    pace({ rate, perMs: 1_000, burst: 100 }),
    writeCoordinator(sink, config),
    withContext({ monitor }),
  );
}

const VICTIMS = `FROM pg_stat_activity WHERE application_name = 'sluice' AND datname = current_database()`;
const KILL = {
  one: `SELECT pg_terminate_backend(pid) FROM (SELECT pid ${VICTIMS} AND state = 'active' LIMIT 1) AS victim`,
  all: `SELECT pg_terminate_backend(pid) ${VICTIMS}`,
} as const;

async function measureRestarts(kill: keyof typeof KILL): Promise<number[]> {
  const restarts: number[] = [];
  const stop = new Subject<void>();
  let onOutcome: (outcome: WriteOutcome<Bar>) => void = () => {};
  let committed = 0;
  let failure: unknown;
  const ended = new Promise<void>((resolve) => {
    pipeline(endless(), new PipelineMonitor(), 10_000)
      .pipe(takeUntil(stop))
      .subscribe({
        next(outcome) {
          committed += 1;
          onOutcome(outcome);
        },
        error(error: unknown) {
          failure = error;
          resolve();
        },
        complete: resolve,
      });
  });
  while (restarts.length < KILLS) {
    const before = committed;
    while (committed < before + 50 && !failure) await sleep(5);
    if (failure) throw failure;
    const startedAt = performance.now();
    let commits = 0;
    const cut = new Promise<number | undefined>((resolve) => {
      onOutcome = ({ attempts }) => {
        if (attempts > 1) resolve(performance.now() - startedAt);
        // Between two batches a connection is idle, and cutting it then cuts no batch.
        else if (++commits > 100) resolve(undefined);
      };
    });
    await admin.query(KILL[kill]);
    const ms = await cut;
    if (ms !== undefined) restarts.push(ms);
  }
  stop.next();
  await ended;
  return restarts;
}

async function measureDrain(round: number): Promise<number> {
  // More than fits: keys are not spread evenly over the workers, so what they hold cannot be predicted.
  const total = QUEUE + WORKERS * BATCH * 2 + 1_000;
  const monitor = new PipelineMonitor();
  const bars = syntheticBars({ symbols: 500, count: total, seed: 10_000 + round });
  await admin.query('BEGIN; LOCK TABLE bars IN ACCESS EXCLUSIVE MODE');
  const written = new Promise<void>((resolve, reject) => {
    pipeline(bars, monitor).subscribe({ error: reject, complete: resolve });
  });
  const queue = () => monitor.stages.find(({ kind }) => kind === 'boundedBuffer');
  while ((queue()?.held ?? 0) < QUEUE) await sleep(5);
  const startedAt = performance.now();
  await admin.query('COMMIT');
  await written;
  const drainMs = performance.now() - startedAt;
  const account = monitor.account();
  if (account.written !== total || account.conservation !== 0) throw new Error(JSON.stringify(account));
  return drainMs;
}

interface Outage {
  readonly openMs: number;
  readonly callsWhileDown: number;
  readonly mostCalls: number;
}

async function measureOutage(seconds: number): Promise<Outage> {
  const proxy = await startFaultProxy({ target: database.url });
  const through = await openStore({ databaseUrl: proxy.url(database.url), poolSize: WORKERS });
  const stop = new Subject<void>();
  let isDown = false;
  let callsWhileDown = 0;
  let diverted = 0;
  const monitor = new PipelineMonitor({
    observer: {
      writeFailed() {
        if (isDown) callsWhileDown += 1;
      },
    },
  });
  const deadLetters = {
    append() {
      diverted += 1;
      return [];
    },
  };
  const probe = probeGate<Bar>();
  let isOpen = true;
  let onOpen = () => {};
  probe.gateLog$.subscribe((state) => {
    isOpen = state === 'o';
    if (isOpen) onOpen();
  });
  const failures = 5;
  const ended = new Promise<void>((resolve, reject) => {
    fromIterable(endless())
      .pipe(
        takeUntil(stop),
        pace({ rate: 10_000, perMs: 1_000, burst: 100 }),
        probe,
        writeCoordinator(barsSink(through.pool), {
          ...{ workers: WORKERS, batchSize: BATCH, capacity: QUEUE },
          policies: { deadLetters },
        }),
        withContext({ monitor }),
      )
      .subscribe({ error: reject, complete: resolve });
  });
  try {
    await sleep(1_000);
    const refusing = proxy.refuse();
    isDown = true;
    proxy.sever('reset');
    await sleep(seconds * 1_000);
    if (isOpen) throw new Error('the gate is open in the middle of the outage');
    const opened = new Promise<void>((resolve) => {
      onOpen = resolve;
    });
    await refusing.mend();
    isDown = false;
    const backAt = performance.now();
    await opened;
    const openMs = performance.now() - backAt;
    stop.next();
    await ended;
    const { received, written, held, conservation } = monitor.account();
    if (received !== written || held !== 0 || conservation !== 0 || diverted > 0) {
      throw new Error(`the account is ${JSON.stringify(monitor.account())}`);
    }
    // Each worker may have had a call in flight when the breaker opened.
    let mostCalls = failures + WORKERS - 1;
    for (let at = 0, waitMs = 1_000; at < seconds * 1_000; at += waitMs, waitMs *= 1.1) mostCalls += 1;
    if (callsWhileDown > mostCalls) throw new Error(`${callsWhileDown} attempts in ${seconds} s of outage`);
    return { openMs, callsWhileDown, mostCalls };
  } finally {
    await through.close();
    await proxy.close();
  }
}

try {
  const one = await measureRestarts('one');
  const all = await measureRestarts('all');
  const drains: number[] = [];
  for (let round = 0; round < STALLS; round++) drains.push(await measureDrain(round));
  const seconds = Number(process.argv[2] ?? 60);
  const outage = await measureOutage(seconds);
  const short = await measureOutage(9);
  const row = (name: string, values: readonly number[]) => [
    name,
    ...[0, 0.5, 0.9, 1].map((share) => quantile(values, share).toFixed(1)),
  ];
  console.log(`${server.description}\n`);
  printTable(
    ['milliseconds', 'least', 'median', 'p90', 'most'],
    [
      row('a backend killed, until its batch is committed', one),
      row('all of them killed, until the first of their batches is committed', all),
      row('stalled, until everything is committed', drains),
      row(`an outage of ${seconds} s, until the gate is open`, [outage.openMs]),
      row('an outage of 9 s, until the gate is open', [short.openMs]),
    ],
  );
  console.log(
    `\n${outage.callsWhileDown} attempts while the server was away (at most ${outage.mostCalls}), nothing diverted, nothing lost`,
  );
  console.log(
    JSON.stringify({
      restartMs: rounded(median(one), 1),
      drainMs: rounded(median(drains), 1),
      gateOpenMs: rounded(outage.openMs, 1),
      shortOutageMs: rounded(short.openMs, 1),
    }),
  );
} finally {
  await store.close();
  await admin.end();
  await database.drop();
  await server.stop();
}
