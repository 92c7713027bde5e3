import type { Frame, Series } from '../session.js';
import type { KnownContract } from './contracts.js';
import { FormingBar, type RawBar } from './formingBar.js';
import type { LiveConfig } from './liveRequests.js';
import { OptionState } from './optionState.js';
import type { StepBuilder } from './stepBuilder.js';
import type { TickNumbers } from './tickNumbers.js';
import { type TradingHours, tradingHoursOf } from './times.js';

/**
 * TWS has no word for a subscription that it accepts. One that it has not refused within this time, and that it has read, as its
 * answer to a question after it shows, is confirmed.
 */
export const CONFIRM_QUIET_MS = 2_000;
/** A request that fails is made again after this time, doubled each time, */
export const RETRY_MS = 15_000;
/** up to this. */
export const MAX_RETRY_MS = 600_000;
/** Real-time bars that are silent for so long while the instrument trades are asked for again. */
export const BAR_SILENCE_MS = 60_000;
/** A request that ends by itself, and has not. */
export const ANSWER_TIMEOUT_MS = 30_000;

/** What a session knows of one series that is subscribed. */
export class LiveSeries {
  readonly series: Series;
  /** Of the request that is under way; 0 for none. */
  id = 0;
  /** When the request was sent; `Infinity` while it waits. */
  sentAt = Number.POSITIVE_INFINITY;
  cancel: Frame | undefined;
  contract: KnownContract | undefined;
  isConfirmed = false;
  /** The number of the question behind the request; `Infinity` before it is asked. */
  beat = Number.POSITIVE_INFINITY;
  failures = 0;
  dataType = 1;
  /** When the request is to be made again; `Infinity` for never. */
  askAt = Number.POSITIVE_INFINITY;
  bar: FormingBar | undefined;
  option: OptionState | undefined;
  readonly numbers: TickNumbers;
  readonly #out: StepBuilder;
  readonly #config: LiveConfig;
  #hours: TradingHours | undefined;
  /** The time of the newest record. */
  #lastTs = Number.NEGATIVE_INFINITY;
  #heardAt = Number.NEGATIVE_INFINITY;
  /** Why records may be missing since the last one. */
  #holeReason: string | undefined;

  constructor(series: Series, out: StepBuilder, config: LiveConfig, numbers: TickNumbers) {
    this.numbers = numbers;
    this.series = series;
    this.#out = out;
    this.#config = config;
  }

  /** The contract is found. */
  begin(contract: KnownContract): void {
    const { of, symbol, timeframe = '1m' } = this.series;
    this.contract = contract;
    this.#hours = tradingHoursOf(contract.tradingHours, contract.zone);
    if (of === 'option') this.option = new OptionState();
    if (of !== 'bar') return;
    this.bar = new FormingBar(timeframe, contract.zone, (bar, isFinal, ts) => {
      this.#out.element(['bar', symbol, timeframe, contract.zone, isFinal ?? null, ...bar]);
      this.noteTime(ts);
    });
  }

  /** The subscription works. */
  confirm(): void {
    if (this.isConfirmed) return;
    this.isConfirmed = true;
    this.#out.confirm(this.series);
  }

  /** Data came. */
  heard(now: number): void {
    this.#heardAt = now;
    this.failures = 0;
    this.confirm();
  }

  /** The time of a record that has come: closes the hole that it ends. */
  noteTime(ts: number): void {
    if (!(ts > this.#lastTs)) return;
    const reason = this.#holeReason;
    if (reason !== undefined && this.#lastTs > Number.NEGATIVE_INFINITY) {
      this.#out.hole({ series: this.series, from: this.#lastTs, to: ts, cause: 'stale', reason });
    }
    this.#holeReason = undefined;
    this.#lastTs = ts;
  }

  /** Records may be missing until the next one. */
  openHole(reason: string): void {
    this.#holeReason ??= reason;
  }

  realTimeBar(bar: RawBar, time: number): void {
    const { symbol, timeframe } = this.series;
    this.#out.element(['bar', symbol, timeframe, '', true, ...bar]);
    this.noteTime(time);
  }

  emitOption(now: number): void {
    const { option, contract } = this;
    if (!option?.isDirty || !contract) return;
    const { values, ts } = option.take(now);
    this.#out.element(['option', { symbol: contract.symbol, ...contract.option }, ts, values]);
    this.noteTime(ts);
    this.#out.hear(this.series);
  }

  /** How long to wait after one more failure. */
  retryMs(): number {
    const ms = Math.min(RETRY_MS * 2 ** this.failures, MAX_RETRY_MS);
    this.failures += 1;
    return ms;
  }

  /** Whether real-time bars have stopped without a word, as after the end of a session. */
  isMute(now: number): boolean {
    if (this.id === 0 || this.series.of !== 'bar' || this.series.timeframe !== '5s') return false;
    const openSince = this.#hours?.openSince(now);
    if (openSince === undefined) return false;
    const since = Math.max(openSince, this.#heardAt, this.sentAt) + BAR_SILENCE_MS * 2 ** Math.min(this.failures, 5);
    return now >= since;
  }

  /** Does what is due, and says when to wake it next. Asking again is left to the session. */
  timer(now: number, upUntil: number): void {
    const { optionIntervalMs, optionSnapshotEveryMs } = this.#config;
    this.bar?.timer(now, upUntil);
    // What is due, and cannot be said yet, is looked at again with the next check.
    if (this.bar && this.bar.dueAt > now) this.#out.wake(this.bar.dueAt);
    if (this.option && optionSnapshotEveryMs === undefined) {
      if (now >= this.option.dueAt(optionIntervalMs)) this.emitOption(now);
      this.#out.wake(this.option.dueAt(optionIntervalMs));
    }
    if (this.#mustBeConfirmed) this.#out.wake(this.sentAt + CONFIRM_QUIET_MS);
    if (this.#endsByItself && this.id !== 0) this.#out.wake(this.sentAt + ANSWER_TIMEOUT_MS);
    this.#out.wake(this.askAt);
  }

  /** Whether it is time to ask whether TWS has read the request. */
  isQuiet(now: number): boolean {
    return this.#mustBeConfirmed && now >= this.sentAt + CONFIRM_QUIET_MS;
  }

  get #mustBeConfirmed(): boolean {
    return this.id !== 0 && !this.isConfirmed && this.beat === Number.POSITIVE_INFINITY;
  }

  /** Whether an answer that must come has not. */
  isLate(now: number): boolean {
    return this.#endsByItself && this.id !== 0 && now >= this.sentAt + ANSWER_TIMEOUT_MS;
  }

  get #endsByItself(): boolean {
    const { of } = this.series;
    return of === 'fundamental' || (of === 'option' && this.#config.optionSnapshotEveryMs !== undefined);
  }
}
