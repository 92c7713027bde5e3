import { Subject, VirtualTimeScheduler } from 'rxjs';
import { take, tap } from 'rxjs/operators';
import { describe, expect, it } from 'vitest';
import { gatedFrom, record } from '../../test/support/record.js';
import { Gate } from '../flow/gate.js';
import { PipelineMonitor } from '../flow/monitor.js';
import { withContext } from '../flow/withContext.js';
import type { Gap } from '../market/gap.js';
import type { Trade } from '../market/trade.js';
import { type DetectGapsConfig, detectGaps } from './detectGaps.js';

interface Tick {
  readonly key: string;
  readonly n?: number;
  readonly at: number;
}

const CONFIG: DetectGapsConfig<Tick> = {
  by: ({ key }) => key,
  sequence: ({ n }) => n,
  time: ({ at }) => at,
  series: ({ key }) => ({ vendor: 'own', symbol: key, of: 'tick' }),
};

/** `A3@30`; a gap as `gap A 10-30 x2`. */
const brief = (item: Tick | Gap) =>
  'kind' in item ? `gap ${item.symbol} ${item.from}-${item.to} x${item.rows}` : `${item.key}${item.n}@${item.at}`;

const tick = (text: string): Tick => {
  const [name, at] = text.split('@') as [string, string];
  return { key: name.charAt(0), n: Number(name.slice(1)), at: Number(at) };
};

function bench(config: Partial<DetectGapsConfig<Tick>> = {}) {
  const monitor = new PipelineMonitor();
  const gate = new Gate();
  const scheduler = new VirtualTimeScheduler();
  const source = new Subject<Tick>();
  const result = record(source.pipe(detectGaps({ ...CONFIG, scheduler, ...config }), withContext({ monitor, gate })));
  const push = (...items: string[]) => {
    for (const item of items) source.next(tick(item));
  };
  return {
    source,
    push,
    gate,
    scheduler,
    monitor,
    result,
    stage: monitor.stages[0]!,
    seen: () => result.values.map(brief),
  };
}

