import type { FeedAccount } from '../../flow/feed.js';
import type { Outlet } from '../../flow/gatedSource.js';
import type { MarketEvent } from '../../market/recordKinds.js';
import { messageOf } from '../../primitives/messageOf.js';
import { Timer } from '../../primitives/timer.js';
import type { Connect, ProviderParts } from '../provider.js';
import { type ProviderError, ProviderSilent } from '../providerErrors.js';
import type { Frame, Refusal, SessionStep } from '../session.js';
import type { StreamSettings } from '../streamConfig.js';
import { Attempts } from './attempts.js';
import { Emitter } from './emitter.js';
import { GapStamper, type MissingSpan } from './gapStamper.js';
import { Link, type LinkHost } from './link.js';
import type { Loss } from './lossLedger.js';
import { Rejections } from './rejections.js';
import type { SeriesTable } from './seriesTable.js';
import { SilenceWatch } from './silenceWatch.js';
import { maskSecrets, withoutSecrets } from './streamErrors.js';
import { Subscriptions } from './subscriptions.js';
import { Turns } from './turns.js';

export interface StreamRunConfig {
  readonly parts: ProviderParts;
  readonly connect: Connect;
  readonly settings: StreamSettings;
  readonly table: SeriesTable;
  readonly random: () => number;
  readonly feed: FeedAccount;
}

/** One subscription of a provider's stream: connects, again and again, and emits what comes. */
export class StreamRun implements LinkHost {
  readonly parts: ProviderParts;
  readonly settings: StreamSettings;
  readonly turns = new Turns((error) => this.fail(error));
  readonly #connect: Connect;
  readonly #feed: FeedAccount;
  readonly #outlet: Outlet<MarketEvent>;
  readonly #emitter: Emitter;
  readonly #rejections: Rejections;
  readonly #subscriptions: Subscriptions;
  readonly #attempts: Attempts;
  readonly #retrying: Timer;
  readonly #silence: SilenceWatch;
  readonly #stamper: GapStamper;
  #link: Link | undefined;
  #links = 0;
  #isEnding = false;
  /** The time of the input whose step is under way. */
  #stepAt: number | undefined;

