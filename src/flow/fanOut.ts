import type { Observable, ObservableInput } from 'rxjs';
import { Branch } from './branch.js';
import { type Handlers, type Operation, subscribeInner } from './operate.js';
import { admit, WaitingLine } from './waitingLine.js';

/**
 * The plumbing of an operator that hands each item to one of several chains and merges what they emit.
 *
 * An item whose branch is closed waits, and those behind it with it, so that order holds; the gate upstream is closed
 * meanwhile. A branch whose chain has ended takes nothing more: its items are dropped with the reason `branchEnded`.
 */
export class FanOut<T, R> {
  readonly branches: Branch<T>[] = [];
  readonly handlers: Handlers<T>;
  readonly #operation: Operation<R>;
  readonly #line: WaitingLine<T>;
  #running = 0;
  #finish: () => void;

  /** `choose` names the branch of an item, or `undefined` if every branch that would do is closed. */
  constructor(operation: Operation<R>, choose: (item: T) => Branch<T> | undefined) {
    const { destination, stage } = operation;
    this.#operation = operation;
    this.#finish = () => destination.complete();

    const line = new WaitingLine<T>({
      offer: (item) => {
        const branch = choose(item);
        if (branch === undefined) {
          for (const other of this.branches) other.whenOpen(drain);
          return false;
        }
        if (branch.hasEnded) {
          stage.drop('branchEnded');
          return true;
        }
        if (!branch.isOpen) {
          branch.whenOpen(drain);
          return false;
        }
        stage.out += 1;
        branch.next(item);
        return true;
      },
      fail: (error) => destination.error(error),
    });
    const drain = () => line.drain();
    this.#line = line;

    // When the input is over, the branches finish what they have, and only then does the operator end.
    const endWith = (end: () => void) =>
      line.end(() => {
        this.#finish = end;
        for (const branch of this.branches) branch.complete();
        if (this.#running === 0) end();
      });

    this.handlers = {
      gate: line.gate,
      held: () => line.length,
      next(item) {
        stage.in += 1;
        admit(line, item, operation, endWith);
      },
      error: (error) => endWith(() => destination.error(error)),
      complete: () => endWith(() => destination.complete()),
    };
  }

  /** Adds a branch and subscribes its chain. When all chains have ended, so does the operator. */
  add(kind: string, name: string, project: (branch$: Observable<T>) => ObservableInput<R>): Branch<T> {
    const { destination, downstream, stage } = this.#operation;
    const branch = new Branch<T>({ kind, name, monitor: downstream.monitor, branchOf: stage });
    this.branches.push(branch);
    this.#running += 1;
    subscribeInner<R>(project(branch.stream), this.#operation, {
      next: (result) => destination.next(result),
      complete: () => {
        branch.end();
        this.#running -= 1;
        if (this.#running === 0) this.#finish();
        else this.#line.drain();
      },
    });
    return branch;
  }
}
