import { describe, expect, it } from 'vitest';
import { HoleDetector, type HoleRules } from './holeDetector.js';
import type { MarketCalendar } from './marketCalendar.js';

type Item = readonly [sequence: number | undefined, time: number, key?: string];

/** The holes before each item, in short: `3: sequence 10-20 x2`, where 3 is the place of the item behind the hole. */
function found(items: readonly Item[], rules: Partial<HoleRules> = {}): string[] {
  const detector = new HoleDetector({ maxKeys: 100, ...rules });
  return items.flatMap(([sequence, time, key = 'A'], i) => {
    const hole = detector.see(key, sequence, time);
    return hole
      ? [`${i}: ${hole.cause} ${hole.from}-${hole.to}${hole.rows === undefined ? '' : ` x${hole.rows}`}`]
      : [];
  });
}

describe('holes in the numbers of a key', () => {
  it.each<[string, Item[], string[]]>([
    [
      'rise by one',
      [
        [1, 10],
        [2, 20],
        [3, 30],
      ],
      [],
    ],
    [
      'begin anywhere',
      [
        [700, 10],
        [701, 20],
      ],
      [],
    ],
    [
      'jump',
      [
        [1, 10],
        [4, 20],
        [5, 30],
        [7, 40],
      ],
      ['1: sequence 10-20 x2', '3: sequence 30-40 x1'],
    ],
    [
      'repeat',
      [
        [1, 10],
        [1, 10],
        [2, 20],
        [2, 25],
        [4, 30],
      ],
      ['4: sequence 20-30 x1'],
    ],
    [
      'jump to an earlier time',
      [
        [1, 20],
        [3, 10],
      ],
      ['1: sequence 10-20 x1'],
    ],
    [
      'jump within one instant',
      [
        [1, 10],
        [3, 10],
      ],
      ['1: sequence 10-10 x1'],
    ],
    [
      'are negative, and pass zero',
      [
        [-2, 10],
        [-1, 20],
        [0, 30],
        [2, 40],
      ],
      ['3: sequence 30-40 x1'],
    ],
    [
      'are absent now and then',
      [
        [1, 10],
        [undefined, 15],
        [2, 20],
        [undefined, 30],
        [4, 40],
      ],
      ['4: sequence 20-40 x1'],
    ],
    [
      'come late',
      [
        [undefined, 10],
        [5, 20],
        [7, 30],
      ],
      ['2: sequence 20-30 x1'],
    ],
    [
      'are those of two keys',
      [
        [1, 10],
        [8, 11, 'B'],
        [2, 20],
        [10, 21, 'B'],
        [3, 30],
      ],
      ['3: sequence 11-21 x1'],
    ],
    [
      'are as large as they can be',
      [
        [0, 10],
        [Number.MAX_SAFE_INTEGER, 20],
      ],
      [`1: sequence 10-20 x${2 ** 53 - 2}`],
    ],
  ])('that %s', (_, items, holes) => expect(found(items)).toEqual(holes));

  it.each<[HoleRules['whenLower'], string[]]>([
    [undefined, ['2: sequence 20-30', '4: sequence 40-50 x1', '5: sequence 50-60']],
    ['gap', ['2: sequence 20-30', '4: sequence 40-50 x1', '5: sequence 50-60']],
    ['restart', ['4: sequence 40-50 x1']],
    ['late', []],
  ])('that go back mean %s', (whenLower, holes) => {
    const items: Item[] = [
      [8, 10],
      [9, 20],
      [1, 30],
      [2, 40],
      [4, 50],
      [3, 60],
    ];
    expect(found(items, { whenLower })).toEqual(holes);
  });

  it('say why a hole has no count', () => {
    const detector = new HoleDetector({ maxKeys: 1 });
    detector.see('A', 9, 10);
    expect(detector.see('A', 2, 20)?.reason).toBe('the numbers went back from 9 to 2');
  });

  it('go on after one that is late', () => {
    expect(
      found(
        [
          [5, 10],
          [7, 20],
          [6, 21],
          [8, 30],
          [10, 40],
        ],
        { whenLower: 'late' },
      ),
    ).toEqual(['1: sequence 10-20 x1', '4: sequence 30-40 x1']);
  });
});

describe('silence of a key', () => {
  const rules = { staleAfterMs: 100 };

  it('is a hole once it is longer than staleAfterMs', () => {
    const items: Item[] = [
      [undefined, 0],
      [undefined, 100],
      [undefined, 201],
      [undefined, 5, 'B'],
      [undefined, 250],
    ];
    expect(found(items, rules)).toEqual(['2: stale 100-201']);
  });

  it('is none where the numbers prove that nothing is missing, and one hole where they jump', () => {
    expect(
      found(
        [
          [1, 0],
          [2, 500],
          [2, 900],
          [4, 2_000],
        ],
        rules,
      ),
    ).toEqual(['3: sequence 500-2000 x1']);
  });

  it('counts where the numbering begins anew, and says nothing', () => {
    expect(
      found(
        [
          [7, 0],
          [1, 500],
          [2, 700],
        ],
        { ...rules, whenLower: 'restart' },
      ),
    ).toEqual(['1: stale 0-500']);
  });

  it('is measured from the latest item, however late others come', () => {
    expect(
      found(
        [
          [undefined, 0],
          [undefined, 100],
          [undefined, 20],
          [undefined, 190],
        ],
        rules,
      ),
    ).toEqual([]);
  });

  it('counts only while the market is open', () => {
    // Open in the first half of each second.
    const calendar: MarketCalendar = {
      isOpen: (at) => at % 1_000 < 500,
      nextChange: (at) => (Math.floor(at / 500) + 1) * 500,
    };
    const silent = (from: number, to: number) =>
      found(
        [
          [undefined, from],
          [undefined, to],
        ],
        { ...rules, calendar },
      );
    expect(silent(400, 1_000)).toEqual([]);
    expect(silent(450, 1_050)).toEqual([]);
    expect(silent(450, 1_051)).toEqual(['1: stale 450-1051']);
    expect(silent(500, 1_000)).toEqual([]);
    expect(silent(500, 1_000_000_000)).toEqual(['1: stale 500-1000000000']);
  });

  it('ends with a calendar that has no more changes, or that does not move on', () => {
    const never: MarketCalendar = { isOpen: () => false, nextChange: () => Number.POSITIVE_INFINITY };
    const stuck: MarketCalendar = { isOpen: () => true, nextChange: (at) => at };
    const items: Item[] = [
      [undefined, 0],
      [undefined, 1e12],
    ];
    expect(found(items, { ...rules, calendar: never })).toEqual([]);
    expect(found(items, { ...rules, calendar: stuck })).toEqual(['1: stale 0-1000000000000']);
  });
});

describe('the memory of a hole detector', () => {
  it('forgets a key without items rather than one in use', () => {
    const detector = new HoleDetector({ maxKeys: 3 });
    const see = (key: string, sequence: number) => detector.see(key, sequence, sequence)?.rows;
    for (const key of ['A', 'B', 'C']) see(key, 1);
    see('A', 2);
    see('C', 2);
    see('D', 1);
    expect([detector.size, see('A', 4), see('C', 5), see('B', 9)]).toEqual([3, 1, 2, undefined]);
  });

  it('is bounded, with one key too, and with all of them in use', () => {
    for (const maxKeys of [1, 2, 50]) {
      const detector = new HoleDetector({ maxKeys });
      for (let i = 0; i < 1_000; i += 1) {
        detector.see(i % 70, i, i);
        detector.see(i % 70, i + 1, i);
      }
      expect(detector.size).toBe(maxKeys);
    }
  });
});
