import type { FeedAccount } from '../../flow/feed.js';
import type { Outlet } from '../../flow/gatedSource.js';
import type { MarketEvent } from '../../market/recordKinds.js';
import type { ProviderParts } from '../provider.js';
import type { Hole } from '../session.js';
import type { StreamSettings } from '../streamConfig.js';
import { Emitter } from './emitter.js';
import { GapStamper, type MissingSpan } from './gapStamper.js';
import type { Link } from './link.js';
import type { Loss } from './lossLedger.js';
import { Rejections } from './rejections.js';
import { maskElement, withoutSecrets } from './streamErrors.js';

export interface DeliveryConfig {
  readonly parts: ProviderParts;
  readonly settings: StreamSettings;
  readonly feed: FeedAccount;
  /** Has the transport wait, if it can, or go on. */
  readonly pause: (isPaused: boolean) => void;
  /** Called with each record before it is emitted. False drops it, because it has come before. */
  readonly accept: (record: MarketEvent, link: Link, now: number) => boolean;
  /** Receives what ends the stream: a letter that cannot be written. */
  readonly onError: (error: unknown) => void;
}

/** What becomes of the elements of a stream: records, gap records, and letters of what cannot be read. */
export class Delivery {
  /** The time of the input whose step is under way, in epoch milliseconds. */
  stepAt: number | undefined;
  readonly emitter: Emitter;
  readonly #config: DeliveryConfig;
  readonly #outlet: Outlet<MarketEvent>;
  readonly #rejections: Rejections;
  readonly #stamper: GapStamper;

  constructor(outlet: Outlet<MarketEvent>, config: DeliveryConfig) {
    const { parts, settings, feed, pause, onError } = config;
    const { scheduler, capacity } = settings;
    this.#config = config;
    this.#outlet = outlet;
    this.#stamper = new GapStamper(parts.name, () => this.stepAt ?? scheduler.now());
    this.#rejections = new Rejections(outlet, settings, () => this.emitter.endIfDone(), onError);
    this.emitter = new Emitter(outlet, feed, {
      capacity,
      gapOf: (loss) => this.#stamper.gap(spanOf(loss)),
      isSettled: () => this.#rejections.isSettled,
      pause,
    });
    outlet.holds(() => this.emitter.size + this.#rejections.underWay);
    feed.waits(() => this.emitter.size);
  }

  /** Emits the records of what came over a connection, until that or the stream is over. */
  take(elements: readonly unknown[], link: Link, now: number): void {
    const { normalise } = this.#config.parts;
    for (const element of elements) {
      let made: ReturnType<typeof normalise>;
      try {
        made = normalise(element, now);
      } catch (error) {
        this.#reject(element, error, now);
        continue;
      }
      if (Array.isArray(made)) {
        if (made.length === 0) this.#config.feed.ignored += 1;
        for (const record of made as readonly MarketEvent[]) this.#emit(record, link, now);
      } else if ((made as Partial<MarketEvent> | undefined)?.kind !== undefined) {
        // A record has a kind; `Unreadable`, from whichever copy of the package, has none.
        this.#emit(made as MarketEvent, link, now);
      } else {
        this.#reject(element, made, now);
      }
      if (link.isOver || this.#outlet.closed) return;
    }
  }

  /** Emits a gap record. */
  missing(span: MissingSpan): void {
    this.emitter.emit(this.#stamper.gap(span));
  }

  /** Emits the gap record of a hole. Where two connections deliver, the other one may have had some of its records. */
  hole(hole: Hole, isShared: boolean): void {
    const span = { cause: 'sequence', ...hole } as const;
    this.missing(isShared ? { ...span, rows: undefined } : span);
  }

  /** Releases the letters under way. */
  cancel(): void {
    this.#rejections.cancel();
  }

  #emit(record: MarketEvent, link: Link, now: number): void {
    const { accept, feed } = this.#config;
    feed.records += 1;
    if (accept(record, link, now)) {
      this.emitter.emit(record);
    } else {
      feed.duplicates += 1;
      this.#outlet.settle('dropped', record, 'duplicate');
    }
  }

  #reject(element: unknown, verdict: unknown, now: number): void {
    this.#config.feed.unreadable += 1;
    const { secrets } = this.#config.parts;
    // A vendor may have echoed them.
    const masked = maskElement(element, secrets);
    const said = masked === element ? verdict : this.#verdictOn(masked, verdict, now);
    this.#rejections.reject(masked, maskElement(withoutSecrets(said, secrets), secrets));
  }

  /** A verdict quotes the beginning of a value, which may be a part of a secret: that on the masked element quotes the mask. */
  #verdictOn(masked: unknown, verdict: unknown, now: number): unknown {
    try {
      const again = this.#config.parts.normalise(masked, now);
      const isRecord = Array.isArray(again) || (again as Partial<MarketEvent> | undefined)?.kind !== undefined;
      return isRecord ? verdict : again;
    } catch (error) {
      return error;
    }
  }
}

function spanOf({ of, symbol, timeframe, from, to, count, rows }: Loss): MissingSpan {
  const series = timeframe === undefined ? { of, symbol } : { of, symbol, timeframe };
  const reason = `${count} records were lost because the intake was full`;
  return { series, from, to, cause: 'overflow', rows: rows > 0 ? rows : undefined, reason };
}
