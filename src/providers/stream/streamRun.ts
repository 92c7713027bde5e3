import type { FeedAccount } from '../../flow/feed.js';
import type { Outlet } from '../../flow/gatedSource.js';
import type { MarketEvent } from '../../market/recordKinds.js';
import { messageOf } from '../../primitives/messageOf.js';
import type { Connect, ProviderParts } from '../provider.js';
import type { ProviderError } from '../providerErrors.js';
import type { Frame, Refusal, SessionStep } from '../session.js';
import type { StreamSettings } from '../streamConfig.js';
import { Attempts } from './attempts.js';
import { Delivery } from './delivery.js';
import { HandOver } from './handOver.js';
import { Link, type LinkHost } from './link.js';
import { Retries } from './retries.js';
import type { SeriesTable } from './seriesTable.js';
import { SilenceWatch } from './silenceWatch.js';
import { noticeOf, withoutSecrets } from './streamErrors.js';
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
  readonly #table: SeriesTable;
  readonly #random: () => number;
  readonly #delivery: Delivery;
  readonly #subscriptions: Subscriptions;
  readonly #retries: Retries;
  readonly #silence: SilenceWatch;
  #link: Link | undefined;
  #links = 0;
  /** While the connection is being replaced by another, and what both deliver may come twice. */
  #handOver: HandOver | undefined;
  #isEnding = false;

  constructor(outlet: Outlet<MarketEvent>, config: StreamRunConfig) {
    const { parts, connect, settings, table, random, feed } = config;
    this.parts = parts;
    this.settings = settings;
    this.#connect = connect;
    this.#feed = feed;
    this.#outlet = outlet;
    this.#table = table;
    this.#random = random;
    this.#delivery = new Delivery(outlet, {
      ...{ parts, settings, feed },
      pause: (isPaused) => {
        if (this.#link?.canPause) this.#link.isPaused = isPaused;
      },
      accept: (record, link, now) => this.#accept(record, link, now),
      onError: (error) => this.fail(error),
    });
    const { stage } = outlet;
    const attempt = () => this.#open();
    this.#retries = new Retries({ owner: parts.name, settings, random, turns: this.turns, stage, attempt });
    const onSilence = (error: ProviderError) => this.#onSilence(error);
    const watched = { settings, table, usual: parts.silence, turns: this.turns };
    this.#silence = new SilenceWatch({ name: parts.name, ...watched, onSilence });
    this.#subscriptions = new Subscriptions(
      {
        name: parts.name,
        settings,
        feed,
        turns: this.turns,
        missing: (span) => this.#delivery.missing(span),
        refused: (refusal) => this.#refused(refusal),
        allRefused: ({ error }, link) => (error.retryable ? link.end(error) : this.fail(error)),
      },
      table,
    );
  }

  start(): void {
    this.#delivery.emitter.start();
  }

  /** Replaces the set of symbols. */
  want(symbols: readonly string[]): void {
    this.turns.run(() => {
      if (this.#isEnding) return;
      this.#subscriptions.want(symbols);
      if (this.#link) this.#subscriptions.reconcile();
      else if (!this.#retries.isWaiting) this.#open();
    });
  }

  /** Whether no symbol is wanted. */
  get isIdle(): boolean {
    return this.#subscriptions.isEmpty;
  }

  /** Closes the connection, emits what waits, and completes. */
  finish(): void {
    this.#stop();
    this.#delivery.emitter.complete();
  }

  /** Closes the connection, emits what waits, and fails. */
  fail(error: unknown): void {
    const masked = withoutSecrets(error, this.parts.secrets);
    this.#feed.lastError = messageOf(masked);
    this.#stop();
    this.#delivery.emitter.fail(masked);
  }

  /** Releases everything. */
  release(): void {
    this.#stop();
    this.#delivery.cancel();
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
    this.#delivery.stepAt = now;
    try {
      if (step.notices) for (const notice of step.notices) this.#notice(notice);
      if (link === this.#link) this.#onStepOfLink(link, step, now);
      else if (this.#handOver) {
        this.#handOver.receives(step);
        if (step.elements) this.#delivery.take(step.elements, link, now);
        this.#handOver?.answered(step);
      }
    } catch (error) {
      this.fail(error);
    }
    this.#delivery.stepAt = undefined;
  }

  #onStepOfLink(link: Link, step: SessionStep, now: number): void {
    if (step.handOver && (this.#handOver?.isDone ?? true)) this.#beginHandOver();
    if (step.confirmed) {
      this.#subscriptions.confirmAll(step.confirmed, link, now);
      if (!this.#subscriptions.isSilent) this.#feed.state = 'live';
    }
    if (step.holes) for (const hole of step.holes) this.#delivery.hole(hole, this.#handOver !== undefined);
    if (step.elements) this.#delivery.take(step.elements, link, now);
    if (step.heard) this.#subscriptions.hearAll(step.heard, link, now);
    if (step.refused) this.#subscriptions.refuseAll(step.refused, link, now);
  }

  onReady(link: Link): void {
    if (link !== this.#link) {
      this.#handOver?.ready(link);
      return;
    }
    this.#silence.begin();
    this.#subscriptions.begin(link);
  }

  onDrained(link: Link): void {
    if (link === this.#link) this.#subscriptions.drained();
  }

  onOver(link: Link, error: ProviderError): void {
    if (this.#isEnding) return;
    if (link !== this.#link) {
      this.#handOver?.failed(error);
      return;
    }
    if (this.#handOver?.successor) {
      this.#takeOver(this.#handOver, true);
      return;
    }
    const { scheduler, healthyAfterMs } = this.settings;
    this.#endHandOver();
    this.#link = undefined;
    this.#silence.end();
    this.#subscriptions.end();
    this.#feed.lastError = messageOf(withoutSecrets(error, this.parts.secrets));
    const wasHealthy = link.hasData && !link.isAtFault && scheduler.now() - link.openedAt! >= healthyAfterMs;
    try {
      if (!this.#retries.after(error, wasHealthy)) this.fail(error);
      else this.#feed.state = this.#subscriptions.isSilent ? 'stale' : 'down';
    } catch (thrown) {
      this.fail(thrown);
    }
  }

  #open(): void {
    if (this.#isEnding || this.#outlet.closed || this.#subscriptions.isEmpty) return;
    if (this.#links > 0) this.#feed.reconnects += 1;
    if (!this.#subscriptions.isSilent) this.#feed.state = 'connecting';
    this.#link = this.#nextLink();
    this.#link.open(this.#connect);
    const canPause = this.#link?.canPause ?? false;
    this.#delivery.emitter.isPatient = canPause;
    // What came over the connection before still waits.
    if (canPause && this.#delivery.emitter.size > 0) this.#link!.isPaused = true;
  }

  #nextLink(): Link {
    this.#links += 1;
    return new Link(this, this.#links);
  }

  #accept(record: MarketEvent, link: Link, now: number): boolean {
    const handOver = this.#handOver;
    if (handOver) {
      const isOfSuccessor = link !== this.#link;
      if (handOver.isRepeated(record, isOfSuccessor, now)) return false;
      if (isOfSuccessor) {
        handOver.note(record, now);
        return true;
      }
    }
    link.hasData = true;
    this.#silence.isBroken = true;
    this.#feed.state = 'live';
    this.#subscriptions.note(record, link, now);
    return true;
  }

  #beginHandOver(): void {
    this.#endHandOver();
    this.#handOver = new HandOver({
      ...{ settings: this.settings, turns: this.turns, table: this.#table },
      attempts: new Attempts(this.settings, this.#random, this.parts.name),
      connect: this.#connect,
      next: () => this.#nextLink(),
      takeOver: (handOver) => this.#takeOver(handOver, false),
      over: () => this.#endHandOver(),
    });
    this.#handOver.begin();
  }

  /** The successor is the connection of the stream from now on; the one before may be over already. */
  #takeOver(handOver: HandOver, isBroken: boolean): void {
    const successor = handOver.successor!;
    const missing = handOver.missing(isBroken, this.settings.scheduler.now());
    this.#link?.close();
    this.#link = successor;
    if (successor.isReady) this.#subscriptions.takeOver(successor, handOver.confirmed, handOver.unanswered);
    else this.#subscriptions.end();
    handOver.hasTakenOver();
    for (const span of missing) this.#delivery.missing(span);
    if (handOver.mustRepeat && !this.#isEnding) this.#beginHandOver();
  }

  #endHandOver(): void {
    this.#handOver?.cancel();
    this.#handOver = undefined;
  }

  #refused(refusal: Refusal): void {
    withoutSecrets(refusal.error, this.parts.secrets);
    this.#feed.lastNotice = refusal.error.message;
    this.settings.onRefused?.(refusal);
  }

  #notice(notice: string): void {
    const masked = noticeOf(notice, this.parts.secrets);
    this.#feed.lastNotice = masked;
    this.settings.onNotice?.(masked);
  }

  #onSilence(error: ProviderError): void {
    this.#feed.state = 'stale';
    this.#subscriptions.isSilent = true;
    this.#link?.end(error);
  }

  #stop(): void {
    this.#isEnding = true;
    this.#retries.cancel();
    this.#silence.end();
    this.#subscriptions.end();
    this.#endHandOver();
    this.#link?.close();
    this.#link = undefined;
    try {
      this.#feed.state = 'down';
    } catch (error) {
      this.#delivery.emitter.fail(error);
    }
  }
}
