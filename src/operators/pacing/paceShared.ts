import type { MonoTypeOperatorFunction, SchedulerLike } from 'rxjs';
import { operateQueued } from '../../flow/operateQueued.js';
import type { PacingPriority } from '../../policies/pacingQueue.js';
import type { PacerTicket, SharedPacer } from '../../policies/sharedPacer.js';
import { Timer } from '../../primitives/timer.js';

export interface PaceSharedConfig<T> {
  readonly kind: string;
  readonly name: string | undefined;
  readonly pacer: SharedPacer<T>;
  readonly priority: PacingPriority;
  readonly scheduler: SchedulerLike;
}

/** How often to look whether something under way is over, on whose end a window depends. */
const RECHECK_MS = 1_000;

/** Lets an item pass when a pacer does that others share. One item at a time waits there: the first in the queue. */
export function paceShared<T>({
  kind,
  name,
  pacer,
  priority,
  scheduler,
}: PaceSharedConfig<T>): MonoTypeOperatorFunction<T> {
  return operateQueued<T, T>({ kind, name }, ({ destination, downstream, mayEmit, emit, flush, regulate }) => {
    /** Of the first item in the queue. */
    let ticket: PacerTicket | undefined;
    /** What is held is on its way to the dead letters, where no limit applies. */
    let isUnlimited = false;
    const timer = new Timer(scheduler, flush);
    // Where downstream has closed since, its turn would be counted and not used: it asks again.
    const ask = { priority, ready: mayEmit, pass: flush };

    const release = () => {
      timer.cancel();
      ticket?.end();
      ticket = undefined;
    };

    destination.add(
      downstream.expired.subscribe(() => {
        isUnlimited = true;
        release();
        flush();
      }),
    );

    return {
      offer(item) {
        if (!mayEmit()) return false;
        if (!isUnlimited) {
          if (ticket?.isWaiting) return false;
          if (!ticket?.hasPassed) ticket = pacer.ask(item, ask);
          if (!ticket.hasPassed) return false;
          ticket = undefined;
          // Closed before the item is out, so that nothing it starts upstream finds the gate open.
          if (pacer.readyInMs() > 0) regulate();
        }
        emit(item);
        return true;
      },
      isReady() {
        if (isUnlimited) return true;
        if (ticket?.isWaiting) return false;
        const waitMs = pacer.readyInMs();
        if (waitMs > 0 && !destination.closed && !timer.isSet) timer.set(waitMs < Infinity ? waitMs : RECHECK_MS);
        return waitMs === 0;
      },
      finalize: release,
    };
  });
}
