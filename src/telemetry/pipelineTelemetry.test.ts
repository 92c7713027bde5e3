import { Counter, Registry } from 'prom-client';
import { NEVER, type Observable, of, VirtualTimeScheduler } from 'rxjs';
import { retry } from 'rxjs/operators';
import { afterEach, describe, expect, it } from 'vitest';
import { samplesBy, samplesOf } from '../../test/support/exposition.js';
import { gatedSource } from '../flow/gatedSource.js';
import { PipelineMonitor, type StageObserver } from '../flow/monitor.js';
import { withContext } from '../flow/withContext.js';
import { batch } from '../operators/batch.js';
import { boundedBuffer } from '../operators/boundedBuffer.js';
import { writeCoordinator } from '../operators/writeCoordinator.js';
import { writeTo } from '../operators/writeTo.js';
import { run } from '../pipelines/run.js';
import { slowSink } from '../testing/slowSink.js';
import { METRICS } from './catalogue.js';
import type { MetricsFormat } from './metrics.js';
import { type PipelineTelemetryConfig, pipelineTelemetry } from './pipelineTelemetry.js';

interface Tick {
  readonly n: number;
  readonly ts: number;
}

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** Telemetry in virtual time. */
function watch(config: PipelineTelemetryConfig = {}) {
  const scheduler = new VirtualTimeScheduler();
  const telemetry = pipelineTelemetry({ now: () => scheduler.now(), ...config });
  ends.push(() => telemetry.close());
  const monitor = new PipelineMonitor();
  const scrape = async (format?: MetricsFormat) => (await telemetry.metrics(format)).body;
  const read = async (name: string) => samplesBy(await scrape(), name);
  return { scheduler, telemetry, monitor, scrape, read };
}

/** `n` items, each of the moment at which it is emitted. */
const ticks = (count: number, scheduler: VirtualTimeScheduler): Observable<Tick> =>
  gatedSource<Tick>({ name: 'ticks', scheduler }, (outlet) => {
    let n = 0;
    outlet.pump(() => {
      if (n < count) outlet.next({ n: n++, ts: scheduler.now() });
      else outlet.complete();
    });
  });

/** Subscribes, lets gates be found, and plays virtual time up to `ms`. */
async function play<T>(source: Observable<T>, monitor: PipelineMonitor, scheduler: VirtualTimeScheduler, ms?: number) {
  const seen: T[] = [];
  let error: unknown;
  source.pipe(withContext({ monitor })).subscribe({
    next: (value) => seen.push(value),
    error: (thrown) => {
      error = thrown;
    },
  });
  await Promise.resolve();
  if (ms !== undefined) scheduler.maxFrames = ms;
  scheduler.flush();
  return { seen, error: () => error };
}

const pgError = (code: string) => Object.assign(new Error(`error ${code}`), { code });
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
      if (items.some(({ n }) => n === 77)) return pgError('22P02');
      return items.some(({ n }) => n === 150) && attempt === 1 ? pgError('57P01') : false;
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
      failOn: () => scheduler.now() < 1_000 && Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }),
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
    ends.push(() => telemetry.close());
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
    telemetry.bind(monitor, { pipeline: 'main', deadLetters });
    expect(samplesBy(await scrape(), 'sluice_provider_state')).toEqual({});
    telemetry.providerState('polygon', 'connecting');
    telemetry.providerState('polygon', 'live');
    telemetry.gapsOpen(4);
    const text = await scrape();
    expect(samplesBy(text, 'sluice_provider_state')).toEqual({
      'provider="polygon",state="connecting"': 0,
      'provider="polygon",state="live"': 1,
      'provider="polygon",state="stale"': 0,
      'provider="polygon",state="down"': 0,
    });
    expect(samplesBy(text, 'sluice_gaps_open')).toEqual({ '': 4 });
    expect(samplesBy(text, 'sluice_draining')).toEqual({ '': 0 });
    expect(samplesBy(text, 'sluice_dead_letters_open')).toEqual({ 'pipeline="main"': 2 });
    expect(samplesBy(text, 'sluice_dead_letters_parked')).toEqual({ 'pipeline="main"': 7 });
    expect(samplesBy(text, 'sluice_dead_letters_quarantined')).toEqual({ 'pipeline="main"': 1 });
    expect(samplesBy(text, 'sluice_dead_letters_appended_total')).toEqual({ 'pipeline="main"': 5 });
    expect(samplesBy(text, 'sluice_dead_letters_replayed_total')).toEqual({ 'pipeline="main"': 3 });
    expect(samplesBy(text, 'sluice_dead_letters_holding')).toEqual({ 'pipeline="main"': 0 });
    telemetry.gapsOpen(0);
    telemetry.draining();
    now = queue(0, 5, { sinceMs: 9 });
    const later = await scrape();
    expect(samplesBy(later, 'sluice_gaps_open')).toEqual({ '': 0 });
    expect(samplesBy(later, 'sluice_draining')).toEqual({ '': 1 });
    expect(samplesBy(later, 'sluice_dead_letters_open')).toEqual({ 'pipeline="main"': 0 });
    expect(samplesBy(later, 'sluice_dead_letters_holding')).toEqual({ 'pipeline="main"': 1 });
  });
});

