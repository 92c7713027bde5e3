import { type SchedulerLike, VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { isPacerFullError } from './pacerFull.js';
import type { PacingProfile } from './pacingProfile.js';
import type { PacingPriority } from './pacingQueue.js';
import { LEASE_MS } from './pacingQueue.js';
import { type PacerTicket, SharedPacer, type SharedPacerConfig } from './sharedPacer.js';

/** A pacer on virtual time, and what passed when: `a@0`. */
function bench<T = string>(profile: PacingProfile<T> | undefined, config: SharedPacerConfig<T> = {}) {
  const scheduler = new VirtualTimeScheduler();
  const pacer = new SharedPacer<T>({ ...(profile && { profile }), scheduler, ...config });
  const log: string[] = [];
  const ask = (item: T, priority: PacingPriority = 'history', more: () => void = () => {}): PacerTicket => {
    const passed = () => {
      log.push(`${item}@${scheduler.now()}`);
      more();
    };
    const ticket = pacer.ask(item, { priority, pass: passed });
    if (ticket.hasPassed) passed();
    return ticket;
  };
  const at = (ms: number, work: () => void) => scheduler.schedule(work, ms);
  return { scheduler, pacer, log, ask, at, run: () => scheduler.flush() };
}

const ONE_IN_TEN: PacingProfile<string> = { windows: [{ limit: 1, perMs: 10 }] };
const BY_KEY: PacingProfile<string> = { windows: [{ limit: 1, perMs: 10, by: (item) => item[0]! }] };

describe('a shared pacer', () => {
  it('lets many who ask pass in the order in which they came, as soon as the window has room', () => {
    const { ask, log, run, pacer } = bench(ONE_IN_TEN);
    for (const item of ['a', 'b', 'c']) ask(item);
    expect(log).toEqual(['a@0']);
    expect(pacer.counts).toMatchObject({ waiting: { live: 0, history: 2 }, passed: { live: 0, history: 1 } });
    run();
    expect(log).toEqual(['a@0', 'b@10', 'c@20']);
    expect(pacer.counts).toMatchObject({ waiting: { live: 0, history: 0 }, waitedSeconds: 0.03 });
  });

  it('serves `live` before `history`, and after four of `live` one of `history`', () => {
    const { ask, log, run } = bench(ONE_IN_TEN);
    ask('first');
    for (const item of ['h1', 'h2']) ask(item);
    for (let n = 1; n <= 9; n += 1) ask(`l${n}`, 'live');
    run();
    const order = log.map((one) => one.split('@')[0]);
    expect(order).toEqual(['first', 'l1', 'l2', 'l3', 'l4', 'h1', 'l5', 'l6', 'l7', 'l8', 'h2', 'l9']);
  });

  it('does not let a keyed window that blocks one key hold up other keys; of one key the order is kept', () => {
    const { ask, log, run } = bench(BY_KEY);
    for (const item of ['a1', 'a2', 'b1', 'a3', 'c1']) ask(item);
    run();
    expect(log).toEqual(['a1@0', 'b1@0', 'c1@0', 'a2@10', 'a3@20']);
  });

  it('does not let light ones overtake a heavy one that waits for the window they share', () => {
    const { ask, log, run, at } = bench<number>({ windows: [{ limit: 3, perMs: 10, weight: (n) => n }] });
    ask(1);
    at(4, () => ask(1));
    at(5, () => ask(3));
    at(6, () => ask(1));
    at(7, () => ask(0));
    run();
    expect(log).toEqual(['1@0', '1@4', '0@7', '3@14', '1@24']);
  });

  it('lets pass what is counted in no window that others wait for', () => {
    const windows = [{ limit: 1, perMs: 100, weight: (item: string) => (item[0] === 'x' ? 0 : 1) }];
    const { ask, log, run } = bench<string>({ windows, maxOpen: 10 });
    for (const item of ['a', 'b', 'x', 'y']) ask(item);
    run();
    expect(log).toEqual(['a@0', 'x@0', 'b@100', 'y@200']);
  });

  it('has so many open at a time, each until it is given back, once', () => {
    const { ask, log, run, pacer, at } = bench<string>({ windows: [], maxOpen: 2, opens: (item) => item !== 'free' });
    const a = ask('a');
    ask('b');
    ask('c');
    ask('d');
    ask('free');
    expect(log).toEqual(['a@0', 'b@0', 'free@0']);
    expect(pacer.counts.open).toBe(2);
    at(7, () => {
      a.end();
      a.end();
    });
    run();
    expect(log).toEqual(['a@0', 'b@0', 'free@0', 'c@7']);
    expect(pacer.counts).toMatchObject({ open: 2, waiting: { history: 1 } });
  });

  it('waits for the longest cooldown, and goes on in order', () => {
    const { ask, log, run, pacer, at } = bench(ONE_IN_TEN);
    for (const item of ['a', 'b', 'c']) ask(item);
    at(3, () => pacer.coolDown(100));
    at(4, () => pacer.coolDown(20));
    at(5, () => ask('live', 'live'));
    run();
    expect(log).toEqual(['a@0', 'live@103', 'b@113', 'c@123']);
    expect(pacer.counts.cooldowns).toBe(1);
  });

  it('is not cooled down by the cooldown of another', () => {
    const { ask, log } = bench(ONE_IN_TEN);
    bench(ONE_IN_TEN).pacer.coolDown(1_000);
    ask('a');
    expect(log).toEqual(['a@0']);
  });

  it('counts what takes time to arrive as of its end, so that the vendor, who counts later, sees no window broken', () => {
    const { pacer, log, run, at, ask, scheduler } = bench<string>({ windows: [{ limit: 2, perMs: 10 }] });
    const [a, b] = ['a', 'b'].map((item) => pacer.ask(item, { countsFrom: 'end', pass: () => {} }));
    ask('c');
    ask('d');
    expect(scheduler.actions.filter(({ closed }) => !closed)).toEqual([]);
    at(3, () => b!.end());
    at(30, () => a!.end());
    run();
    expect(log).toEqual(['c@13', 'd@23']);
    expect(pacer.readyInMs(40)).toBe(0);
  });

  it('forgets no key of which something is under way', () => {
    const windows = [{ limit: 1, perMs: 10, by: (item: string) => item[0]!, maxKeys: 1 }];
    const { pacer, log, run, at, ask } = bench<string>({ windows });
    const a = pacer.ask('a', { countsFrom: 'end', pass: () => {} });
    ask('a2');
    ask('b');
    at(100, () => a.end());
    run();
    expect(log).toEqual(['a2@110', 'b@120']);
  });

  it('withdraws what is no longer wanted: the next has its place, and no timer is left', () => {
    const { ask, log, run, scheduler } = bench(ONE_IN_TEN);
    ask('a');
    const b = ask('b');
    ask('c');
    b.end();
    b.end();
    run();
    expect(log).toEqual(['a@0', 'c@10']);
    const d = ask('d');
    const e = ask('e');
    for (const ticket of [e, d]) ticket.end();
    expect(scheduler.actions.filter(({ closed }) => !closed)).toEqual([]);
  });

  it('passes over a request that is not ready at its turn, counts nothing for it, and takes the next', () => {
    const { pacer, ask, log, run, at } = bench(ONE_IN_TEN);
    ask('a');
    const ticket = pacer.ask('b', { ready: () => false, pass: () => log.push('b') });
    at(5, () => ask('c'));
    run();
    expect(log).toEqual(['a@0', 'c@10']);
    expect([ticket.hasPassed, ticket.isWaiting, pacer.counts.passed.history]).toEqual([false, false, 2]);
  });

  it('throws what `pass` throws on its own: the others go on', () => {
    const time = new VirtualTimeScheduler();
    const errors: unknown[] = [];
    // A virtual scheduler stops at an error; the real one goes on.
    const scheduler: SchedulerLike = {
      now: () => time.now(),
      schedule: (work, delay) =>
        time.schedule(() => {
          try {
            (work as () => void)();
          } catch (error) {
            errors.push(error);
          }
        }, delay),
    };
    const { ask, log } = bench(ONE_IN_TEN, { scheduler });
    ask('a');
    ask('b', 'history', () => {
      throw new Error('mine');
    });
    ask('c');
    time.flush();
    expect(log.map((one) => one[0])).toEqual(['a', 'b', 'c']);
    expect([errors, time.now()]).toEqual([[new Error('mine')], 20]);
  });

  it('tells who asks what a callback of the profile throws, and counts nothing', () => {
    const by = (item: string) => {
      if (item === 'bad') throw new Error('no key');
      return 1;
    };
    const { ask, log, pacer } = bench<string>({ windows: [{ limit: 1, perMs: 10, by }] });
    expect(() => ask('bad')).toThrow('no key');
    ask('a');
    expect([log, pacer.counts.waiting.history]).toEqual([['a@0'], 0]);
  });

  it('may be asked within `pass`: that is queued, without end', () => {
    const { ask, log, run, pacer } = bench<string>({ windows: [{ limit: 10_000, perMs: 10 }] });
    let count = 0;
    const again = (): void => {
      count += 1;
      if (count < 5_000) pacer.ask('x', { pass: again });
    };
    pacer.coolDown(1);
    pacer.ask('x', { pass: again });
    run();
    expect(count).toBe(5_000);
    ask('y');
    expect(log).toHaveLength(1);
  });

  it('refuses one more than may wait', () => {
    const { ask, pacer } = bench(ONE_IN_TEN, { maxWaiting: 2, name: 'toy' });
    for (const item of ['a', 'b', 'c']) ask(item);
    let error: unknown;
    try {
      ask('d');
    } catch (thrown) {
      error = thrown;
    }
    expect(isPacerFullError(error)).toBe(true);
    expect((error as Error).message).toMatch(/^toy: 2 requests are waiting/);
    expect(pacer.counts.waiting.history).toBe(2);
  });

  it('gives a promise of a turn, which its signal rejects', async () => {
    const { pacer, run, scheduler } = bench(ONE_IN_TEN);
    const first = await pacer.turn('a');
    expect(first.hasPassed).toBe(true);
    const abort = new AbortController();
    const second = pacer.turn('b', { signal: abort.signal });
    const third = pacer.turn('c');
    abort.abort(new Error('enough'));
    await expect(second).rejects.toThrow('enough');
    await expect(pacer.turn('d', { signal: abort.signal })).rejects.toThrow('enough');
    run();
    expect((await third).hasPassed).toBe(true);
    expect(scheduler.now()).toBe(10);
  });

  it('says when an item could pass', () => {
    const { pacer, ask } = bench(ONE_IN_TEN);
    expect(pacer.readyInMs(0)).toBe(0);
    ask('a');
    expect(pacer.readyInMs(3)).toBe(7);
    pacer.coolDown(50);
    expect(pacer.readyInMs(3)).toBe(47);
  });

  it.each([
    [{ maxWaiting: 0 }, 'SharedPacer: maxWaiting must be an integer of at least 1, got 0'],
    [{ profile: { windows: [] } }, 'SharedPacer: profile: windows must be an array that is not empty'],
    [{ profile: { windows: [], maxOpen: 0 } }, 'maxOpen must be an integer of at least 1, got 0'],
  ])('refuses %j', (config, message) => {
    expect(() => new SharedPacer(config)).toThrow(message);
  });
});

describe('a polled request', () => {
  it('passes when it is asked for, in its place', () => {
    const { pacer, ask, log, run, at, scheduler } = bench(ONE_IN_TEN);
    ask('a');
    ask('h');
    const polled = pacer.poll('p', 'live', 0);
    expect(polled.waitMs).toBe(10);
    const again = pacer.poll('p', 'live', 4, polled.ticket);
    expect([again.waitMs, again.ticket]).toEqual([6, polled.ticket]);
    at(12, () => {
      expect(pacer.poll('p', 'live', scheduler.now(), polled.ticket).waitMs).toBe(0);
      log.push(`p@${scheduler.now()}`);
    });
    run();
    expect(log).toEqual(['a@0', 'p@12', 'h@22']);
  });

  it('loses its place when nobody asks for it for a second', () => {
    const { pacer, ask, log, run } = bench(ONE_IN_TEN);
    ask('a');
    const { ticket } = pacer.poll('p', 'live', 0);
    ask('h');
    run();
    expect(log).toEqual(['a@0', `h@${10 + LEASE_MS}`]);
    expect(ticket.isWaiting).toBe(false);
    expect(pacer.poll('p', 'live', 10 + LEASE_MS, ticket).waitMs).toBe(10);
  });

  it('goes at once when the one ahead withdraws, and is never told to wait for ever', () => {
    const windows = [{ limit: 2, perMs: 600_000, weight: (item: string) => (item === 'heavy' ? 2 : 1) }];
    const { pacer, ask } = bench<string>({ windows, maxOpen: 1 });
    ask('a');
    const heavy = ask('heavy', 'live');
    const polled = pacer.poll('p', 'live', 0);
    expect(polled.waitMs).toBe(500);
    heavy.end();
    expect(pacer.poll('p', 'live', 500, polled.ticket).waitMs).toBe(500);
  });

  it('may use a window while the one ahead waits for something to be given back', () => {
    const { pacer, ask, log, run, at, scheduler } = bench<string>({
      ...{ windows: [{ limit: 1, perMs: 10 }], maxOpen: 1, opens: (item) => item[0] === 'h' },
    });
    ask('h1');
    ask('h2');
    const polled = pacer.poll('p', 'history', 0);
    at(10, () => {
      expect(pacer.poll('p', 'history', scheduler.now(), polled.ticket).waitMs).toBe(0);
      log.push(`p@${scheduler.now()}`);
    });
    run();
    expect(log).toEqual(['h1@0', 'p@10']);
  });

  it('that is asked for within a callback is told to come again', () => {
    const { pacer, ask, run } = bench(ONE_IN_TEN);
    const waits: number[] = [];
    ask('a');
    ask('b', 'history', () => waits.push(pacer.poll('p', 'live', 10).waitMs));
    run();
    expect(waits).toEqual([1]);
  });

  it('is withdrawn when it is ended, and leaves no timer', () => {
    const { pacer, ask, log, run } = bench(ONE_IN_TEN);
    ask('a');
    pacer.poll('p', 'live', 0).ticket.end();
    ask('h');
    run();
    expect(log).toEqual(['a@0', 'h@10']);
  });
});
