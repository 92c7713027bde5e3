import type { Subscription } from 'rxjs';
import type { Sink, WriteOutcome, WriteReceipt } from '../../contracts/sink.js';
import { targetOf } from '../../contracts/sinkTarget.js';
import { classifyFailure, failureType } from '../../failures/classifyFailure.js';
import {
  hasFailureCode,
  isLostConnection,
  refusalOf,
  rejectedItemsOf,
  retryAfterMsOf,
} from '../../failures/failureHints.js';
import { type Operation, subscribeInner } from '../../flow/operate.js';
import type { BatchPart, GivenUp } from '../../policies/batchFate.js';
import type { SinkState } from '../../policies/sinkState.js';
import { type WriteCommand, WriteProgress, type WriteRules } from '../../policies/writeProgress.js';
import { Timer } from '../../primitives/timer.js';
import { WriteError } from '../errors/writeError.js';
import { WriteTimeoutError } from '../errors/writeTimeoutError.js';
import { type Caller, GuardedCall, verdictOf } from '../guarding/guardedCall.js';
import type { WriterSettings } from './writePolicies.js';

/** The writer that a batch is written by, as far as the batch needs it. */
export interface Writer<T>
  extends Caller,
    Pick<Operation<never>, 'downstream' | 'stage'>,
    Pick<WriterSettings<T>, 'classify' | 'deadLetters' | 'timeoutMs'> {
  readonly sink: Sink<T>;
  readonly rules: WriteRules;
  readonly target: SinkState;
  /** A write has begun: it is to be timed. */
  watch(): void;
  /** These items are written, or their letter is durable. */
  settled(part: BatchPart<T>, letter?: GivenUp<T>): void;
  emit(outcome: WriteOutcome<T>): void;
  /** Every item of the batch is settled, and its outcomes are emitted. */
  done(batch: BatchInFlight<T>): void;
  /** The writer cannot go on. What the batch still holds stays held. */
  fail(error: unknown): void;
  /** The writer cannot go on; what it holds goes to the dead letters. */
  abort(error: unknown): void;
}

/** One batch on its way: carries out what its {@link WriteProgress} decides, with a sink, timers and dead letters. */
export class BatchInFlight<T> {
  readonly #writer: Writer<T>;
  readonly #progress: WriteProgress<T>;
  readonly #call: GuardedCall;
  readonly #beganAt: number;
  /** What is being written. */
  #part: BatchPart<T>;
  /** The write under way. */
  #pending: Subscription | undefined;
  /** The wait before the next attempt. */
  #pause: Timer | undefined;
  #isAdvancing = false;

  constructor(writer: Writer<T>, batch: BatchPart<T>) {
    this.#writer = writer;
    this.#part = batch;
    this.#progress = new WriteProgress(batch, writer.rules);
    this.#call = new GuardedCall(writer);
    this.#beganAt = writer.now();
  }

  /** When the attempt under way began; `undefined` if there is none. */
  get attemptAt(): number | undefined {
    return this.#call.startedAt;
  }

