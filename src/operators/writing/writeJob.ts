import type { DivertReason } from '../../contracts/diversion.js';
import type { WriteOutcome } from '../../contracts/sink.js';
import { WriteError } from '../../contracts/writeError.js';
import { WriteTimeoutError } from '../../contracts/writeTimeoutError.js';
import { classifyFailure, type FailureClass, failureType } from '../../failures/classifyFailure.js';
import { hasFailureCode, isLostConnection } from '../../failures/failureCode.js';
import { retryAfterMsOf } from '../../failures/retryAfterMsOf.js';
import { subscribeInner } from '../../flow/operate.js';
import type { Backoff } from '../../policies/backoff.js';
import { Bisection } from '../../policies/bisection.js';
import type { CircuitBreaker } from '../../policies/circuitBreaker.js';
import { Timer } from '../../primitives/timer.js';
import { Attempts } from './attempts.js';
import type { JobHost } from './jobHost.js';

/** What a failure tells the breaker of the sink. */
const VERDICTS = { transient: 'failed', poison: 'succeeded', fatal: undefined } as const;

/**
 * One batch on its way: asks the breaker, writes, tries again, isolates what the sink refuses, and hands to the dead letters
 * what cannot be written. It ends when every item is written or its letter is durable, or with the writer.
 */
export class WriteJob<T> {
  readonly #host: JobHost<T, WriteJob<T>>;
  readonly #items: readonly T[];
  readonly #startedAt: number;
  /** What is being written: the batch, or a part of one that the sink has refused. */
  #part: readonly T[];
  /** How many items from the left are written or given up. */
  #passed = 0;
  readonly #attempts: Attempts<T>;
  /** Failures of this part that count towards the limit. */
  #failures = 0;
  #bisection: Bisection<T> | undefined;
  /** Where each part ended that the sink refused. */
  #refusedTo: number[] | undefined;
  #backoff: Backoff | undefined;
  /** The wait before the next attempt. */
  #pause: Timer | undefined;
  #diversions = 0;
  #lastError: unknown;
  #written: T[] | undefined;
  #rows = 0;
  #diverted: WriteOutcome<T>[] | undefined;
  #running = false;
  #again = false;
  /** No attempt follows: what is not written is with the dead letters. */
  #over = false;
  #finished = false;

