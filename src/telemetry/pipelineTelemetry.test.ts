import { of } from 'rxjs';
import { retry } from 'rxjs/operators';
import { describe, expect, it } from 'vitest';
import { coded } from '../../test/support/errors.js';
import { samplesBy, samplesOf } from '../../test/support/exposition.js';
import { play, type Tick, ticks, watch } from '../../test/support/telemetryBench.js';
import { PipelineMonitor } from '../flow/monitor.js';
import { withContext } from '../flow/withContext.js';
import { batch } from '../operators/batch.js';
import { writeCoordinator } from '../operators/writeCoordinator.js';
import { writeTo } from '../operators/writeTo.js';
import { slowSink } from '../testing/slowSink.js';
import { METRICS } from './catalogue.js';

const random = () => 0.5;

describe('a coordinator', () => {
  /** Two workers; a batch takes 5 ms. */
  const setUp = (failOn?: (batch: readonly Tick[], attempt: number) => boolean | Error) => {
    const watched = watch();
    const { scheduler, monitor, telemetry } = watched;
    const sink = slowSink<Tick>({ name: 'store', serviceTimeMs: 5, scheduler, ...(failOn && { failOn }) });
    const diverted: Tick[] = [];
    const deadLetters = {
      append: ({ items }: { readonly items: readonly Tick[] }) => {
        diverted.push(...items);
        return of(undefined);
      },
    };
    const policies = { scheduler, deadLetters, random };
    const write = writeCoordinator(sink, { name: 'bars', capacity: 100, workers: 2, batchSize: 10, policies });
    telemetry.bind(monitor, { pipeline: 'main' });
    return { ...watched, sink, diverted, write };
  };

  it('shows its queue, workers and batches while it runs', async () => {
    const { scheduler, monitor, sink, write, scrape } = setUp();
    await play(ticks(1_000, scheduler).pipe(write), monitor, scheduler, 52);
    const stages = new Map(monitor.stages.map((stage) => [stage.id, stage]));
    const text = await scrape();
    const of = (name: string) => samplesBy(text, name);
    expect(sink.written.length).toBeGreaterThan(15);
    expect(of('mds_coord_items_submitted_total')).toEqual({ 'coord_id="bars"': stages.get('bars')?.in });
    expect(of('mds_coord_queue_depth')).toEqual({ 'coord_id="bars"': stages.get('bars')?.held });
    expect(of('mds_coord_queue_depth')['coord_id="bars"']).toBeGreaterThan(40);
    expect(of('mds_coord_workers_alive')).toEqual({ 'coord_id="bars"': 2 });
    expect(of('mds_coord_circuit_state')).toEqual({ 'coord_id="bars"': 0 });
    const batches = of('mds_worker_batches_written_total');
    expect(Object.keys(batches)).toEqual(['coord_id="bars",worker_id="0"', 'coord_id="bars",worker_id="1"']);
    expect(Object.values(batches).reduce((sum, count) => sum + count)).toBe(sink.written.length);
    expect(Math.min(...Object.values(batches))).toBeGreaterThan(5);
    expect(of('mds_coord_items_dropped_total')).toEqual({
      'coord_id="bars",reason="dropOldest"': 0,
      'coord_id="bars",reason="dropIncoming"': 0,
      'coord_id="bars",reason="overflow"': 0,
    });
    expect(of('sink_writes_total')).toEqual({
      'sink="store",status="success"': sink.written.length,
      'sink="store",status="failure"': 0,
    });
  });

  it('shows that it is over, with everything that it has counted', async () => {
    const { scheduler, monitor, write, scrape } = setUp();
    const { seen } = await play(ticks(1_000, scheduler).pipe(write), monitor, scheduler);
    const text = await scrape();
    expect(samplesBy(text, 'mds_coord_workers_alive')).toEqual({ 'coord_id="bars"': 0 });
    expect(samplesBy(text, 'mds_coord_queue_depth')).toEqual({ 'coord_id="bars"': 0 });
    expect(samplesBy(text, 'mds_coord_items_submitted_total')).toEqual({ 'coord_id="bars"': 1_000 });
    expect(samplesBy(text, 'sink_writes_total')['sink="store",status="success"']).toBe(seen.length);
    expect(samplesBy(text, 'sluice_items_received_total')).toEqual({ 'pipeline="main"': 1_000 });
    expect(samplesBy(text, 'sluice_items_written_total')).toEqual({ 'pipeline="main"': 1_000 });
    expect(samplesBy(text, 'sluice_items_held')).toEqual({ 'pipeline="main"': 0 });
    expect(samplesBy(text, 'sluice_conservation_items')).toEqual({ 'pipeline="main"': 0 });
  });

  it('observes how long a batch took, and how old its first and last item were', async () => {
    const { scheduler, monitor, write, scrape } = setUp();
    const { seen } = await play(ticks(300, scheduler).pipe(write), monitor, scheduler);
    const samples = samplesOf(await scrape());
    const latency = (rest: string) =>
      [...samples].filter(([name]) => name.startsWith(`mds_worker_write_latency_seconds${rest}`));
    const sum = (found: [string, number][]) => found.reduce((total, [, value]) => total + value, 0);
    expect(sum(latency('_count'))).toBe(seen.length);
    expect(sum(latency('_sum'))).toBeCloseTo(seen.length * 0.005, 9);
    expect(samples.get('mds_worker_write_latency_seconds_bucket{le="0.0025",coord_id="bars",worker_id="0"}')).toBe(0);
    const own = samples.get('mds_worker_write_latency_seconds_count{coord_id="bars",worker_id="0"}');
    for (const le of ['0.005', '10', '+Inf']) {
      expect(samples.get(`mds_worker_write_latency_seconds_bucket{le="${le}",coord_id="bars",worker_id="0"}`)).toBe(
        own,
      );
    }
    expect(samples.get('sink_write_latency_seconds_count{sink="store"}')).toBe(seen.length);
    expect(samples.get('sink_write_latency_seconds_sum{sink="store"}')).toBeCloseTo(seen.length * 0.005, 9);

    // Worked out from the outcomes, at the moments at which they came: a batch is committed when it is emitted.
    const twice = seen.reduce((count, { items }) => count + Math.min(2, items.length), 0);
    expect(samples.get('sluice_freshness_seconds_count{coord_id="bars"}')).toBe(twice);
    expect(samples.get('sluice_freshness_seconds_sum{coord_id="bars"}')).toBeGreaterThan(0.005 * twice);
  });

  it('counts failed attempts by type, retries, and what went to the dead letters, by reason', async () => {
    const { scheduler, monitor, diverted, write, scrape } = setUp((items, attempt) => {
      if (items.some(({ n }) => n === 77)) return coded('22P02');
      return items.some(({ n }) => n === 150) && attempt === 1 ? coded('57P01') : false;
    });
    await play(ticks(300, scheduler).pipe(write), monitor, scheduler);
    const text = await scrape();
    expect(diverted.map(({ n }) => n)).toEqual([77]);
    const errors = samplesBy(text, 'mds_worker_write_errors_total');
    const byType = (type: string) =>
      Object.entries(errors)
        .filter(([labels]) => labels.endsWith(`error_type="${type}"`))
        .reduce((sum, [, count]) => sum + count, 0);
    expect(byType('57P01')).toBe(1);
    // The batch of up to ten, and its halves down to the one item.
    expect(byType('22P02')).toBeGreaterThanOrEqual(2);
    expect(byType('22P02') + byType('57P01')).toBe(Object.values(errors).reduce((sum, count) => sum + count));
    expect(samplesBy(text, 'sink_writes_total')['sink="store",status="failure"']).toBe(
      byType('22P02') + byType('57P01'),
    );
    expect(samplesBy(text, 'sluice_retries_total')).toEqual({ 'coord_id="bars"': 1 });
    expect(samplesBy(text, 'sluice_items_diverted_total')).toEqual({
      'pipeline="main",reason="poison"': 1,
      'pipeline="main",reason="exhausted"': 0,
      'pipeline="main",reason="fatal"': 0,
      'pipeline="main",reason="drain"': 0,
      'pipeline="main",reason="decode"': 0,
    });
    expect(samplesBy(text, 'sluice_items_written_total')).toEqual({ 'pipeline="main"': 299 });
    expect(samplesBy(text, 'sluice_conservation_items')).toEqual({ 'pipeline="main"': 0 });
  });

  it('shows its circuit as 0 closed, 1 open, 2 half-open', async () => {
    const { scheduler, telemetry, monitor, read } = watch();
    telemetry.bind(monitor);
    const sink = slowSink<Tick>({
      serviceTimeMs: 5,
      scheduler,
      failOn: () => scheduler.now() < 1_000 && coded('ECONNREFUSED'),
    });
    const policies = { scheduler, random, breaker: { window: { kind: 'count', size: 2 } as const, openMs: 1_000 } };
    const write = writeCoordinator(sink, { name: 'bars', workers: 1, batchSize: 10, policies });
    const states: [number, number | undefined][] = [];
    ticks(50, scheduler).pipe(write, withContext({ monitor })).subscribe();
    for (const ms of [1, 500, 1_037, 1_100]) {
      scheduler.maxFrames = ms;
      scheduler.flush();
      states.push([ms, (await read('mds_coord_circuit_state'))['coord_id="bars"']]);
    }
    // Two failures by frame 35 (5, then 25 of backoff, then 5) open it; from frame 1,035 one write is let through.
    expect(states).toEqual([
      [1, 0],
      [500, 1],
      [1_037, 2],
      [1_100, 0],
    ]);
  });
});