  /** Does what is to be done now, until there is nothing: a loop, because a sink may answer immediately, any number of times. */
  advance(): void {
    const wasAdvancing = this.#isAdvancing;
    this.#isAdvancing = true;
    try {
      for (let command = this.#progress.next(); command; command = this.#progress.next()) this.#carryOut(command);
    } catch (thrown) {
      this.#stop(thrown);
    }
    this.#isAdvancing = wasAdvancing;
  }

  /** The attempt under way has taken too long. It is unsubscribed, and the sink may have committed it. */
  timeOut(): void {
    const { sink, timeoutMs } = this.#writer;
    const attempt = this.#progress.attempts;
    const cause = this.#release();
    this.#answered(attempt, () => this.#failed(new WriteTimeoutError(sink.name, timeoutMs, { cause })));
  }

  /** Waits no longer for the next attempt. A pause that the sink has asked for is kept. */
  hurry(): void {
    if (this.#progress.mode !== 'waiting') return;
    this.#pause?.cancel();
    this.#progress.resume();
    this.advance();
  }

  /** Nothing more is written: what is not settled goes to the dead letters. */
  giveUp(reason: GivenUp<T>['reason'], error: unknown): void {
    const thrown = this.#release();
    this.#progress.giveUp(reason, error ?? thrown);
    this.#call.settle('released');
    this.advance();
  }

  /** The writer has ended: nothing is waited for any more. */
  abandon(): void {
    this.#progress.stop();
    const thrown = this.#release();
    // A lost permit of a probe would keep all other callers of this breaker waiting.
    this.#call.settle('released');
    if (thrown !== undefined) throw thrown;
  }

  /** Stops what is waited for, and returns what that throws. */
  #release(): unknown {
    this.#pause?.cancel();
    this.#call.leave();
    try {
      this.#pending?.unsubscribe();
      return undefined;
    } catch (thrown) {
      return thrown;
    }
  }

  #carryOut(command: WriteCommand<T>): void {
    const writer = this.#writer;
    const { stage } = writer;
    switch (command.do) {
      case 'write':
        this.#part = command.part;
        if (command.isContinued) this.#call.again(this.#write);
        else this.#call.begin(this.#write);
        break;
      case 'wait': {
        const ms = command.isHold && this.#call.isHeldBack ? 0 : command.ms;
        stage.observer?.retrying?.(stage, ms);
        this.#pause ??= new Timer(writer.scheduler, () => {
          this.#progress.resume();
          this.advance();
        });
        this.#pause.set(ms);
        break;
      }
      case 'divert':
        this.#divert(command.letter);
        break;
      case 'abort':
      case 'fail': {
        const { items, attempts, cause } = command.failure;
        writer[command.do](new WriteError<T>(writer.sink.name, items, attempts, { cause }));
        break;
      }
      case 'done':
        for (const outcome of this.#progress.outcomes) {
          stage.observer?.settled?.(stage, outcome);
          writer.emit(outcome);
        }
        // After the outcomes: whoever waits for the breaker goes on immediately, and may end the pipeline.
        this.#call.settle('succeeded');
        writer.done(this);
    }
  }

  readonly #write = (): void => {
    const writer = this.#writer;
    const { items } = this.#part;
    this.#progress.started();
    const attempt = this.#progress.attempts;
    writer.watch();
    let receipt: WriteReceipt | undefined;
    let end: (() => void) | undefined;
    try {
      const pending = subscribeInner<WriteReceipt>(writer.sink.write(items), writer, {
        next(value) {
          receipt = value;
        },
        error: (error) => {
          end = () => this.#failed(error);
        },
        complete: () => {
          end = () => this.#committed(receipt?.rows ?? items.length);
        },
      });
      this.#pending = pending;
      // The next step begins only when the write has released what it used.
      pending.add(() => {
        if (end) this.#answered(attempt, end);
      });
    } catch (error) {
      this.#answered(attempt, () => this.#failed(error));
    }
  };

  /** The sink has answered an attempt, or its time is over. Too late if the batch was given up or tried again meanwhile. */
  #answered(attempt: number, take: () => void): void {
    const progress = this.#progress;
    if (progress.mode !== 'writing' || progress.attempts !== attempt) return;
    try {
      take();
    } catch (thrown) {
      this.#stop(thrown);
    }
    if (!this.#isAdvancing) this.advance();
  }

  #committed(rows: number): void {
    const { isForeign } = this.#progress;
    this.#call.answered();
    this.#progress.committed(rows, this.#elapsedMs());
    if (!isForeign) this.#writer.settled(this.#part);
    // Where this was all, the verdict follows the outcomes.
    if (!this.#progress.isSettled) this.#call.settle('succeeded');
  }

  #failed(error: unknown): void {
    const { sink, classify, stage, target, scheduler } = this.#writer;
    this.#call.answered();
    const failureClass = classify?.(error) ?? sink.classify?.(error) ?? classifyFailure(error);
    const verdict = verdictOf(stage.name, failureClass);
    const retryAfterMs = retryAfterMsOf(error);
    // First, because the verdict may let others through.
    if (verdict !== 'released') target.hold(retryAfterMs, scheduler.now());
    if (failureClass === 'poison') {
      this.#refused(error);
      return;
    }
    this.#call.settle(verdict);
    // Whoever waited for the breaker has gone on, and may have ended the pipeline.
    if (this.#progress.isOver) return;
    const attempt = this.#progress.attempts;
    this.#progress.failed({
      error,
      class: failureClass,
      hasCode: hasFailureCode(error),
      isLostConnection: isLostConnection(error),
      retryAfterMs,
      isBreakerHolding: this.#call.isHeldBack,
    });
    const { retryInMs } = this.#progress;
    const failure = { type: failureType(error), class: failureClass, error, attempt, retryInMs };
    stage.observer?.writeFailed?.(stage, failure);
  }

  /** The sink has answered, and refuses what it got; an outage only if it refuses everything. */
  #refused(error: unknown): void {
    const { stage } = this.#writer;
    const progress = this.#progress;
    progress.failed({
      error,
      class: 'poison',
      hasCode: true,
      isLostConnection: false,
      retryAfterMs: 0,
      isBreakerHolding: false,
      refusal: refusalOf(error),
      rejected: rejectedItemsOf(error),
    });
    const { refused, isContinued, attempts: attempt, retryInMs } = progress;
    const type = refused?.code ?? failureType(error);
    const failureClass = refused ? 'transient' : 'poison';
    stage.observer?.writeFailed?.(stage, { type, class: failureClass, error: refused ?? error, attempt, retryInMs });
    if (!isContinued) this.#call.settle(refused ? 'tripped' : 'succeeded');
  }

  #divert(letter: GivenUp<T>): void {
    const writer = this.#writer;
    const { stage, deadLetters } = writer;
    const { items, reason, error, attempts } = letter;
    try {
      const sink = targetOf(writer.sink);
      const diversion = { items, stage: stage.name, reason, error, attempts, sink };
      stage.observer?.diverting?.(stage, diversion, deadLetters!);
      const append = deadLetters!.append(diversion);
      subscribeInner(append, writer, {
        next() {},
        error: (failure) => writer.fail(failure),
        complete: () => {
          this.#progress.durable(letter, this.#elapsedMs());
          writer.settled(letter, letter);
          if (!this.#isAdvancing) this.advance();
        },
      });
    } catch (thrown) {
      writer.fail(thrown);
    }
  }

  /** A callback of the user's has thrown. */
  #stop(thrown: unknown): void {
    this.#progress.stop();
    this.#call.settle('released');
    this.#writer.fail(thrown);
  }

  #elapsedMs(): number {
    return this.#writer.now() - this.#beganAt;
  }
}
