import { asyncScheduler, NEVER, type Observable, of, Subject, throwError, VirtualTimeScheduler } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { PipelineMonitor } from '../../flow/monitor.js';
import { operate } from '../../flow/operate.js';
import { PipelineRun } from './pipelineRun.js';
import type { RunObserver } from './runObserver.js';
import type { RunReport } from './runReport.js';

/** Starts a run, and keeps its reports. */
function started(
  pipeline$: Observable<unknown>,
  observe: readonly RunObserver[] = [],
  monitor = new PipelineMonitor(),
) {
  const reports: RunReport[] = [];
  const run = new PipelineRun({
    scheduler: asyncScheduler,
    drainTimeoutMs: 0,
    observe,
    monitor,
    onEnd: (report) => reports.push(report),
  });
  run.start(pipeline$);
  return { run, monitor, reports };
}

/** Keeps every item, and cannot say how many. */
const uncountable = operate<number, number>({ kind: 'uncountable' }, () => ({
  next() {},
  held() {
    throw new Error('held is broken');
  },
}));

const ignore = { error: () => {} };

describe('a run whose operator cannot say what it holds', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());
  it.each<[string, Observable<number>, (run: PipelineRun) => void]>([
    ['completes', of(1), () => {}],
    ['fails', throwError(() => new Error('feed lost')), () => {}],
    ['is torn down', NEVER, (run) => run.end('unsubscribed')],
    ['is out of time', NEVER, (run) => run.request('stop')],
  ])('settles once when it %s, failed by that error', async (_, source$, end) => {
    const { run, monitor, reports } = started(source$.pipe(uncountable));
    end(run);
    await vi.advanceTimersByTimeAsync(5);
    expect(reports).toHaveLength(1);
    expect(reports[0]?.outcome).toBe('failed');
    const { error } = reports[0] as { error: Error };
    expect(JSON.stringify([error.message, ...((error as AggregateError).errors ?? []).map(String)])).toMatch(
      /held is broken|feed lost/,
    );
    expect(monitor.stages.every(({ isLive }) => !isLive)).toBe(true);
  });

  it('shows the items as unaccounted for, while it runs and in its report', () => {
    const source = new Subject<number>();
    const { run, monitor, reports } = started(source.pipe(uncountable));
    source.next(1);
    source.next(2);
    expect(monitor.account()).toMatchObject({ received: 2, held: 0, conservation: 2 });
    run.end('unsubscribed');
    expect(reports[0]).toMatchObject({ received: 2, held: 0, conservation: 2 });
  });

  it('settles beside another pipeline of its monitor', () => {
    const monitor = new PipelineMonitor();
    NEVER.pipe(uncountable).subscribe(ignore);
    const other = started(NEVER.pipe(uncountable), [], monitor);
    const { reports } = started(of(1), [], monitor);
    expect(reports).toHaveLength(1);
    other.run.end('unsubscribed');
    expect(other.reports).toHaveLength(1);
  });
});

describe('a run whose account cannot be read', () => {
  it('fails by that error, together with what failed it before', () => {
    const monitor = new PipelineMonitor();
    monitor.account = () => {
      throw new Error('no account');
    };
    const finished: RunReport[] = [];
    const observe = [{ finished: (report: RunReport) => finished.push(report) }];
    const { reports } = started(of(1), observe, monitor);
    expect(reports).toEqual([
      expect.objectContaining({ outcome: 'failed', error: expect.objectContaining({ message: 'no account' }) }),
    ]);
    expect(finished).toEqual(reports);
    const lost = started(
      throwError(() => new Error('feed lost')),
      observe,
      monitor,
    );
    const error = lost.reports[0]?.error as AggregateError;
    expect(error.errors.map(String)).toEqual(['Error: feed lost', 'Error: no account']);
  });
});

describe('a run that one of its observers refuses', () => {
  it('ends by that error without subscribing, and tells the observers that were attached', () => {
    const events: string[] = [];
    let subscribed = false;
    const source$ = new Subject<number>();
    source$.subscribe = () => {
      subscribed = true;
      throw new Error('subscribed');
    };
    const { reports, monitor } = started(source$, [
      { attach: () => void events.push('attach'), finished: ({ outcome }) => events.push(outcome) },
      {
        attach() {
          throw new Error('no room');
        },
        finished: () => events.push('never attached'),
      },
    ]);
    expect(reports).toEqual([
      expect.objectContaining({ outcome: 'failed', error: expect.objectContaining({ message: 'no room' }) }),
    ]);
    expect(events).toEqual(['attach', 'failed']);
    expect(subscribed).toBe(false);
    expect(monitor.stages).toEqual([]);
  });
});

describe('a run that is asked to stop', () => {
  /** A run in virtual time that has not begun, and what its observer hears. */
  function waiting() {
    const scheduler = new VirtualTimeScheduler();
    const events: string[] = [];
    const reports: RunReport[] = [];
    const run = new PipelineRun({
      scheduler,
      drainTimeoutMs: 10_000,
      monitor: undefined,
      observe: [
        {
          draining: (reason) => events.push(`draining ${reason}`),
          hurrying: (reason, effect) => events.push(`${effect} ${reason}`),
        },
      ],
      onEnd: (report) => reports.push(report),
    });
    return { scheduler, events, reports, run };
  }

  it('before it begins says so to observers once they are attached, with the first reason', () => {
    const { scheduler, events, run } = waiting();
    run.request('stop');
    scheduler.frame = 1_000;
    run.request('again');
    expect(events).toEqual([]);
    run.start(NEVER);
    expect(events).toEqual(['draining stop']);
  });

  it('reports the first signal, and hears none once it is over', () => {
    const { scheduler, events, reports, run } = waiting();
    run.start(NEVER);
    const told: string[] = [];
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGINT', 'SIGINT']) {
      run.request(signal, signal, (effect) => told.push(effect));
      scheduler.frame += 1_000;
    }
    expect(told).toEqual(['drain', 'hurry', 'end']);
    expect(events).toEqual(['draining SIGTERM', 'hurry SIGINT', 'end SIGINT']);
    expect(reports).toEqual([expect.objectContaining({ outcome: 'deadline', signal: 'SIGTERM' })]);
  });

  it('counts no rows of values that are not outcomes of writes', () => {
    const { reports, run } = waiting();
    run.start(of(1, null, { status: 'written' }));
    expect(reports).toEqual([expect.objectContaining({ outcome: 'completed', batches: 0, rows: 0 })]);
  });
});
