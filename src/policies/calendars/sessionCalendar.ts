import { DAY_MS } from '../../primitives/calendarDate.js';
import type { TimeZone } from '../../primitives/timeZone.js';

export const MINUTE_MS = 60_000;
export const MINUTES_PER_DAY = 24 * 60;

/** How many days are cached, because computing a session asks `Intl` for the offsets around it. */
const MAX_CACHED = 64;

/** After its last special day a calendar has a session within so many days, or none at all: a week, and a holiday on either side. */
const LOOK_AHEAD_DAYS = 12;

/** When the session of a day opens and closes, in minutes after midnight of that day: at most a day before it to a day after it. */
export interface SessionHours {
  readonly opens: number;
  readonly closes: number;
}

export interface SessionPlan {
  readonly zone: Pick<TimeZone, 'dayOf' | 'instantOf'>;
  /** The hours of the session that belongs to a day, which is counted from 1970-01-01; `undefined` for none. */
  readonly hoursOn: (day: number) => SessionHours | undefined;
  /** The last day on which the plan departs from its rules; `-Infinity` for none. */
  readonly lastSpecialDay: number;
}

interface Session {
  readonly opensAt: number;
  readonly closesAt: number;
}

/**
 * A calendar of sessions, of which each belongs to a day. Sessions that touch are one. What was asked last is cached until the market
 * changes, so that a clock that moves on costs two comparisons per question.
 */
export class SessionCalendar {
  readonly #plan: SessionPlan;
  readonly #cached = new Map<number, Session | undefined>();
  /** The span that the last answers are about. */
  #from = Number.NaN;
  #until = Number.NaN;
  #isOpenNow = false;

  constructor(plan: SessionPlan) {
    this.#plan = plan;
  }

  // Properties, so that a copy of a calendar by its fields is one too.
  readonly isOpen = (at: number): boolean => {
    this.#moveTo(at);
    return this.#isOpenNow;
  };

  readonly nextChange = (at: number): number => {
    this.#moveTo(at);
    return this.#until;
  };

  /** Whether a session belongs to a day, which is counted from 1970-01-01. */
  readonly hasSessionOn = (day: number): boolean => this.#sessionOf(day) !== undefined;

  #moveTo(at: number): void {
    if (at >= this.#from && at < this.#until) return;
    // Throws a RangeError for a time that is none.
    const today = this.#plan.zone.dayOf(at);
    let current: Session | undefined;
    for (let day = today - 1; day <= today + 1 && !current; day++) {
      const session = this.#sessionOf(day);
      if (session && session.opensAt <= at && at < session.closesAt) current = session;
    }
    this.#until = this.#changeAfter(at, today, current);
    this.#from = current?.opensAt ?? at;
    this.#isOpenNow = current !== undefined;
  }

  #changeAfter(at: number, today: number, current: Session | undefined): number {
    const last = Math.max(today, this.#plan.lastSpecialDay) + LOOK_AHEAD_DAYS;
    let closesAt = current?.closesAt;
    for (let day = today; day <= last; day++) {
      const session = this.#sessionOf(day);
      if (!session || session.closesAt <= (closesAt ?? at)) continue;
      if (closesAt === undefined) return session.opensAt;
      if (session.opensAt > closesAt) return closesAt;
      closesAt = session.closesAt;
    }
    // Either the last of all sessions ends, or each touches the next one.
    return closesAt !== undefined && closesAt < (last - 1) * DAY_MS ? closesAt : Number.POSITIVE_INFINITY;
  }

  #sessionOf(day: number): Session | undefined {
    if (this.#cached.has(day)) return this.#cached.get(day);
    const { zone, hoursOn } = this.#plan;
    const hours = hoursOn(day);
    let session: Session | undefined;
    if (hours) {
      const opensAt = zone.instantOf(day * DAY_MS + hours.opens * MINUTE_MS);
      const closesAt = zone.instantOf(day * DAY_MS + hours.closes * MINUTE_MS);
      // Clocks that are set forward may skip all of a session.
      if (closesAt > opensAt) session = { opensAt, closesAt };
    }
    if (this.#cached.size >= MAX_CACHED) this.#cached.clear();
    this.#cached.set(day, session);
    return session;
  }
}
