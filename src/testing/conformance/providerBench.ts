import { ok as assert, deepStrictEqual, equal, fail } from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MarketEvent, RecordKind } from '../../market/recordKinds.js';
import { timeframeMs } from '../../primitives/timeframe.js';
import type { Provider, SubscriptionRequest } from '../../providers/provider.js';
import type { Refusal } from '../../providers/session.js';
import type { RejectedElement } from '../../providers/streamConfig.js';
import type { FakeVenue } from '../venues/fakeVenue.js';
import type { ProviderSubject, ProviderTrialSettings } from './providerSubject.js';
import { ProviderTrial } from './providerTrial.js';
import { turns } from './sinkBench.js';
import { VirtualClock } from './virtualClock.js';

/** What every provider must do, checked against a fake of its vendor. */
export type ProviderRules = Readonly<Record<string, (bench: ProviderBench) => Promise<void>>>;

/** So many turns of the event loop take a message from one socket of this process to another. */
const IO_TURNS = 12;

/** How far time may move while a rule waits for an answer: enough for the pacing of messages, too short for anything else. */
const PACING_MS = 2_500;

const TRIED: readonly RecordKind[] = ['trade', 'quote', 'bar'];

export interface RecordChoice {
  readonly version?: number;
  readonly moment?: number;
}

/** What else a rule chooses. */
export type TrialChoice = Partial<Pick<ProviderTrialSettings, 'capacity'>>;

/** What a provider has told through its callbacks. */
export interface Heard {
  readonly rejected: RejectedElement[];
  readonly refused: Refusal[];
  readonly notices: string[];
}

/** The vendor of one rule, with subscriptions to it and a clock that the rule moves. */
export class ProviderBench {
  readonly clock: VirtualClock;
  readonly subject: ProviderSubject;
  readonly venue: FakeVenue;
  readonly settings: ProviderTrialSettings;
  readonly provider: Provider;
  /** The kinds to try, trades first. */
  readonly kinds: readonly RecordKind[];
  readonly heard: Heard;
  readonly trials: ProviderTrial[] = [];
  readonly #beginning: number;

  static async open(subject: ProviderSubject): Promise<ProviderBench> {
    const clock = new VirtualClock();
    const heard: Heard = { rejected: [], refused: [], notices: [] };
    const settings: ProviderTrialSettings = {
      scheduler: clock,
      random: () => 0.5,
      initialMs: 1_000,
      multiplier: 2,
      maxMs: 60_000,
      jitter: 'none',
      healthyAfterMs: 30_000,
      pingEveryMs: 10_000,
      deadAfterMs: 35_000,
      confirmAfterMs: 15_000,
      capacity: 10_000,
      onRejected: (rejected) => heard.rejected.push(rejected),
      onRefused: (refusal) => heard.refused.push(refusal),
      onNotice: (notice) => heard.notices.push(notice),
    };
    return new ProviderBench(subject, await subject.open(settings), clock, settings, heard);
  }

  private constructor(
    subject: ProviderSubject,
    venue: FakeVenue,
    clock: VirtualClock,
    settings: ProviderTrialSettings,
    heard: Heard,
  ) {
    this.subject = subject;
    this.venue = venue;
    this.clock = clock;
    this.settings = settings;
    this.heard = heard;
    this.provider = this.make();
    this.kinds = TRIED.filter((kind) => (subject.kinds ?? this.provider.kinds).includes(kind));
    this.#beginning = clock.now();
    assert(this.kinds.length > 0, `it must stream one of ${TRIED.join(', ')}`);
    assert(subject.symbols.length >= 3, 'name three symbols in `symbols`');
  }

  make(choice: TrialChoice = {}): Provider {
    return this.subject.provider(this.venue, { ...this.settings, ...choice });
  }

  /** How far time may move until a subscription is confirmed. */
  get settleMs(): number {
    return Math.max(PACING_MS, this.subject.settle?.ms ?? 0);
  }

  /** The kind that rules use which need one that is never conflated. */
  get kind(): RecordKind {
    return this.kinds[0] ?? fail();
  }

  /** Of the symbols of the subject. */
  symbol(index: number): string {
    return this.subject.symbols[index] ?? fail(`there is no symbol ${index}`);
  }

  needs(kind: RecordKind): void {
    assert(this.kinds.includes(kind), `the subject has no records of the kind ${kind}: exempt this rule`);
  }

  /** Subscribes, by default to the first kind of the first two symbols. */
  subscribe(request: Partial<SubscriptionRequest> = {}, provider = this.provider): ProviderTrial {
    const trial = new ProviderTrial(provider, {
      kinds: [this.kind],
      symbols: this.subject.symbols.slice(0, 2),
      ...(this.subject.timeframe === undefined ? {} : { timeframe: this.subject.timeframe }),
      ...request,
    });
    this.trials.push(trial);
    return trial;
  }

  /** Subscribes, and waits until the vendor has confirmed everything. */
  async live(request: Partial<SubscriptionRequest> = {}, provider = this.provider): Promise<ProviderTrial> {
    const trial = this.subscribe(request, provider);
    await this.isLive(trial);
    return trial;
  }

  /** Waits until the vendor has confirmed everything that is asked. */
  async isLive(trial: ProviderTrial, withinMs = this.settleMs): Promise<void> {
    const isLive = () => trial.feed.asked > 0 && trial.feed.confirmed === trial.feed.asked;
    await this.until(isLive, 'the vendor has confirmed its subscriptions', withinMs, trial);
  }

