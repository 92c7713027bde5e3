import { Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { NO_CONTEXT, registerStage } from './context.js';
import { Gate } from './gate.js';
import { NO_MONITOR, PipelineMonitor } from './monitor.js';
import { operate } from './operate.js';
import { type Stage, StageAccount } from './stage.js';
import { withContext } from './withContext.js';

describe('Stage', () => {
  it('balances what came in against what became of it', () => {
    const account = new StageAccount('s', { kind: 's' });
    const { stage } = account;
    account.in = 10;
    expect(stage.conservation).toBe(10);
    account.out = 3;
    account.settle('written', 'w');
    account.settle('diverted', 'd', 'poison');
    account.drop('late', 2);
    account.settle('dropped', 'l', 'late');
    let held = 2;
    account.holds(() => held);
    expect(stage.conservation).toBe(0);
    expect(stage).toMatchObject({ written: 1, diverted: 1, droppedTotal: 3, held: 2 });
    expect(Object.fromEntries(stage.dropped)).toEqual({ late: 3 });
    expect(Object.fromEntries(stage.divertedBy)).toEqual({ poison: 1 });
    held = 3;
    expect(stage.conservation).toBe(-1);
  });

  it('counts what it held when its subscription ended as abandoned, once', () => {
    const account = new StageAccount('s', { kind: 's' });
    const { stage } = account;
    account.in = 4;
    account.holds(() => 4);
    account.close();
    account.close();
    expect(stage).toMatchObject({ held: 0, abandoned: 4, conservation: 0, isLive: false });
    account.reopen(undefined);
    expect(stage).toMatchObject({ held: 0, abandoned: 4, isLive: true });
  });

  it('has no conservation for sources and transforms, whose items need not match', () => {
    for (const role of ['source', 'transform'] as const) {
      const account = new StageAccount('s', { kind: 's', role });
      account.out = 5;
      expect(account.stage.conservation).toBe(0);
    }
  });

  it('cannot be written to, nor can a gate, by those who only look', () => {
    const monitor = new PipelineMonitor();
    const gate = new Gate();
    const { stage } = monitor.register({ kind: 'buffer', gate });
    const numbers = [
      'in',
      'out',
      'written',
      'diverted',
      'held',
      'abandoned',
      'droppedTotal',
      'conservation',
      'balance',
    ];
    for (const field of [...numbers, 'dropped', 'divertedBy', 'gate', 'isLive']) {
      expect(() => Object.assign(stage, { [field]: 7 }), field).toThrow(TypeError);
    }
    expect(() => Object.assign(gate, { isOpen: false })).toThrow(TypeError);
    expect(gate.isOpen).toBe(true);
    const view = stage.gate as unknown as Record<string, unknown>;
    expect(view).toMatchObject({ isOpen: true, state: 'open', waiting: 0 });
    for (const way of ['open', 'close', 'whenOpen']) expect(view[way], way).toBeUndefined();
    for (const field of ['isOpen', 'open', 'watch']) expect(() => Object.assign(view, { [field]: 7 }), field).toThrow();
    expect(stage).toMatchObject({ in: 0, out: 0, written: 0, diverted: 0, held: 0, isLive: true, conservation: 0 });
  });
});

describe('PipelineMonitor', () => {
  it('names stages apart that share a name', () => {
    const monitor = new PipelineMonitor();
    const ids = ['batch', 'batch', 'write'].map((kind) => monitor.register({ kind }).stage.id);
    expect(ids).toEqual(['batch', 'batch#2', 'write']);
    expect(monitor.register({ kind: 'batch', name: 'mine' }).stage.name).toBe('mine');
  });

  it('gives a stage that comes back its former account, and one beside a live one its own', () => {
    const monitor = new PipelineMonitor();
    const end = monitor.register({ kind: 'end' }).stage;
    const register = (info: { kind: string; name?: string; gate?: Gate }, stage: Stage | undefined = end) =>
      registerStage({ ...NO_CONTEXT, monitor, stage }, info);
    const gate = new Gate();
    const first = register({ kind: 'read' });
    first.out = 3;
    expect(register({ kind: 'read' })).not.toBe(first);
    first.close();
    const again = register({ kind: 'read', gate });
    expect(again).toBe(first);
    expect(again.out).toBe(3);
    expect(again.stage.gate).toBe(gate.view);
    again.close();
    for (const other of [{ kind: 'read', name: 'x' }, { kind: 'tail' }]) expect(register(other)).not.toBe(first);
    expect(register({ kind: 'read' }, first.stage)).not.toBe(first);
  });

  it('gives nobody else the account of a stage, also where it looks the same and has ended', () => {
    const monitor = new PipelineMonitor();
    const source = new Subject<number>();
    const subscription = source
      .pipe(
        operate<number, number>({ kind: 'own' }, ({ settle }) => ({
          next: (item) => settle('dropped', item, 'never'),
        })),
        withContext({ monitor }),
      )
      .subscribe();
    source.next(1);
    subscription.unsubscribe();
    const stage = monitor.stages[0]!;
    const before = monitor.account();
    const { kind, role, name, feeds, branchOf, worker } = stage;
    const alike = monitor.register({ kind, role, name, feeds, branchOf, worker });
    expect(alike.stage).not.toBe(stage);
    alike.in = 7;
    expect(stage).toMatchObject({ in: 1, droppedTotal: 1, conservation: 0, isLive: false });
    alike.in = 0;
    (stage.dropped as Map<string, number>).set('never', 9);
    (stage.divertedBy as Map<string, number>).set('never', 9);
    expect(() => (monitor.stages as Stage[]).pop()).toThrow(TypeError);
    expect(monitor.account()).toEqual(before);
    expect([...stage.dropped]).toEqual([['never', 1]]);
  });

  it('is empty before anything happens', () => {
    expect(new PipelineMonitor().account()).toEqual({
      received: 0,
      written: 0,
      diverted: 0,
      divertedBy: {},
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
    const source = monitor.register({ kind: 'source', role: 'source', feeds: buffer.stage });
    source.out = 10;
    buffer.in = 10;
    buffer.out = 7;
    expect(monitor.account().conservation).toBe(3);
    expect(buffer.stage.conservation).toBe(3);
  });
});

it('NO_MONITOR gives each stage an account of its own', () => {
  const one = NO_MONITOR.register({ kind: 'a' });
  const other = NO_MONITOR.register({ kind: 'a' });
  one.in = 1;
  expect(other.in).toBe(0);
});
