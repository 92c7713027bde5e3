import type { Observable, ObservableInput } from 'rxjs';
import { Branch } from './branch.js';
import { admit, GatedQueue } from './gatedQueue.js';
import { type Handlers, type Operation, subscribeInner } from './operate.js';

/**
 * The plumbing of an operator that hands each item to one of several chains and merges what they emit.
 *
 * An item whose branch is closed waits, and those behind it with it, so that order holds; the gate upstream is closed
 * meanwhile. A branch whose chain has ended takes nothing more: its items are dropped with the reason `branchEnded`.
 */
export class FanOut<T, R> {
  readonly branches: Branch<T>[] = [];
  readonly #operation: Operation<R>;
  readonly #line: GatedQueue<T>;
  readonly #handlers: Handlers<T>;
  readonly #projects: ((branch$: Observable<T>) => ObservableInput<R>)[] = [];
  #running = 0;
  #finish: () => void;

  /** `choose` names the branch of an item, or `undefined` if every branch that would do is closed. */
  constructor(operation: Operation<R>, choose: (item: T) => Branch<T> | undefined) {
    const { destination, stage } = operation;
    this.#operation = operation;
    this.#finish = () => destination.complete();

    const line = new GatedQueue<T>({
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

    this.#handlers = {
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

  /** Adds a branch with its chain. */
  add(kind: string, name: string, project: (branch$: Observable<T>) => ObservableInput<R>): Branch<T> {
    const { downstream, stage } = this.#operation;
    const branch = new Branch<T>({ kind, name, monitor: downstream.monitor, branchOf: stage });
    this.branches.push(branch);
    this.#projects.push(project);
    return branch;
  }

  /** Subscribes all chains, and gives the handlers of the operator. When all chains have ended, so does the operator. */
  start(): Handlers<T> {
    const { destination } = this.#operation;
    this.#running = this.branches.length;
    for (const [index, branch] of this.branches.entries()) {
      const chain = this.#projects[index] as (branch$: Observable<T>) => ObservableInput<R>;
      subscribeInner<R>(chain(branch.stream), this.#operation, {
        next: (result) => destination.next(result),
        complete: () => {
          branch.end();
          this.#running -= 1;
          if (this.#running === 0) this.#finish();
          else this.#line.drain();
        },
      });
    }
    return this.#handlers;
  }
}
