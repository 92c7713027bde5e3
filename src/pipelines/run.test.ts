import { getEventListeners } from 'node:events';
import {
  EMPTY,
  map,
  merge,
  NEVER,
  Observable,
  of,
  type SchedulerLike,
  Subject,
  throwError,
  timer,
  VirtualTimeScheduler,
} from 'rxjs';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { coded } from '../../test/support/errors.js';
import { chain, endless, settle, signals, slow } from '../../test/support/runBench.js';
import { naturals } from '../../test/support/sources.js';
import type { Sink } from '../contracts/sink.js';
import { PipelineMonitor } from '../flow/monitor.js';
import { batch } from '../operators/batch.js';
import type { RunObserver } from '../operators/running/runObserver.js';
import { untilStopped } from '../operators/untilStopped.js';
import { writeCoordinator } from '../operators/writeCoordinator.js';
import { writeTo } from '../operators/writeTo.js';
import { run, type SignalEmitter } from './run.js';
import { isRunError, type RunError } from './runError.js';

describe('run', () => {
  it('reports every item of a pipeline that completes by itself', async () => {
    const scheduler = new VirtualTimeScheduler();
    const sink = slow(5, scheduler);
    const { emitter, left } = signals();
    const report = await settle(run(naturals(95).pipe(...chain(sink)), { scheduler, emitter }), scheduler);
    expect(report).toMatchObject({
      outcome: 'completed',
      received: 95,
      written: 95,
      held: 0,
      diverted: 0,
      conservation: 0,
      batches: 10,
      durationMs: 50,
      heldBy: {},
    });
    expect(report.stages.map(({ id }) => id)).toEqual(['naturals', 'boundedBuffer', 'batch', 'writeTo']);
    expect(sink.taken).toEqual(Array.from({ length: 95 }, (_, i) => i));
    expect(left()).toBe(0);
  });

  it('drains on a signal: the source stops, what is held is written', async () => {
    const scheduler = new VirtualTimeScheduler();
    const sink = slow(5, scheduler);
    const { emitter, send, left } = signals();
    const promise = run(endless().pipe(...chain(sink)), { scheduler, emitter });
    scheduler.schedule(() => send('SIGTERM'), 23);
    const report = await settle(promise, scheduler);
    expect(report.outcome).toBe('drained');
    expect(report.signal).toBe('SIGTERM');
    expect(report.held).toBe(0);
    expect(report.written).toBe(report.received);
    expect(report.written).toBeGreaterThan(80);
    expect(sink.taken).toEqual(Array.from({ length: report.written }, (_, i) => i));
    expect(left()).toBe(0);
  });

  it('keeps the deadline of a drain and says what was held, and where', async () => {
    const scheduler = new VirtualTimeScheduler();
    const { emitter, send } = signals();
    const stuck: Sink<number> = { name: 'stuck', write: () => NEVER };
    const promise = run(endless().pipe(...chain(stuck)), { scheduler, emitter, drainTimeoutMs: 300 });
    scheduler.schedule(() => send('SIGINT'), 10);
    const report = await settle(promise, scheduler);
    expect(report).toMatchObject({ outcome: 'deadline', durationMs: 310, written: 0, conservation: 0 });
    expect(report.received).toBe(report.held);
    expect(report.heldBy).toEqual({ boundedBuffer: 80, batch: 10, writeTo: 10 });
  });

  it.each([
    ['one', [10], 10_010],
    ['a second one: another second', [10, 600], 1_600],
    ['a third one: none', [10, 600, 1_200], 1_200],
    ['one that a runner passes on as well', [10, 10, 509], 10_010],
    ['a second one that a runner passes on as well', [10, 510, 511, 1_000], 1_510],
  ])('leaves time after a signal: %s', async (_, sent, durationMs) => {
    const scheduler = new VirtualTimeScheduler();
    const { emitter, send } = signals();
    const stuck: Sink<number> = { name: 'stuck', write: () => NEVER };
    const promise = run(endless().pipe(...chain(stuck)), { scheduler, emitter });
    for (const [index, at] of sent.entries()) {
      scheduler.schedule(() => send(index % 2 === 0 ? 'SIGINT' : 'SIGTERM'), at);
    }
    expect((await settle(promise, scheduler)).durationMs).toBe(durationMs);
  });

  it('says at each signal what it does, and what the next one would do', async () => {
    const scheduler = new VirtualTimeScheduler();
    const { emitter, send } = signals();
    const said: string[] = [];
    const stuck: Sink<number> = { name: 'stuck', write: () => NEVER };
    const say = (sentence: string) => {
      said.push(`${scheduler.now()} ${sentence}`);
      throw new Error('its terminal is gone');
    };
    const hurried: string[] = [];
    const observe: RunObserver[] = [{ hurrying: (reason, effect) => hurried.push(`${effect} ${reason}`) }];
    const promise = run(endless().pipe(...chain(stuck)), { scheduler, emitter, say, observe });
    for (const at of [10, 11, 600, 1_200, 1_800]) scheduler.schedule(() => send('SIGINT'), at);
    await settle(promise, scheduler);
    expect(said).toEqual([
      expect.stringMatching(/^10 SIGINT: writing what is held, for at most 10 s; a second signal ends the writing$/),
      expect.stringMatching(
        /^600 SIGINT: nothing more is written; what is held goes to the dead letters, within a second/,
      ),
      expect.stringMatching(/^1200 SIGINT: ending now; what is still held is lost unless its source gives it again$/),
    ]);
    expect(hurried).toEqual(['hurry SIGINT', 'end SIGINT']);
  });

  it('does not prolong a drain that is nearly over when a second signal comes', async () => {
    const scheduler = new VirtualTimeScheduler();
    const { emitter, send } = signals();
    const promise = run(NEVER, { scheduler, emitter, drainTimeoutMs: 700 });
    scheduler.schedule(() => send('SIGINT'), 0);
    scheduler.schedule(() => send('SIGINT'), 600);
    expect((await settle(promise, scheduler)).durationMs).toBe(700);
  });

  it('keeps the deadline of a drain when the clock is set back or forward meanwhile', async () => {
    for (const stepMs of [-3_600_000, 3_600_000]) {
      const scheduler = new VirtualTimeScheduler();
      const { emitter, send } = signals();
      let offset = 0;
      const wall: SchedulerLike = {
        now: () => scheduler.now() + offset,
        schedule: scheduler.schedule.bind(scheduler) as SchedulerLike['schedule'],
      };
      const promise = run(endless().pipe(...chain({ name: 'hangs', write: () => NEVER })), {
        scheduler: wall,
        emitter,
      });
      scheduler.schedule(() => send('SIGTERM'), 100);
      scheduler.schedule(() => {
        offset = stepMs;
      }, 5_000);
      expect((await settle(promise, scheduler)).outcome).toBe('deadline');
      expect(scheduler.frame).toBe(10_100);
    }
  });

  it('leaves no timer behind when a drain is over before its time', async () => {
    const scheduler = new VirtualTimeScheduler();
    const { emitter, send } = signals();
    const promise = run(endless().pipe(...chain(slow(5, scheduler))), { scheduler, emitter });
    scheduler.schedule(() => send('SIGTERM'), 20);
    scheduler.maxFrames = 1_000;
    scheduler.flush();
    expect(await promise).toMatchObject({ outcome: 'drained', held: 0 });
    expect(scheduler.actions.filter(({ closed }) => !closed)).toEqual([]);
  });

  it('drains when its abort signal says so, also one that has said so already', async () => {
    for (const early of [true, false]) {
      const scheduler = new VirtualTimeScheduler();
      const { emitter } = signals();
      const stop = new AbortController();
      if (early) stop.abort();
      const promise = run(new Subject<number>().pipe(untilStopped()), { scheduler, emitter, stop: stop.signal });
      scheduler.schedule(() => stop.abort(), 7);
      expect(await settle(promise, scheduler)).toMatchObject({ outcome: 'drained', durationMs: early ? 0 : 7 });
    }
  });

  it('removes its listener from the abort signal', async () => {
    const scheduler = new VirtualTimeScheduler();
    const stop = new AbortController();
    await settle(run(naturals(3), { scheduler, emitter: signals().emitter, stop: stop.signal }), scheduler);
    expect(getEventListeners(stop.signal, 'abort')).toHaveLength(0);
  });

  it('tears everything down at the deadline: the source, and the write in flight', async () => {
    const scheduler = new VirtualTimeScheduler();
    const { emitter, send } = signals();
    let live = 0;
    const watched = <T>() =>
      new Observable<T>(() => {
        live += 1;
        return () => {
          live -= 1;
        };
      });
    const stuck: Sink<number> = { name: 'stuck', write: () => watched() };
    const source = merge(endless(), watched<number>());
    const promise = run(source.pipe(...chain(stuck)), { scheduler, emitter, drainTimeoutMs: 50 });
    expect(live).toBe(2);
    scheduler.schedule(() => send('SIGINT'), 10);
    expect((await settle(promise, scheduler)).outcome).toBe('deadline');
    expect(live).toBe(0);
  });

  it('rejects with the cause and the account when a write fails', async () => {
    const scheduler = new VirtualTimeScheduler();
    const cause = new Error('relation "bars" does not exist');
    let writes = 0;
    const failing: Sink<number> = {
      name: 'failing',
      write: (items) =>
        ++writes < 3 ? timer(5, scheduler).pipe(map(() => ({ rows: items.length }))) : throwError(() => cause),
    };
    const { emitter, left } = signals();
    const error = await settle(
      run(endless().pipe(...chain(failing)), { scheduler, emitter }).catch((reason: unknown) => reason),
      scheduler,
    );
    expect(isRunError(error)).toBe(true);
    const { report, message } = error as RunError;
    expect(message).toContain('relation "bars" does not exist');
    expect(report).toMatchObject({ outcome: 'failed', written: 20, conservation: 0 });
    expect(report.received).toBe(report.written + report.held);
    expect((report.error as Error).cause).toBe(cause);
    expect(left()).toBe(0);
  });

  it('rejects with both errors when a teardown throws as well', async () => {
    const cause = new Error('disk full');
    const source = new Observable<number>((subscriber) => {
      subscriber.add(() => {
        throw new Error('close failed');
      });
      subscriber.next(1);
    });
    const failing: Sink<number> = {
      name: 'failing',
      write: () =>
        timer(0).pipe(
          map(() => {
            throw cause;
          }),
        ),
    };
    const { emitter, left } = signals();
    const error = await run(source.pipe(batch({ size: 1 }), writeTo(failing)), { emitter }).catch((e: unknown) => e);
    expect(isRunError(error)).toBe(true);
    const { errors, message } = (error as RunError).cause as AggregateError;
    expect(message).toContain('disk full');
    expect(errors).toHaveLength(2);
    expect((errors[0] as Error).cause).toBe(cause);
    expect(String((errors[1] as { errors: unknown[] }).errors)).toContain('close failed');
    expect(left()).toBe(0);
  });

  it('fails when only the teardown at its deadline throws', async () => {
    const scheduler = new VirtualTimeScheduler();
    const { emitter, send } = signals();
    const source = new Observable<number>(() => () => {
      throw new Error('close failed');
    });
    const promise = run(source, { scheduler, emitter, drainTimeoutMs: 5 }).catch((e: unknown) => e);
    scheduler.schedule(() => send('SIGINT'), 1);
    const error = await settle(promise, scheduler);
    expect(isRunError(error)).toBe(true);
    expect((error as RunError).report.outcome).toBe('failed');
  });

  it('leaves no listener behind when it cannot begin', async () => {
    const { emitter, left } = signals();
    const picky: SignalEmitter = {
      on(name, listener) {
        if (name === 'SIGKILL') throw new Error('uv_signal_start EINVAL');
        return emitter.on(name, listener);
      },
      off: (name, listener) => emitter.off(name, listener),
    };
    await expect(run(NEVER, { emitter: picky, signals: ['SIGINT', 'SIGKILL'] })).rejects.toThrow('EINVAL');
    expect(left()).toBe(0);
    expect(() => run(undefined as never)).toThrow(RangeError);
  });

  it('counts rows as the sink does', async () => {
    const sink: Sink<number> = { name: 'half', write: (items) => [{ rows: items.length / 2 }] };
    const { emitter } = signals();
    expect(await run(naturals(40).pipe(writeCoordinator(sink)), { emitter })).toMatchObject({ written: 40, rows: 20 });
  });

  it('refuses options that it does not know', () => {
    expect(() => run(NEVER, { drainTimeoutMs: -1 })).toThrow(
      new RangeError('run: drainTimeoutMs must be a finite number of milliseconds of at least 0, got -1'),
    );
    expect(() => run(NEVER, { drainTimeoutMs: Number.POSITIVE_INFINITY })).toThrow(/drainTimeoutMs .* got Infinity/);
    expect(() => run(NEVER, { timeout: 5 } as never)).toThrow(/unknown option "timeout"/);
  });
});

