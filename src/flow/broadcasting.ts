import { Observable, type Subscriber, type Subscription } from 'rxjs';
import { Branch } from './branch.js';
import { contextOf, type FlowContext, NO_CONTEXT, withFallbackContext } from './context.js';
import type { OperationInfo } from './operate.js';
import { operateQueuedCounted, type QueuedHandlers, type QueuedOperation } from './operateQueued.js';
import type { StageAccount } from './stage.js';
import { commonUnit } from './unit.js';

export interface BroadcastingConfig extends OperationInfo {
  /** How many subscribers there must be before the source is subscribed. */
  readonly branches: number;
}

/** A subscriber of a broadcast, with the context as it was when it subscribed. */
interface Listener<T> {
  readonly subscriber: Subscriber<T>;
  readonly context: FlowContext;
  /** Completes it when its own pipeline drains; not needed where the source is told so itself. */
  readonly stopping: Subscription;
}

const NOBODY: readonly never[] = [];

/** One source for many subscribers: subscribed once there are enough of them, unsubscribed when the last has left. */
export function broadcasting<T>(source: Observable<T>, config: BroadcastingConfig): Observable<T> {
  let round: Round<T> | undefined;
  return new Observable<T>((subscriber) => {
    round ??= new Round(source, config, (over) => {
      if (round === over) round = undefined;
    });
    round.join(subscriber);
  });
}

/** From the first subscriber until the source has ended or the last subscriber has left. */
class Round<T> {
  readonly #source: Observable<T>;
  readonly #config: BroadcastingConfig;
  readonly #over: (round: Round<T>) => void;
  #listeners: readonly Listener<T>[] = [];
  /** Replaced, never changed: an item goes to the branches that were there when it came. */
  #branches: readonly Branch<T>[] = [];
  /** The numbers of the branches. The lowest free one is given out again, so that its account is taken up. */
  readonly #taken = new Set<number>();
  #first: FlowContext = NO_CONTEXT;
  #operation: QueuedOperation<T, T> | undefined;
  #account: StageAccount | undefined;
  /** Those that get the item that is being handed out, and how many of them have it. */
  #recipients: readonly Branch<T>[] = NOBODY;
  #served = 0;
  /** Whether an item is out of the queue, on its way to the branches. */
  #isOffering = false;
  /** The number of the item that is handed out next, from 0. */
  #number = 0;
  /** From which number on every branch gets every item. */
  #settledFrom = 0;
  /** The branches that joined while items waited, each with the number of the first item that came after it. */
  #late: readonly { readonly branch: Branch<T>; readonly from: number }[] = [];

  constructor(source: Observable<T>, config: BroadcastingConfig, over: (round: Round<T>) => void) {
    this.#source = source;
    this.#config = config;
    this.#over = over;
  }

