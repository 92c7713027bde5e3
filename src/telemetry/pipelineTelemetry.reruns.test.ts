import { EMPTY, of, type VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { samplesOf } from '../../test/support/exposition.js';
import { type Tick, ticks, watch } from '../../test/support/telemetryBench.js';
import { PipelineMonitor } from '../flow/monitor.js';
import { writeCoordinator } from '../operators/writeCoordinator.js';
import { writeTo } from '../operators/writeTo.js';
import { run } from '../pipelines/run.js';
import { CircuitBreaker } from '../policies/circuitBreaker.js';
import { slowSink } from '../testing/slowSink.js';
import { METRICS } from './catalogue.js';

const COUNTERS = new Set<string>(
  Object.values(METRICS)
    .filter(({ type }) => type !== 'gauge')
    .map(({ name }) => name),
);

/** Everything that only ever grows, but for what is zero: counters, and the parts of histograms. */
function countersOf(text: string): Record<string, number> {
  const isCounter = (series: string) =>
    COUNTERS.has((series.split('{')[0] ?? '').replace(/_(bucket|sum|count)$/, '')) ||
    COUNTERS.has(series.split('{')[0]!);
  return Object.fromEntries([...samplesOf(text)].filter(([series, value]) => isCounter(series) && value !== 0));
}

/** A queue of dead letters as long as it is open: its totals are those since it was opened. */
function letterQueue() {
  let appended = 0;
  const letters = (count: number) => ({ letters: count, items: count });
  return {
    append: () => {
      appended += 1;
      return EMPTY;
    },
    holding: undefined,
    stats: () => ({
      open: letters(0),
      parked: letters(0),
      appended: letters(appended),
      replayed: letters(appended),
      quarantined: 0,
    }),
  };
}

/** 30 items in batches of 10; the first write fails, and two items are poison. */
function chain(scheduler: VirtualTimeScheduler, deadLetters: ReturnType<typeof letterQueue>) {
  const failOn = (items: readonly Tick[], attempt: number) =>
    items.some(({ n }) => n === 7 || n === 13)
      ? Object.assign(new Error('poison'), { code: '22P02' })
      : attempt === 1 && Object.assign(new Error('gone'), { code: '57P01' });
  return ticks(30, scheduler).pipe(
    writeCoordinator(slowSink<Tick>({ name: 'bars', serviceTimeMs: 5, scheduler, failOn }), {
      name: 'bars',
      capacity: 15,
      workers: 1,
      batchSize: 10,
      policies: { scheduler, deadLetters, random: () => 0.5 },
    }),
  );
}

/** Runs the chain under this name, and holds that no counter ever falls, nor moves while nothing runs. */
function runner() {
  const { scheduler, telemetry, scrape } = watch();
  let last: Record<string, number> = {};
  const look = async () => {
    const counted = countersOf(await scrape());
    for (const [series, value] of Object.entries(last)) expect(counted[series], series).toBeGreaterThanOrEqual(value);
    last = counted;
    return counted;
  };
  const go = async (name: string, monitor: PipelineMonitor, deadLetters: ReturnType<typeof letterQueue>) => {
    const observe = [telemetry.pipeline(name, { deadLetters })];
    const promise = run(chain(scheduler, deadLetters), { signals: [], scheduler, monitor, observe });
    await look();
    const until = scheduler.frame + 1_000;
    for (let ms = scheduler.frame; ms < until; ms += 7) {
      scheduler.maxFrames = ms;
      scheduler.flush();
      await look();
    }
    await promise;
    const counted = await look();
    scheduler.frame = until;
    expect(await look()).toEqual(counted);
    return counted;
  };
  return { telemetry, look, go };
}

describe('counters of a pipeline that runs again', () => {
  it.each<[string, boolean, boolean]>([
    ['with everything new', false, false],
    ['with the same queue of dead letters', false, true],
    ['with the same monitor', true, false],
    ['with the same monitor and queue', true, true],
  ])('grow by what each run counts, and by nothing between them: %s', async (_, sameMonitor, sameQueue) => {
    const { telemetry, look, go } = runner();
    let monitor = new PipelineMonitor();
    let queue = letterQueue();
    const first = await go('main', monitor, queue);
    expect(first['sluice_items_written_total{pipeline="main"}']).toBe(28);
    expect(first['sluice_dead_letters_appended_total{pipeline="main"}']).toBe(2);
    for (let round = 2; round <= 4; round++) {
      if (!sameMonitor) monitor = new PipelineMonitor();
      if (!sameQueue) queue = letterQueue();
      const counted = await go('main', monitor, queue);
      expect(Object.keys(counted)).toEqual(Object.keys(first));
      for (const [series, value] of Object.entries(first)) {
        expect(counted[series], `${series} of run ${round}`).toBeCloseTo(round * value, 9);
      }
    }
    const before = await look();
    telemetry.bind(monitor, { pipeline: 'main', deadLetters: queue });
    expect(await look()).toEqual(before);
  });

  it('stay with the name under which they were counted when monitor and queue get another', async () => {
    const { look, go } = runner();
    const monitor = new PipelineMonitor();
    const queue = letterQueue();
    const first = await go('main', monitor, queue);
    const both = await go('rest', monitor, queue);
    for (const [series, value] of Object.entries(first)) {
      const isOfPipeline = series.includes('pipeline="main"');
      expect(both[series], series).toBeCloseTo(isOfPipeline ? value : 2 * value, 9);
      if (isOfPipeline) expect(both[series.replace('main', 'rest')], series).toBeCloseTo(value, 9);
    }
    // Another one takes its name, and then it comes back.
    await go('rest', new PipelineMonitor(), letterQueue());
    await go('main', monitor, queue);
    expect(await look()).toMatchObject({
      'sluice_items_written_total{pipeline="main"}': 56,
      'sluice_items_written_total{pipeline="rest"}': 56,
      'sluice_dead_letters_appended_total{pipeline="main"}': 4,
      'sluice_dead_letters_appended_total{pipeline="rest"}': 4,
      'mds_coord_items_submitted_total{coord_id="bars"}': 120,
    });
  });

  it('stay when it is bound and given back, again and again, and count what a replay does in between', async () => {
    const { telemetry, look, go } = runner();
    const monitor = new PipelineMonitor();
    const queue = letterQueue();
    const first = await go('main', monitor, queue);
    for (let i = 0; i < 3; i++) telemetry.bind(monitor, { pipeline: 'main', deadLetters: queue })();
    expect(await look()).toEqual(first);
    queue.append();
    telemetry.bind(monitor, { pipeline: 'main', deadLetters: queue });
    expect(await look()).toEqual({
      ...first,
      'sluice_dead_letters_appended_total{pipeline="main"}': 3,
      'sluice_dead_letters_replayed_total{pipeline="main"}': 3,
    });
  });
});

describe('the circuit of a pipeline that has ended', () => {
  it('is shown no more, but keeps a program without another pipeline from being ready', async () => {
    const { telemetry, read } = watch();
    const breaker = new CircuitBreaker();
    breaker.forceOpen(0);
    const stop = new AbortController();
    const write = writeTo<number>({ name: 'broken', write: () => EMPTY }, { name: 'broken', breaker });
    const options = { signals: [], drainTimeoutMs: 0, stop: stop.signal };
    const ended = run(of([1]).pipe(write), { ...options, observe: [telemetry] });
    expect(await read('mds_coord_circuit_state')).toEqual({ 'coord_id="broken"': 1 });
    stop.abort();
    await ended;
    expect(await read('mds_coord_circuit_state')).toEqual({});
    expect(telemetry.blockers().open).toEqual(['broken']);
  });

  it('hides none of a pipeline that runs with a coordinator of the same name', async () => {
    const { telemetry, read } = watch();
    const attach = (name: string, state: string) => {
      const monitor = new PipelineMonitor();
      const observer = telemetry.pipeline(name);
      const stages = observer.attach?.(monitor);
      if (stages) monitor.observe(stages);
      const writer = monitor.register({ kind: 'writeTo', name: 'w', role: 'writer' }).stage;
      writer.observer?.guarded?.(writer, { state, onChange: () => () => {} });
      return observer;
    };
    const former = attach('former', 'open');
    attach('present', 'halfOpen');
    expect(await read('mds_coord_circuit_state')).toEqual({ 'coord_id="w"': 1 });
    former.finished?.({} as never);
    expect(await read('mds_coord_circuit_state')).toEqual({ 'coord_id="w"': 2 });
    expect(telemetry.blockers().open).toEqual([]);
  });
});
