import type { Subscription } from 'rxjs';
import type { Sink, WriteReceipt } from '../../contracts/sink.js';
import { isTearingDown } from '../../flow/context.js';
import { type Operation, subscribeInner } from '../../flow/operate.js';
import type { Permit } from '../../policies/circuitBreaker.js';
import { PermitQueue } from '../guarding/permitQueue.js';
import type { WriterSettings } from './writePolicies.js';

/** What attempts are made with, and whom they tell. */
export interface AttemptHost<T> extends Pick<Operation<never>, 'destination' | 'downstream'> {
  readonly sink: Sink<T>;
  readonly settings: WriterSettings<T>;
  /** The time in milliseconds; it never goes back. */
  now(): number;
  /** An attempt begins. */
  attempting(): void;
}

/** How an attempt ended, for the one who made it. Either settles the attempt, when it has counted what follows from it. */
export interface AttemptResult {
  committed(rows: number): void;
  failed(error: unknown): void;
  /** One of those two has thrown: who settles a write, or a timer, has nobody else to tell. */
  threw(thrown: unknown): void;
}

/** One attempt at a time to write something: with a permit of the breaker, for which it waits, and a start time. */
export class Attempts<T> {
  readonly #host: AttemptHost<T>;
  readonly #result: AttemptResult;
  /** How many were made. */
  count = 0;
  /** When the one under way began; `undefined` where none is. */
  startedAt: number | undefined;
  #permit: Permit | undefined;
  /** The wait for the breaker. */
  #leaveLine: (() => void) | undefined;
  /** The write. */
  #pending: Subscription | undefined;

  constructor(host: AttemptHost<T>, result: AttemptResult) {
    this.#host = host;
    this.#result = result;
  }

  /** Makes an attempt, when the breaker lets it. */
  begin(items: readonly T[]): void {
    const { breaker, scheduler } = this.#host.settings;
    if (breaker) {
      this.#permit = breaker.tryAcquire(scheduler.now());
      if (!this.#permit) {
        this.#leaveLine = PermitQueue.of(breaker).join(scheduler, (permit) => {
          this.#permit = permit;
          // Given back by one of those that are unsubscribed together, for the next of them.
          const { destination } = this.#host;
          if (isTearingDown(destination)) this.settle(undefined);
          else this.#write(items);
        });
        return;
      }
    }
    this.#write(items);
  }

  /** Lets go of what is under way: the sink may still commit it. It is not settled by that. */
  drop(): void {
    this.startedAt = undefined;
    this.#leaveLine?.();
    this.#pending?.unsubscribe();
  }

  /** Gives the permit back with what the breaker is to think of the sink, or nothing where that says nothing of it. */
  settle(verdict: 'succeeded' | 'failed' | undefined): void {
    const { breaker, scheduler, timeoutMs } = this.#host.settings;
    const permit = this.#permit;
    const startedAt = this.startedAt;
    this.#permit = undefined;
    this.startedAt = undefined;
    if (!permit || !breaker) return;
    if (!verdict) breaker.release(permit, scheduler.now());
    else breaker[verdict](permit, startedAt === undefined ? timeoutMs : this.#host.now() - startedAt, scheduler.now());
  }

  /** The attempt under way has failed by itself, or by the clock. */
  fail(error: unknown): void {
    this.#tell(() => this.#result.failed(error));
  }

  #tell(result: () => void): void {
    try {
      result();
    } catch (thrown) {
      this.#result.threw(thrown);
    }
  }

  #write(items: readonly T[]): void {
    const host = this.#host;
    this.count += 1;
    this.startedAt = host.now();
    host.attempting();
    let receipt: WriteReceipt | undefined;
    let end: (() => void) | undefined;
    let pending: Subscription;
    try {
      pending = subscribeInner<WriteReceipt>(host.sink.write(items), host, {
        next(value) {
          receipt = value;
        },
        error: (error) => {
          end = () => this.fail(error);
        },
        complete: () => {
          end = () => this.#result.committed(receipt?.rows ?? items.length);
        },
      });
    } catch (error) {
      this.fail(error);
      return;
    }
    this.#pending = pending;
    // What is next begins when the write has let go of what it used, and not before.
    pending.add(() => {
      if (this.startedAt !== undefined && end) this.#tell(end);
    });
  }
}
