/** Decisions as plain state machines, without RxJS: what failures mean, when to retry, when to stop calling. */
export {
  type Classify,
  classify,
  classifyFailure,
  type FailureClass,
  type FailureTable,
  type FailureTraits,
  failureType,
  type RejectedItem,
} from '../failures/classifyFailure.js';
export type { FailureLink } from '../failures/walkFailure.js';
export { Backoff, type BackoffConfig, type Jitter } from './backoff.js';
export { alwaysOpen } from './calendars/alwaysOpen.js';
export { CALENDAR_NAMES, type CalendarName, calendarOf } from './calendars/calendarOf.js';
export { type ExpectedBars, expectedBars } from './calendars/expectedBars.js';
export { type FxWeekConfig, fxWeek } from './calendars/fxWeek.js';
export { type OpenSpan, openSpans } from './calendars/openSpans.js';
export type { CalendarChanges } from './calendars/ruleCalendar.js';
export { type UsEquitiesConfig, usEquities } from './calendars/usEquities.js';
export { type UsFuturesConfig, usFutures } from './calendars/usFutures.js';
export { type BreakerState, CircuitBreaker, type CircuitBreakerConfig, type Permit } from './circuitBreaker.js';
export { type MarketCalendar, type MarketSessionsConfig, marketSessions } from './marketCalendar.js';
export { isPacerFullError, PacerFullError } from './pacerFull.js';
export type { PacingProfile, PacingWindow } from './pacingProfile.js';
export type { PacingPriority } from './pacingQueue.js';
export {
  type PacerAsk,
  type PacerCounts,
  type PacerTicket,
  SharedPacer,
  type SharedPacerConfig,
} from './sharedPacer.js';
export { isTableRefusedError, TableRefusedError } from './tableRefusals.js';
