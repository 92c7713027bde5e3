import type { SchedulerLike } from 'rxjs';
import type { MarketEvent } from '../../market/recordKinds.js';
import { eventLoopScheduler } from '../../primitives/eventLoopScheduler.js';
import {
  func,
  having,
  integer,
  listOf,
  number,
  type OptionsOf,
  readOptions,
  unchecked,
} from '../../primitives/options.js';
import { Timer } from '../../primitives/timer.js';
import type { FakeVenue } from '../venues/fakeVenue.js';
import { DayPlayer } from './dayPlayer.js';
import type { SimulatedDay } from './simulatedDay.js';
import type { SimulatedEvent } from './simulatedEvent.js';

/** A fake venue that is fed from a day. */
export interface DayListener {
  readonly venue: Pick<FakeVenue, 'publish'>;
  /** How the venue spells a symbol of the day; undefined for one that it does not have. Default: as the day does. */
  readonly spell?: (symbol: string) => string | undefined;
  /** Whether the venue corrects trades. Default true. */
  readonly corrects?: boolean;
}

export interface PlayDayConfig {
  /** At least one. */
  readonly venues: readonly DayListener[];
  /** How much faster than the clock the day goes. A number above 0, default 1. */
  readonly speed?: number;
  /** Added to all times of the records, in milliseconds. A multiple of a minute, so that bars stay bars of minutes. Default 0. */
  readonly shiftMs?: number;
  /** Called with what was told, after it was published, a batch at a time. */
  readonly onTold?: (events: readonly SimulatedEvent[]) => void;
  /** Called once, when the day is over. */
  readonly onEnd?: () => void;
  /** The clock and timers. Default: those of the process. */
  readonly scheduler?: SchedulerLike;
}

/** A day that is being told. */
export interface DayPlay {
  /** How many events were told until now. */
  readonly told: number;
  /** Tells no more. */
  stop(): void;
}

const MINUTE_MS = 60_000;
/** No shorter: events of one batch are published together. */
const BATCH_MS = 5;

const OPTIONS = {
  venues: listOf(unchecked(), { min: 1 }).required(),
  speed: number({ above: 0, max: 1_000_000 }).default(1),
  shiftMs: integer().default(0),
  onTold: func(),
  onEnd: func(),
  scheduler: having('now', 'schedule').default(eventLoopScheduler),
} satisfies OptionsOf<PlayDayConfig>;

/**
 * Tells a day to fake venues as time passes: what is due is published to all of them, each in its own protocol. The day is read as far
 * as it is told. Throws a `RangeError` that quotes an option that is wrong.
 *
 * @example
 * ```ts
 * import { playDay, simulatedDay, startFakeAlpaca } from 'sluice/testing';
 *
 * const venue = await startFakeAlpaca();
 * const play = playDay(simulatedDay({ from: '09:30', symbols: ['AAPL'] }), { venues: [{ venue }], speed: 60 });
 * console.log(venue.url, play.told);
 * play.stop();
 * await venue.close();
 * ```
 */
export function playDay(day: SimulatedDay, config: PlayDayConfig): DayPlay {
  const { venues, speed, shiftMs, onTold, onEnd, scheduler } = readOptions('playDay', config, OPTIONS);
  if (shiftMs % MINUTE_MS !== 0) throw new RangeError(`playDay: shiftMs must be a multiple of 60000, got ${shiftMs}`);
  const player = new DayPlayer(day, { startsAt: scheduler.now(), from: day.span.from, speed });
  const state = { told: 0, isOver: false };

  const tell = (events: readonly SimulatedEvent[]) => {
    const isNew = (event: SimulatedEvent) => !(event.what === 'trade' && event.corrects);
    const all = recordsOf(events, shiftMs);
    const uncorrected = events.every(isNew) ? all : recordsOf(events.filter(isNew), shiftMs);
    for (const { venue, spell, corrects = true } of venues) {
      const records = corrects ? all : uncorrected;
      const known = spell ? records.flatMap((record) => spelled(record, spell)) : records;
      if (known.length > 0) venue.publish(known);
    }
    state.told += events.length;
    onTold?.(events);
  };

  const timer = new Timer(scheduler, () => {
    const events = player.due(scheduler.now());
    if (events.length > 0) tell(events);
    next();
  });
  const next = () => {
    if (state.isOver) return;
    const { nextAt } = player;
    if (nextAt === Number.POSITIVE_INFINITY) {
      state.isOver = true;
      onEnd?.();
      return;
    }
    timer.set(Math.max(BATCH_MS, nextAt - scheduler.now()));
  };
  next();

  return {
    get told() {
      return state.told;
    },
    stop() {
      state.isOver = true;
      timer.cancel();
    },
  };
}

function recordsOf(events: readonly SimulatedEvent[], shiftMs: number): readonly Dated[] {
  return events.flatMap((event) => ('record' in event ? [shifted(event.record, shiftMs)] : []));
}

type Dated = Extract<MarketEvent, { readonly ts: number; readonly symbol: string }>;

function shifted(record: MarketEvent, shiftMs: number): Dated {
  const dated = record as Dated;
  // Whole microseconds, as before.
  return shiftMs === 0 ? dated : { ...dated, ts: Math.round((dated.ts + shiftMs) * 1_000) / 1_000 };
}

function spelled(record: Dated, spell: (symbol: string) => string | undefined): readonly Dated[] {
  const symbol = spell(record.symbol);
  if (symbol === undefined) return [];
  return [symbol === record.symbol ? record : { ...record, symbol }];
}
