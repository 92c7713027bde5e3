import { deepStrictEqual, equal, ok } from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { lastValueFrom, tap } from 'rxjs';
import type { WriteOutcome } from '../../src/contracts/sink.js';
import { openDeadLetters } from '../../src/dead-letters/openDeadLetters.js';
import { replayDeadLetters } from '../../src/dead-letters/replayDeadLetters.js';
import { PipelineMonitor } from '../../src/flow/monitor.js';
import { type Bar, barKey } from '../../src/market/bar.js';
import { foldBars } from '../../src/market/foldByKey.js';
import { writeCoordinator } from '../../src/operators/writeCoordinator.js';
import { run } from '../../src/pipelines/run.js';
import { openStore } from '../../src/postgres/openStore.js';
import { barsSink } from '../../src/sinks/barsSink.js';
import { fromAsyncIterable } from '../../src/sources/fromAsyncIterable.js';
import { syntheticBars } from '../../src/sources/syntheticBars.js';
import { type Fault, type FaultProxy, startFaultProxy } from '../../src/testing/index.js';
import { storedBars } from '../integration/events.js';
import { type PgBouncer, startPgBouncer } from '../postgres/pgbouncer.js';
import type { PostgresServer } from '../postgres/server.js';
import type { FaultScript, FaultStep } from './faultScript.js';

/** How many bars a run writes, revisions and duplicates not counted. */
export const BARS = 50_000;

/** A fault that has not fired by then, and a run that has not ended, never will: what waits for it is stuck. */
const STUCK_MS = 30_000;
const RUN_STUCK_MS = 100_000;

/** What a run came through. */
export interface FaultRun {
  readonly script: FaultScript;
  readonly items: number;
  readonly diverted: number;
  readonly replays: number;
  readonly connections: number;
  readonly durationMs: number;
}

/**
 * Writes 50,000 bars, a hundredth of them revised, through a line that breaks as the script says, replays what was given up,
 * and holds the table to the fold of what went in. Rejects with what is wrong.
 */
