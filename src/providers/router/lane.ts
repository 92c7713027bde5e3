import { BehaviorSubject, type Subscription } from 'rxjs';
import type { FanIn } from '../../flow/fanIn.js';
import { FeedAccount, type FeedState } from '../../flow/feed.js';
import type { Monitor } from '../../flow/monitor.js';
import type { ConnectionEnd } from '../../flow/operateOnDemand.js';
import type { RoutedState } from '../../flow/routing.js';
import type { GapCause } from '../../market/gap.js';
import type { MarketEvent, RecordKind } from '../../market/recordKinds.js';
import { Backoff } from '../../policies/backoff.js';
import { CircuitBreaker } from '../../policies/circuitBreaker.js';
import { messageOf } from '../../primitives/messageOf.js';
import { Timer } from '../../primitives/timer.js';
import { isProviderError } from '../providerErrors.js';
import type { Series } from '../session.js';
import { GapStamper } from '../stream/gapStamper.js';
import type { Turns } from '../stream/turns.js';
import { LaneWatch } from './laneWatch.js';
import { PendingSeries } from './pendingSeries.js';
import { ProviderHealth } from './providerHealth.js';
import { Ranker } from './rankedRecord.js';
import { RecentRecords } from './recentRecords.js';
import type { RoutedProvider } from './routedProvider.js';
import { type RouterSettings, requestOf } from './routerConfig.js';
import type { SeriesTimes } from './seriesTimes.js';
import { Spelling } from './spelling.js';

export interface LaneHost {
  readonly settings: RouterSettings;
  readonly turns: Turns;
  readonly flow: FanIn<MarketEvent>;
  /** Takes what the provider sends, as it comes. */
  next(lane: Lane, record: MarketEvent): void;
  /** Something about the health of the provider has changed: called in a turn. */
  changed(): void;
  /** The stream of a provider has ended by itself: called in a turn. */
  over(lane: Lane, end: ConnectionEnd): void;
  /** Hands on to {@link SeriesTimes} what was delivered until now. */
  flush(): void;
}

/** How long the stream of a provider that has failed waits before it is subscribed again, in milliseconds. */
const AGAIN = { initialMs: 1_000, maxMs: 30_000, jitter: 'none', random: () => 0 } as const;

/** One provider of a router: its stream, while it is subscribed, and how well that does. */
export class Lane {
  readonly index: number;
  readonly name: string;
  readonly spelling: Spelling;
  readonly health: ProviderHealth;
  readonly stamper: GapStamper;
  /** Where the providers are one series. */
  readonly #ranker: Ranker | undefined;
  readonly recent: RecentRecords;
  readonly times: SeriesTimes;
  readonly kinds: readonly RecordKind[];
  /** Whether what comes goes downstream. */
  delivers = false;
  /** Whether what comes goes downstream without a further question. */
  isPlain = false;
  readonly pending = new PendingSeries();
  /** Whether something that came was not delivered since it was subscribed. */
  isHot = false;
  /** The cause of the gaps that it makes because it takes over, or comes back. */
  cause: GapCause = 'reconnect';
  /** Why it has ended, or why its stream failed last. */
  error: unknown;
  hasCompleted = false;
  readonly watch: LaneWatch;
  readonly #routed: RoutedProvider;
  readonly #host: LaneHost;
  readonly #symbols = new BehaviorSubject<readonly string[]>([]);
  readonly #backoff = new Backoff(AGAIN);
  #mayOpenAt = Number.NEGATIVE_INFINITY;
  readonly #loss: Timer;
  #subscription: Subscription | undefined;
  #unwatch: (() => void) | undefined;
  #feed: FeedAccount | undefined;
  /** What the loss is that is under way. */
  #isSilent = false;

