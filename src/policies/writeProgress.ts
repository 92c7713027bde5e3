import type { WriteOutcome } from '../contracts/sink.js';
import type { Backoff } from './backoff.js';
import type { BatchFailure, BatchPart, GivenUp, WriteCommand, WriteFailure, WriteRules } from './batchFate.js';
import { RefusedItems } from './refusedItems.js';
import { TableRefusedError } from './tableRefusals.js';

export type { WriteCommand, WriteRules } from './batchFate.js';

/*
 * One batch on its way to a sink, as a state machine: no clock, no timer, no promise. Whoever drives it tells it what has
 * happened (`started`, `committed`, `failed`, …) and then carries out what `next()` says, until that says nothing.
 *
 *   ready ──write──▶ asked ──started──▶ writing ──committed──▶ ready (the next part), or settling
 *     ▲                                    │
 *     │                                    ├─ failed, transient ──▶ backingOff ──wait──▶ waiting ──resume──▶ ready
 *     │                                    │     no attempt left ──▶ settling (exhausted)
 *     └────── the next part ◀──────────────┼─ failed, poison ─────▶ ready, or settling; backingOff if the table is to blame
 *                                          └─ failed, fatal ──────▶ aborting ──abort──▶ settling (fatal)
 *   settling ──done──▶ done
 *
 * - `ready`: a part is to be written: at first the whole batch, and after a refusal one part after another.
 * - `asked`: `write` was given out, and the write has not begun: it waits for a permit of the breaker. Nothing is counted.
 * - `writing`: the sink was asked, and has not answered. The only mode that takes an answer.
 * - `backingOff`: a wait is due, for the caller to time. `waiting`: it runs.
 * - `aborting`: the sink cannot be written to at all. The pipeline is told first, so that its other writers stop too; then
 *   what is left goes to the dead letters.
 * - `failing`: there are no dead letters, so the pipeline fails. `failed`: it was told. What is left stays held, for good.
 * - `settling`: no write follows. Letters may still be on their way to the disk.
 * - `done`: every item has ended, written or diverted, and the outcomes are complete.
 *
 * `giveUp` leads from `ready`, `asked`, `writing`, `backingOff` and `waiting` to `settling`: what is left is diverted. In
 * all other modes it does nothing. `stop` leads from any mode but `done` to `failed`. A letter is handed out in any mode, before
 * anything else: an isolated item is diverted while the rest of its batch is being written.
 */

type State<T> =
  | { readonly mode: 'ready' | 'asked' | 'writing' | 'waiting'; readonly part: BatchPart<T> }
  | { readonly mode: 'backingOff'; readonly part: BatchPart<T>; readonly ms: number }
  | { readonly mode: 'aborting' | 'failing'; readonly cause: unknown }
  | { readonly mode: 'settling' | 'done' | 'failed' };

/** The items from the first refusal on, and what was written of them. */
interface Search<T> {
  readonly items: RefusedItems<T>;
  readonly written: T[];
  rows: number;
  durationMs: number;
}

const searchIn = <T>(items: RefusedItems<T>): Search<T> => ({ items, written: [], rows: 0, durationMs: 0 });

export class WriteProgress<T> {
  readonly #batch: BatchPart<T>;
  readonly #rules: WriteRules;
  #state: State<T>;
  #attempts = 0;
  /** Failures of this part that count towards the limit. */
  #failures = 0;
  #lastError: unknown;
  #backoff: Backoff | undefined;
  #search: Search<T> | undefined;
  #refused: TableRefusedError | undefined;
  #isContinued = false;
  /** Given up, and not handed out yet. */
  #letters: GivenUp<T>[] = [];
  /** Given up, and not durable yet. */
  #undurable = 0;
  #outcomes: WriteOutcome<T>[] = [];

  /** `batch` must not be empty, and both of its arrays name the same items at the same places. */
  constructor(batch: BatchPart<T>, rules: WriteRules) {
    if (batch.items.length !== batch.given.length) {
      throw new Error(
        `WriteProgress: ${batch.given.length} items were given, and ${batch.items.length} are to be written`,
      );
    }
    this.#batch = batch;
    this.#rules = rules;
    this.#state = { mode: 'ready', part: batch };
  }

