import type { Bar } from '../../market/bar.js';
import type { Gap } from '../../market/gap.js';
import { KINDS, type MarketEvent, RECORD_KINDS, type RecordKind } from '../../market/recordKinds.js';
import { Ring } from '../../primitives/ring.js';
import { type Loss, LossLedger, MAX_LOST_SERIES } from './lossLedger.js';

/** Why a record that waited, or should have, is given up. */
export type IntakeDrop = 'conflated' | 'replaced' | 'overflow';

export interface IntakeConfig {
  /** How many records may wait. */
  readonly capacity: number;
  /** Receives each record that is given up. */
  readonly onDrop: (record: MarketEvent, reason: IntakeDrop) => void;
  /** Makes the gap record of a loss. */
  readonly gapOf: (loss: Loss) => Gap;
}

/** A place in the queue whose record may be replaced by a newer one. */
class Place {
  /** `undefined` while it is not in the queue. */
  record: MarketEvent | undefined;
}

/** Of how many series losses are kept apart, however small the capacity. */
const MIN_LOST_SERIES = 16;

/** Of symbols that come from outside; beyond it, places that are not in use are forgotten. */
const MAX_PLACES = 100_000;

/**
 * What waits for a slow reader, by kind: of quotes the newest per symbol, of a forming bar its newest state, and everything else in
 * full. It holds at most `capacity` records. Once it is full, records that need a place of their own are lost until half of
 * it is free again; then a gap record for each series that lost some takes its place in the queue, before the next record of
 * that series.
 *
 * A record takes the place of the one that it replaces, so the order within a series stays, and a symbol that moves often does
 * not wait longer than others. Nothing moves across a gap record of its series.
 */
export class Intake {
  readonly #capacity: number;
  readonly #resumeAt: number;
  readonly #onDrop: IntakeConfig['onDrop'];
  readonly #gapOf: IntakeConfig['gapOf'];
  readonly #ring: Ring<MarketEvent | Place>;
  readonly #quotes = new Map<string, Place>();
  readonly #bars = new Map<string, Place[]>();
  readonly #losses: LossLedger;
  #isLosing = false;

  constructor({ capacity, onDrop, gapOf }: IntakeConfig) {
    this.#capacity = capacity;
    this.#resumeAt = Math.floor(capacity / 2);
    this.#onDrop = onDrop;
    this.#gapOf = gapOf;
    const maxLost = Math.min(MAX_LOST_SERIES, Math.max(MIN_LOST_SERIES, Math.floor(capacity / 4)));
    this.#losses = new LossLedger(maxLost);
    // With room for the gap records where the capacity is smaller than their number.
    this.#ring = new Ring(capacity + maxLost + KINDS.length);
  }

  /** How many records wait. */
  get size(): number {
    return this.#ring.length;
  }

  /** Takes a record that must wait. */
  offer(record: MarketEvent): void {
    if (record.kind === 'quote') this.#offerQuote(record);
    else if (record.kind === 'bar') this.#offerBar(record);
    else if (record.kind === 'gap') this.#offerGap(record);
    else this.#admit(record, record);
  }

  /** Takes out the record that has waited the longest. */
  shift(): MarketEvent | undefined {
    const next = this.#ring.shift();
    if (this.#isLosing && this.#ring.length <= this.#resumeAt) this.#recover();
    if (!(next instanceof Place)) return next;
    const { record } = next;
    next.record = undefined;
    return record;
  }

  #offerQuote(quote: MarketEvent & { readonly kind: 'quote' }): void {
    const { symbol } = quote;
    let place = this.#quotes.get(symbol);
    if (place?.record !== undefined) {
      const former = place.record;
      place.record = quote;
      this.#onDrop(former, 'conflated');
      return;
    }
    if (!place) {
      if (this.#quotes.size >= MAX_PLACES) forgetUnused(this.#quotes, ({ record }) => record === undefined);
      place = new Place();
      this.#quotes.set(symbol, place);
    }
    if (this.#admit(quote, place)) place.record = quote;
  }

  #offerBar(bar: Bar): void {
    const { symbol } = bar;
    let places = this.#bars.get(symbol);
    const forming = places?.findIndex(({ record }) => record !== undefined && isSameBar(record as Bar, bar)) ?? -1;
    if (places && forming >= 0) {
      const place = places[forming]!;
      const former = place.record!;
      place.record = bar;
      // A final bar is not replaced: a revision of it is a record of its own.
      if (bar.isFinal !== false) places.splice(forming, 1);
      this.#onDrop(former, 'replaced');
      return;
    }
    if (bar.isFinal !== false) {
      this.#admit(bar, bar);
      return;
    }
    if (!places) {
      if (this.#bars.size >= MAX_PLACES) {
        forgetUnused(this.#bars, (all) => all.every(({ record }) => record === undefined));
      }
      places = [];
      this.#bars.set(symbol, places);
    }
    let place = places.find(({ record }) => record === undefined);
    if (!place) {
      place = new Place();
      places.push(place);
    }
    if (this.#admit(bar, place)) place.record = bar;
  }

  #offerGap(gap: Gap): void {
    const of = gap.of as RecordKind;
    if (this.#isLosing || this.#ring.length >= this.#capacity) {
      // Its span becomes part of what is lost: a gap record is never lost itself.
      this.#isLosing = true;
      this.#losses.add(of, gap.symbol, gap.timeframe, gap.from, gap.to, 0, gap.rows ?? 0);
    } else {
      this.#ring.push(gap);
    }
    // What waits stays before the gap, and what comes after it gets a place behind it.
    const places: Map<string, unknown> | undefined =
      of === 'quote' ? this.#quotes : of === 'bar' ? this.#bars : undefined;
    if (gap.symbol === '*') places?.clear();
    else places?.delete(gap.symbol);
  }

  #admit(record: Exclude<MarketEvent, Gap>, place: MarketEvent | Place): boolean {
    if (!this.#isLosing && this.#ring.length < this.#capacity) {
      this.#ring.push(place);
      return true;
    }
    this.#isLosing = true;
    const time = eventTimeOf(record);
    const symbol = record.kind === 'news' ? '*' : record.symbol;
    this.#losses.add(
      record.kind,
      symbol,
      record.kind === 'bar' ? record.timeframe : undefined,
      time,
      time,
      1,
      rowsOf(record),
    );
    this.#onDrop(record, 'overflow');
    return false;
  }

  #recover(): void {
    this.#isLosing = false;
    for (const loss of this.#losses.take()) this.#ring.push(this.#gapOf(loss));
    // Nothing that comes now moves to a place before them.
    this.#quotes.clear();
    this.#bars.clear();
  }
}

/** Of trades each is a row by itself, wherever they come from. */
function rowsOf({ kind }: MarketEvent): number {
  return kind === 'trade' ? 1 : 0;
}

function isSameBar(a: Bar, b: Bar): boolean {
  return a.ts === b.ts && a.timeframe === b.timeframe && a.vendor === b.vendor;
}

/** When what a record says happened, in epoch milliseconds. */
export function eventTimeOf(record: MarketEvent): number {
  return 'ts' in record ? record.ts : RECORD_KINDS[record.kind].eventTime(record as never);
}

function forgetUnused<P>(places: Map<string, P>, isUnused: (place: P) => boolean): void {
  for (const [symbol, place] of places) if (isUnused(place)) places.delete(symbol);
}
