import { describe, expect, it } from 'vitest';
import { PipelineMonitor, type StageRole } from '../flow/monitor.js';
import { coordinatesOf, coordinatorsOf } from './coordinates.js';

const none = () => false;
const all = () => true;

describe('the coordinates of a writer', () => {
  it.each([
    ['bars.write', 'bars.write', all, 'bars', '0'],
    ['bars.write#2', 'bars.write', all, 'bars', '1'],
    ['bars.write#12', 'bars.write', all, 'bars', '11'],
    ['bars.write', 'bars.write', none, 'bars.write', '0'],
    ['writeTo', 'writeTo', all, 'writeTo', '0'],
    ['writeTo#3', 'writeTo', none, 'writeTo', '2'],
    ['a#2', 'a#2', none, 'a#2', '0'],
    ['a#2#2', 'a#2', none, 'a#2', '1'],
  ])('%s are those of its coordinator', (id, name, hasBuffer, coordId, workerId) => {
    expect(coordinatesOf({ id, name }, hasBuffer)).toEqual({ coordId, workerId });
  });
});

describe('coordinators', () => {
  const monitorOf = (...stages: (readonly [kind: string, name: string, role?: StageRole])[]) => {
    const monitor = new PipelineMonitor();
    for (const [kind, name, role] of stages) monitor.register({ kind, name, role });
    return monitor.stages;
  };
  const idsOf = (stages: readonly { readonly id: string }[]) => stages.map(({ id }) => id);

  it('are a buffer and the writers named after it, with lanes and batches between', () => {
    const stages = monitorOf(
      ['lanes', 'bars.lanes'],
      ['writeTo', 'bars.write', 'writer'],
      ['batch', 'bars.batch'],
      ['lane', 'bars.lanes[0]'],
      ['writeTo', 'bars.write', 'writer'],
      ['batch', 'bars.batch'],
      ['boundedBuffer', 'bars'],
      ['boundedBuffer', 'other'],
      ['synthetic', 'synthetic', 'source'],
    );
    const found = coordinatorsOf(stages);
    expect(found).toHaveLength(1);
    expect(found[0]?.id).toBe('bars');
    expect(idsOf(found[0]!.buffers)).toEqual(['bars']);
    expect(idsOf(found[0]!.writers)).toEqual(['bars.write', 'bars.write#2']);
    expect(idsOf(found[0]!.between)).toEqual(['bars.lanes', 'bars.batch', 'bars.batch#2']);
  });

  it('are one where several have one name', () => {
    const stages = monitorOf(
      ['writeTo', 'bars.write', 'writer'],
      ['boundedBuffer', 'bars'],
      ['writeTo', 'bars.write', 'writer'],
      ['boundedBuffer', 'bars'],
    );
    expect(coordinatorsOf(stages).map(({ id, buffers, writers }) => [id, idsOf(buffers), idsOf(writers)])).toEqual([
      ['bars', ['bars', 'bars#2'], ['bars.write', 'bars.write#2']],
    ]);
  });

  it('are writers that stand alone, whatever buffer has their name', () => {
    const stages = monitorOf(['writeTo', 'bars', 'writer'], ['boundedBuffer', 'bars']);
    expect(coordinatorsOf(stages).map(({ id, buffers }) => [id, idsOf(buffers)])).toEqual([['bars', []]]);
  });
});
