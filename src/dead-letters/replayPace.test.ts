import { VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { ReplayPace } from './replayPace.js';

const DAY_MS = 86_400_000;

describe('ReplayPace', () => {
  it.each([
    ['an item', 40],
    ['longer than a timer can wait', 90 * DAY_MS],
  ])('is due after %s, once, and leaves no timer', (_, ms) => {
    const scheduler = new VirtualTimeScheduler();
    const pace = new ReplayPace(0, scheduler);
    pace.hold(ms);
    const due: number[] = [];
    const subscription = pace.due$.subscribe(() => due.push(scheduler.now()));
    scheduler.flush();
    expect(due).toEqual([ms]);
    expect(pace.waitMs).toBe(0);
    subscription.unsubscribe();
    pace.hold(ms);
    pace.due$.subscribe().unsubscribe();
    expect(scheduler.actions.filter(({ closed }) => !closed)).toEqual([]);
  });
});
