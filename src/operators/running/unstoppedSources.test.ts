import { merge, NEVER, type Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { PipelineMonitor } from '../../flow/monitor.js';
import { withContext } from '../../flow/withContext.js';
import { boundedBuffer } from '../boundedBuffer.js';
import { lanes } from '../lanes.js';
import { unstoppedSources } from './unstoppedSources.js';

describe('unstoppedSources', () => {
  const of = (chain$: Observable<unknown>) => {
    const monitor = new PipelineMonitor();
    chain$.pipe(withContext({ monitor })).subscribe();
    return unstoppedSources(monitor.stages);
  };

  it('names the stage below a source without a stage, and none inside of its lanes', () => {
    expect(of(NEVER.pipe(boundedBuffer()))).toEqual(['the source of boundedBuffer']);
    expect(of(NEVER.pipe(lanes({ count: 2 }, (lane$) => lane$.pipe(boundedBuffer()))))).toEqual([
      'the source of lanes',
    ]);
  });

  it('names every one of several', () => {
    const first = NEVER.pipe(boundedBuffer({ name: 'first' }));
    const second = NEVER.pipe(boundedBuffer({ name: 'second' }));
    expect(of(merge(first, second))).toEqual(['the source of first', 'the source of second']);
  });

  it('speaks of the pipeline where no stage is left', () => {
    expect(unstoppedSources([])).toEqual(['the source of the pipeline']);
  });
});
