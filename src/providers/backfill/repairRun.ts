import { ReplaySubject, type SchedulerLike } from 'rxjs';
import type { Gate } from '../../flow/gate.js';
import type { Gap } from '../../market/gap.js';
import type { MarketEvent } from '../../market/recordKinds.js';
import { Timer } from '../../primitives/timer.js';
import { Wait } from '../../primitives/wait.js';
import { LiveVersions } from './liveVersions.js';
import type { RepairOutcome } from './outcome.js';
import type { RepairStep } from './repairChunk.js';
import { repairPages } from './repairPages.js';
import type { RepairMemory, RepairSettings } from './repairSettings.js';

/** Where the rows of a repair go. */
export interface RepairPort {
  readonly gate: Gate;
  readonly scheduler: SchedulerLike;
  emit(record: MarketEvent): void;
  /** These go no further: `duplicate`, or `stray` for what was not asked for. */
  drop(rows: readonly unknown[], reason: string): void;
  over(outcome: RepairOutcome): void;
  /** A callback has thrown. */
  fail(error: unknown): void;
}

/** So many rows are emitted at a time, before whatever else waits for the event loop has its turn. */
const SLICE = 256;

/**
 * Runs one repair: pulls a page when the rows of the last one are out, and emits while the gate is open. When the gate opens it lets what is
 * live go first.
 */
export class RepairRun {
  readonly gap: Gap;
  /** What passes live meanwhile. */
  readonly live: LiveVersions;
  readonly #port: RepairPort;
  readonly #cancelled$ = new ReplaySubject<void>(1);
  readonly #steps: AsyncGenerator<RepairStep, RepairOutcome>;
  readonly #atGate = new Wait();
  readonly #turn: Timer;
  #rows: readonly MarketEvent[] = [];
  #at = 0;
  #isOver = false;

  constructor(gap: Gap, settings: RepairSettings, port: RepairPort, memory?: RepairMemory) {
    this.gap = gap;
    this.live = new LiveVersions(gap);
    this.#port = port;
    const { scheduler } = port;
    this.#turn = new Timer(scheduler, () => this.#guard(() => this.#drain()));
    this.#steps = repairPages(
      gap,
      { ...settings, live: this.live },
      { scheduler, cancelled$: this.#cancelled$ },
      memory,
    );
  }

  start(): void {
    this.#advance();
  }

  /** Cancels the request under way; nothing more is emitted or told. */
  stop(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#rows = [];
    this.#atGate.cancel();
    this.#turn.cancel();
    this.#cancelled$.next();
    // Ends the generator where it waits for its rows to be taken.
    void this.#steps.return(undefined as never).then(undefined, () => {});
  }

  #advance(): void {
    void this.#steps.next().then(
      (step) => this.#guard(() => this.#take(step)),
      (error) => this.#fail(error),
    );
  }

  #take(step: IteratorResult<RepairStep, RepairOutcome>): void {
    if (step.done) {
      this.#isOver = true;
      try {
        this.#port.over(step.value);
      } catch (error) {
        this.#port.fail(error);
      }
      return;
    }
    const { rows, strays } = step.value;
    if (strays.length > 0) this.#port.drop(strays, 'stray');
    this.#rows = rows;
    this.#at = 0;
    this.#drain();
  }

  #drain(): void {
    const { gate } = this.#port;
    const last = this.#at + SLICE;
    while (this.#at < this.#rows.length && !this.#isOver) {
      if (!gate.isOpen) {
        this.#atGate.begin(
          (open) => gate.whenOpen(open),
          () => this.#turn.set(0),
        );
        return;
      }
      if (this.#at >= last) {
        this.#turn.set(0);
        return;
      }
      const row = this.#rows[this.#at++]!;
      if (row.kind !== 'gap' && this.live.has(row)) this.#port.drop([row], 'duplicate');
      else this.#port.emit(row);
    }
    if (!this.#isOver) this.#advance();
  }

  /** A late promise after the end changes nothing, and what a callback throws ends the stream rather than the process. */
  #guard(work: () => void): void {
    if (this.#isOver) return;
    try {
      work();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    if (this.#isOver) return;
    this.stop();
    this.#port.fail(error);
  }
}
