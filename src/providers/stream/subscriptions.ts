import type { FeedAccount } from '../../flow/feed.js';
import type { GapCause } from '../../market/gap.js';
import type { MarketEvent } from '../../market/recordKinds.js';
import { Timer } from '../../primitives/timer.js';
import { ProviderSilent, UnknownInstrument } from '../providerErrors.js';
import type { Refusal, Series } from '../session.js';
import type { StreamSettings } from '../streamConfig.js';
import type { MissingSpan } from './gapStamper.js';
import { knownAt } from './knownUntil.js';
import type { Link } from './link.js';
import { describeAll, noteRecord, type SeriesState, type SeriesTable } from './seriesTable.js';
import type { Turns } from './turns.js';

export interface SubscriptionsHost {
  readonly name: string;
  readonly settings: StreamSettings;
  readonly feed: FeedAccount;
  readonly turns: Turns;
  /** A span of a series is missing. */
  missing(span: MissingSpan): void;
  /** The vendor will not deliver a series. */
  refused(refusal: Refusal): void;
  /** Every series that is wanted is refused; the last refusal. */
  allRefused(refusal: Refusal, link: Link): void;
}

/** Which series are wanted, asked, confirmed and refused, and what is missing of each after a reconnect. */
export class Subscriptions {
  readonly #host: SubscriptionsHost;
  readonly #table: SeriesTable;
  readonly #confirming: Timer;
  /** Series that are asked on the connection of now, and no longer wanted. */
  #removed: SeriesState[] = [];
  #link: Link | undefined;
  #lastAnswerAt = 0;
  /** Confirmed again on a connection that has carried no data yet, after one that had fallen silent. */
  #silent: SeriesState[] = [];
  #cause: GapCause = 'reconnect';
  /** Since the stream fell silent, until data come again. */
  isSilent = false;

  constructor(host: SubscriptionsHost, table: SeriesTable) {
    this.#host = host;
    this.#table = table;
    this.#confirming = new Timer(host.settings.scheduler, () => host.turns.run(() => this.#checkAnswers()));
  }

  get isEmpty(): boolean {
    return this.#table.size === 0;
  }

  want(symbols: readonly string[]): void {
    const link = this.#link;
    for (const state of this.#table.want(symbols)) {
      link?.pending.delete(state);
      if (link && state.confirmedBy === link.number) link.confirmed -= 1;
      if (link && state.askedOn === link.number && !state.refusal) this.#removed.push(state);
    }
    this.#count();
  }

  /** A connection is ready: from now on series are asked there. */
  begin(link: Link): void {
    this.#link = link;
    this.#cause = this.isSilent ? 'stale' : 'reconnect';
    this.#removed = [];
    this.#silent = [];
    this.reconcile();
  }

  /** A connection that is ready already takes over from the one of now, with what it has confirmed and what it has been asked. */
  takeOver(link: Link, confirmed: Iterable<SeriesState>, unanswered: Iterable<SeriesState>): void {
    this.#link = link;
    this.#removed = [];
    const { number } = link;
    for (const state of confirmed) {
      state.askedOn = number;
      // Neither end of a span is missing: both connections had it for a while.
      if (this.#table.get(state.series) === state) {
        this.#resume(state, state.confirmedAt, undefined);
        state.confirmedBy = number;
        state.isMissed = false;
        link.confirmed += 1;
      } else {
        this.#removed.push(state);
      }
    }
    for (const state of unanswered) {
      state.askedOn = number;
      if (this.#table.get(state.series) === state) link.pending.add(state);
      else this.#removed.push(state);
    }
    this.#lastAnswerAt = this.#host.settings.scheduler.now();
    if (link.pending.size > 0) this.#confirming.set(this.#host.settings.confirmAfterMs);
    this.#count();
    this.reconcile();
  }

  /** The connection is over. */
  end(): void {
    this.#link = undefined;
    this.#confirming.cancel();
    this.#count();
  }

  /** Asks what is wanted and was not asked, and no longer what is not; once the frames before are sent. */
  reconcile(): void {
    const link = this.#link;
    if (!link?.isIdle) return;
    const { scheduler, confirmAfterMs } = this.#host.settings;
    if (this.#removed.length > 0) {
      const removed = this.#removed;
      this.#removed = [];
      link.unsubscribe(removed.map(seriesOf), scheduler.now());
      if (!link.isIdle) return;
    }
    const asked = this.#table.unasked(link.number);
    if (asked.length === 0 || link.isOver) return;
    for (const state of asked) {
      state.askedOn = link.number;
      this.#table.setRefusal(state, undefined);
      link.pending.add(state);
    }
    this.#count();
    this.#lastAnswerAt = scheduler.now();
    this.#confirming.set(confirmAfterMs);
    link.subscribe(asked.map(seriesOf), scheduler.now());
  }

  /** Frames that waited are sent. */
  drained(): void {
    this.#lastAnswerAt = this.#host.settings.scheduler.now();
    this.reconcile();
  }

  confirmAll(series: readonly Series[], link: Link, now: number): void {
    this.#lastAnswerAt = now;
    for (const one of series) {
      const state = this.#table.get(one);
      if (state) this.#confirm(state, link, now);
    }
  }

  refuseAll(refusals: readonly Refusal[], link: Link, now: number): void {
    this.#lastAnswerAt = now;
    for (const refusal of refusals) this.#refuse(refusal, link, now);
  }

  /** Data of these series have come, whose records do not say so. */
  hearAll(series: readonly Series[], link: Link, now: number): void {
    for (const one of series) {
      const state = this.#table.get(one);
      if (!state) continue;
      if (state.confirmedBy !== link.number) this.#confirm(state, link, now);
      state.knownUntil = now;
      state.hasRecord = true;
    }
  }

  /** A record has come: its series is alive. Called before the record is emitted. */
  note(record: MarketEvent, link: Link, now: number): void {
    if (this.isSilent) this.#hear();
    const state = this.#table.of(record);
    if (!state) return;
    if (state.confirmedBy !== link.number) this.#confirm(state, link, now);
    noteRecord(state, record, now);
  }

  #confirm(state: SeriesState, link: Link, now: number): void {
    if (state.confirmedBy === link.number) return;
    state.confirmedBy = link.number;
    state.isMissed = false;
    this.#table.setRefusal(state, undefined);
    link.pending.delete(state);
    link.confirmed += 1;
    this.#count();
    this.#resume(state, now, undefined);
    if (this.isSilent && state.knownUntil !== undefined) {
      state.confirmedAt = now;
      this.#silent.push(state);
    } else {
      this.#close(state, now, this.#cause);
    }
  }

