import { setImmediate } from 'node:timers/promises';
import { VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { type OpenGapsConfig, openGaps } from './openGaps.js';

/** A pool whose answers the test gives. */
function asked(config: OpenGapsConfig = {}) {
  const scheduler = new VirtualTimeScheduler(undefined, Number.POSITIVE_INFINITY);
  const answers: { resolve: (rows: object[]) => void; reject: (error: Error) => void }[] = [];
  const told: string[] = [];
  let lent = 0;
  const pool = {
    on() {},
    options: {},
    connect: async () => {
      lent += 1;
      return {
        on() {},
        removeListener() {},
        query: () =>
          new Promise((resolve, reject) => {
            answers.push({ resolve: (rows) => resolve({ rows }), reject });
          }),
        release() {
          lent -= 1;
        },
      };
    },
  };
  const gaps = openGaps(pool as never, {
    scheduler,
    everyMs: 1_000,
    onError: ({ message }) => void told.push(message),
    ...config,
  });
  return {
    gaps,
    answers,
    told,
    scheduler,
    lent: () => lent,
    async pass(ms: number) {
      await setImmediate();
      scheduler.maxFrames = scheduler.frame + ms;
      scheduler.schedule(() => {}, ms);
      scheduler.flush();
      await setImmediate();
    },
  };
}

const row = (cause: string, open: number, at: number) => ({ cause, open: String(open), micros: String(at * 1_000) });

describe('openGaps', () => {
  it('knows nothing before it begins, and asks a second time only when it was answered', async () => {
    const { gaps, answers, pass, lent } = asked();
    await pass(5_000);
    expect([answers.length, gaps.open, gaps.byCause]).toEqual([0, undefined, undefined]);
    gaps.begin();
    await pass(60_000);
    expect([answers.length, lent(), gaps.open]).toEqual([1, 1, undefined]);
    answers[0]!.resolve([row('reconnect', 2, 10), row('stale', 1, 20.5)]);
    await pass(999);
    expect([answers.length, lent(), gaps.open]).toEqual([1, 0, 3]);
    expect(gaps.byCause).toEqual([
      { cause: 'reconnect', open: 2, oldest: 10 },
      { cause: 'stale', open: 1, oldest: 20.5 },
    ]);
    await pass(1);
    expect(answers).toHaveLength(2);
    answers[1]!.resolve([]);
    await pass(0);
    expect([gaps.open, gaps.byCause]).toEqual([0, []]);
    gaps.end();
  });

  it('is unknown after a failure, says why once, and asks on', async () => {
    const { gaps, answers, told, pass, lent } = asked();
    gaps.begin();
    await pass(0);
    answers[0]!.resolve([row('stale', 1, 10)]);
    for (const reason of ['gone', 'gone', 'away']) {
      await pass(1_000);
      expect(gaps.open).toBe(answers.length === 2 ? 1 : undefined);
      answers.at(-1)!.reject(new Error(reason));
      await pass(0);
      expect([gaps.open, gaps.byCause, lent()]).toEqual([undefined, undefined, 0]);
    }
    expect(told).toEqual([
      expect.stringMatching(/^cannot read "gaps": .*gone.*it is asked again/),
      expect.stringMatching(/away/),
    ]);
    await pass(1_000);
    answers.at(-1)!.resolve([]);
    await pass(1_000);
    expect(gaps.open).toBe(0);
    answers.at(-1)!.reject(new Error('away'));
    await pass(0);
    expect(told).toHaveLength(3);
    gaps.end();
  });

  it('does not mind a log that throws, or a table that is not there yet', async () => {
    const onError = () => {
      throw new Error('no log');
    };
    const { gaps, answers, pass, told } = asked({ onError });
    gaps.begin();
    await pass(0);
    answers[0]!.reject(new Error('gone'));
    await pass(1_000);
    expect(answers).toHaveLength(2);
    gaps.end();
    const fresh = asked();
    fresh.gaps.begin();
    await fresh.pass(0);
    fresh.answers[0]!.reject(Object.assign(new Error('relation "gaps" does not exist'), { code: '42P01' }));
    await fresh.pass(1_000);
    expect([fresh.gaps.open, fresh.told, told, fresh.answers.length]).toEqual([undefined, [], [], 2]);
    fresh.gaps.end();
  });

  it('gives up an answer that is late, and returns the connection', async () => {
    const { gaps, told, pass } = asked({ timeoutMs: 5 });
    gaps.begin();
    await new Promise((resolve) => setTimeout(resolve, 50));
    await pass(0);
    expect([gaps.open, told.length]).toEqual([undefined, 1]);
    gaps.end();
  });

  it('asks no more once it has ended, and may begin again', async () => {
    const { gaps, answers, pass, scheduler } = asked();
    gaps.begin();
    await pass(0);
    gaps.end();
    answers[0]!.resolve([row('stale', 1, 10)]);
    await pass(10_000);
    expect([answers.length, scheduler.actions.length, gaps.open]).toEqual([1, 0, undefined]);
    gaps.begin();
    await pass(0);
    answers[1]!.resolve([row('stale', 1, 10)]);
    await pass(0);
    gaps.end();
    await pass(10_000);
    expect([answers.length, scheduler.actions.length, gaps.open]).toEqual([2, 0, undefined]);
  });

  it('asks on for a second pipeline when the first is over', async () => {
    const { gaps, answers, pass, scheduler } = asked();
    gaps.begin();
    gaps.begin();
    await pass(0);
    expect(answers).toHaveLength(1);
    answers[0]!.resolve([row('stale', 1, 10)]);
    await pass(0);
    gaps.end();
    expect(gaps.open).toBe(1);
    await pass(1_000);
    expect(answers).toHaveLength(2);
    gaps.end();
    gaps.end();
    await pass(10_000);
    expect([answers.length, scheduler.actions.length, gaps.open]).toEqual([2, 0, undefined]);
    gaps.begin();
    await pass(0);
    expect(answers).toHaveLength(3);
    gaps.end();
  });

  it.each([
    [{ everyMs: 99 }, 'openGaps: everyMs must be a finite number of milliseconds of at least 100, got 99'],
    [{ timeoutMs: 0 }, 'openGaps: timeoutMs must be'],
    [{ every: 1 }, 'openGaps: unknown option "every"'],
  ])('refuses %j', (config, message) => {
    expect(() => openGaps({ connect() {} } as never, config as never)).toThrow(message);
  });
});
