import type { SchedulerLike } from 'rxjs';
import { Timer } from '../../../primitives/timer.js';
import { type DayPlay, playDay } from '../../../testing/market/playDay.js';
import type { SimulatedDay } from '../../../testing/market/simulatedDay.js';
import { type VenueFault, VenueFaults, type VenueFaultsConfig } from '../../../testing/market/venueFaults.js';
import type { SimVenue } from './simVenues.js';

export interface MarketConfig {
  readonly day: SimulatedDay;
  readonly venues: readonly SimVenue[];
  readonly speed: number;
  readonly shiftMs: number;
  readonly faults: Omit<VenueFaultsConfig, 'venues' | 'startsAt'>;
  readonly scheduler: SchedulerLike;
  /** The day is over. */
  readonly onEnd: () => void;
}

export interface Market {
  /** Events of the day that were told. */
  readonly told: number;
  /** The time of the day, in Unix epoch milliseconds as the records have it; undefined before the first event. */
  readonly at: number | undefined;
  /** Faults until now. */
  readonly faults: number;
  stop(): void;
}

/** Tells the day to all venues, and breaks them as planned. */
export function runMarket(config: MarketConfig): Market {
  const { day, venues, speed, shiftMs, scheduler, onEnd } = config;
  const faults = new VenueFaults({ ...config.faults, venues: venues.length, startsAt: scheduler.now() });
  const state = { at: undefined as number | undefined, faults: 0 };

  const listeners = venues.map(({ venue, spell, corrects }) => ({
    spell,
    corrects,
    venue: {
      publish(records: Parameters<typeof venue.publish>[0]) {
        const at = faults.malformedAt(records.length);
        if (at === undefined) {
          venue.publish(records);
        } else {
          state.faults += 1;
          venue.publishMalformed(records, at);
        }
      },
    },
  }));
  const play: DayPlay = playDay(day, {
    venues: listeners,
    speed,
    shiftMs,
    scheduler,
    onEnd,
    onTold(events) {
      state.at = events.at(-1)!.at + shiftMs;
    },
  });

  const breaking = new Timer(scheduler, () => {
    for (const fault of faults.due(scheduler.now())) {
      state.faults += 1;
      breakVenue(venues, fault);
    }
    next();
  });
  const next = () => {
    if (faults.nextAt !== Number.POSITIVE_INFINITY) breaking.set(Math.max(0, faults.nextAt - scheduler.now()));
  };
  next();

  return {
    get told() {
      return play.told;
    },
    get at() {
      return state.at;
    },
    get faults() {
      return state.faults;
    },
    stop() {
      play.stop();
      breaking.cancel();
    },
  };
}

function breakVenue(venues: readonly SimVenue[], { what, venue: index }: VenueFault): void {
  const { venue } = venues[index]!;
  if (what === 'kick') venue.reset();
  else if (what === 'mute') venue.mute(true);
  else if (what === 'unmute') venue.mute(false);
  else if (what === 'restore') venue.refuse(false);
  else {
    venue.refuse(true);
    venue.reset();
  }
}
