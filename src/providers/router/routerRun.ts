import type { FanIn } from '../../flow/fanIn.js';
import type { ConnectionEnd } from '../../flow/operateOnDemand.js';
import type { RoutingAccount } from '../../flow/routing.js';
import type { Gap } from '../../market/gap.js';
import type { MarketEvent } from '../../market/recordKinds.js';
import { Timer } from '../../primitives/timer.js';
import { receivedTimeOf } from '../stream/overlap.js';
import { ResumePoints } from '../stream/resumePoints.js';
import { Turns } from '../stream/turns.js';
import { Lane, type LaneHost } from './lane.js';
import { MadeGaps } from './madeGaps.js';
import { OverlapKeys } from './overlapKeys.js';
import type { Move, Plan } from './plan.js';
import { planOf } from './planOf.js';
import type { RouterSettings, RouterSwitch } from './routerConfig.js';
import { RouterFailed } from './routerFailed.js';
import { bridgeTo, type SeriesTime, SeriesTimes } from './seriesTimes.js';

/** How long after a switch what comes is compared with what came before it, in milliseconds. */
const OVERLAP_MS = 10_000;

/** How often it is checked whether a vendor has answered for what has moved to it, in milliseconds. */
const ANSWER_CHECK_MS = 1_000;

/** One subscription of a router. */
export class RouterRun implements LaneHost {
  readonly settings: RouterSettings;
  readonly flow: FanIn<MarketEvent>;
  readonly turns = new Turns((error) => this.fail(error));
  readonly #lanes: readonly Lane[];
  readonly #plan: Plan;
  readonly #routing: RoutingAccount | undefined;
  readonly #gaps: MadeGaps;
  readonly #timer: Timer;
  readonly #points: readonly (ResumePoints | undefined)[];
  readonly #times: readonly SeriesTimes[];
  /** While what comes may repeat what another provider has delivered. */
  #overlap: OverlapKeys | undefined;
  #overlapEndsAt = Number.POSITIVE_INFINITY;
  #isStopping = false;
  #end: { readonly error?: unknown; readonly isFailure: boolean } | undefined;

  constructor(settings: RouterSettings, flow: FanIn<MarketEvent>) {
    this.settings = settings;
    this.flow = flow;
    const { providers, kinds, strategy, resumeFrom, scheduler } = settings;
    // Merged, each provider has all of a series; else they share it.
    const times = (strategy === 'merge' ? providers : [settings]).map(() => new SeriesTimes(kinds));
    this.#times = times;
    this.#points = times.map(() => resumeFrom && new ResumePoints('providerRouter', resumeFrom, () => scheduler.now()));
    this.#lanes = providers.map((one, i) => new Lane(i, one, times[i % times.length]!, this));
    this.#plan = planOf(settings, this.#lanes);
    this.#routing = flow.downstream.monitor.registerRouting?.(settings.name, strategy);
    this.#routing?.reads(() => this.#lanes.map((lane) => lane.state));
    this.#gaps = new MadeGaps(flow, () => this.#endIfDone());
    this.#timer = new Timer(scheduler, () => this.turns.run(() => this.changed()));
  }

  /** How many records it holds. */
  get held(): number {
    return this.#gaps.size;
  }

  /** Whether no symbol is wanted. */
  get isIdle(): boolean {
    return !this.#lanes.some(({ hasSymbols }) => hasSymbols);
  }

  /** Replaces the set of symbols. */
  want(symbols: readonly string[]): void {
    this.turns.run(() => {
      const { scheduler, timeframe } = this.settings;
      this.flush();
      this.#times.forEach((times, i) => {
        times.want(symbols, timeframe, scheduler.now(), (series) => this.#points[i]?.of(series));
      });
      this.#plan.want?.(symbols);
      if (!this.#plan.symbolsOf) for (const lane of this.#lanes) lane.want(symbols);
      this.changed();
    });
  }