  join(subscriber: Subscriber<T>): void {
    const context = contextOf(subscriber);
    const stopping = context.stopping.subscribe(() => subscriber.complete());
    subscriber.add(stopping);
    if (subscriber.closed) return;
    const listener: Listener<T> = { subscriber, context, stopping };
    this.#listeners = [...this.#listeners, listener];
    subscriber.add(() => this.#leave(listener));
    if (this.#operation) this.#addBranch(listener);
    else if (this.#listeners.length >= this.#config.branches) this.#connect();
  }

  #connect(): void {
    this.#first = { ...this.#listeners[0]!.context, stage: undefined };
    const shared$ = this.#source.pipe(
      operateQueuedCounted<T, T>(this.#config, (...operation) => this.#begin(...operation)),
    );
    withFallbackContext(this.#first, () => {
      shared$.subscribe({
        error: (error) => this.#end((branch) => branch.error(error)),
        complete: () => this.#end((branch) => branch.complete()),
      });
    });
  }

  #begin(operation: QueuedOperation<T, T>, account: StageAccount): QueuedHandlers<T> {
    this.#operation = operation;
    this.#account = account;
    for (const listener of this.#listeners) this.#addBranch(listener);
    return {
      offer: (item) => {
        // The last branch may have left with an earlier item: what is left is abandoned.
        if (operation.destination.closed) return false;
        this.#isOffering = true;
        try {
          if (!this.#handOut(item, account)) return false;
        } finally {
          this.#isOffering = false;
        }
        this.#number += 1;
        return true;
      },
      isReady: () => this.#branches.every((branch) => branch.isOpen),
      onBatches: () => {
        for (const { context } of this.#branches) context?.onBatches?.();
      },
      upstream: { unit: commonUnit(this.#listeners.map(({ context }) => context.unit)) },
    };
  }

  /** Gives `item` to every branch, or stops at one that is closed and goes on from there next time. */
  #handOut(item: T, account: StageAccount): boolean {
    const weight = account.weigh === undefined ? 1 : account.weigh(item);
    if (this.#recipients.length === 0) {
      const recipients = this.#thoseBefore();
      if (recipients.length === 0) {
        this.#operation!.settle('dropped', item, 'branchEnded');
        return true;
      }
      const closed = recipients.find((branch) => !branch.isOpen);
      if (closed) {
        closed.whenOpen(this.#flush);
        return false;
      }
      this.#recipients = recipients;
      this.#served = 0;
    }
    while (this.#served < this.#recipients.length) {
      const branch = this.#recipients[this.#served]!;
      if (!branch.hasEnded && !branch.isOpen) {
        branch.whenOpen(this.#flush);
        return false;
      }
      this.#served += 1;
      if (!branch.hasEnded) branch.next(item, weight);
    }
    this.#recipients = NOBODY;
    account.out += weight;
    return true;
  }

  /** The branches that were there when the next item came. */
  #thoseBefore(): readonly Branch<T>[] {
    if (this.#number >= this.#settledFrom) return this.#branches;
    const notYet = this.#late.filter(({ from }) => from > this.#number);
    return this.#branches.filter((branch) => !notYet.some((late) => late.branch === branch));
  }

  readonly #flush = (): void => {
    if (this.#operation?.destination.closed === false) this.#operation.flush();
  };

  #addBranch({ subscriber, context, stopping }: Listener<T>): void {
    const { stage } = this.#operation!;
    if (context.stopping === this.#first.stopping) stopping.unsubscribe();
    let index = 0;
    while (this.#taken.has(index)) index += 1;
    this.#taken.add(index);
    const branch = new Branch<T>({
      kind: 'branch',
      name: `${stage.name}[${index}]`,
      monitor: context.monitor,
      // A monitor that does not watch this stage takes the branch for where its pipeline begins.
      branchOf: context.monitor === this.#first.monitor ? stage : undefined,
      takesBatches: () => this.#account?.weigh !== undefined,
    });
    this.#branches = [...this.#branches, branch];
    this.#beginsWithTheNext(branch);
    // The gate here closes with those of the branches, in the same moment, and opens in their turn.
    subscriber.add(
      context.gate.state$.subscribe((state) => {
        if (state === 'open') return;
        branch.whenOpen(this.#flush);
        this.#operation?.regulate();
      }),
    );
    subscriber.add(() => {
      // Before the flush: what is half handed out must not wait at the gate of a branch that leaves.
      branch.hasEnded = true;
      this.#branches = this.#branches.filter((other) => other !== branch);
      this.#flush();
    });
    withFallbackContext(context, () => branch.stream.subscribe(subscriber));
    // After the branch has closed its account.
    subscriber.add(() => this.#taken.delete(index));
  }

  /** What waits, and what is being handed out, came before this branch. */
  #beginsWithTheNext(branch: Branch<T>): void {
    const from = this.#number + this.#operation!.waiting() + (this.#isOffering ? 1 : 0);
    if (from === this.#number) return;
    this.#settledFrom = from;
    this.#late = [...this.#late.filter((other) => other.from > this.#number), { branch, from }];
  }

  #leave(listener: Listener<T>): void {
    this.#listeners = this.#listeners.filter((other) => other !== listener);
    if (this.#listeners.length > 0) return;
    this.#over(this);
    this.#operation?.destination.unsubscribe();
  }

  #end(how: (branch: Branch<T>) => void): void {
    this.#over(this);
    for (const branch of this.#branches) how(branch);
  }
}