export async function runFaultScript(script: FaultScript, server: PostgresServer, bars = BARS): Promise<FaultRun> {
  const startedAt = performance.now();
  const database = await server.database();
  const direct = new pg.Pool({ connectionString: database.url, max: 1 });
  direct.on('error', () => {});
  // The server of the tests does not wait for its disk; what a crash of the server itself leaves must be all that was committed.
  await direct.query(`ALTER DATABASE ${database.name} SET synchronous_commit = on`);
  const { proxy, pooler, url } = await startLine(script, database.url);
  const folder = mkdtempSync(join(tmpdir(), 'sluice-faults-'));
  const store = await openStore({
    databaseUrl: url,
    poolSize: script.workers,
    closeTimeoutMs: 100,
    connectTimeoutMs: 2_000,
  });
  const deadLetters = await openDeadLetters<Bar>(join(folder, 'letters'), { pipeline: 'faults' });
  try {
    const config = { symbols: 50, count: bars, seed: script.seed, revisions: 0.01, duplicates: 0.01, lateness: 5_000 };
    const input = [...syntheticBars(config)];
    const nemesis = new Nemesis(proxy, server, pooler, direct, () => answers(store.pool));
    const sink = barsSink(store.pool, { strategy: script.strategy });
    const policies = {
      retry: { maxAttempts: script.maxAttempts, initialMs: 5, maxMs: 80 },
      breaker: script.hasBreaker && { window: { kind: 'count', size: 4 } as const, openMs: 40 },
      timeoutMs: script.timeoutMs,
    };
    const { workers, batchSize } = script;
    const write = writeCoordinator(sink, { workers, batchSize, policies: { ...policies, deadLetters } });
    const monitor = new PipelineMonitor();
    const settled = tap<WriteOutcome<Bar>>(({ items }) => nemesis.settle(items.length));
    const chain = fromAsyncIterable(nemesis.between(input, script.steps)).pipe(write, settled);
    const report = await within(RUN_STUCK_MS, run(chain, { signals: [], monitor }), () => {
      const stages = monitor.stages.map(({ id, held, written, gate }) => ({ id, held, written, isOpen: gate?.isOpen }));
      const { totalCount, idleCount, waitingCount } = store.pool;
      const state = { stages, pool: { totalCount, idleCount, waitingCount }, connections: proxy.connections };
      return `the run is stuck at step ${nemesis.step}: ${JSON.stringify(state)}`;
    });
    await proxy.mend();

    equal(report.outcome, 'completed');
    equal(report.conservation, 0, `${report.conservation} items are not accounted for`);
    equal(report.received, input.length, 'every bar is received');
    equal(report.written + report.diverted, input.length, 'every bar is written or diverted');
    equal(report.held, 0, 'nothing is held');
    equal(deadLetters.stats().appended.items, report.diverted, 'every bar that was diverted is in a letter');
    nemesis.allFired(script.steps);

    let replays = 0;
    while (deadLetters.stats().open.letters > 0) {
      ok(replays < 20, `after ${replays} replays ${deadLetters.stats().open.letters} letters are left`);
      replays += 1;
      const replay$ = replayDeadLetters(deadLetters, { sink, policies: { timeoutMs: 10_000 }, maxReplays: 100 });
      await within(RUN_STUCK_MS, lastValueFrom(replay$), () => `replay ${replays} is stuck`);
    }
    const { open, parked } = deadLetters.stats();
    deepStrictEqual([open.items, parked.items], [0, 0], 'no letter is left');
    sameBars(await storedBars(direct), foldBars(input));
    return {
      script,
      items: input.length,
      diverted: report.diverted,
      replays,
      connections: proxy.counts.connections,
      durationMs: performance.now() - startedAt,
    };
  } finally {
    await proxy.mend();
    const closing = [
      ['dead letters', () => deadLetters.close()],
      ['store', () => store.close()],
      ['pool', () => direct.end()],
      ['pooler', async () => pooler?.stop()],
      ['proxy', () => proxy.close()],
      ['database', () => database.drop()],
    ] as const;
    for (const [what, close] of closing) await within(STUCK_MS, close(), () => `the ${what} does not close`);
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Line {
  readonly proxy: FaultProxy;
  readonly pooler: PgBouncer | undefined;
  /** The connection string through both. */
  readonly url: string;
}

/** The way from the pipeline to its database: a line that breaks, and a pooler on one side of it or none. */
async function startLine({ pooler: place, workers }: FaultScript, databaseUrl: string): Promise<Line> {
  if (place === undefined) {
    const proxy = await startFaultProxy({ target: databaseUrl });
    return { proxy, pooler: undefined, url: proxy.url(databaseUrl) };
  }
  const config = {
    mode: 'transaction',
    poolSize: workers,
    // What its own server does not answer is given up as fast as the pipeline gives up.
    settings: { server_connect_timeout: 1, query_wait_timeout: 10 },
  } as const;
  if (place === 'beyond') {
    const pooler = await startPgBouncer({ databaseUrl, ...config });
    const proxy = await startFaultProxy({ target: pooler.url(databaseUrl) });
    return { proxy, pooler, url: proxy.url(databaseUrl) };
  }
  const proxy = await startFaultProxy({ target: databaseUrl });
  const pooler = await startPgBouncer({ databaseUrl: proxy.url(databaseUrl), ...config });
  return { proxy, pooler, url: pooler.url(databaseUrl) };
}

/** That the table holds the newest version of each bar, once, and nothing else. */
function sameBars(stored: readonly Bar[], folded: ReadonlyMap<string, Bar>): void {
  const found = new Map(stored.map((one) => [barKey(one), one]));
  equal(found.size, stored.length, 'no bar is stored twice');
  const missing = [...folded.keys()].filter((key) => !found.has(key));
  equal(missing.length, 0, `${missing.length} bars are missing`);
  equal(found.size, folded.size, `${found.size - folded.size} bars are stored that never came in`);
  const older = [...folded].filter(([key, { seq }]) => (found.get(key)?.seq ?? 0) < (seq ?? 0));
  equal(older.length, 0, `${older.length} bars are stored in an older version`);
  for (const [key, one] of folded) deepStrictEqual(found.get(key), one);
}

const LASTING: ReadonlySet<FaultStep['kind']> = new Set(['stall', 'drip', 'vanish', 'halfOpen', 'slowClose']);

/** Works the script off while bars flow, and goes on to the next step when one has done its work. */
class Nemesis {
  readonly #proxy: FaultProxy;
  readonly #server: PostgresServer;
  readonly #pooler: PgBouncer | undefined;
  readonly #direct: pg.Pool;
  readonly #lineWorks: () => Promise<boolean>;
  readonly #done: string[] = [];
  #given = 0;
  #settled = 0;
  #onSettled: (() => void) | undefined;

  constructor(
    proxy: FaultProxy,
    server: PostgresServer,
    pooler: PgBouncer | undefined,
    direct: pg.Pool,
    lineWorks: () => Promise<boolean>,
  ) {
    this.#lineWorks = lineWorks;
    this.#proxy = proxy;
    this.#server = server;
    this.#pooler = pooler;
    this.#direct = direct;
  }

  /** How many steps are done. */
  get step(): number {
    return this.#done.length;
  }

  /** So many bars more are written or in a letter. */
  settle(count: number): void {
    this.#settled += count;
    if (this.#settled >= this.#given) this.#onSettled?.();
  }

  /**
   * The bars, with a step in each part of them but the first and the last. A step finds the line in use and nothing waiting:
   * what was there before it is settled.
   */
  async *between(bars: readonly Bar[], steps: readonly FaultStep[]): AsyncGenerator<Bar> {
    const parts = steps.length + 2;
    const part = (index: number) => bars.slice((bars.length * index) / parts, (bars.length * (index + 1)) / parts);
    yield* this.#give(part(0));
    for (const [index, step] of steps.entries()) {
      await this.#allSettled();
      // Where nothing is tried again, all bars of a part may be in letters before the fault before it is over, as while a connection
      // that vanished is still being made: there would be no session to end, and no traffic to break.
      await until('way to the server', this.#lineWorks);
      const now = part(index + 1);
      const before = step.kind === 'halfOpen' ? Math.min(step.afterRows, now.length / 2) : 0;
      yield* this.#give(now.slice(0, before));
      const armed = this.#arm(step);
      yield* this.#give(now.slice(before, now.length / 2));
      const acting = this.#act(step);
      acting.catch(() => {});
      yield* this.#give(now.slice(now.length / 2));
      await acting;
      await this.#fired(step, armed);
      this.#done.push(step.kind);
    }
    yield* this.#give(part(parts - 1));
  }

  *#give(bars: readonly Bar[]): Generator<Bar> {
    for (const one of bars) {
      this.#given += 1;
      yield one;
    }
  }

  async #allSettled(): Promise<void> {
    if (this.#settled >= this.#given) return;
    await new Promise<void>((resolve) => {
      this.#onSettled = resolve;
    });
  }

  /** That every step was taken, and that the proxy has done what it was told. */
  allFired(steps: readonly FaultStep[]): void {
    deepStrictEqual(
      this.#done,
      steps.map(({ kind }) => kind),
      'every fault of the script must have fired',
    );
    const { fired } = this.#proxy.counts;
    for (const { kind } of steps) {
      if (kind in fired) ok(fired[kind as keyof typeof fired] > 0, `${kind} has not fired`);
    }
  }

  /** Faults that wait for their bytes. */
  #arm(step: FaultStep): Fault | undefined {
    const proxy = this.#proxy;
    switch (step.kind) {
      case 'cut':
      case 'reset':
        return proxy[step.kind](optionsOf(step));
      case 'stall':
        return proxy.stall(optionsOf(step));
      case 'drip':
        return proxy.drip(optionsOf(step));
      case 'dropCommitReply':
        return proxy.dropCommitReply(optionsOf(step));
      case 'vanish':
        return proxy.vanish(optionsOf(step));
      case 'halfOpen':
        return proxy.halfOpen();
      case 'slowClose':
        return proxy.slowClose({ ...optionsOf(step), times: 3 });
      default:
        return undefined;
    }
  }

  /** Faults that are there at once. */
  async #act(step: FaultStep): Promise<void> {
    switch (step.kind) {
      case 'sever':
        await until('connection to sever', () => this.#proxy.sever(step.how) > 0);
        return;
      case 'refuse': {
        const refusal = this.#proxy.refuse();
        this.#proxy.sever('reset');
        // Over before the next step, which would find nothing to hit: where nothing is tried again, bars are in letters by then.
        await new Promise((resolve) => setTimeout(resolve, step.forMs));
        await refusal.mend();
        return;
      }
      case 'slowClose':
      case 'terminate': {
        const sql = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                      WHERE application_name = 'sluice' AND datname = current_database()`;
        await until('session to terminate', async () => ((await this.#direct.query(sql)).rowCount ?? 0) > 0);
        return;
      }
      case 'restart':
        await this.#server.restart?.(step.how);
        return;
      case 'restartPooler':
        await this.#pooler?.restart();
        return;
      default:
        return;
    }
  }

  async #fired(step: FaultStep, fault: Fault | undefined): Promise<void> {
    if (!fault) return;
    await within(STUCK_MS, fault.whenFired(), () => `${JSON.stringify(step)} has not fired`);
    // What lasts is ended by its own time, or with the run: mending it would tell what a silent loss does not.
    const lasts = step.kind === 'dropCommitReply' ? step.how === 'stall' : LASTING.has(step.kind);
    if (!lasts) await fault.mend();
  }
}

function optionsOf<S extends FaultStep>({ kind, ...options }: S): Omit<S, 'kind'> {
  return options;
}

async function within<R>(ms: number, work: Promise<R>, complaint: () => string): Promise<R> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(complaint())), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function answers(pool: { query(text: string): Promise<unknown> }): Promise<boolean> {
  try {
    await pool.query('SELECT 1');
    return true;
  } catch {
    return false;
  }
}

/** Tries again until it has worked. */
async function until(what: string, attempt: () => boolean | Promise<boolean>): Promise<void> {
  const giveUpAt = performance.now() + STUCK_MS;
  while (!(await attempt())) {
    ok(performance.now() < giveUpAt, `there was no ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