  constructor(outlet: Outlet<MarketEvent>, config: StreamRunConfig) {
    const { parts, connect, settings, table, random, feed } = config;
    const { scheduler, capacity } = settings;
    this.parts = parts;
    this.settings = settings;
    this.#connect = connect;
    this.#feed = feed;
    this.#outlet = outlet;
    this.#stamper = new GapStamper(parts.name, () => this.#stepAt ?? scheduler.now());
    const gapOf = (loss: Loss) => this.#stamper.gap(spanOf(loss));
    this.#emitter = new Emitter(outlet, feed, {
      ...{ capacity, gapOf },
      isSettled: () => this.#rejections.isSettled,
      pause: (isPaused) => {
        if (this.#link?.canPause) this.#link.isPaused = isPaused;
      },
    });
    this.#rejections = new Rejections(
      outlet,
      settings,
      () => this.#emitter.endIfDone(),
      (error) => this.fail(error),
    );
    this.#attempts = new Attempts(settings, random, parts.name);
    this.#retrying = new Timer(scheduler, () => this.turns.run(() => this.#open()));
    this.#silence = new SilenceWatch(settings, () => this.turns.run(() => this.#onSilence()));
    this.#subscriptions = new Subscriptions(
      {
        name: parts.name,
        settings,
        feed,
        turns: this.turns,
        missing: (span) => this.#missing(span),
        refused: (refusal) => this.#refused(refusal),
        allRefused: ({ error }, link) => (error.retryable ? link.end(error) : this.fail(error)),
      },
      table,
    );
    outlet.holds(() => this.#emitter.size + this.#rejections.underWay);
    feed.waits(() => this.#emitter.size);
  }

  start(): void {
    this.#emitter.start();
  }

  /** Replaces the set of symbols. */
  want(symbols: readonly string[]): void {
    this.turns.run(() => {
      if (this.#isEnding) return;
      this.#subscriptions.want(symbols);
      if (this.#link) this.#subscriptions.reconcile();
      else if (!this.#retrying.isSet) this.#open();
    });
  }

  /** Whether no symbol is wanted. */
  get isIdle(): boolean {
    return this.#subscriptions.isEmpty;
  }

  /** Closes the connection, emits what waits, and completes. */
  finish(): void {
    this.#stop();
    this.#emitter.complete();
  }

  /** Closes the connection, emits what waits, and fails. */
  fail(error: unknown): void {
    const masked = withoutSecrets(error, this.parts.secrets);
    this.#feed.lastError = messageOf(masked);
    this.#stop();
    this.#emitter.fail(masked);
  }

  /** Releases everything. */
  release(): void {
    this.#stop();
    this.#rejections.cancel();
    try {
      this.#feed.close();
    } catch {
      // What an observer throws ends the stream, which has ended.
    }
  }

  onFrame(frame: Frame, now: number): void {
    const feed = this.#feed;
    feed.messages += 1;
    feed.bytes += frame.length;
    feed.lastMessageAt = now;
  }

  onStep(link: Link, step: SessionStep, now: number): void {
    this.#stepAt = now;
    try {
      if (step.notices) for (const notice of step.notices) this.#notice(notice);
      if (step.confirmed) {
        this.#subscriptions.confirmAll(step.confirmed, link, now);
        if (!this.#subscriptions.isSilent) this.#feed.state = 'live';
      }
      if (step.holes) {
        for (const hole of step.holes) this.#missing({ cause: 'sequence', ...hole });
      }
      if (step.elements) this.#normalise(step.elements, link, now);
      if (step.heard) this.#subscriptions.hearAll(step.heard, link, now);
      if (step.refused) this.#subscriptions.refuseAll(step.refused, link, now);
    } catch (error) {
      this.fail(error);
    }
    this.#stepAt = undefined;
  }

  onFinished(): void {
    this.finish();
  }

  onReady(link: Link): void {
    this.#silence.begin();
    this.#subscriptions.begin(link);
  }

  onDrained(): void {
    this.#subscriptions.drained();
  }

  onOver(link: Link, error: ProviderError): void {
    if (this.#isEnding) return;
    const { scheduler, healthyAfterMs, onRetry } = this.settings;
    const { secrets } = this.parts;
    this.#link = undefined;
    this.#silence.end();
    this.#subscriptions.end();
    const wasHealthy = link.hasData && scheduler.now() - link.openedAt! >= healthyAfterMs;
    const delayMs = this.#attempts.delayAfter(error, wasHealthy);
    if (delayMs === undefined) {
      this.fail(error);
      return;
    }
    this.#feed.lastError = withoutSecrets(error, secrets).message;
    this.#retrying.set(delayMs);
    try {
      this.#feed.state = this.#subscriptions.isSilent ? 'stale' : 'down';
      onRetry?.({ error, attempt: this.#attempts.failures, delayMs });
      const { stage } = this.#outlet;
      stage.observer?.retrying?.(stage, delayMs);
    } catch (thrown) {
      this.fail(thrown);
    }
  }

  #open(): void {
    if (this.#isEnding || this.#outlet.closed || this.#subscriptions.isEmpty) return;
    this.#links += 1;
    if (this.#links > 1) this.#feed.reconnects += 1;
    if (!this.#subscriptions.isSilent) this.#feed.state = 'connecting';
    this.#link = new Link(this, this.#links);
    this.#link.open(this.#connect);
    const canPause = this.#link?.canPause ?? false;
    this.#emitter.isPatient = canPause;
    // What came over the connection before still waits.
    if (canPause && this.#emitter.size > 0) this.#link!.isPaused = true;
  }

  #normalise(elements: readonly unknown[], link: Link, now: number): void {
    const { normalise } = this.parts;
    for (const element of elements) {
      let made: ReturnType<typeof normalise>;
      try {
        made = normalise(element, now);
      } catch (error) {
        this.#reject(element, error);
        continue;
      }
      if (Array.isArray(made)) for (const record of made as readonly MarketEvent[]) this.#take(record, link, now);
      // A record has a kind; `Unreadable`, from whichever copy of the package, has none.
      else if ((made as Partial<MarketEvent> | undefined)?.kind !== undefined)
        this.#take(made as MarketEvent, link, now);
      else this.#reject(element, made);
      if (this.#isEnding || this.#outlet.closed) return;
    }
  }

  #take(record: MarketEvent, link: Link, now: number): void {
    link.hasData = true;
    this.#silence.isBroken = true;
    this.#feed.state = 'live';
    this.#subscriptions.note(record, link, now);
    this.#feed.records += 1;
    this.#emitter.emit(record);
  }

  #reject(element: unknown, verdict: unknown): void {
    this.#feed.unreadable += 1;
    this.#rejections.reject(element, verdict);
  }

  #missing(span: MissingSpan): void {
    this.#emitter.emit(this.#stamper.gap(span));
  }

  #refused(refusal: Refusal): void {
    withoutSecrets(refusal.error, this.parts.secrets);
    this.#feed.lastNotice = refusal.error.message;
    this.settings.onRefused?.(refusal);
  }

  #notice(notice: string): void {
    const masked = maskSecrets(notice, this.parts.secrets);
    this.#feed.lastNotice = masked;
    this.settings.onNotice?.(masked);
  }

  #onSilence(): void {
    const { name } = this.parts;
    this.#feed.state = 'stale';
    this.#subscriptions.isSilent = true;
    this.#link?.end(new ProviderSilent(name, `the connection carried no data for ${this.settings.staleAfterMs} ms`));
  }

  #stop(): void {
    this.#isEnding = true;
    this.#retrying.cancel();
    this.#silence.end();
    this.#subscriptions.end();
    this.#link?.close();
    this.#link = undefined;
    try {
      this.#feed.state = 'down';
    } catch (error) {
      this.#emitter.fail(error);
    }
  }
}

function spanOf({ of, symbol, timeframe, from, to, count }: Loss): MissingSpan {
  const series = timeframe === undefined ? { of, symbol } : { of, symbol, timeframe };
  return { series, from, to, cause: 'overflow', reason: `${count} records were lost because the intake was full` };
}