describe('the observers of a run', () => {
  /** Keeps what it receives, and throws where `throwIn` says. */
  const recorder = (throwIn?: 'attach' | 'settled' | 'draining' | 'finished') => {
    const events: string[] = [];
    const note = (event: string) => {
      events.push(event);
      if (throwIn && event.startsWith(throwIn)) throw new Error(`broken ${throwIn}, password=hunter2`);
    };
    const observer: RunObserver = {
      attach(monitor) {
        note(`attach ${monitor.stages.length}`);
        return { settled: (_, { rows }) => note(`settled ${rows}`) };
      },
      draining: (reason) => note(`draining ${reason}`),
      finished: ({ outcome, written }) => note(`finished ${outcome} ${written}`),
    };
    return { observer, events };
  };
  const oneBatch = () => of(1, 2).pipe(batch({ size: 2 }), writeTo<number>({ name: 's', write: () => [{ rows: 2 }] }));
  const warnings = () => {
    const emitWarning = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    onTestFinished(() => emitWarning.mockRestore());
    return emitWarning.mock.calls as unknown as [string, { code: string; detail: string }][];
  };

  it('follow it from before its subscription to its report', async () => {
    const one = recorder();
    const other = recorder();
    const report = await run(oneBatch(), { signals: [], observe: [one.observer, { finished() {} }, other.observer] });
    expect(report.written).toBe(2);
    for (const { events } of [one, other]) expect(events).toEqual(['attach 0', 'settled 2', 'finished completed 2']);
  });

  it('receive once why it drains', async () => {
    for (const [how, reason] of [
      ['signal', 'SIGTERM'],
      ['stop', 'stop'],
      ['failure', 'failure'],
    ] as const) {
      const scheduler = new VirtualTimeScheduler();
      const { emitter, send } = signals();
      const { observer, events } = recorder();
      const stop = new AbortController();
      const failing: Sink<number> = {
        name: 'failing',
        write: () => throwError(() => coded('42P01', 'no table')),
      };
      const items$ =
        how === 'failure'
          ? of(1, 2).pipe(batch({ size: 2 }), writeTo(failing, { deadLetters: { append: () => EMPTY } }))
          : endless().pipe(...chain(slow(5, scheduler)));
      const promise = run(items$ as Observable<unknown>, {
        scheduler,
        emitter,
        stop: stop.signal,
        observe: [observer],
      });
      promise.catch(() => {});
      scheduler.schedule(() => {
        if (how === 'stop') stop.abort();
        send('SIGTERM');
      }, 5);
      await settle(
        promise.catch(() => {}),
        scheduler,
      );
      expect(events.filter((event) => event.startsWith('draining'))).toEqual([`draining ${reason}`]);
      expect(events.at(-1)).toMatch(/^finished/);
    }
  });

  it.each(['settled', 'draining', 'finished'] as const)(
    'do not hurt it where %s throws: it is a warning',
    async (event) => {
      const warned = warnings();
      const scheduler = new VirtualTimeScheduler();
      const { emitter, send } = signals();
      const broken = recorder(event);
      const other = recorder();
      const promise = run(endless().pipe(...chain(slow(5, scheduler))), {
        scheduler,
        emitter,
        observe: [broken.observer, other.observer],
      });
      scheduler.schedule(() => send('SIGTERM'), 23);
      const report = await settle(promise, scheduler);
      expect(report).toMatchObject({ outcome: 'drained', held: 0, conservation: 0 });
      // The broken one is still called, and warned of once.
      expect(broken.events).toEqual(other.events);
      expect(warned).toEqual([
        [
          `an observer of the pipeline failed, and the pipeline goes on: broken ${event}, password=***`,
          { type: 'SluiceWarning', code: 'SLUICE_OBSERVER_FAILED', detail: expect.stringContaining('Error: broken') },
        ],
      ]);
      expect(JSON.stringify(warned)).not.toContain('hunter2');
    },
  );

  it('fail it before anything is subscribed where attach throws', async () => {
    let subscribed = 0;
    const one = recorder();
    const broken = recorder('attach');
    const source = new Observable<never>(() => {
      subscribed += 1;
    });
    const error = await run(source, { signals: [], observe: [one.observer, broken.observer] }).catch((e: unknown) => e);
    expect((error as RunError).cause).toMatchObject({ message: expect.stringContaining('broken attach') });
    expect(subscribed).toBe(0);
    // What was attached receives the end, so that it can release what it watches.
    expect(one.events).toEqual(['attach 0', 'finished failed 0']);
    expect(broken.events).toEqual(['attach 0']);
  });

  it('see the second run of the same monitor once', async () => {
    const monitor = new PipelineMonitor();
    const { observer, events } = recorder();
    for (let n = 0; n < 2; n++) await run(oneBatch(), { signals: [], monitor, observe: [observer] });
    expect(events.filter((event) => event === 'settled 2')).toHaveLength(2);
  });

  it('must be observers', () => {
    expect(() => run(NEVER, { observe: [{ atach() {} } as RunObserver] })).toThrow(
      'run: observe[0] must be an observer with attach, draining, hurrying or finished, got an object',
    );
  });
});