  /** No new connection is made: what is open completes by itself. */
  stop(): void {
    this.#isStopping = true;
    this.#timer.cancel();
    this.#end ??= { isFailure: false };
    this.turns.run(() => {
      for (const lane of this.#lanes) lane.watch.end();
      this.#endIfDone();
    });
  }

  /** Releases all providers and fails. */
  fail(error: unknown): void {
    if (this.#end?.isFailure) return;
    this.#end = { error, isFailure: true };
    this.release();
    const { destination } = this.flow;
    destination.error(error);
  }

  release(): void {
    this.#isStopping = true;
    this.#timer.cancel();
    this.#gaps.cancel();
    for (const lane of this.#lanes) lane.close();
    this.#routing?.close();
  }

  next(lane: Lane, record: MarketEvent): void {
    if (record.kind === 'gap') {
      this.#nextGap(lane, record);
      return;
    }
    lane.watch.isBroken = true;
    if (lane.health.liveSince === Number.POSITIVE_INFINITY) this.#speaks(lane, true);
    if (!lane.isPlain && !this.#mayPass(lane, record)) return;
    lane.recent.add(record);
    this.flow.emit(this.settings.as === undefined ? record : lane.finished(record));
  }

  over(lane: Lane, end: ConnectionEnd): void {
    // What fails while it drains, such as a letter that cannot be written, must not look like an end.
    if (this.#isStopping && end.kind === 'failed') this.#end = { error: end.error, isFailure: true };
    else if (!this.#isStopping && lane.health.isOver) {
      this.#routing?.ended(lane.name, lane.error);
      this.settings.onProviderEnd?.({ provider: lane.name, error: lane.error });
    }
    this.changed();
  }

  flush(): void {
    for (const lane of this.#lanes) lane.recent.flush();
  }

  changed(): void {
    if (this.#isStopping) {
      this.#endIfDone();
      return;
    }
    const { scheduler } = this.settings;
    const now = scheduler.now();
    const plan = this.#plan;
    for (const { health } of this.#lanes) health.moveTo(now);
    for (let move = plan.decide(now); move; move = plan.decide(now)) this.#move(move, now);
    if (now >= this.#overlapEndsAt) {
      this.#overlap = undefined;
      this.#overlapEndsAt = Number.POSITIVE_INFINITY;
    }
    for (const lane of this.#lanes) {
      lane.delivers = plan.delivers(lane.index);
      if (plan.symbolsOf) lane.want(plan.symbolsOf(lane.index));
      if (now >= lane.pending.since + ANSWER_CHECK_MS) this.#settleAnswered(lane, now);
      lane.isPlain = lane.delivers && this.#overlap === undefined && lane.pending.size === 0;
    }
    for (const lane of this.#lanes) this.#reconcile(lane, now);
    if (this.#lanes.every(({ health }) => health.isOver)) this.#allEnded();
    else this.#setTimer(now);
  }

  #reconcile(lane: Lane, now: number): void {
    const { health } = lane;
    const isWanted = lane.hasSymbols && this.#plan.wants(lane.index);
    if (lane.isOpen && !(isWanted && health.isAsked)) lane.close();
    if (!isWanted) health.release(now);
    if (!isWanted || lane.isOpen || now < lane.mayOpenAt(now)) return;
    if (health.isAsked || health.begin(now)) lane.open();
  }

  #setTimer(now: number): void {
    let at = Math.min(this.#plan.wakeAt, this.#overlapEndsAt);
    for (const lane of this.#lanes) {
      at = Math.min(at, lane.health.wakeAt);
      if (lane.pending.size > 0) at = Math.min(at, Math.max(now, lane.pending.since) + ANSWER_CHECK_MS);
      const mayOpen = !lane.isOpen && !lane.health.isOver && lane.hasSymbols && this.#plan.wants(lane.index);
      if (mayOpen) at = Math.min(at, lane.mayOpenAt(now));
    }
    if (at === Number.POSITIVE_INFINITY) this.#timer.cancel();
    else this.#timer.set(Math.max(0, at - now));
  }

  #move({ from, to, reason, symbols }: Move, now: number): void {
    const successor = this.#lanes[to]!;
    const former = this.#lanes[from]!;
    this.flush();
    this.#overlap ??= new OverlapKeys();
    this.#overlapEndsAt = now + OVERLAP_MS;
    for (const record of former.recent.all) this.#overlap.add(record, former.spelling.requestedOf(record), from);
    former.isPlain = false;
    successor.cause = reason === 'silent' ? 'stale' : 'reconnect';
    const change: RouterSwitch = {
      ...{ at: now, from: former.name, to: successor.name, reason },
      ...(reason !== 'preferred' && reason !== 'silent' && former.lastError && { error: former.lastError }),
      ...(symbols && { symbols }),
    };
    this.#routing?.switched(change);
    this.settings.onSwitch?.(change);
    if (successor.isOpen) this.#bridge(successor, symbols, now);
  }

  /** A provider that is read already delivers from now on: nobody may have delivered what it had before, or before it has it. */
  #bridge(lane: Lane, symbols: readonly string[] | undefined, now: number): void {
    for (const kind of lane.kinds) {
      const entries = symbols?.map((symbol) => lane.times.get(kind, symbol)) ?? lane.times.of(kind);
      for (const entry of entries) {
        if (!entry || lane.spelling.spelled(entry.series.symbol) === undefined) continue;
        if (!lane.isAskedFor(entry.series.symbol)) lane.pending.add(entry, now);
        else if (lane.isHot) this.#gap(lane, entry, entry.knownUntil, now);
      }
    }
  }

  #gap(lane: Lane, entry: SeriesTime, from: number, to: number): void {
    bridgeTo(entry, to);
    const symbol = lane.spelling.spelled(entry.series.symbol)!;
    this.#gaps.add(lane, { series: { ...entry.series, symbol }, from, to: Math.max(from, to), cause: lane.cause });
  }

  #settleAnswered(lane: Lane, now: number): void {
    lane.pending.since = now;
    if (!lane.isAnswered) return;
    for (const { entry, from } of lane.pending.takeAll()) this.#gap(lane, entry, from, now);
  }

  /** Whether a record goes downstream, around a switch or from a provider that does not deliver everything. */
  #mayPass(lane: Lane, record: MarketEvent): boolean {
    const symbol = lane.spelling.requestedOf(record);
    if (!this.#isOf(lane, symbol)) {
      lane.isHot = true;
      this.flow.settle('dropped', record, 'standby');
      return false;
    }
    if (this.#overlap?.isRepeated(record, symbol, lane.index)) {
      this.flow.settle('dropped', record, 'duplicate');
      return false;
    }
    const pending = lane.pending.size > 0 ? lane.pending.take(record.kind, symbol) : undefined;
    if (pending) {
      this.#gap(lane, pending.entry, pending.from, receivedTimeOf(record, this.settings.scheduler.now()));
    }
    return true;
  }

  #isOf(lane: Lane, symbol: string): boolean {
    const owner = this.#plan.ownerOf?.(symbol);
    return owner === undefined ? lane.delivers : owner === lane.index;
  }

  #nextGap(lane: Lane, gap: Gap): void {
    // It may be the first sign of a provider that is asked because nobody delivers.
    if (lane.health.liveSince === Number.POSITIVE_INFINITY) this.#speaks(lane, false);
    const symbol = lane.spelling.requested(gap.symbol);
    if (!this.#isOf(lane, symbol)) {
      lane.isHot = true;
      this.flow.settle('dropped', gap, 'standby');
      return;
    }
    const entry = lane.times.get(gap.of as MarketEvent['kind'], symbol);
    let found = gap;
    if (gap.cause === 'restart' && entry && !entry.isStored) {
      this.flush();
      // What others have delivered meanwhile is not missing.
      const from = Math.min(gap.to, Math.max(gap.from, entry.knownUntil));
      found = { ...gap, from, cause: lane.cause };
    }
    bridgeTo(entry, gap.to);
    this.flow.emit(lane.finished(found));
  }

  #speaks(lane: Lane, hasSpoken: boolean): void {
    const isLive = hasSpoken ? lane.spoken() : lane.health.live(false, this.settings.scheduler.now());
    if (isLive) this.turns.run(() => this.changed());
  }

  #allEnded(): void {
    this.#isStopping = true;
    this.#timer.cancel();
    const failed = this.#lanes.some(({ hasCompleted }) => !hasCompleted);
    const ends = this.#lanes.map(({ name, hasCompleted, error }) => ({
      provider: name,
      error: hasCompleted ? 'its stream has completed' : error,
    }));
    this.#end ??= failed
      ? { error: new RouterFailed(this.settings.name, ends), isFailure: true }
      : { isFailure: false };
    this.#endIfDone();
  }

  #endIfDone(): void {
    if (!this.#end || this.held > 0 || this.#lanes.some(({ isOpen }) => isOpen)) return;
    const { destination } = this.flow;
    if (this.#end.isFailure) destination.error(this.#end.error);
    else destination.complete();
  }
}
