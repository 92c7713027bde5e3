import { NEVER, type Observable, of } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { PipelineMonitor } from '../flow/monitor.js';
import type { StageInfo } from '../flow/stage.js';
import { withContext } from '../flow/withContext.js';
import { batch } from '../operators/batch.js';
import { boundedBuffer } from '../operators/boundedBuffer.js';
import { lanes } from '../operators/lanes.js';
import { writeCoordinator } from '../operators/writeCoordinator.js';
import { writeTo } from '../operators/writeTo.js';
import { coordinatorsOf } from './coordinators.js';

const sink = { name: 'bars', write: () => NEVER };

/** The coordinators of a chain that stands and waits, by the ids of their stages. */
function coordinatorsIn(outcomes$: Observable<unknown>) {
  const monitor = new PipelineMonitor();
  const subscription = outcomes$.pipe(withContext({ monitor })).subscribe();
  const found = coordinatorsOf(monitor.stages).map(({ id, buffers, workers, between }) => ({
    id,
    buffers: buffers.map((stage) => stage.id),
    workers: workers.map((worker) => [worker.id, worker.stage.id]),
    between: between.map(({ kind }) => kind),
  }));
  subscription.unsubscribe();
  return found;
}

describe('the coordinators of a pipeline', () => {
  it('have a buffer, workers, and lanes and batches in between', () => {
    const chain$ = NEVER.pipe(
      boundedBuffer({ name: 'above' }),
      batch<number>({ size: 2 }),
      writeCoordinator(sink, { workers: 2 }),
      boundedBuffer({ name: 'below' }),
    );
    const [coordinator, ...others] = coordinatorsIn(chain$);
    expect(others).toEqual([]);
    expect(coordinator).toMatchObject({
      id: 'bars',
      buffers: ['bars'],
      workers: [
        ['0', 'bars.write'],
        ['1', 'bars.write#2'],
      ],
    });
    expect(coordinator?.between.sort()).toEqual(['batch', 'batch', 'lane', 'lane', 'lanes']);
  });

  it('go by what stages say, and not by what they are called', () => {
    const chain$ = NEVER.pipe(
      boundedBuffer<number>({ name: 'bars' }),
      batch({ size: 2, name: 'bars.batch' }),
      writeTo(sink, { name: 'bars.write' }),
    );
    expect(coordinatorsIn(chain$)).toEqual([
      { id: 'bars.write', buffers: [], workers: [['0', 'bars.write']], between: [] },
    ]);
  });

  it('are one where several have one name, with workers of their own', () => {
    const chain$ = of(1).pipe(
      lanes({ count: 2, by: String }, (lane$) => lane$.pipe(writeCoordinator(sink, { workers: 2 }))),
    );
    const [coordinator] = coordinatorsIn(chain$);
    expect(coordinator?.buffers).toEqual(['bars', 'bars#2']);
    expect(coordinator?.workers.map(([id]) => id)).toEqual(['0', '1', '2', '3']);
  });

  it('count writers that stand alone by their names', () => {
    const monitor = new PipelineMonitor();
    const infos: StageInfo[] = [
      { kind: 'writeTo', role: 'writer' },
      { kind: 'writeTo', role: 'writer', name: 'archive' },
      { kind: 'writeTo', role: 'writer' },
      { kind: 'batch' },
    ];
    for (const info of infos) monitor.register(info);
    const found = coordinatorsOf(monitor.stages).map(({ id, workers }) => [id, workers.map((worker) => worker.id)]);
    expect(found).toEqual([
      ['writeTo', ['0', '1']],
      ['archive', ['0']],
    ]);
  });
});
