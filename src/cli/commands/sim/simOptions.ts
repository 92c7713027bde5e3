import { isIP } from 'node:net';
import { InvalidArgumentError } from 'commander';
import type { VenueFaultsConfig } from '../../../testing/market/venueFaults.js';
import { names, positive, span } from '../../parsers.js';
import { SIM_VENUES, type SimVenueName } from './simVenues.js';

export function venueNames(text: string): readonly SimVenueName[] {
  const all = names(text);
  for (const name of all) {
    if (!(SIM_VENUES as readonly string[]).includes(name)) {
      throw new InvalidArgumentError(`There is no ${JSON.stringify(name)}, only ${SIM_VENUES.join(', ')}.`);
    }
  }
  return all as readonly SimVenueName[];
}

export type SimFaults = Omit<VenueFaultsConfig, 'venues' | 'startsAt' | 'seed'>;

const INTERVALS = { kick: 'kickEveryMs', mute: 'muteEveryMs', outage: 'outageEveryMs' } as const;

/** Parses faults such as `kick=30s,mute=2m,outage=1m,malformed=0.01`. */
export function faults(text: string): SimFaults {
  const found: Record<string, number> = {};
  for (const part of names(text)) {
    const [what = '', value = ''] = part.split('=');
    if (Object.hasOwn(INTERVALS, what)) {
      found[INTERVALS[what as keyof typeof INTERVALS]] = span(value);
    } else if (what === 'malformed') {
      const share = positive(value);
      if (share > 1) throw new InvalidArgumentError('The share of malformed messages must be at most 1.');
      found.malformed = share;
    } else {
      throw new InvalidArgumentError(
        `There is no fault ${JSON.stringify(what)}, only kick, mute, outage and malformed: kick=30s,malformed=0.01.`,
      );
    }
  }
  return found;
}

/** Parses a time of the day in New York. */
export function timeOfDay(text: string): string {
  if (!/^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$/.test(text)) {
    throw new InvalidArgumentError('It must be a time of the day in New York, such as 09:30.');
  }
  return text;
}

/** Parses an address to listen on. A name could stand for several. */
export function host(text: string): string {
  if (isIP(text) === 0)
    throw new InvalidArgumentError('It must be an IP address of this machine, such as 127.0.0.1 or 0.0.0.0.');
  return text;
}