describe('a writer that stands alone', () => {
  it('is a coordinator of its own name with one worker', async () => {
    const { scheduler, telemetry, monitor, scrape } = watch();
    telemetry.bind(monitor);
    const sink = slowSink<Tick>({ serviceTimeMs: 5, scheduler });
    const chain$ = ticks(35, scheduler).pipe(batch({ size: 10 }), writeTo(sink, { name: 'archive', scheduler }));
    await play(chain$, monitor, scheduler, 12);
    const text = await scrape();
    expect(samplesBy(text, 'mds_worker_batches_written_total')).toEqual({ 'coord_id="archive",worker_id="0"': 2 });
    expect(samplesBy(text, 'mds_coord_workers_alive')).toEqual({ 'coord_id="archive"': 1 });
    expect(samplesBy(text, 'mds_coord_items_submitted_total')).toEqual({ 'coord_id="archive"': 30 });
    expect(samplesBy(text, 'mds_coord_queue_depth')).toEqual({ 'coord_id="archive"': 10 });
    expect(samplesBy(text, 'mds_coord_items_dropped_total')).toEqual({ 'coord_id="archive",reason="overflow"': 0 });
  });
});

describe('gates', () => {
  it('are open or closed, and were closed for as long as they were', async () => {
    const { scheduler, telemetry, monitor, scrape } = watch();
    telemetry.bind(monitor, { pipeline: 'main' });
    const sink = slowSink<Tick>({ serviceTimeMs: 100, scheduler });
    const write = writeCoordinator(sink, {
      name: 'bars',
      capacity: 20,
      workers: 1,
      batchSize: 10,
      policies: { scheduler },
    });
    const running = ticks(200, scheduler).pipe(write, withContext({ monitor })).subscribe();
    await Promise.resolve();
    const buffer = monitor.stages.find(({ id }) => id === 'bars');
    let closedMs = 0;
    let since: number | undefined;
    buffer?.gate?.state$.subscribe((state) => {
      if (state === 'closed') since = scheduler.now();
      else if (since !== undefined) closedMs += scheduler.now() - since;
      if (state === 'open') since = undefined;
    });
    scheduler.maxFrames = 750;
    scheduler.flush();
    expect(since).toBeDefined();
    const text = await scrape();
    const expected = (closedMs + scheduler.now() - (since ?? 0)) / 1_000;
    expect(expected).toBeGreaterThan(0.5);
    expect(samplesBy(text, 'sluice_gate_closed_seconds_total')['pipeline="main",stage="bars"']).toBeCloseTo(
      expected,
      9,
    );
    expect(samplesBy(text, 'sluice_gate_open')['pipeline="main",stage="bars"']).toBe(0);
    // A lane shows the gate of the batch behind it, which is there already.
    expect(Object.keys(samplesBy(text, 'sluice_gate_open')).map((labels) => labels.split('stage=')[1])).toEqual([
      '"bars.lanes"',
      '"bars.write"',
      '"bars.batch"',
      '"bars"',
    ]);
    running.unsubscribe();
    const after = await scrape();
    expect(samplesBy(after, 'sluice_gate_open')).toEqual({});
    expect(samplesBy(after, 'sluice_gate_closed_seconds_total')['pipeline="main",stage="bars"']).toBeCloseTo(
      expected,
      9,
    );
  });
});

