import type { MarketEvent } from '../../market/recordKinds.js';
import { timeframeMs } from '../../primitives/timeframe.js';
import type { Series } from '../session.js';
import { receivedTimeOf } from './overlap.js';

/**
 * Up to when a series is known that was live at a time and said nothing since. Bars have the time of their beginning: the one of that
 * time was not over, and the one before may be corrected while it lasts, so both are still missing if the connection is lost.
 */
export function knownAt({ of, timeframe = '1m' }: Pick<Series, 'of' | 'timeframe'>, time: number): number {
  if (of !== 'bar') return time;
  const spanMs = timeframeMs(timeframe);
  return (Math.floor(time / spanMs) - 1) * spanMs;
}

/** Up to when a series is known by a record of it. One that says a time to come tells nothing of what is missing until then. */
export function knownByRecord(record: MarketEvent, now: number): number {
  const time = receivedTimeOf(record, now);
  if (record.kind !== 'bar' || record.isFinal !== false) return time;
  return knownAt({ of: 'bar', timeframe: record.timeframe }, time);
}