  /** Data have come again. */
  #hear(): void {
    this.isSilent = false;
    const states = this.#silent;
    this.#silent = [];
    for (const state of states) this.#close(state, state.confirmedAt, this.#cause);
  }

  /** What was missed between an earlier stream and this one is recorded; `next` is where the rest of it begins. */
  #resume(state: SeriesState, to: number, next: number | undefined): void {
    const { resumeFrom: from, series } = state;
    if (from === undefined) return;
    state.resumeFrom = next;
    this.#host.missing({ series, from, to, cause: 'restart' });
  }

  #close(state: SeriesState, to: number, cause: GapCause): void {
    const { knownUntil: from, series } = state;
    state.knownUntil = knownAt(series, to);
    state.hasRecord = false;
    if (from !== undefined) this.#host.missing({ series, from, to, cause });
  }

  #refuse(refusal: Refusal, link: Link, now: number): void {
    const state = this.#table.get(refusal.series);
    if (!state || (state.askedOn !== link.number && state.refusal)) return;
    if (state.confirmedBy === link.number) {
      state.confirmedBy = 0;
      link.confirmed -= 1;
    } else if (state.knownUntil !== undefined) {
      // It may never be confirmed again: what is missing until now is recorded now.
      this.#close(state, now, this.#cause);
    } else {
      this.#resume(state, now, now);
    }
    link.pending.delete(state);
    this.#table.setRefusal(state, refusal);
    this.#count();
    this.#host.refused(refusal);
    if (this.#host.feed.refused === this.#table.size) this.#host.allRefused(refusal, link);
  }

  #checkAnswers(): void {
    const link = this.#link;
    if (!link || link.pending.size === 0) return;
    const { settings, name } = this.#host;
    const { scheduler, confirmAfterMs } = settings;
    const leftMs = link.isIdle ? this.#lastAnswerAt + confirmAfterMs - scheduler.now() : confirmAfterMs;
    if (leftMs > 0) {
      this.#confirming.set(leftMs);
      return;
    }
    const late = [...link.pending];
    const words = `did not confirm within ${confirmAfterMs} ms: ${describeAll(late.map(seriesOf))}`;
    // What was confirmed before exists: the connection is at fault, unless it serves others and the one before did not confirm it either.
    const known = late.filter(({ knownUntil }) => knownUntil !== undefined);
    const servesOthers = link.confirmed > 0;
    if (known.some(({ isMissed }) => !isMissed || !servesOthers)) {
      for (const state of known) state.isMissed = true;
      link.isAtFault = true;
      link.end(new ProviderSilent(name, words));
      return;
    }
    const now = scheduler.now();
    const unknown = new UnknownInstrument(name, words);
    const silent = new ProviderSilent(name, words);
    for (const state of late) {
      const isKnown = state.knownUntil !== undefined;
      this.#refuse({ series: state.series, error: isKnown ? silent : unknown }, link, now);
    }
  }

  #count(): void {
    const { feed } = this.#host;
    feed.asked = this.#table.size;
    feed.confirmed = this.#link?.confirmed ?? 0;
    feed.refused = this.#table.refused;
  }
}

const seriesOf = ({ series }: SeriesState): Series => series;
