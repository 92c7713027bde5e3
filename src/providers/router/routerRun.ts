import type { FanIn } from '../../flow/fanIn.js';
import type { ConnectionEnd } from '../../flow/operateOnDemand.js';
import type { Gap } from '../../market/gap.js';
import type { MarketEvent } from '../../market/recordKinds.js';
import { Timer } from '../../primitives/timer.js';
import { ResumePoints } from '../stream/resumePoints.js';
import { Turns } from '../stream/turns.js';
import { Failover } from './failover.js';
import { Lane, type LaneHost } from './lane.js';
import { MadeGaps } from './madeGaps.js';
import { Merging } from './merging.js';
import { OverlapKeys } from './overlapKeys.js';
import type { Move, Plan } from './plan.js';
import type { RouterSettings, RouterSwitch } from './routerConfig.js';
import { RouterFailed } from './routerFailed.js';
import { moveTo, SeriesTimes } from './seriesTimes.js';

/** How long after a switch what comes is compared with what came before it, in milliseconds. */
const OVERLAP_MS = 10_000;

/** One subscription of a router. */
export class RouterRun implements LaneHost {
  readonly settings: RouterSettings;
  readonly flow: FanIn<MarketEvent>;
  readonly turns = new Turns((error) => this.fail(error));
  readonly #lanes: readonly Lane[];
  readonly #plan: Plan;
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
    const healths = this.#lanes.map(({ health }) => health);
    this.#plan = strategy === 'merge' ? new Merging(healths) : new Failover(healths);
    this.#gaps = new MadeGaps(
      flow,
      (gap, lane) => this.#finished(gap, lane) as Gap,
      () => this.#endIfDone(),
    );
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
      for (const lane of this.#lanes) lane.want(symbols);
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
  }

  next(lane: Lane, record: MarketEvent): void {
    if (record.kind === 'gap') {
      this.#nextGap(lane, record);
      return;
    }
    lane.watch.isBroken = true;
    if (lane.health.liveSince === Number.POSITIVE_INFINITY) this.#speaks(lane, true);
    if (!lane.delivers) {
      lane.isHot = true;
      this.flow.settle('dropped', record, 'standby');
      return;
    }
    if (this.#overlap !== undefined && this.#isRepeated(lane, record)) return;
    lane.recent.add(record);
    this.flow.emit(lane.ranker === undefined ? record : this.#finished(record, lane));
  }

  over(_lane: Lane, end: ConnectionEnd): void {
    // What fails while it drains, such as a letter that cannot be written, must not look like an end.
    if (this.#isStopping && end.kind === 'failed') this.#end = { error: end.error, isFailure: true };
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
    for (const lane of this.#lanes) lane.delivers = plan.delivers(lane.index);
    for (const lane of this.#lanes) this.#reconcile(lane, now);
    if (now >= this.#overlapEndsAt) {
      this.#overlap = undefined;
      this.#overlapEndsAt = Number.POSITIVE_INFINITY;
    }
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
    for (const record of former.recent.all) this.#overlap.add(record, former.requested(record), from);
    former.delivers = false;
    successor.cause = reason === 'silent' ? 'stale' : 'reconnect';
    const change: RouterSwitch = {
      ...{ at: now, from: former.name, to: successor.name, reason },
      ...(symbols && { symbols }),
    };
    this.settings.onSwitch?.(change);
    if (successor.isOpen && successor.isHot) this.#bridge(successor, now);
  }

  /** A provider that was read already delivers from now on: nobody may have delivered what it had before. */
  #bridge(lane: Lane, now: number): void {
    for (const kind of lane.kinds) {
      for (const entry of lane.times.of(kind)) {
        const symbol = lane.spelled(entry.series.symbol);
        if (symbol === undefined) continue;
        const from = entry.knownUntil;
        moveTo(entry, now);
        this.#gaps.add(lane, { series: { ...entry.series, symbol }, from, to: now, cause: lane.cause });
      }
    }
  }

  #nextGap(lane: Lane, gap: Gap): void {
    // It may be the first sign of a provider that is asked because nobody delivers.
    if (lane.health.liveSince === Number.POSITIVE_INFINITY) this.#speaks(lane, false);
    if (!lane.delivers) {
      lane.isHot = true;
      this.flow.settle('dropped', gap, 'standby');
      return;
    }
    const entry = lane.times.get(gap.of as MarketEvent['kind'], lane.requestedSymbol(gap.symbol));
    let found = gap;
    if (gap.cause === 'restart' && entry && !entry.isStored) {
      this.flush();
      // What others have delivered meanwhile is not missing.
      const from = Math.min(gap.to, Math.max(gap.from, entry.knownUntil));
      found = { ...gap, from, cause: lane.cause };
    }
    moveTo(entry, gap.to);
    this.flow.emit(this.#finished(found, lane));
  }

  #speaks(lane: Lane, hasSpoken: boolean): void {
    const isLive = hasSpoken ? lane.spoken() : lane.health.live(false, this.settings.scheduler.now());
    if (isLive) this.turns.run(() => this.changed());
  }

  #isRepeated(lane: Lane, record: MarketEvent): boolean {
    if (!this.#overlap!.isRepeated(record, lane.requested(record), lane.index)) return false;
    this.flow.settle('dropped', record, 'duplicate');
    return true;
  }

  /** A record as it goes downstream. */
  #finished(record: MarketEvent, lane: Lane): MarketEvent {
    if (!lane.ranker) return record;
    const ranked = lane.ranker.record(record);
    const symbol = record.kind === 'news' ? undefined : lane.requestedSymbol(record.symbol);
    return symbol === undefined || symbol === (record as { symbol?: string }).symbol
      ? ranked
      : ({ ...ranked, symbol } as MarketEvent);
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
