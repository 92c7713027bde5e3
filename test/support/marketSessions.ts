import type { MarketCalendar } from '../../src/policies/marketCalendar.js';

/** `2026-11-27 09:30–13:00`, each a session that opened in the span, on the clocks of a zone. */
export function sessionsOf(calendar: MarketCalendar, timeZone: string, from: string, to: string): string[] {
  const clock = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'short' });
  const sessions: string[] = [];
  const end = Date.parse(to);
  let now = Date.parse(from);
  if (calendar.isOpen(now)) now = calendar.nextChange(now);
  for (now = calendar.nextChange(now); now < end; now = calendar.nextChange(now)) {
    const opened = clock.format(now);
    now = calendar.nextChange(now);
    const closed = clock.format(now);
    const isSameDay = closed.slice(0, 10) === opened.slice(0, 10);
    sessions.push(`${opened}–${isSameDay ? closed.slice(11) : closed}`);
  }
  return sessions;
}