describe('counters', () => {
  it('go on where they were when a pipeline is retried', async () => {
    const { scheduler, telemetry, monitor, scrape } = watch();
    telemetry.bind(monitor);
    let failing = true;
    const sink = slowSink<Tick>({
      serviceTimeMs: 5,
      scheduler,
      failOn: (items) => failing && items.some(({ n }) => n >= 100),
    });
    const policies = { scheduler, retry: false as const, breaker: false as const };
    const write = writeCoordinator(sink, { name: 'bars', capacity: 20, workers: 2, batchSize: 10, policies });
    const chain$ = ticks(200, scheduler).pipe(
      write,
      retry({
        delay: () => {
          failing = false;
          return of(undefined);
        },
      }),
    );
    const before = new Map<string, number>();
    chain$.pipe(withContext({ monitor })).subscribe();
    const counters = new Set<string>(
      Object.values(METRICS)
        .filter(({ type }) => type === 'counter')
        .map(({ name }) => name),
    );
    for (let ms = 5; ms <= 300; ms += 5) {
      await Promise.resolve();
      scheduler.maxFrames = ms;
      scheduler.flush();
      for (const [series, value] of samplesOf(await scrape())) {
        if (!counters.has(series.split('{')[0] ?? '')) continue;
        expect(value, `${series} at ${ms}`).toBeGreaterThanOrEqual(before.get(series) ?? 0);
        before.set(series, value);
      }
    }
    const text = await scrape();
    expect(failing).toBe(false);
    expect(samplesBy(text, 'sluice_items_written_total')['pipeline="default"']).toBeGreaterThan(290);
    expect(Object.keys(samplesBy(text, 'mds_worker_batches_written_total'))).toEqual([
      'coord_id="bars",worker_id="0"',
      'coord_id="bars",worker_id="1"',
    ]);
    expect(samplesBy(text, 'mds_coord_items_submitted_total')['coord_id="bars"']).toBe(
      monitor.stages.find(({ id }) => id === 'bars')?.in,
    );
  });

  it('of pipelines that share a monitor are those of both', async () => {
    const { scheduler, telemetry, monitor, scrape } = watch();
    telemetry.bind(monitor);
    const write = (count: number) => {
      const sink = slowSink<Tick>({ serviceTimeMs: 5, scheduler });
      return ticks(count, scheduler).pipe(
        writeCoordinator(sink, { name: 'bars', workers: 1, batchSize: 10, policies: { scheduler } }),
      );
    };
    write(30).pipe(withContext({ monitor })).subscribe();
    write(20).pipe(withContext({ monitor })).subscribe();
    scheduler.maxFrames = 3;
    scheduler.flush();
    expect(samplesBy(await scrape(), 'mds_coord_workers_alive')).toEqual({ 'coord_id="bars"': 2 });
    scheduler.maxFrames = 1_000;
    scheduler.flush();
    const text = await scrape();
    expect(samplesBy(text, 'mds_coord_items_submitted_total')).toEqual({ 'coord_id="bars"': 50 });
    expect(Object.values(samplesBy(text, 'mds_worker_batches_written_total')).every((count) => count >= 2)).toBe(true);
    expect(Object.keys(samplesBy(text, 'mds_worker_batches_written_total'))).toHaveLength(2);
  });

  it('stay when a pipeline is over and its monitor is given back, and its gauges end', async () => {
    const { scheduler, telemetry, monitor, scrape } = watch();
    const chain = (count: number) => {
      const sink = slowSink<Tick>({ serviceTimeMs: 5, scheduler });
      return ticks(count, scheduler).pipe(batch({ size: 10 }), writeTo(sink, { name: 'w', scheduler }));
    };
    const unbind = telemetry.bind(monitor, { pipeline: 'main' });
    await play(chain(40), monitor, scheduler);
    unbind();
    unbind();
    const between = await scrape();
    expect(samplesBy(between, 'mds_worker_batches_written_total')).toEqual({ 'coord_id="w",worker_id="0"': 4 });
    expect(samplesBy(between, 'sluice_items_written_total')).toEqual({ 'pipeline="main"': 40 });
    expect(samplesOf(between).get('mds_worker_write_latency_seconds_count{coord_id="w",worker_id="0"}')).toBe(4);
    for (const gauge of ['mds_coord_workers_alive', 'sluice_items_held', 'sluice_gate_open']) {
      expect(samplesBy(between, gauge)).toEqual({});
    }

    const next = new PipelineMonitor();
    telemetry.bind(next, { pipeline: 'main' });
    await play(chain(20), next, scheduler);
    const after = await scrape();
    expect(samplesBy(after, 'mds_worker_batches_written_total')).toEqual({ 'coord_id="w",worker_id="0"': 6 });
    expect(samplesBy(after, 'sluice_items_written_total')).toEqual({ 'pipeline="main"': 60 });
    expect(samplesBy(after, 'mds_coord_workers_alive')).toEqual({ 'coord_id="w"': 0 });
    expect(samplesOf(after).get('sink_write_latency_seconds_count{sink="slowSink"}')).toBe(6);
  });

  it('of breakers are no sum: of two pipelines with one coordinator the worse is shown', async () => {
    const { telemetry, read } = watch();
    const guard = (pipeline: string, state: string) => {
      const monitor = new PipelineMonitor();
      telemetry.bind(monitor, { pipeline });
      const writer = monitor.register({ kind: 'writeTo', name: 'w', role: 'writer' }).stage;
      writer.observer?.guarded?.(writer, { state, onChange: () => () => {} });
    };
    guard('a', 'disabled');
    expect(await read('mds_coord_circuit_state')).toEqual({ 'coord_id="w"': 0 });
    guard('b', 'halfOpen');
    expect(await read('mds_coord_circuit_state')).toEqual({ 'coord_id="w"': 2 });
    guard('c', 'open');
    expect(await read('mds_coord_circuit_state')).toEqual({ 'coord_id="w"': 1 });
    guard('d', 'forcedOpen');
    expect(await read('mds_coord_circuit_state')).toEqual({ 'coord_id="w"': 1 });
  });
});
