import { describe, expect, it } from 'vitest';
import { Drain, type DrainPhase, type DrainStep, type DrainTiming } from './drain.js';

type Event = 'request' | 'fail' | 'elapsed' | 'end';

/** Plays events at their times, and says what each has changed. */
function play(timing: DrainTiming, events: readonly (readonly [atMs: number, event: Event])[]) {
  const drain = new Drain(timing);
  const error = new Error('table missing');
  const steps = events.map(([at, event]): DrainStep => {
    if (event === 'request') return drain.request(at);
    if (event === 'fail') return drain.fail(error, at);
    return event === 'elapsed' ? drain.elapsed() : drain.end();
  });
  return { drain, error, steps };
}

const entered = (phases: readonly DrainPhase[], timerMs?: number): DrainStep =>
  timerMs === undefined ? { entered: phases } : { entered: phases, timerMs };
const nothing = entered([]);

describe('a drain', () => {
  it.each<[string, DrainTiming, [number, Event][], DrainStep[]]>([
    [
      'leaves its last second to the dead letters',
      { timeoutMs: 10_000 },
      [
        [5, 'request'],
        [9_005, 'elapsed'],
        [10_005, 'elapsed'],
      ],
      [entered(['draining'], 9_000), entered(['expired'], 1_000), entered(['ended'])],
    ],
    [
      'leaves them half of a time that is shorter than two seconds',
      { timeoutMs: 300 },
      [
        [0, 'request'],
        [150, 'elapsed'],
      ],
      [entered(['draining'], 150), entered(['expired'], 150)],
    ],
    [
      'expires at the configured time',
      { timeoutMs: 10_000, expireAfterMs: 4_000 },
      [
        [0, 'request'],
        [4_000, 'elapsed'],
      ],
      [entered(['draining'], 4_000), entered(['expired'], 6_000)],
    ],
    [
      'expires as it begins, where no time is left for writing',
      { timeoutMs: 10_000, expireAfterMs: 0 },
      [
        [0, 'fail'],
        [10_000, 'elapsed'],
      ],
      [entered(['draining', 'expired'], 10_000), entered(['ended'])],
    ],
    [
      'has no deadline of its own where another keeps it',
      { timeoutMs: Number.POSITIVE_INFINITY, expireAfterMs: Number.POSITIVE_INFINITY },
      [[0, 'fail']],
      [entered(['draining'], Number.POSITIVE_INFINITY)],
    ],
    [
      'expires at a second request, which leaves the dead letters a second, and ends at a third',
      { timeoutMs: 10_000 },
      [
        [0, 'request'],
        [500, 'request'],
        [1_000, 'request'],
        [1_500, 'request'],
      ],
      [entered(['draining'], 9_000), entered(['expired'], 1_000), entered(['ended']), nothing],
    ],
    [
      'takes requests that arrive together for one, whichever of them it is',
      { timeoutMs: 10_000 },
      [
        [0, 'request'],
        [1, 'request'],
        [499, 'request'],
        [600, 'request'],
        [1_099, 'request'],
        [1_100, 'request'],
      ],
      [entered(['draining'], 9_000), nothing, nothing, entered(['expired'], 1_000), nothing, entered(['ended'])],
    ],
    [
      'is never prolonged by a second request',
      { timeoutMs: 1_600 },
      [
        [0, 'request'],
        [700, 'request'],
        [1_600, 'elapsed'],
      ],
      [entered(['draining'], 800), entered(['expired'], 900), entered(['ended'])],
    ],
    [
      'that has expired is only shortened, and does not expire again',
      { timeoutMs: 10_000, expireAfterMs: 0 },
      [
        [0, 'request'],
        [600, 'request'],
        [1_600, 'elapsed'],
      ],
      [entered(['draining', 'expired'], 10_000), entered([], 1_000), entered(['ended'])],
    ],
    [
      'that has expired, and has no more than its last second left, is as short as it can be',
      { timeoutMs: 1_000 },
      [
        [0, 'request'],
        [500, 'elapsed'],
        [600, 'request'],
      ],
      [entered(['draining'], 500), entered(['expired'], 500), nothing],
    ],
    [
      'that has expired, and has its last second left, is as short as it can be',
      { timeoutMs: 2_000 },
      [
        [0, 'request'],
        [1_000, 'elapsed'],
        [1_000, 'request'],
      ],
      [entered(['draining'], 1_000), entered(['expired'], 1_000), nothing],
    ],
    [
      'expires at once where a second request comes late, and leaves no time that is over',
      { timeoutMs: 2_000 },
      [
        [0, 'request'],
        [2_500, 'request'],
      ],
      [entered(['draining'], 1_000), entered(['expired'], 0)],
    ],
    [
      'goes on as it is when a failure comes in the middle of it',
      { timeoutMs: 10_000 },
      [
        [0, 'request'],
        [10, 'fail'],
      ],
      [entered(['draining'], 9_000), nothing],
    ],
    [
      'begins at the first of two failures',
      { timeoutMs: 10_000 },
      [
        [0, 'fail'],
        [10, 'fail'],
      ],
      [entered(['draining'], 9_000), nothing],
    ],
    [
      'that a failure began is not shortened by the first request',
      { timeoutMs: 10_000 },
      [
        [0, 'fail'],
        [10, 'request'],
        [510, 'request'],
      ],
      [entered(['draining'], 9_000), nothing, entered(['expired'], 1_000)],
    ],
    [
      'that is over stays over',
      { timeoutMs: 10_000 },
      [
        [0, 'end'],
        [1, 'end'],
        [2, 'request'],
        [3, 'fail'],
        [4, 'elapsed'],
      ],
      [entered(['ended']), nothing, nothing, nothing, nothing],
    ],
    ['that has not begun has no timer to fire', { timeoutMs: 10_000 }, [[0, 'elapsed']], [nothing]],
  ])('%s', (_, timing, events, expected) => {
    expect(play(timing, events).steps).toEqual(expected);
  });

  it('says what a request would do before it is made', () => {
    const drain = new Drain({ timeoutMs: 10_000 });
    const effects = [0, 499, 500, 999, 1_000].map((now) => {
      const effect = drain.effectOf(now);
      drain.request(now);
      return effect;
    });
    expect(effects).toEqual(['drain', 'none', 'hurry', 'none', 'end']);
    expect(drain.effectOf(5_000)).toBe('none');
  });

  it('keeps the first failure', () => {
    const { drain, error } = play({ timeoutMs: 1_000 }, [
      [0, 'request'],
      [1, 'fail'],
    ]);
    drain.fail(new Error('and another'), 2);
    expect(drain.failure?.error).toBe(error);
    const other = play({ timeoutMs: 1_000 }, [
      [0, 'end'],
      [1, 'fail'],
    ]).drain;
    expect(other.failure).toBeUndefined();
  });

  it('is requested by a request rather than by a failure', () => {
    expect(play({ timeoutMs: 1_000 }, [[0, 'fail']]).drain).toMatchObject({ isRequested: false, phase: 'draining' });
    expect(play({ timeoutMs: 1_000 }, [[0, 'request']]).drain).toMatchObject({ isRequested: true, phase: 'draining' });
    expect(new Drain({ timeoutMs: 1_000 })).toMatchObject({ isRequested: false, phase: 'running' });
  });
});