  constructor(host: JobHost<T, WriteJob<T>>, items: readonly T[]) {
    this.#host = host;
    this.#items = items;
    this.#part = items;
    this.#attempts = new Attempts(host, {
      committed: (rows) => this.#committed(rows),
      failed: (error) => this.#failed(error),
      threw: (thrown) => this.#fail(thrown),
    });
    this.#startedAt = host.now();
  }

  /** When the attempt under way began; `undefined` where none is. */
  get attemptAt(): number | undefined {
    return this.#attempts.startedAt;
  }

  /** Makes the next attempt. A loop, because a sink may answer at once, as often as it likes. */
  run(): void {
    this.#again = true;
    if (this.#running) return;
    this.#running = true;
    while (this.#again && !this.#over) {
      this.#again = false;
      this.#attempts.begin(this.#part);
    }
    this.#running = false;
  }

  /** The attempt under way has taken too long: the sink is let go of, and may have committed. */
  timeOut(): void {
    const { sink, settings } = this.#host;
    let cause: unknown;
    try {
      this.#attempts.drop();
    } catch (thrown) {
      cause = thrown;
    }
    this.#attempts.fail(new WriteTimeoutError(sink.name, settings.timeoutMs, { cause }));
  }

  /** Nothing more is written: what is not settled goes to the dead letters. */
  giveUp(reason: DivertReason, error: unknown): void {
    if (this.#over) return;
    this.#over = true;
    this.#pause?.cancel();
    try {
      this.#attempts.drop();
    } catch (thrown) {
      this.#lastError ??= thrown;
    }
    this.#attempts.settle(undefined);
    const rest = this.#passed === 0 ? this.#items : this.#items.slice(this.#passed);
    if (rest.length > 0) this.#divert(rest, reason, reason === 'drain' ? this.#lastError : error);
    try {
      this.#finishIfSettled();
    } catch (thrown) {
      this.#fail(thrown);
    }
  }

  /** The writer has ended: nothing is waited for any more. */
  abandon(): void {
    this.#over = true;
    this.#pause?.cancel();
    try {
      this.#attempts.drop();
    } finally {
      // A probe's permit that is lost here would keep everybody else who asks this breaker waiting.
      this.#attempts.settle(undefined);
    }
  }

  /** A callback of the user's has thrown. */
  #fail(thrown: unknown): void {
    this.#over = true;
    this.#attempts.settle(undefined);
    this.#host.fail(thrown);
  }

  #committed(rows: number): void {
    const { stage } = this.#host;
    const part = this.#part;
    this.#passed += part.length;
    stage.written += part.length;
    this.#host.settled(part.length);
    if (this.#bisection) {
      this.#written ??= [];
      for (const item of part) this.#written.push(item);
      this.#rows += rows;
      this.#bisection.written();
      this.#attempts.settle('succeeded');
      this.#nextPart();
      return;
    }
    this.#over = true;
    this.#finished = true;
    const durationMs = this.#host.now() - this.#startedAt;
    this.#emit({ status: 'written', items: part, rows, attempts: this.#attempts.count, durationMs });
    // When all is counted: who waits for the breaker goes on at once, and may end the pipeline.
    this.#attempts.settle('succeeded');
    this.#host.done(this);
  }

  #failed(error: unknown): void {
    const { sink, settings, stage } = this.#host;
    const failureClass: FailureClass = settings.classify?.(error) ?? sink.classify?.(error) ?? classifyFailure(error);
    this.#lastError = error;
    // A sink that refuses a row has answered; one that is fatal says nothing of the next.
    this.#attempts.settle(VERDICTS[failureClass]);
    // Who waited for the breaker has gone on, and may have ended the pipeline.
    if (this.#over) return;
    stage.observer?.writeFailed?.(stage, { type: failureType(error), class: failureClass });
    if (failureClass === 'poison') this.#poisoned(error);
    else if (failureClass === 'fatal') this.#fatal(error);
    else this.#transient(error);
  }

  /**
   * An outage is the breaker's business: a failure that leaves it open spends nothing, be it of a probe, however long the
   * outage lasts, or the one that opens it, as at a quiet time one batch may meet them all. What no table knows may be the
   * batch's own fault.
   */
  #transient(error: unknown): void {
    const { settings, stage, random } = this.#host;
    const isOutage = isHolding(settings.breaker) && hasFailureCode(error);
    if (!isOutage) this.#failures += 1;
    if (this.#failures < settings.maxAttempts) {
      this.#backoff ??= settings.makeBackoff(random);
      // It is the breaker then that makes the waits.
      if (isOutage) this.#backoff.reset();
      // A broken connection takes one attempt with it. If the server is there, the next one needs no patience.
      const isCut = !isOutage && this.#failures === 1 && isLostConnection(error);
      const delayMs = Math.max(isCut ? 0 : this.#backoff.nextMs(), retryAfterMsOf(error));
      stage.observer?.retrying?.(stage, delayMs);
      this.#pause ??= new Timer(settings.scheduler, () => this.run());
      this.#pause.set(delayMs);
    } else if (settings.deadLetters) {
      this.giveUp('exhausted', error);
    } else {
      this.#host.fail(this.#errorOf(error));
    }
  }

  #poisoned(error: unknown): void {
    if (!this.#host.settings.deadLetters) {
      this.#host.fail(this.#errorOf(error));
      return;
    }
    if (this.#items.length === 1) {
      this.giveUp('poison', error);
      return;
    }
    this.#refusedTo ??= [];
    this.#refusedTo.push(this.#passed + this.#part.length);
    if (this.#bisection) {
      this.#bisection.poisoned();
      // What was refused all alone is isolated.
      if (this.#part.length === 1) {
        this.#passed += 1;
        const asked = this.#refusedTo.filter((end) => end >= this.#passed).length;
        this.#divert(this.#part, 'poison', error, asked);
      }
    } else {
      this.#bisection = new Bisection(this.#items);
    }
    this.#nextPart();
  }

  #fatal(error: unknown): void {
    const failure = this.#errorOf(error);
    if (!this.#host.settings.deadLetters) {
      this.#host.fail(failure);
      return;
    }
    this.#host.abort(failure);
    this.giveUp('fatal', error);
  }

  #nextPart(): void {
    const part = this.#bisection?.next();
    if (part) {
      this.#part = part;
      this.#failures = 0;
      this.#backoff?.reset();
      this.run();
      return;
    }
    this.#over = true;
    this.#finishIfSettled();
  }

  #divert(items: readonly T[], reason: DivertReason, error: unknown, attempts = this.#attempts.count): void {
    const host = this.#host;
    const { stage, settings } = host;
    const durable = () => {
      this.#diversions -= 1;
      stage.divert(reason, items.length);
      host.settled(items.length);
      const durationMs = this.#host.now() - this.#startedAt;
      this.#diverted ??= [];
      this.#diverted.push({ status: 'diverted', items, rows: 0, attempts, durationMs, reason, error });
      this.#finishIfSettled();
    };
    this.#diversions += 1;
    try {
      const letter = { items, stage: stage.name, reason, error, attempts };
      const append = settings.deadLetters!.append(letter);
      subscribeInner(append, host, { next() {}, error: (failure) => host.fail(failure), complete: durable });
    } catch (thrown) {
      host.fail(thrown);
    }
  }

  #finishIfSettled(): void {
    if (!this.#over || this.#diversions > 0 || this.#finished) return;
    this.#finished = true;
    if (this.#written) {
      const durationMs = this.#host.now() - this.#startedAt;
      const written = { status: 'written', items: this.#written, rows: this.#rows } as const;
      this.#emit({ ...written, attempts: this.#attempts.count, durationMs });
    }
    for (const outcome of this.#diverted ?? []) this.#emit(outcome);
    this.#host.done(this);
  }

  #emit(outcome: WriteOutcome<T>): void {
    const { stage } = this.#host;
    stage.observer?.settled?.(stage, outcome);
    this.#host.emit(outcome);
  }

  #errorOf(cause: unknown): WriteError<T> {
    return new WriteError<T>(this.#host.sink.name, this.#items.slice(this.#passed), this.#attempts.count, { cause });
  }
}

/** Whether the breaker keeps callers back: it is open, or is finding out whether it still must be. */
function isHolding(breaker: CircuitBreaker | undefined): boolean {
  return breaker !== undefined && breaker.state !== 'closed' && breaker.state !== 'disabled';
}
