import { nearestName } from '../../primitives/nearestName.js';
import type { MarketCalendar } from '../marketCalendar.js';
import { alwaysOpen } from './alwaysOpen.js';
import { fxWeek } from './fxWeek.js';
import { usEquities } from './usEquities.js';
import { usFutures } from './usFutures.js';

const CALENDARS = {
  'us-equities': () => usEquities(),
  'us-equities-extended': () => usEquities({ hours: 'extended' }),
  'us-futures': () => usFutures(),
  'fx-week': () => fxWeek(),
  'always-open': () => alwaysOpen(),
} satisfies Readonly<Record<string, () => MarketCalendar>>;

/** The name of a calendar that {@link calendarOf} knows. */
export type CalendarName = keyof typeof CALENDARS;

/** What {@link calendarOf} knows. */
export const CALENDAR_NAMES = Object.keys(CALENDARS) as readonly CalendarName[];

const MAX_QUOTED = 60;

/**
 * The calendar of a name, as a setting or an option of a command has it: `us-equities`, `us-equities-extended`, `us-futures`, `fx-week` or
 * `always-open`. Throws a `RangeError` that names them all for any other.
 *
 * @example
 * ```ts
 * import { calendarOf } from 'sluice/policies';
 *
 * const isOpen = calendarOf('us-equities').isOpen(Date.now());
 * ```
 */
export function calendarOf(name: string): MarketCalendar {
  const known = CALENDAR_NAMES.find((one) => one === name);
  if (known !== undefined) return CALENDARS[known]();
  const asked = String(name).slice(0, MAX_QUOTED);
  const near = nearestName(asked, CALENDAR_NAMES);
  const remedy = near === undefined ? '' : `did you mean ${near}? `;
  throw new RangeError(
    `there is no calendar ${JSON.stringify(asked)} (${remedy}expected one of: ${CALENDAR_NAMES.join(', ')})`,
  );
}