  /**
   * The record with this number of a series. Vendors number what they send, so that a number which is left out is a hole: records of a
   * series are numbered without one, and `moment` says when they come, in seconds from the beginning or, of bars, in spans.
   */
  record(
    of: RecordKind,
    symbol: string,
    index: number,
    { version = 1, moment = index }: RecordChoice = {},
  ): MarketEvent {
    const span = of === 'bar' ? timeframeMs(this.#timeframe) : 1_000;
    const ts = Math.floor(this.#beginning / span) * span + moment * span;
    return this.subject.record?.(of, symbol, index, version, ts) ?? this.#record(of, symbol, index, version, ts);
  }

  /** `count` records of a series that come one after another. */
  series(of: RecordKind, symbol: string, first: number, count: number): MarketEvent[] {
    return Array.from({ length: count }, (_, i) => this.record(of, symbol, first + i));
  }

  /** Sends records when their time has come, and waits until they were received. */
  async publish(trial: ProviderTrial, ...records: readonly MarketEvent[]): Promise<void> {
    const last = Math.max(...records.map((record) => ('ts' in record ? record.ts : 0)));
    if (last > this.clock.now()) await this.pass(last - this.clock.now());
    this.venue.publish(records);
    await this.until(() => trial.has(...records), `it has delivered ${texts(records)}`, undefined, trial);
  }

  /** Lets time pass, step by step, so that what is sent meanwhile arrives in time. */
  async pass(ms: number): Promise<void> {
    const end = this.clock.now() + ms;
    for (;;) {
      await turns(IO_TURNS);
      const { nextAt } = this.clock;
      if (nextAt === undefined || nextAt > end) break;
      this.clock.moveTo(nextAt);
    }
    this.clock.moveTo(end);
    await turns(IO_TURNS);
  }

  /**
   * Waits until something is so. Time moves to the next timer only while nothing else happens, at most by `withinMs`. Returns by how
   * much it moved.
   */
  async until(isSo: () => boolean, what: string, withinMs = PACING_MS, trial?: ProviderTrial): Promise<number> {
    const { timeoutMs = 10_000 } = this.subject;
    const from = this.clock.now();
    const giveUpAt = performance.now() + timeoutMs;
    for (;;) {
      for (let turn = 0; turn < IO_TURNS; turn++) {
        if (isSo()) return this.clock.now() - from;
        await turns(1);
      }
      const { nextAt } = this.clock;
      if (nextAt !== undefined && nextAt <= from + withinMs) {
        this.clock.moveTo(nextAt);
        continue;
      }
      if (trial && trial.errors.length > 0) throw trial.errors[0];
      assert(performance.now() < giveUpAt, `waited in vain until ${what}`);
      await sleep(1);
    }
  }

  /** Waits until the stream has noticed that its connection is gone, and returns how long it waits for the next. */
  async retriesAfter(trial: ProviderTrial, accepted: number): Promise<number> {
    await this.until(() => trial.feed.state === 'down', 'it has noticed the end of its connection', undefined, trial);
    return this.until(() => this.venue.accepted.length > accepted, 'it connects again', 600_000, trial);
  }

  /** Asserts that nothing is left behind. */
  async released(): Promise<void> {
    await this.until(() => this.venue.connections === 0, 'it has closed its connections');
    equal(this.clock.timers, 0, 'it must leave no timer behind');
  }

  /** Asserts that nothing was done against the vendor's limits, by the vendor's own count: it holds in every rule. */
  keepsLimits(): void {
    deepStrictEqual(this.venue.violations, [], "it must keep the vendor's limits");
  }

  async close(): Promise<void> {
    for (const trial of this.trials) trial.unsubscribe();
    await this.venue.close();
  }

  get #timeframe(): string {
    return this.subject.timeframe ?? this.provider.timeframes?.[0] ?? '1m';
  }

  #record(of: RecordKind, symbol: string, index: number, version: number, ts: number): MarketEvent {
    const vendor = this.provider.name;
    const place = this.subject.symbols.indexOf(symbol);
    const cents = 10_000 * (place + 1) + 2 * index;
    const common = { vendor, symbol, ts };
    if (of === 'trade') {
      const id = String(100_000 * (place + 1) + index);
      return { kind: of, ...common, price: cents / 100, size: 1 + index, id };
    }
    if (of === 'quote') {
      const sizes = { bidSize: 1 + index, askSize: 2 + index };
      return { kind: of, ...common, bid: cents / 100, ask: (cents + 1) / 100, ...sizes, id: `${index + 1}` };
    }
    if (of !== 'bar') fail(`the subject must make records of the kind ${of} by itself`);
    const prices = {
      open: cents / 100,
      high: (cents + 100) / 100,
      low: (cents - 100) / 100,
      close: (cents + version) / 100,
    };
    // Where the vendor has an event time, the fake takes it from here.
    const seq = (Math.floor(this.clock.now()) + version) * 1_000;
    return { kind: of, ...common, timeframe: this.#timeframe, ...prices, volume: 100 * version, seq };
  }
}

function texts(records: readonly MarketEvent[]): string {
  const [first] = records;
  return records.length === 1 ? JSON.stringify(first) : `${records.length} records from ${JSON.stringify(first)} on`;
}
