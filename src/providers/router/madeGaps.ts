import type { FanIn } from '../../flow/fanIn.js';
import type { MarketEvent } from '../../market/recordKinds.js';
import { Wait } from '../../primitives/wait.js';
import type { MissingSpan } from '../stream/gapStamper.js';
import type { Lane } from './lane.js';

interface Waiting {
  readonly lane: Lane;
  span: MissingSpan;
}

/** The gap records that a router makes itself: emitted at once, or as soon as the gate downstream is open. */
export class MadeGaps {
  readonly #flow: FanIn<MarketEvent>;
  readonly #onIdle: () => void;
  readonly #wait = new Wait();
  /** One per series and provider: bounded by the symbols of the request, however often they move while the gate is closed. */
  readonly #waiting = new Map<string, Waiting>();

  /** `onIdle` is called when none waits any longer. */
  constructor(flow: FanIn<MarketEvent>, onIdle: () => void) {
    this.#flow = flow;
    this.#onIdle = onIdle;
  }

  get size(): number {
    return this.#waiting.size;
  }

  add(lane: Lane, span: MissingSpan): void {
    const { gate } = this.#flow.downstream;
    this.#flow.account.added += 1;
    if (gate.isOpen && this.size === 0) {
      this.#emit(lane, span);
      return;
    }
    const { of, symbol } = span.series;
    const key = `${lane.index}\u0000${of}\u0000${symbol}`;
    const former = this.#waiting.get(key);
    if (former) {
      this.#flow.account.added -= 1;
      former.span = {
        ...former.span,
        from: Math.min(former.span.from, span.from),
        to: Math.max(former.span.to, span.to),
      };
    } else {
      this.#waiting.set(key, { lane, span });
    }
    if (!this.#wait.isPending) this.#waitUntilOpen();
  }

  cancel(): void {
    this.#wait.cancel();
  }

  #waitUntilOpen(): void {
    const { destination, downstream } = this.#flow;
    const { gate } = downstream;
    this.#wait.begin(
      (resume) => gate.whenOpen(resume),
      () => {
        while (gate.isOpen && this.size > 0 && !destination.closed) {
          const [key, { lane, span }] = this.#waiting.entries().next().value!;
          this.#waiting.delete(key);
          this.#emit(lane, span);
        }
        if (this.size > 0) this.#waitUntilOpen();
        else this.#onIdle();
      },
    );
  }

  #emit(lane: Lane, span: MissingSpan): void {
    this.#flow.emit(lane.finished(lane.stamper.gap(span)));
  }
}