  constructor(index: number, routed: RoutedProvider, times: SeriesTimes, host: LaneHost) {
    const { settings, turns, flow } = host;
    const { scheduler } = settings;
    this.index = index;
    this.name = routed.provider.name;
    this.#routed = routed;
    this.spelling = new Spelling(routed);
    this.#host = host;
    this.times = times;
    this.kinds = settings.kinds.filter((kind) => routed.provider.kinds.includes(kind));
    const breaker = new CircuitBreaker({ ...settings.breaker, maxHalfOpenMs: Number.POSITIVE_INFINITY });
    this.health = new ProviderHealth(breaker, settings.failBackAfterMs);
    this.stamper = new GapStamper(settings.as ?? this.name, () => scheduler.now());
    this.#ranker = settings.as === undefined ? undefined : new Ranker(index, settings.as, () => scheduler.now());
    this.recent = new RecentRecords((records) => {
      // They came until the last message did, which may be long ago: the clock of a vendor may be ahead of ours.
      const now = Math.min(scheduler.now(), this.#feed?.lastMessageAt ?? Number.POSITIVE_INFINITY);
      for (const record of records) times.note(record, this.spelling.requestedOf(record), now);
    });
    this.watch = new LaneWatch({
      ...{ settings, turns },
      isPaused: () => !flow.downstream.gate.isOpen,
      onSilence: () => this.#onSilence(),
    });
    this.#loss = new Timer(scheduler, () => turns.run(() => this.#onLoss()));
  }

  /** For those who only look. */
  get state(): RoutedState {
    const { phase } = this.health;
    const isWell = phase === 'fresh' || phase === 'trying' || phase === 'live';
    const { lastError } = this;
    return { name: this.name, isActive: this.delivers && this.isOpen, isWell, state: phase, lastError };
  }

  /** Why its stream, or the connection of that, ended last. */
  get lastError(): string | undefined {
    return this.error === undefined ? this.#feed?.lastError : messageOf(this.error);
  }

  get isOpen(): boolean {
    return this.#subscription !== undefined;
  }

  /** When it may be subscribed, in epoch milliseconds. */
  mayOpenAt(now: number): number {
    return this.health.isAsked ? this.#mayOpenAt : Math.max(this.#mayOpenAt, now + this.health.readyInMs(now));
  }

  /** Which symbols it is asked for, as the request spells them. */
  want(symbols: readonly string[]): void {
    this.#say(this.spelling.spellAll(symbols));
  }

  /** Whether its stream is asked for a symbol of the request now. */
  isAskedFor(symbol: string): boolean {
    const spelled = this.spelling.spelled(symbol);
    return this.isOpen && spelled !== undefined && this.#symbols.value.includes(spelled);
  }

  /** Whether its vendor has answered for every series that it is asked for. */
  get isAnswered(): boolean {
    const feed = this.#feed;
    return feed !== undefined && this.isOpen && feed.asked > 0 && feed.confirmed + feed.refused >= feed.asked;
  }

  get hasSymbols(): boolean {
    return this.#symbols.value.length > 0;
  }

  /** A record as it goes downstream. */
  finished<R extends MarketEvent>(record: R): R {
    if (!this.#ranker) return record;
    const ranked = this.#ranker.record(record);
    if (this.spelling.isPlain || record.kind === 'news') return ranked;
    return { ...ranked, symbol: this.spelling.requested(record.symbol) };
  }

  open(): void {
    const { flow, settings } = this.#host;
    this.isHot = false;
    this.pending.clear();
    this.#host.flush();
    this.recent.clear();
    const stream$ = this.#routed.provider.stream({
      ...requestOf(this.kinds, this.#symbols, settings.timeframe),
      resumeFrom: (series) => this.#knownUntil(series),
    });
    this.watch.begin();
    const subscription = flow.connect(
      stream$,
      { monitor: this.#monitor() },
      {
        next: (record) => this.#host.next(this, record),
        over: (end) => this.#onOver(end),
      },
    );
    if (!subscription.closed) this.#subscription = subscription;
  }

  close(): void {
    this.watch.end();
    this.#loss.cancel();
    this.#unwatch?.();
    this.#unwatch = undefined;
    const subscription = this.#subscription;
    this.#subscription = undefined;
    subscription?.unsubscribe();
  }

  #say(symbols: readonly string[]): void {
    const former = this.#symbols.value;
    if (symbols.length === former.length && symbols.every((symbol, i) => symbol === former[i])) return;
    this.#symbols.next(symbols);
  }

  /** The monitor downstream, which also lets the router see what the stream does. */
  #monitor(): Monitor {
    const { monitor } = this.#host.flow.downstream;
    return {
      register: (info) => monitor.register(info),
      registerFeed: (name) => {
        const feed = monitor.registerFeed?.(name) ?? new FeedAccount(name, name);
        this.#unwatch?.();
        this.#feed = feed;
        this.#unwatch = feed.watch((state) => this.#onFeed(state));
        return feed;
      },
      deliveries: monitor.deliveries,
    };
  }

  #onFeed(state: FeedState): void {
    if (state === 'live') {
      this.#host.turns.run(() => this.#onLive());
    } else if (state === 'down' || state === 'stale') {
      this.#isSilent = state === 'stale';
      // Not at once: a stream that fails says so first, and then why.
      this.#loss.set(0);
    }
  }

  #onLive(): void {
    this.#loss.cancel();
    if (this.health.live(false, this.#host.settings.scheduler.now())) this.#host.changed();
  }

  /** A record has come: whether that has changed anything. */
  spoken(): boolean {
    this.#backoff.reset();
    return this.health.live(true, this.#host.settings.scheduler.now());
  }

  #onLoss(): void {
    if (this.#isSilent) {
      this.#onSilence();
      return;
    }
    this.cause = 'reconnect';
    this.health.lost(this.#host.settings.scheduler.now());
    this.#host.changed();
  }

  #onSilence(): void {
    this.cause = 'stale';
    this.health.silent(this.#host.settings.scheduler.now());
    this.#host.changed();
  }

  #knownUntil({ of, symbol }: Series): number | undefined {
    const requested = this.spelling.requested(symbol);
    const entry = this.times.get(of, requested);
    if (!entry) return undefined;
    // The stream makes the gap record.
    this.pending.take(of, requested);
    const isFirst = !entry.isAsked;
    entry.isAsked = true;
    return isFirst && !entry.isStored ? undefined : entry.knownUntil;
  }

  #onOver(end: ConnectionEnd): void {
    if (end.kind === 'released') return;
    this.#subscription = undefined;
    this.#loss.cancel();
    this.#unwatch?.();
    this.#unwatch = undefined;
    this.watch.end();
    this.#host.turns.run(() => {
      if (end.kind !== 'failed') this.#onEnd(undefined);
      else if (isProviderError(end.error) && !end.error.retryable) this.#onEnd(end.error);
      else this.#onFailure(end.error);
      this.#host.over(this, end);
    });
  }

  /** Nothing comes any more; without an error because the stream has completed. */
  #onEnd(error: unknown): void {
    this.error = error;
    this.hasCompleted = error === undefined;
    this.health.end();
  }

  #onFailure(error: unknown): void {
    this.error = error;
    this.cause = 'reconnect';
    const now = this.#host.settings.scheduler.now();
    this.health.lost(now);
    const { retryAfterMs = 0 } = isProviderError(error) ? error : {};
    this.#mayOpenAt = now + Math.max(this.#backoff.nextMs(), retryAfterMs);
  }
}
