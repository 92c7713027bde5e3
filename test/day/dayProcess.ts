import { type Observable, Subject, takeUntil } from 'rxjs';
import { type MarketEvent, PipelineMonitor } from 'sluice';
import { marketDataToStore, type RunReport, run } from 'sluice/pipelines';
import { openStore, type Store } from 'sluice/postgres';
import type { DayClock } from './dayClock.js';
import type { SocketLedger } from './socketLedger.js';

/** Makes the records of a program from its store: what a user composes. */
export type Compose = (store: Store) => Promise<Observable<MarketEvent>> | Observable<MarketEvent>;

export interface ProcessConfig {
  readonly databaseUrl: string;
  readonly clock: DayClock;
  readonly sockets: SocketLedger;
  readonly compose: Compose;
}

/** A program between its start and its end, over one database. */
export class DayProcess {
  readonly monitor = new PipelineMonitor();
  readonly store: Store;
  readonly report: Promise<RunReport>;
  isOver = false;
  readonly #config: ProcessConfig;
  readonly #killed = new Subject<void>();
  readonly #stop = new AbortController();

  static async start(config: ProcessConfig): Promise<DayProcess> {
    const store = await openStore({ databaseUrl: config.databaseUrl, poolSize: 3 });
    return new DayProcess(config, store, await config.compose(store));
  }

  private constructor(config: ProcessConfig, store: Store, records$: Observable<MarketEvent>) {
    const { clock } = config;
    this.#config = config;
    this.store = store;
    clock.work.add(this.#writing);
    const outcomes$ = records$.pipe(
      marketDataToStore(store.pool, {
        coordinator: { workers: 2 },
        policies: { scheduler: clock },
        tables: { now: () => clock.now() },
      }),
      takeUntil(this.#killed),
    );
    this.report = run(outcomes$, {
      monitor: this.monitor,
      scheduler: clock,
      signals: [],
      stop: this.#stop.signal,
    }).finally(() => {
      this.isOver = true;
    });
  }

  /** Ends everything in the middle of its `count`th next write, as a kill does: what was received and not written is lost. */
  killInWrite(count: number, onKilled: () => void): void {
    let left = count;
    const countdown = () => {
      left -= 1;
      if (left > 0) return;
      this.store.pool.off('acquire', countdown);
      // The statement is on its way.
      setImmediate(() => {
        this.kill();
        onKilled();
      });
    };
    this.store.pool.on('acquire', countdown);
  }

  kill(): void {
    if (this.isOver) return;
    this.#config.sockets.destroy(Number(new URL(this.#config.databaseUrl).port));
    this.#killed.next();
    this.#config.clock.work.delete(this.#writing);
  }

  /** Asks it to drain. */
  stop(): void {
    this.#stop.abort();
  }

  async close(): Promise<void> {
    await this.store.close();
    this.#config.clock.work.delete(this.#writing);
  }

  readonly #writing = (): string | undefined => {
    const { totalCount, idleCount, waitingCount } = this.store.pool;
    const busy = totalCount - idleCount + waitingCount;
    return busy === 0 ? undefined : `${busy} connections to the database are in use or waited for`;
  };
}