describe('the event loop', () => {
  it('is seen to be late when it is blocked', async () => {
    const telemetry = pipelineTelemetry();
    ends.push(() => telemetry.close());
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
});

describe('the formats', () => {
  it('have every metric by its exact name, type, help and labels', async () => {
    const { scrape } = watch();
    const text = await scrape();
    const open = await scrape('openmetrics');
    for (const { name, type, help } of Object.values(METRICS)) {
      expect(text).toContain(`# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`);
      const family = type === 'counter' ? name.replace(/_total$/, '') : name;
      expect(open).toContain(`# HELP ${family} ${help}\n# TYPE ${family} ${type}\n`);
    }
    expect(open.match(/# EOF\n/g)).toHaveLength(1);
    expect(open.endsWith('\n# EOF\n')).toBe(true);
    expect(text).not.toContain('EOF');
  });

  it('do not disturb each other, though one renames counters while it writes', async () => {
    const { telemetry, scrape } = watch();
    telemetry.gapsOpen(1);
    const [text, open, again] = await Promise.all([scrape(), scrape('openmetrics'), scrape()]);
    expect(again).toBe(text);
    expect(await scrape('openmetrics')).toBe(open);
    expect(open).toContain('\nsluice_gaps_open 1\n');
  });

  it('are those two', () => {
    const { telemetry } = watch();
    expect(() => telemetry.metrics('json' as MetricsFormat)).toThrow(/format must be one of "text", "openmetrics"/);
  });
});

describe('a registry of the program', () => {
  it('has its metrics and ours, in both formats, and ours no more when telemetry is closed', async () => {
    const registry = new Registry();
    registry.setDefaultLabels({ app: 'mine' });
    new Counter({ name: 'own_total', help: 'Own.', registers: [registry] }).inc(3);
    const { telemetry, scrape } = watch({ registry });
    telemetry.gapsOpen(1);
    const text = await registry.metrics();
    expect(text).toContain('own_total{app="mine"} 3');
    expect(text).toContain('sluice_gaps_open{app="mine"} 1');
    const open = await scrape('openmetrics');
    expect(open).toContain('# TYPE own counter\nown_total{app="mine"} 3');
    expect(open).toContain('sluice_gaps_open{app="mine"} 1');
    expect(await scrape()).toContain('# TYPE own_total counter');
    telemetry.close();
    expect(await registry.metrics()).not.toContain('sluice_');
    expect(await registry.metrics()).toContain('own_total{app="mine"} 3');
  });

  it('takes one telemetry, and is as it was when it refuses another', async () => {
    const registry = new Registry();
    watch({ registry });
    expect(() => pipelineTelemetry({ registry })).toThrow(
      expect.objectContaining({
        code: 'SLUICE_TELEMETRY_REGISTRY',
        message: expect.stringContaining('give each telemetry its own registry'),
      }),
    );
    expect(await registry.metrics()).toContain('sluice_gaps_open 0');
  });
});

describe('telemetry refuses', () => {
  it('a monitor twice, and a name twice while the first is there', () => {
    const { telemetry, monitor } = watch();
    const unbind = telemetry.bind(monitor, { pipeline: 'a' });
    expect(() => telemetry.bind(monitor, { pipeline: 'b' })).toThrow(/bound already/);
    expect(() => telemetry.bind(new PipelineMonitor(), { pipeline: 'a' })).toThrow(
      /pipeline must be a name that no running pipeline has, got "a"/,
    );
    unbind();
    expect(() => telemetry.bind(new PipelineMonitor(), { pipeline: 'a' })).not.toThrow();
  });

  it('what it cannot show', () => {
    const { telemetry, monitor } = watch();
    expect(() => telemetry.providerState('p', 'tired' as 'live')).toThrow(/state must be one of/);
    expect(() => telemetry.providerState('', 'live')).toThrow(/provider/);
    expect(() => telemetry.gapsOpen(-1)).toThrow(/gapsOpen must be an integer of at least 0, got -1/);
    expect(() => telemetry.bind(monitor, { pipeline: '' })).toThrow(/pipeline/);
    expect(() => telemetry.bind(monitor, { name: 'x' } as object)).toThrow(/unknown option "name"/);
    expect(() => pipelineTelemetry({ registr: 1 } as object)).toThrow(/unknown option "registr"/);
    expect(() => pipelineTelemetry({ now: 5 as unknown as () => number })).toThrow(/now must be a function/);
  });
});
