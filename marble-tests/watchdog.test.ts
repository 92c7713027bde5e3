import { describe, expect, it } from 'vitest';
import { withContext } from '../src/flow/withContext.js';
import { StaleStreamError } from '../src/operators/errors/staleStreamError.js';
import { retryWithJitter } from '../src/operators/retryWithJitter.js';
import { watchdog } from '../src/operators/watchdog.js';
import { marketSessions } from '../src/policies/marketCalendar.js';
import { marbles, withGate } from '../src/testing/index.js';

const stale = new StaleStreamError('watchdog', 5);

describe('watchdog', () => {
  it(
    'fails when its source has been silent for as long as it may be, from the start or after an item',
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      const mute = hot('   ----------------');
      const dying = hot('  -a--b---------c-');
      const expected = '   -a--b----#      ';
      const subscribed = ' ^--------!      ';
      expectObservable(mute.pipe(watchdog({ staleAfterMs: 5 }))).toBe('-----#', undefined, stale);
      expectObservable(dying.pipe(watchdog({ staleAfterMs: 5 }))).toBe(expected, undefined, stale);
      expectSubscriptions(dying.subscriptions).toBe(subscribed);
    }),
  );

  it(
    'is content with a source that emits in time, however long',
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      const source = hot('  -a---b--cd----e----f|');
      const expected = '    -a---b--cd----e----f|';
      expectObservable(source.pipe(watchdog({ staleAfterMs: 5 }))).toBe(expected);
      const failing = hot(' -a--#');
      expectObservable(failing.pipe(watchdog({ staleAfterMs: 5 }))).toBe('-a--#');
      expectSubscriptions(source.subscriptions).toBe('^-------------------!');
      expectSubscriptions(failing.subscriptions).toBe('^---!');
    }),
  );

  it(
    'does not count the time for which the gate downstream is closed, and gives the whole time again after it',
    marbles(({ gated, gate, expectObservable, expectSubscriptions }) => {
      const source = gated('   ab----------c--');
      const downstream = gate('o--c--------o   ');
      const expected = '       ab---------------#';
      expectObservable(source.pipe(watchdog({ staleAfterMs: 5 }), withGate(downstream))).toBe(
        expected,
        undefined,
        stale,
      );
      expectSubscriptions(source.subscriptions).toBe('^----------------!');
    }),
  );

  it(
    'gives the whole time again after a gate that was closed for an instant',
    marbles(({ hot, gate, expectObservable, expectSubscriptions }) => {
      const source = hot('         a-----------------');
      const downstream = gate('    o--(co)-----      ');
      const closedAtStart = gate(' c---o             ');
      const expected = '           a-------#         ';
      const expectedAtStart = '    a--------#        ';
      const operator = watchdog<string>({ staleAfterMs: 5 });
      expectObservable(source.pipe(operator, withGate(downstream))).toBe(expected, undefined, stale);
      expectObservable(source.pipe(operator, withGate(closedAtStart))).toBe(expectedAtStart, undefined, stale);
      expectSubscriptions(source.subscriptions).toBe(['^-------!', '^--------!']);
    }),
  );

  it(
    'does not count the night, and gives the whole time again when the market opens',
    marbles(({ cold, expectObservable }) => {
      // The clock begins on Thursday, the 1st of January 1970, in UTC: New York opens after 52,200 seconds, for 6.5 hours,
      // and again after 138,600. Four hours of silence are 14,400 seconds.
      const calendar = marketSessions({ timeZone: 'America/New_York', open: '09:30', close: '16:00' });
      const operator = watchdog<string>({ staleAfterMs: 14_400_000, calendar });
      const staleForHours = new StaleStreamError('watchdog', 14_400_000);
      const mute = cold('          -');
      const muteExpected = '       66600s #';
      const atNight = cold('       5s n');
      const atNightExpected = '    5s n 66594999ms #';
      const deadByDay = cold('     55800s a');
      const deadByDayExpected = '  55800s a 14399999ms #';
      // Half an hour short of four hours at the close.
      const overnight = cold('     63000s a');
      const overnightExpected = '  63000s a 89999999ms #';
      const alive = cold('         63000s a 80000s b|');
      expectObservable(mute.pipe(operator)).toBe(muteExpected, undefined, staleForHours);
      expectObservable(atNight.pipe(operator)).toBe(atNightExpected, undefined, staleForHours);
      expectObservable(deadByDay.pipe(operator)).toBe(deadByDayExpected, undefined, staleForHours);
      expectObservable(overnight.pipe(operator)).toBe(overnightExpected, undefined, staleForHours);
      expectObservable(alive.pipe(operator)).toBe('63000s a 80000s b|');
    }),
  );

  it(
    'counts anew after a close that was over before it looked',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      // It looks every 50 frames, and the market is closed from 1,010 to 1,020.
      const calendar = {
        isOpen: (at: number) => at < 1_010 || at >= 1_020,
        nextChange: (at: number) => (at < 1_010 ? 1_010 : at < 1_020 ? 1_020 : Number.POSITIVE_INFINITY),
      };
      const operator = watchdog<string>({ staleAfterMs: 1_000, calendar });
      const source = cold('  100ms a');
      const subscribed = '   ^ 2049ms !';
      const expected = '     100ms a 1949ms #';
      expectObservable(source.pipe(operator)).toBe(expected, undefined, new StaleStreamError('watchdog', 1_000));
      expectSubscriptions(source.subscriptions).toBe(subscribed);
    }),
  );

  it(
    'does not look any more when the market never opens again',
    marbles(({ cold, scheduler, expectObservable, flush }) => {
      const calendar = { isOpen: (at: number) => at < 3, nextChange: (at: number) => (at < 3 ? 3 : Infinity) };
      const source = cold('  a--------b');
      expectObservable(source.pipe(watchdog({ staleAfterMs: 5, calendar }))).toBe('a--------b');
      flush();
      expect(scheduler.actions).toHaveLength(0);
    }),
  );

  it(
    'has a retry below it connect again',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      // An item in the very millisecond of a look is seen at the next.
      const source = cold('   -a-----------');
      const attempts = ['     ^------!         ', '---------^------!'];
      const expected = '      -a--------a-----#';
      const retry = retryWithJitter<string>({ maxAttempts: 2, jitter: 'none', initialMs: 2, maxMs: 2 });
      expectObservable(source.pipe(watchdog({ staleAfterMs: 5 }), retry)).toBe(expected, undefined, stale);
      expectSubscriptions(source.subscriptions).toBe(attempts);
    }),
  );

  it(
    'does not look any more once it is asked to drain',
    marbles(({ hot, stopping, expectObservable, expectSubscriptions }) => {
      const source = hot('    -a------------b|');
      const drain = stopping('---s            ');
      const expected = '      -a------------b|';
      const operator = watchdog<string>({ staleAfterMs: 5 });
      expectObservable(source.pipe(operator, withContext({ stopping: drain }))).toBe(expected);
      expectObservable(source.pipe(operator, withContext({ stopping: drain })), '----^').toBe('--------------b|');
      expectSubscriptions(source.subscriptions).toBe(['^--------------!', '----^----------!']);
    }),
  );

  it(
    'stops looking when it is unsubscribed',
    marbles(({ hot, expectObservable, expectSubscriptions, scheduler, flush }) => {
      const source = hot('   -a-----------');
      const unsubscribe = '  ---!         ';
      expectObservable(source.pipe(watchdog({ staleAfterMs: 5 })), unsubscribe).toBe('-a');
      expectSubscriptions(source.subscriptions).toBe('^--!');
      flush();
      expect(scheduler.actions).toHaveLength(0);
    }),
  );

  it('is never early, and late by a tenth or 2 ms at most, whenever the last item came', () => {
    for (const staleAfterMs of [1, 2, 7, 19, 20, 39, 40, 41, 100, 119, 997, 1_000]) {
      for (let phase = 0; phase < Math.min(staleAfterMs, 60); phase++) {
        let failedAt = Number.NaN;
        marbles(({ cold, scheduler, flush }) => {
          const source = phase === 0 ? cold('a') : cold(`${phase}ms a`);
          source.pipe(watchdog({ staleAfterMs })).subscribe({
            error() {
              failedAt = scheduler.now();
            },
          });
          flush();
        })();
        const silence = failedAt - phase;
        expect(silence).toBeGreaterThanOrEqual(staleAfterMs);
        expect(silence - staleAfterMs).toBeLessThanOrEqual(Math.max(2, staleAfterMs / 10));
      }
    }
  });
});
