import { timeframeMs } from '../../primitives/timeframe.js';
import { gatewayTimeMs } from './times.js';

/** The values of a bar as TWS sends them: time, open, high, low, close, volume, count, average. */
export type RawBar = readonly unknown[];

/** How long after its end a bar is taken for final although no next one has come, if TWS is heard after that. */
export const BAR_GRACE_MS = 10_000;

/** Receives a bar; `isFinal` is `undefined` where its time cannot be read. */
export type EmitBar = (bar: RawBar, isFinal: boolean | undefined, ts: number) => void;

/**
 * Bars that are kept up to date: the same bar comes again and again, with a volume that grows, until the next one begins. The bar
 * of history that comes first is told once the next one has come.
 */
export class FormingBar {
  readonly #spanMs: number;
  readonly #zone: string;
  readonly #emit: EmitBar;
  #current: RawBar | undefined;
  #ts = Number.NEGATIVE_INFINITY;
  #isFinal = false;

  constructor(timeframe: string, zone: string, emit: EmitBar) {
    this.#spanMs = timeframeMs(timeframe);
    this.#zone = zone;
    this.#emit = emit;
  }

  /** When the bar is final although no next one comes. */
  get dueAt(): number {
    return this.#current && !this.#isFinal ? this.#ts + this.#spanMs + BAR_GRACE_MS : Number.POSITIVE_INFINITY;
  }

  /** A bar of the history that comes before the updates. */
  past(bar: RawBar): void {
    this.#take(bar, false);
  }

  /** The history before the updates is complete: its last bar is forming. */
  pastEnded(): void {
    if (this.#current && !this.#isFinal) this.#emit(this.#current, false, this.#ts);
  }

  update(bar: RawBar): void {
    this.#take(bar, true);
  }

  /**
   * Time has come. A connection that was up until a time before the bar is due, and may be half-open since, does not say that it is over:
   * what it has of the bar may not be all.
   */
  timer(now: number, upUntil: number): void {
    if (Math.min(now, upUntil) >= this.dueAt) this.#end();
  }

  #take(bar: RawBar, isUpdate: boolean): void {
    const ts = gatewayTimeMs(bar[0], this.#zone);
    if (Number.isNaN(ts)) {
      this.#emit(bar, undefined, ts);
    } else if (ts < this.#ts || (ts === this.#ts && this.#isFinal)) {
      // A revision of a bar that has ended.
      this.#emit(bar, true, ts);
    } else {
      if (ts > this.#ts) this.#end();
      this.#current = bar;
      this.#ts = ts;
      this.#isFinal = false;
      if (isUpdate) this.#emit(bar, false, ts);
    }
  }

  #end(): void {
    if (!this.#current || this.#isFinal) return;
    this.#isFinal = true;
    this.#emit(this.#current, true, this.#ts);
  }
}