describe('detectGaps', () => {
  it.each([
    [{}, 'detectGaps: by must be a function, got undefined'],
    [{ by: String }, 'detectGaps: give sequence, staleAfterMs, or both'],
    [{ by: String, sequence: Number, calendar: { isOpen() {}, nextChange() {} } }, 'calendar goes with staleAfterMs'],
    [{ by: String, sequence: Number, whenLower: 'skip' }, 'whenLower must be one of'],
    [{ by: String, sequence: Number, maxKeys: 0 }, 'maxKeys must be an integer of at least 1, got 0'],
    [{ by: String, staleAfterMs: 0 }, 'staleAfterMs must be'],
  ])('refuses %j when it is made', (config, message) => {
    expect(() => detectGaps(config as never)).toThrow(RangeError);
    expect(() => detectGaps(config as never)).toThrow(message);
  });

  it('emits a gap record before the first item behind a hole, of each key', () => {
    const { push, seen, result, scheduler } = bench();
    push('A1@10', 'B7@11', 'A2@20');
    scheduler.frame = 5;
    push('A5@30.125', 'B8@31', 'A5@32', 'B10@40');
    expect(seen()).toEqual([
      ...['A1@10', 'B7@11', 'A2@20', 'gap A 20-30.125 x2', 'A5@30.125'],
      ...['B8@31', 'A5@32', 'gap B 31-40 x1', 'B10@40'],
    ]);
    expect(result.values[3]).toEqual({
      ...{ kind: 'gap', vendor: 'own', symbol: 'A', of: 'tick', from: 20, to: 30.125 },
      ...{ cause: 'sequence', state: 'open', rows: 2, seq: 5_000 },
    });
    expect(result.values[7]).toMatchObject({ seq: 5_001 });
  });

  it('takes series and time from market records', () => {
    const trade = (id: number, ts: number): Trade => {
      return { kind: 'trade', vendor: 'v', symbol: 'BRK B', ts, price: 1, size: 1, id: String(id), seq: id };
    };
    const source = new Subject<Trade>();
    const config = { by: (one: Trade) => one.symbol, sequence: (one: Trade) => Number(one.id) };
    const { values } = record(source.pipe(detectGaps(config)));
    source.next(trade(1, 10));
    source.next(trade(3, 20));
    expect(values[1]).toMatchObject({
      kind: 'gap',
      vendor: 'v',
      symbol: 'BRK B',
      of: 'trade',
      from: 10,
      to: 20,
      rows: 1,
    });
    expect(values[1]).not.toHaveProperty('timeframe');
  });

  it('finds silence by the times of items, and says so', () => {
    const { source, result } = bench({ staleAfterMs: 100 });
    for (const at of [0, 100, 300]) source.next({ key: 'A', at });
    expect(result.values[2]).toMatchObject({ kind: 'gap', cause: 'stale', from: 100, to: 300 });
    expect(result.values[2]).not.toHaveProperty('rows');
    expect(result.values).toHaveLength(4);
  });

  it('has a gap for numbers that go back, with the reason', () => {
    const { push, result } = bench();
    push('A9@10', 'A1@20');
    expect(result.values[1]).toMatchObject({ from: 10, to: 20, reason: 'the numbers went back from 9 to 1' });
    const late = bench({ whenLower: 'late' });
    late.push('A9@10', 'A1@20');
    expect(late.seen()).toEqual(['A9@10', 'A1@20']);
  });

  it.each<[string, Partial<DetectGapsConfig<Tick>>, string]>([
    [
      'a number that is none',
      { sequence: () => 1.5 },
      'what sequence returns must be a safe integer or undefined, got 1.5',
    ],
    ['a time that is none', { time: () => Number.NaN }, 'the time of an item must be a finite number'],
    ['no time', { time: undefined as never }, 'the time of an item must be a finite number'],
    ['no series', { series: undefined as never }, 'the vendor of a series must be a string that is not empty'],
    ['an empty symbol', { series: () => ({ vendor: 'v', symbol: '', of: 'x' }) }, 'the symbol of a series must be'],
  ])('fails at the first item for %s', (_, config, message) => {
    const { push, result, stage } = bench(config);
    push('A1@10');
    expect(result.error).toBeInstanceOf(RangeError);
    expect(String(result.error)).toContain(`detectGaps: ${message}`);
    expect(stage).toMatchObject({ in: 1, out: 0, abandoned: 1, conservation: 0 });
  });

  it('keeps the item behind a gap while downstream is closed, and asks nothing of it twice', () => {
    const asked: number[] = [];
    const { push, gate, seen, source, result, stage } = bench({
      sequence({ n }) {
        asked.push(n!);
        return n;
      },
    });
    push('A1@10');
    gate.close();
    push('A3@30', 'A4@40');
    expect([seen(), stage.held]).toEqual([['A1@10'], 2]);
    gate.open();
    source.complete();
    expect(seen()).toEqual(['A1@10', 'gap A 10-30 x1', 'A3@30', 'A4@40']);
    expect([asked, result.completed]).toEqual([[1, 3, 4], true]);
    expect(stage).toMatchObject({ in: 3, added: 1, out: 4, held: 0, conservation: 0 });
  });

  it('counts gap records in the account of the pipeline', () => {
    const { push, monitor } = bench();
    push('A1@10', 'A3@30');
    expect(monitor.account()).toMatchObject({ received: 3, delivered: 3, held: 0, conservation: 0 });
  });

  it('obeys a gate that the gap record closes, and one that its item closes', () => {
    const monitor = new PipelineMonitor();
    const gate = new Gate();
    const source = new Subject<Tick>();
    const values: string[] = [];
    source.pipe(detectGaps(CONFIG), withContext({ gate, monitor })).subscribe((item) => {
      values.push(brief(item));
      gate.close();
    });
    for (const item of ['A1@10', 'A3@30', 'A5@50']) source.next(tick(item));
    const steps = [values.length];
    for (let i = 0; i < 5; i += 1) {
      gate.open();
      steps.push(values.length);
    }
    expect(values).toEqual(['A1@10', 'gap A 10-30 x1', 'A3@30', 'gap A 30-50 x1', 'A5@50']);
    expect(steps).toEqual([1, 2, 3, 4, 5, 5]);
    expect(monitor.account()).toMatchObject({ received: 5, delivered: 5, conservation: 0 });
  });

  it('keeps the order if an item arrives while another, or its gap record, is emitted', () => {
    const source = new Subject<Tick>();
    const more = ['A5@50', 'A6@60', 'A9@90'].map(tick);
    const { values } = record(
      source.pipe(
        detectGaps(CONFIG),
        tap(() => {
          const next = more.shift();
          if (next) source.next(next);
        }),
      ),
    );
    source.next(tick('A1@10'));
    source.next(tick('A2@20'));
    expect(values.map(brief).filter((text) => !text.startsWith('gap'))).toHaveLength(5);
    const order = values.map(brief);
    for (const [i, text] of order.entries()) if (text.startsWith('gap')) expect(order[i + 1]).not.toMatch(/^gap/);
  });

  it('ends with take(1), at a gap record too', () => {
    let pulled = 0;
    const ticks = ['A1@10', 'A3@30', 'A4@40'].map(tick);
    const items = gatedFrom(ticks, () => {
      pulled += 1;
    });
    expect(record(items.pipe(detectGaps(CONFIG), take(2))).values.map(brief)).toEqual(['A1@10', 'gap A 10-30 x1']);
    expect(pulled).toBe(2);
  });

  it('passes completion and errors on, behind what waits', () => {
    const { push, source, gate, result, seen } = bench();
    push('A1@10');
    gate.close();
    push('A3@30');
    source.error('lost');
    expect(result.error).toBeUndefined();
    gate.open();
    expect([seen(), result.error]).toEqual([['A1@10', 'gap A 10-30 x1', 'A3@30'], 'lost']);
  });

  it('remembers for each subscription by itself', () => {
    const source = new Subject<Tick>();
    const gaps$ = source.pipe(detectGaps(CONFIG));
    const first = record(gaps$);
    source.next(tick('A1@10'));
    const second = record(gaps$);
    source.next(tick('A3@30'));
    expect([first.values.length, second.values.length]).toEqual([3, 1]);
  });
});
