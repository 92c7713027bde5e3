import { describe, expect, it } from 'vitest';
import { Gate } from './gate.js';
import { NO_MONITOR, PipelineMonitor, Stage } from './monitor.js';

describe('Stage', () => {
  it('balances what came in against what became of it', () => {
    const stage = new Stage('s', { kind: 's' });
    stage.in = 10;
    expect(stage.conservation).toBe(10);
    stage.out = 3;
    stage.written = 1;
    stage.diverted = 1;
    stage.drop('late', 2);
    stage.drop('late');
    let held = 2;
    stage.holds(() => held);
    expect(stage.conservation).toBe(0);
    expect(Object.fromEntries(stage.dropped)).toEqual({ late: 3 });
    held = 3;
    expect(stage.conservation).toBe(-1);
  });

  it('counts what it held when its subscription ended as abandoned, once', () => {
    const stage = new Stage('s', { kind: 's' });
    stage.in = 4;
    stage.holds(() => 4);
    stage.close();
    stage.close();
    expect(stage).toMatchObject({ held: 0, abandoned: 4, conservation: 0, isLive: false });
    stage.reopen(undefined);
    expect(stage).toMatchObject({ held: 0, abandoned: 4, isLive: true });
  });

  it('says nothing of sources and transforms, whose items need not match', () => {
    for (const role of ['source', 'transform'] as const) {
      const stage = new Stage('s', { kind: 's', role });
      stage.out = 5;
      expect(stage.conservation).toBe(0);
    }
  });
});

describe('PipelineMonitor', () => {
  it('names stages apart that share a name', () => {
    const monitor = new PipelineMonitor();
    const ids = ['batch', 'batch', 'write'].map((kind) => monitor.register({ kind }).id);
    expect(ids).toEqual(['batch', 'batch#2', 'write']);
    expect(monitor.register({ kind: 'batch', name: 'mine' }).name).toBe('mine');
  });

  it('gives a stage that comes back its former account, and one beside a live one its own', () => {
    const monitor = new PipelineMonitor();
    const end = monitor.register({ kind: 'end' });
    const gate = new Gate();
    const first = monitor.register({ kind: 'read', feeds: end });
    first.out = 3;
    expect(monitor.register({ kind: 'read', feeds: end })).not.toBe(first);
    first.close();
    const again = monitor.register({ kind: 'read', feeds: end, gate });
    expect(again).toBe(first);
    expect(again.out).toBe(3);
    expect(again.gate).toBe(gate);
    again.close();
    for (const other of [{ kind: 'read' }, { kind: 'read', feeds: end, name: 'x' }, { kind: 'tail', feeds: end }]) {
      expect(monitor.register(other)).not.toBe(first);
    }
  });

  it('is empty before anything happens', () => {
    expect(new PipelineMonitor().account()).toEqual({
      received: 0,
      written: 0,
      diverted: 0,
      dropped: {},
      filtered: 0,
      delivered: 0,
      held: 0,
      conservation: 0,
    });
  });

  it('shows a fault: items that are in no account', () => {
    const monitor = new PipelineMonitor();
    const buffer = monitor.register({ kind: 'buffer' });
    const source = monitor.register({ kind: 'source', role: 'source', feeds: buffer });
    source.out = 10;
    buffer.in = 10;
    buffer.out = 7;
    expect(monitor.account().conservation).toBe(3);
    expect(buffer.conservation).toBe(3);
  });
});

it('NO_MONITOR gives each stage an account of its own', () => {
  const one = NO_MONITOR.register({ kind: 'a' });
  const other = NO_MONITOR.register({ kind: 'a' });
  one.in = 1;
  expect(other.in).toBe(0);
});
