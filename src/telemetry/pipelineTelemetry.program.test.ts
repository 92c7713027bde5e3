import { EMPTY, NEVER, of, VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { samplesBy } from '../../test/support/exposition.js';
import { play, type Tick, ticks, watch } from '../../test/support/telemetryBench.js';
import { gatedSource } from '../flow/gatedSource.js';
import { PipelineMonitor } from '../flow/monitor.js';
import type { StageObserver } from '../flow/stage.js';
import { boundedBuffer } from '../operators/boundedBuffer.js';
import { writeCoordinator } from '../operators/writeCoordinator.js';
import { writeTo } from '../operators/writeTo.js';
import { run } from '../pipelines/run.js';
import { CircuitBreaker } from '../policies/circuitBreaker.js';
import { slowSink } from '../testing/slowSink.js';
import { pipelineTelemetry } from './pipelineTelemetry.js';
import type { OpenGapsOfCause } from './pipelineView.js';

const letters = { letters: 0, items: 0 };
const queue = {
  stats: () => ({ open: letters, parked: letters, appended: letters, replayed: letters, quarantined: 0 }),
};

/** Waits before an open breaker for as long as it is left to. */
function broken() {
  const breaker = new CircuitBreaker();
  breaker.forceOpen(0);
  return of([1]).pipe(writeTo<number>({ name: 'broken', write: () => EMPTY }, { name: 'broken', breaker }));
}

describe('a run that telemetry observes', () => {
  const chain = (count: number, scheduler: VirtualTimeScheduler) =>
    ticks(count, scheduler).pipe(
      writeCoordinator(slowSink<Tick>({ name: 'bars', serviceTimeMs: 5, scheduler }), {
        workers: 1,
        batchSize: 10,
        policies: { scheduler },
      }),
    );

  it('is shown under its name, also after its end, until another one of that name begins', async () => {
    const { scheduler, telemetry, read } = watch();
    const go = async (count: number) => {
      const promise = run(chain(count, scheduler), {
        signals: [],
        scheduler,
        observe: [telemetry.pipeline('main')],
      });
      await Promise.resolve();
      scheduler.flush();
      return promise;
    };
    await go(100);
    expect(await read('sluice_items_written_total')).toEqual({ 'pipeline="main"': 100 });
    expect(await read('mds_coord_workers_alive')).toEqual({ 'coord_id="bars"': 0 });
    expect(await read('sluice_items_held')).toEqual({ 'pipeline="main"': 0 });
    await go(50);
    expect(await read('sluice_items_written_total')).toEqual({ 'pipeline="main"': 150 });
    expect(await read('mds_coord_items_submitted_total')).toEqual({ 'coord_id="bars"': 150 });
    expect(await read('sluice_items_held')).toEqual({ 'pipeline="main"': 0 });
  });

  it('makes the program draining from its request until a run of that name begins again', async () => {
    const { scheduler, telemetry, read } = watch();
    const stop = new AbortController();
    const promise = run(chain(1_000, scheduler), { signals: [], scheduler, stop: stop.signal, observe: [telemetry] });
    scheduler.schedule(() => stop.abort(), 20);
    await Promise.resolve();
    expect(telemetry.blockers().draining).toBe(false);
    scheduler.flush();
    expect((await promise).outcome).toBe('drained');
    expect(telemetry.blockers().draining).toBe(true);
    expect(await read('sluice_draining')).toEqual({ '': 1 });
    telemetry.attach(new PipelineMonitor());
    expect(await read('sluice_draining')).toEqual({ '': 0 });
  });

  it('that has ended keeps no other from taking work, whatever state it ended in', async () => {
    const { telemetry, read } = watch();
    const stop = new AbortController();
    const other = new AbortController();
    const holding = { ...queue, holding: { sinceMs: 9 } };
    const options = { signals: [], drainTimeoutMs: 0 };
    const observe = [telemetry.pipeline('main', { deadLetters: holding })];
    const main = run(broken(), { ...options, stop: stop.signal, observe });
    const rest = run(NEVER, { ...options, stop: other.signal, observe: [telemetry.pipeline('rest')] });
    expect(telemetry.blockers()).toEqual({ draining: false, open: ['broken'], holding: ['main'], feeds: [] });
    stop.abort();
    await main;
    expect(telemetry.blockers()).toEqual({ draining: false, open: [], holding: [], feeds: [] });
    expect(await read('sluice_draining')).toEqual({ '': 0 });
    // Its writers are not missed.
    expect(await read('mds_coord_workers_alive')).toEqual({});
    other.abort();
    await rest;
    expect(telemetry.blockers()).toEqual({ draining: true, open: ['broken'], holding: ['main'], feeds: [] });
  });

  it('leaves no drain behind under a name that its monitor no longer has', async () => {
    const { telemetry } = watch();
    const monitor = new PipelineMonitor();
    await run(NEVER, {
      signals: [],
      stop: AbortSignal.abort(),
      drainTimeoutMs: 0,
      monitor,
      observe: [telemetry.pipeline('main')],
    });
    expect(telemetry.blockers().draining).toBe(true);
    telemetry.bind(monitor, { pipeline: 'rest' });
    expect(telemetry.blockers().draining).toBe(false);
  });

  it('is draining by word of the program until that name begins, whoever else runs', () => {
    const { telemetry } = watch();
    telemetry.bind(new PipelineMonitor(), { pipeline: 'main' });
    telemetry.draining();
    expect(telemetry.blockers().draining).toBe(true);
    telemetry.attach(new PipelineMonitor());
    expect(telemetry.blockers().draining).toBe(false);
  });

  it('has a name that no other has while it runs', async () => {
    const { telemetry } = watch();
    const observe = [telemetry.pipeline('main')];
    const stop = new AbortController();
    const first = run(NEVER, { signals: [], stop: stop.signal, observe, drainTimeoutMs: 0 });
    await expect(run(NEVER, { signals: [], observe: [telemetry.pipeline('main')] })).rejects.toThrow(
      /a name that no running pipeline has, got "main"/,
    );
    stop.abort();
    await first;
    expect(() => telemetry.pipeline('')).toThrow(/the name of a pipeline must be a string that is not empty/);
  });
});

describe('what telemetry costs', () => {
  it('is paid with each batch, and not with each item', async () => {
    let events = 0;
    let clockReads = 0;
    let timesRead = 0;
    const scheduler = new VirtualTimeScheduler();
    const telemetry = pipelineTelemetry({
      now: () => {
        clockReads += 1;
        return scheduler.now();
      },
      eventTimeOf: () => {
        timesRead += 1;
        return 0;
      },
    });
    onTestFinished(() => telemetry.close());
    const counting: StageObserver = Object.fromEntries(
      (['registered', 'settled', 'writeFailed', 'retrying', 'guarded'] as const).map((event) => [
        event,
        () => {
          events += 1;
        },
      ]),
    );
    const monitor = new PipelineMonitor({ observer: counting });
    telemetry.bind(monitor);
    const sink = slowSink<Tick>({ serviceTimeMs: 1, scheduler });
    const write = writeCoordinator(sink, { name: 'bars', workers: 1, batchSize: 1_000, policies: { scheduler } });
    const { seen } = await play(ticks(100_000, scheduler).pipe(write), monitor, scheduler);
    const batches = seen.length;
    expect(batches).toBeLessThan(110);
    expect(timesRead).toBeLessThanOrEqual(2 * batches);
    // One event per batch, and one per stage and per guarded writer.
    expect(events).toBeLessThanOrEqual(batches + 10);
    // The gates of a batch, a lane, the writer and the buffer each close and open about once a batch.
    expect(clockReads).toBeLessThan(12 * batches + 20);
  });
});

describe('labels', () => {
  it('are of a bounded number of values, whatever errors and reasons there are', async () => {
    const { telemetry, monitor, read } = watch();
    telemetry.bind(monitor);
    const writer = monitor.register({ kind: 'writeTo', name: 'w', role: 'writer' }).stage;
    const other = monitor.register({ kind: 'decode' });
    for (let i = 0; i < 1_000; i++) {
      writer.observer?.writeFailed?.(writer, { type: `E${i}`, class: 'transient' });
      other.in += 2;
      other.drop(`reason ${i}`);
      other.settle('diverted', i, `reason ${i}`);
    }
    const errors = await read('mds_worker_write_errors_total');
    expect(Object.keys(errors)).toHaveLength(33);
    expect(errors['coord_id="w",worker_id="0",error_type="other"']).toBe(968);
    for (const name of ['sluice_items_dropped_total', 'sluice_items_diverted_total']) {
      const series = await read(name);
      expect(Object.keys(series).length).toBeLessThanOrEqual(34);
      expect(Object.values(series).reduce((sum, count) => sum + count)).toBe(1_000);
    }
  });

  it('name no symbol and nothing else of an item', async () => {
    const { scheduler, telemetry, monitor, scrape } = watch();
    telemetry.bind(monitor);
    const sink = slowSink<{ symbol: string; ts: number }>({
      serviceTimeMs: 1,
      scheduler,
      keyOf: ({ symbol }) => symbol,
    });
    const source = gatedSource<{ symbol: string; ts: number }>({ name: 'quotes', scheduler }, (outlet) => {
      for (let i = 0; i < 50; i++) outlet.next({ symbol: `SYM${i}`, ts: i });
      outlet.complete();
    });
    await play(source.pipe(writeCoordinator(sink, { workers: 2, policies: { scheduler } })), monitor, scheduler);
    const text = await scrape();
    expect(text).toContain('coord_id="slowSink"');
    expect(text).not.toContain('SYM');
  });
});

describe('the account', () => {
  it('shows what is missing', async () => {
    const { telemetry, monitor, read } = watch();
    telemetry.bind(monitor);
    monitor.register({ kind: 'leak' }).in += 3;
    expect(await read('sluice_conservation_items')).toEqual({ 'pipeline="default"': 3 });
  });

  it('shows what is dropped, filtered and delivered', async () => {
    const { scheduler, telemetry, monitor, scrape } = watch();
    telemetry.bind(monitor);
    const gated = gatedSource<number>({ name: 'numbers', scheduler }, (outlet) => {
      for (let i = 0; i < 10; i++) outlet.next(i);
      outlet.drop('unreadable', 2);
      outlet.complete();
    });
    await play(gated.pipe(boundedBuffer({ capacity: 10 })), monitor, scheduler);
    const text = await scrape();
    expect(samplesBy(text, 'sluice_items_received_total')).toEqual({ 'pipeline="default"': 12 });
    expect(samplesBy(text, 'sluice_items_delivered_total')).toEqual({ 'pipeline="default"': 10 });
    expect(samplesBy(text, 'sluice_items_filtered')).toEqual({ 'pipeline="default"': 0 });
    expect(samplesBy(text, 'sluice_items_dropped_total')).toEqual({
      'pipeline="default",reason="overflow"': 0,
      'pipeline="default",reason="unreadable"': 2,
    });
  });

  it('counts what was diverted without a reason too', async () => {
    const { telemetry, monitor, read } = watch();
    telemetry.bind(monitor);
    const stage = monitor.register({ kind: 'own' });
    stage.in = 3;
    for (let i = 0; i < 3; i++) stage.settle('diverted', i);
    expect((await read('sluice_items_diverted_total'))['pipeline="default",reason="unknown"']).toBe(3);
  });
});

describe('what is reported from outside', () => {
  it('is shown: providers, gaps, the drain, dead letters', async () => {
    const { telemetry, monitor, scrape } = watch();
    const letters = (count: number) => ({ letters: count, items: 100 * count });
    const queue = (open: number, replayed: number, holding: object | undefined) => ({
      holding,
      stats: {
        open: letters(open),
        parked: letters(7),
        appended: letters(5),
        replayed: letters(replayed),
        quarantined: 1,
      },
    });
    let now = queue(2, 3, undefined);
    const deadLetters = {
      get holding() {
        return now.holding;
      },
      stats: () => now.stats,
    };
    const gaps: { open: number | undefined } = { open: undefined };
    telemetry.bind(monitor, { pipeline: 'main', deadLetters, gaps });
    expect(samplesBy(await scrape(), 'sluice_gaps_open')).toEqual({});
    gaps.open = 4;
    const text = await scrape();
    expect(samplesBy(text, 'sluice_gaps_open')).toEqual({ 'pipeline="main",cause="any"': 4 });
    expect(samplesBy(text, 'sluice_draining')).toEqual({ '': 0 });
    expect(samplesBy(text, 'sluice_dead_letters_open')).toEqual({ 'pipeline="main"': 2 });
    expect(samplesBy(text, 'sluice_dead_letters_parked')).toEqual({ 'pipeline="main"': 7 });
    expect(samplesBy(text, 'sluice_dead_letters_quarantined')).toEqual({ 'pipeline="main"': 1 });
    expect(samplesBy(text, 'sluice_dead_letters_appended_total')).toEqual({ 'pipeline="main"': 5 });
    expect(samplesBy(text, 'sluice_dead_letters_replayed_total')).toEqual({ 'pipeline="main"': 3 });
    expect(samplesBy(text, 'sluice_dead_letters_holding')).toEqual({ 'pipeline="main"': 0 });
    gaps.open = 0;
    telemetry.draining();
    now = queue(0, 5, { sinceMs: 9 });
    const later = await scrape();
    expect(samplesBy(later, 'sluice_gaps_open')).toEqual({ 'pipeline="main",cause="any"': 0 });
    expect(samplesBy(later, 'sluice_draining')).toEqual({ '': 1 });
    expect(samplesBy(later, 'sluice_dead_letters_open')).toEqual({ 'pipeline="main"': 0 });
    expect(samplesBy(later, 'sluice_dead_letters_holding')).toEqual({ 'pipeline="main"': 1 });
  });
});

describe('the event loop', () => {
  it('is seen to be late when it is blocked', async () => {
    const telemetry = pipelineTelemetry();
    onTestFinished(() => telemetry.close());
    const turn = () => new Promise((resolve) => setTimeout(resolve, 25));
    await turn();
    const until = performance.now() + 80;
    while (performance.now() < until);
    await turn();
    const { body } = await telemetry.metrics();
    expect(samplesBy(body, 'sluice_event_loop_delay_max_seconds')['']).toBeGreaterThan(0.05);
    expect(telemetry.eventLoopDelay().max).toBeGreaterThan(0.05);
  });

  it('is judged by the last window and the one before, and then forgotten', async () => {
    const { scheduler, telemetry } = watch();
    const turn = () => new Promise((resolve) => setTimeout(resolve, 25));
    await turn();
    const until = performance.now() + 80;
    while (performance.now() < until);
    await turn();
    const late = telemetry.eventLoopDelay().max;
    expect(late).toBeGreaterThan(0.05);
    scheduler.maxFrames = Number.POSITIVE_INFINITY;
    const advance = (ms: number) => {
      scheduler.schedule(() => {}, ms);
      scheduler.flush();
    };
    advance(15_000);
    expect(telemetry.eventLoopDelay().max).toBeGreaterThan(0.05);
    expect(telemetry.eventLoopDelay().max).toBeGreaterThan(0.05);
    advance(15_000);
    // The window in which it was late ends here, and is still the one before.
    expect(telemetry.eventLoopDelay().max).toBeGreaterThan(0.05);
    expect(telemetry.eventLoopDelay().max).toBeLessThan(late);
  });

  it('shows open gaps by cause, and how long ago the oldest ended', async () => {
    let at = 100_000;
    const { telemetry, monitor, scrape } = watch({ now: () => at });
    const gaps: { open: number | undefined; byCause: readonly OpenGapsOfCause[] | undefined } = {
      open: 3,
      byCause: [
        { cause: 'reconnect', open: 2, oldest: 40_000 },
        { cause: 'restart', open: 1, oldest: 100_500 },
      ],
    };
    telemetry.bind(monitor, { pipeline: 'main', gaps });
    const values = async (name: string) => {
      const found = Object.entries(samplesBy(await scrape(), name));
      return Object.fromEntries(found.map(([labels, value]) => [labels.replace(/.*cause="(.*)"/, '$1'), value]));
    };
    const none = { overflow: 0, stale: 0, sequence: 0, requested: 0 };
    expect(await values('sluice_gaps_open')).toEqual({ ...none, reconnect: 2, restart: 1 });
    expect(await values('sluice_gaps_oldest_seconds')).toEqual({ ...none, reconnect: 60, restart: 0 });
    at = 130_000;
    gaps.byCause = [{ cause: 'requested', open: 1, oldest: 10_000 }];
    expect(await values('sluice_gaps_open')).toEqual({ ...none, reconnect: 0, restart: 0, requested: 1 });
    expect(await values('sluice_gaps_oldest_seconds')).toMatchObject({ reconnect: 0, requested: 120 });
    gaps.open = undefined;
    gaps.byCause = undefined;
    expect([await values('sluice_gaps_open'), await values('sluice_gaps_oldest_seconds')]).toEqual([{}, {}]);
  });

  it('asks for open gaps while their pipeline is there', async () => {
    const { telemetry, monitor } = watch();
    const calls: string[] = [];
    const gaps = { open: 0, begin: () => void calls.push('begin'), end: () => void calls.push('end') };
    const unbind = telemetry.bind(monitor, { pipeline: 'bound', gaps });
    expect(calls).toEqual(['begin']);
    unbind();
    expect(calls).toEqual(['begin', 'end']);
    await run(of(1), { observe: [telemetry.pipeline('run', { gaps })], signals: [] });
    expect(calls).toEqual(['begin', 'end', 'begin', 'end']);
  });
});
