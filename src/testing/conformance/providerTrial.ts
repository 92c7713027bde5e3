import { Subject, type Subscription } from 'rxjs';
import type { Feed } from '../../flow/feed.js';
import { Gate } from '../../flow/gate.js';
import { PipelineMonitor } from '../../flow/monitor.js';
import { withContext } from '../../flow/withContext.js';
import type { Gap } from '../../market/gap.js';
import type { MarketEvent, RecordKind } from '../../market/recordKinds.js';
import type { Provider, SubscriptionRequest } from '../../providers/provider.js';

/** One subscription to the stream of a provider, with all that came of it. */
export class ProviderTrial {
  readonly gate = new Gate();
  readonly monitor = new PipelineMonitor();
  /** Records and gap records, in the order in which they came. */
  readonly events: MarketEvent[] = [];
  readonly errors: unknown[] = [];
  completions = 0;
  /** How many came while the gate was closed. */
  whileClosed = 0;
  readonly #stopping = new Subject<void>();
  readonly #subscription: Subscription;

  constructor(provider: Provider, request: SubscriptionRequest) {
    const context = { gate: this.gate, monitor: this.monitor, stopping: this.#stopping };
    this.#subscription = provider
      .stream(request)
      .pipe(withContext(context))
      .subscribe({
        next: (event) => {
          if (!this.gate.isOpen) this.whileClosed += 1;
          this.events.push(event);
        },
        error: (error) => this.errors.push(error),
        complete: () => {
          this.completions += 1;
        },
      });
  }

  /** What the stream says of itself; the rule fails where it says nothing. */
  get feed(): Feed {
    const [feed] = this.monitor.feeds;
    if (!feed) throw new Error('its stream must register a feed at the monitor downstream: defineProvider() does');
    return feed;
  }

  get records(): readonly Exclude<MarketEvent, Gap>[] {
    return this.events.filter((event) => event.kind !== 'gap');
  }

  get gaps(): readonly Gap[] {
    return this.events.filter((event) => event.kind === 'gap');
  }

  gapsOf(symbol: string): readonly Gap[] {
    return this.gaps.filter((gap) => gap.symbol === symbol);
  }

  /** The records of one series, in the order in which they came. */
  of(kind: RecordKind, symbol: string): readonly MarketEvent[] {
    return this.records.filter((record) => record.kind === kind && 'symbol' in record && record.symbol === symbol);
  }

  /** How often it got what was published. */
  count(published: MarketEvent): number {
    const mark = markOf(published);
    return this.records.filter((record) => markOf(record) === mark).length;
  }

  has(...published: readonly MarketEvent[]): boolean {
    const marks = new Set(this.records.map(markOf));
    return published.every((record) => marks.has(markOf(record)));
  }

  /** Asks it to drain. */
  stop(): void {
    this.#stopping.next();
  }

  unsubscribe(): void {
    this.#subscription.unsubscribe();
  }
}

/** What tells a record of the kit from others on both sides of the wire, where identifiers and numbers may differ. */
export function markOf(event: MarketEvent): string {
  const { kind } = event;
  if (kind === 'trade') return `trade ${event.symbol} ${event.price}`;
  if (kind === 'quote') return `quote ${event.symbol} ${event.bid} ${event.ask}`;
  if (kind === 'bar') return `bar ${event.symbol} ${event.ts} ${event.close}`;
  return JSON.stringify(event);
}