  get mode(): State<T>['mode'] {
    return this.#state.mode;
  }

  /** How often the sink was asked. */
  get attempts(): number {
    return this.#attempts;
  }

  /** The table refuses every row, as the last failure has shown: the batch waits for it. */
  get refused(): TableRefusedError | undefined {
    return this.#refused;
  }

  /** How long to wait before the next attempt; `undefined` if none follows, or it follows immediately. */
  get retryInMs(): number | undefined {
    return this.#state.mode === 'backingOff' ? this.#state.ms : undefined;
  }

  /** What is being written is not of this batch: its result tells of the table. */
  get isForeign(): boolean {
    return this.#search?.items.isForeign === true;
  }

  /** The next write belongs to the probe that has just failed. */
  get isContinued(): boolean {
    return this.#isContinued;
  }

  /** No write follows, whatever happens. */
  get isOver(): boolean {
    return !('part' in this.#state);
  }

  /** Every item is written, or its letter is durable: the outcomes are complete. */
  get isSettled(): boolean {
    const { mode } = this.#state;
    return mode === 'done' || (mode === 'settling' && this.#undurable === 0);
  }

  /** What became of the items: first of those that were written. Complete when settled. */
  get outcomes(): readonly WriteOutcome<T>[] {
    const search = this.#search;
    if (!search || search.written.length === 0) return this.#outcomes;
    const { written: items, rows, durationMs } = search;
    return [{ status: 'written', items, rows, attempts: this.#attempts, durationMs }, ...this.#outcomes];
  }

  /** The next thing to do, to be carried out before anything else is asked; `undefined` if there is nothing to do now. */
  next(): WriteCommand<T> | undefined {
    const letter = this.#letters.shift();
    if (letter) return { do: 'divert', letter };
    const state = this.#state;
    switch (state.mode) {
      case 'ready': {
        const write = { do: 'write', part: state.part } as const;
        const command = this.#isContinued ? ({ ...write, isContinued: true } as const) : write;
        this.#isContinued = false;
        this.#state = { mode: 'asked', part: state.part };
        return command;
      }
      case 'backingOff':
        this.#state = { mode: 'waiting', part: state.part };
        return this.#refused ? { do: 'wait', ms: state.ms, isHold: true } : { do: 'wait', ms: state.ms };
      case 'aborting': {
        const failure = this.#failureOf(state.cause);
        this.#giveUpRest('fatal', state.cause);
        return { do: 'abort', failure };
      }
      case 'failing':
        this.#state = { mode: 'failed' };
        return { do: 'fail', failure: this.#failureOf(state.cause) };
      case 'settling':
        if (this.#undurable > 0) return undefined;
        this.#state = { mode: 'done' };
        return { do: 'done' };
      default:
        return undefined;
    }
  }

  /** The write begins: the breaker has let it through. */
  started(): void {
    this.#state = { mode: 'writing', part: this.#partIn('asked') };
    this.#attempts += 1;
  }

  /** The sink has committed the part; `durationMs` is how long that took from the first attempt for the batch. */
  committed(rows: number, durationMs: number): void {
    const part = this.#partIn('writing');
    this.#rules.refusals?.accepted();
    this.#rules.witness?.saw(part.items);
    this.#refused = undefined;
    const search = this.#search;
    if (search?.items.isForeign) {
      for (const letter of search.items.written(part)) this.#divert(letter);
      this.#nextPart(search);
    } else if (search) {
      for (const letter of search.items.written(part)) this.#divert(letter);
      for (const item of part.given) search.written.push(item);
      search.rows += rows;
      search.durationMs = durationMs;
      this.#nextPart(search);
    } else {
      this.#outcomes.push({ status: 'written', items: part.given, rows, attempts: this.#attempts, durationMs });
      this.#state = { mode: 'settling' };
    }
  }

  /** The write has failed. */
  failed(failure: WriteFailure): void {
    const part = this.#partIn('writing');
    const { error } = failure;
    this.#lastError = error;
    this.#refused = undefined;
    if (failure.class === 'transient') this.#retry(part, failure);
    else if (!this.#rules.canDivert) this.#state = { mode: 'failing', cause: error };
    else if (failure.class === 'fatal') this.#state = { mode: 'aborting', cause: error };
    else this.#isolate(part, failure);
  }

  /** The wait is over. */
  resume(): void {
    this.#state = { mode: 'ready', part: this.#partIn('waiting') };
  }

  /** Nothing more is written. In a drain, letters say what the sink said last; `error` stands in if it said nothing. */
  giveUp(reason: GivenUp<T>['reason'], error: unknown): void {
    if (!this.isOver) this.#giveUpRest(reason, reason === 'drain' ? (this.#lastError ?? error) : error);
  }

  /** The letter is durable. */
  durable({ given, reason, error, attempts }: GivenUp<T>, durationMs: number): void {
    if (this.#undurable === 0) throw new Error('WriteProgress: no letter is on its way');
    this.#undurable -= 1;
    this.#outcomes.push({ status: 'diverted', items: given, rows: 0, attempts, durationMs, reason, error });
  }

  /** The writer has ended or cannot go on. */
  stop(): void {
    if (this.#state.mode !== 'done') this.#state = { mode: 'failed' };
    this.#letters = [];
  }

  /**
   * An outage is the breaker's business: a failure that leaves it open spends no attempt, whether it was a probe's or the one
   * that opened it, since at a quiet time one batch may meet them all. An error without a code may be the batch's own fault.
   */
  #retry(part: BatchPart<T>, failure: WriteFailure): void {
    const { error, retryAfterMs } = failure;
    const isOutage = failure.isBreakerHolding && failure.hasCode;
    if (!isOutage) this.#failures += 1;
    if (this.#failures < this.#rules.maxAttempts) {
      this.#backoff ??= this.#rules.makeBackoff();
      // In an outage it is the breaker that makes the waits.
      if (isOutage) this.#backoff.reset();
      // A broken connection takes one attempt with it. If the server is there, the next one needs no patience.
      const isCut = !isOutage && this.#failures === 1 && failure.isLostConnection;
      const ms = Math.max(isCut ? 0 : this.#backoff.nextMs(), retryAfterMs);
      this.#state = { mode: 'backingOff', part, ms };
    } else if (this.#rules.canDivert) {
      this.#giveUpRest('exhausted', error);
    } else {
      this.#state = { mode: 'failing', cause: error };
    }
  }

  #isolate(part: BatchPart<T>, failure: WriteFailure): void {
    const search = this.#search ?? searchIn(new RefusedItems(this.#batch, this.#rules));
    this.#search = search;
    const { items } = search;
    for (const letter of items.refused(part, failure)) this.#divert(letter);
    this.#nextPart(search);
    this.#isContinued = items.isContinued;
    if (!items.isHeld) return;
    const { rule, error: cause } = items.tableRefusal;
    this.#refused = new TableRefusedError(rule, { cause });
    this.#lastError = this.#refused;
    this.#state = { mode: 'backingOff', part: this.#partIn('ready'), ms: items.holdMs };
  }

  #nextPart({ items }: Search<T>): void {
    const part = items.next();
    if (!part) {
      for (const letter of items.convicted()) this.#divert(letter);
      this.#state = { mode: 'settling' };
      return;
    }
    this.#failures = 0;
    this.#backoff?.reset();
    this.#state = { mode: 'ready', part };
  }

  #giveUpRest(reason: GivenUp<T>['reason'], error: unknown): void {
    this.#divert({ ...this.#rest, reason, error, attempts: this.#attempts });
    this.#state = { mode: 'settling' };
  }

  #divert(letter: GivenUp<T>): void {
    this.#undurable += 1;
    // Of a batch of one, attempts that did not reach the sink count as well.
    this.#letters.push(this.#batch.items.length === 1 ? { ...letter, attempts: this.#attempts } : letter);
  }

  /** What is neither written nor given up. */
  get #rest(): BatchPart<T> {
    return this.#search?.items.rest ?? this.#batch;
  }

  #failureOf(cause: unknown): BatchFailure<T> {
    return { items: this.#rest.items, attempts: this.#attempts, cause };
  }

  #partIn(mode: 'ready' | 'asked' | 'writing' | 'waiting'): BatchPart<T> {
    const state = this.#state;
    if (state.mode !== mode) throw new Error(`WriteProgress: expected the mode ${mode}, found ${state.mode}`);
    return state.part;
  }
}
