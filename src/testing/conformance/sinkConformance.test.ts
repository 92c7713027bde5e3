import { Observable, type ObservableInput } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { coded } from '../../../test/support/errors.js';
import type { Sink, WriteReceipt } from '../../contracts/sink.js';
import { SINK_RULES, type SinkRuleId, type SinkSubject, sinkConformance } from '../index.js';

interface Thing {
  readonly key: string;
  readonly version: number;
  readonly isPoison?: boolean;
  stamp?: number;
}

type Fault =
  | 'completesEarly'
  | 'cutsLongBatches'
  | 'startsEarly'
  | 'countsNothing'
  | 'countsTooMuch'
  | 'marksItems'
  | 'sortsBatch'
  | 'stampsAgain'
  | 'stampsInPlace'
  | 'appends'
  | 'remembersInMemory'
  | 'hidesOutage'
  | 'callsOutageFatal'
  | 'neverRecovers'
  | 'subscribesOnce'
  | 'saysNoCode'
  | 'dropsPoison'
  | 'neverForgives'
  | 'writesBesidePoison'
  | 'keepsFirst'
  | 'keepsLast'
  | 'keepsLastOfBatch'
  | 'versionInKey'
  | 'noKey'
  | 'readsBeforeItsTurn'
  | 'losesSecondWriter'
  | 'keepsItsLock'
  | 'leaksConnections'
  | 'stopsOthers';

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A store that keeps the newest version of each thing, with four connections, and a place for each fault. */
class Shelf {
  readonly rows = new Map<string, Thing>();
  readonly appended: Thing[] = [];
  isAway = false;
  free = 4;
  readonly #fault: Fault | undefined;

  constructor(fault?: Fault) {
    this.#fault = fault;
  }

  stored(): Thing[] {
    const things = [...this.rows.values(), ...this.appended];
    return things.map(({ stamp, ...thing }) => thing);
  }

  sink(): Sink<Thing> {
    const fault = this.#fault;
    const known = new Set<string>();
    const others = new Set<() => void>();
    let isSpoilt = false;
    let isBusy = false;
    let stamps = 0;
    let delay = 0;

    const keep = (things: readonly Thing[], seen: ReadonlyMap<string, number>) => {
      for (const thing of things) {
        if (fault === 'appends') this.appended.push(thing);
        if (fault === 'remembersInMemory') {
          const text = `${thing.key} ${thing.version}`;
          if (!known.has(text)) this.appended.push(thing);
          known.add(text);
        }
        if (fault === 'appends' || fault === 'remembersInMemory') continue;
        const stored = fault === 'readsBeforeItsTurn' ? seen.get(thing.key) : this.rows.get(thing.key)?.version;
        const isNewer = stored === undefined || thing.version > stored;
        if (fault === 'keepsLast' || (fault === 'keepsFirst' ? stored === undefined : isNewer)) {
          this.rows.set(thing.key, thing);
        }
      }
    };

    const commit = (batch: readonly Thing[], seen: ReadonlyMap<string, number>): WriteReceipt => {
      const poisonous = batch.filter(({ isPoison }) => isPoison);
      let things = batch;
      if (poisonous.length > 0) {
        if (fault === 'neverForgives') isSpoilt = true;
        if (fault === 'writesBesidePoison') keep(poisonous, seen);
        if (fault === 'saysNoCode') throw new Error('refused');
        if (fault !== 'dropsPoison') throw coded('22P02', 'refused');
        things = batch.filter(({ isPoison }) => !isPoison);
      }
      if (fault === 'cutsLongBatches') things = things.slice(0, 500);
      if (fault === 'keepsLastOfBatch') things = [...new Map(things.map((thing) => [thing.key, thing])).values()];
      if (fault === 'marksItems') for (const thing of things) thing.stamp = 1;
      if (fault === 'sortsBatch') (things as Thing[]).sort((a, b) => a.version - b.version);
      keep(things, seen);
      if (fault === 'countsNothing') return { rows: Number.NaN };
      return { rows: fault === 'countsTooMuch' ? batch.length + 1 : batch.length };
    };

    const perform = (batch: readonly Thing[]): Observable<WriteReceipt> =>
      new Observable((subscriber) => {
        let hasConnection = false;
        let isOver = false;
        const release = () => {
          if (isOver && (fault === 'keepsItsLock' || fault === 'leaksConnections')) return;
          isOver = true;
          others.delete(stop);
          if (hasConnection) this.free += 1;
          hasConnection = false;
          isBusy = false;
        };
        const stop = () => subscriber.error(coded('ECONNABORTED', 'stopped'));
        const work = async () => {
          const isSecond = isBusy;
          if (fault === 'keepsItsLock') while (isBusy) await turn();
          while (this.free === 0) await turn();
          this.free -= 1;
          hasConnection = true;
          isBusy = true;
          others.add(stop);
          if (isSpoilt) throw coded('ECONNRESET', 'spoilt');
          if (this.isAway) {
            if (fault === 'neverRecovers') isSpoilt = true;
            if (fault === 'hidesOutage') return { rows: 0 };
            if (fault === 'callsOutageFatal') throw coded('42P01', 'away');
            throw coded('ECONNREFUSED', 'away');
          }
          const seen = new Map([...this.rows].map(([key, { version }]) => [key, version]));
          const wait = fault === 'readsBeforeItsTurn' ? (delay++ * 7) % 11 : 3;
          for (let turns = 0; turns < wait; turns++) await turn();
          if (isOver) throw coded('ECONNABORTED', 'given up');
          if (fault === 'losesSecondWriter' && isSecond) return { rows: batch.length };
          if (fault === 'completesEarly') {
            void turn()
              .then(turn)
              .then(() => commit(batch, seen));
            return { rows: batch.length };
          }
          return commit(batch, seen);
        };
        work().then(
          (receipt) => {
            release();
            subscriber.next(receipt);
            subscriber.complete();
          },
          (error: unknown) => {
            release();
            subscriber.error(error);
          },
        );
        return () => {
          if (isOver) return;
          if (fault === 'stopsOthers') for (const other of others) other();
          isOver = true;
          release();
        };
      });

    const keyOf = ({ key, version }: Thing) =>
      fault === 'versionInKey' || fault === 'readsBeforeItsTurn' ? `${key} ${version}` : key;
    return {
      name: 'shelf',
      ...(fault === 'noKey' ? {} : { keyOf }),
      stamp(things) {
        if (fault === 'stampsInPlace') for (const thing of things) thing.stamp ??= 1;
        return things.map((thing) => {
          stamps += 1;
          return fault === 'stampsAgain' || thing.stamp === undefined ? { ...thing, stamp: stamps } : thing;
        });
      },
      write(batch): ObservableInput<WriteReceipt> {
        const write$ = perform(batch);
        if (fault === 'startsEarly' || fault === 'subscribesOnce') {
          let begun: Promise<WriteReceipt> | undefined;
          const begin = () => {
            begun ??= new Promise((resolve, reject) => {
              write$.subscribe({ next: resolve, error: reject });
            });
            begun.catch(() => {});
            return begun;
          };
          if (fault === 'startsEarly') return begin();
          return new Observable((subscriber) => {
            begin().then(
              (receipt) => {
                subscriber.next(receipt);
                subscriber.complete();
              },
              (error: unknown) => subscriber.error(error),
            );
          });
        }
        return write$;
      },
    };
  }
}

/** What hangs hangs for good: there is nothing to be waited for. */
const HANGS: ReadonlySet<Fault> = new Set(['neverRecovers', 'keepsItsLock', 'leaksConnections']);

function subjectOf(fault?: Fault): SinkSubject<Thing, SinkRuleId> {
  return {
    name: 'mutant',
    open() {
      const shelf = new Shelf(fault);
      return {
        sink: () => shelf.sink(),
        stored: () => shelf.stored(),
        outage() {
          shelf.isAway = true;
          return () => {
            shelf.isAway = false;
          };
        },
      };
    },
    item: (index, version) => ({ key: `k${index}`, version }),
    poison: (index) => ({ key: `p${index}`, version: 1, isPoison: true }),
    ...(fault && HANGS.has(fault) ? { timeoutMs: 400 } : {}),
  };
}

/** The rules that a sink breaks, of those given. */
async function broken(
  subject: SinkSubject<Thing, SinkRuleId>,
  of: readonly SinkRuleId[] = SINK_RULES.map(({ id }) => id),
): Promise<SinkRuleId[]> {
  const caught: SinkRuleId[] = [];
  for (const { id, run } of sinkConformance(subject)) {
    if (!of.includes(id)) continue;
    await run().catch(() => caught.push(id));
  }
  return caught;
}

const MUTANTS: readonly (readonly [string, Fault, readonly SinkRuleId[]])[] = [
  ['completes before it has stored', 'completesEarly', ['SK-1.1', 'SK-1.2']],
  ['stores a part of long batches', 'cutsLongBatches', ['SK-1.2']],
  ['writes before it is subscribed', 'startsEarly', ['SK-1.3', 'SK-3.3']],
  ['gives receipts of no number', 'countsNothing', ['SK-1.4']],
  ['counts more rows than there were items', 'countsTooMuch', ['SK-1.4']],
  ['writes on the items', 'marksItems', ['SK-1.5']],
  ['sorts the batch', 'sortsBatch', ['SK-1.5']],
  ['stamps what is stamped', 'stampsAgain', ['SK-1.6']],
  ['stamps the items that it is given', 'stampsInPlace', ['SK-1.6']],
  ['appends what it has', 'appends', ['SK-2.1', 'SK-2.2', 'SK-3.5', 'SK-5.1', 'SK-5.2', 'SK-5.3', 'SK-5.5', 'SK-5.6']],
  ['forgets in a restart what it has', 'remembersInMemory', ['SK-2.2', 'SK-3.5']],
  ['hides an outage', 'hidesOutage', ['SK-3.1', 'SK-3.2', 'SK-3.3', 'SK-3.4', 'SK-3.5', 'SK-3.6']],
  ['calls an outage the end', 'callsOutageFatal', ['SK-3.1', 'SK-3.6']],
  ['does not recover from an outage', 'neverRecovers', ['SK-3.2', 'SK-3.3', 'SK-3.6']],
  ['gives results that can be subscribed once', 'subscribesOnce', ['SK-3.3']],
  ['does not say that it refuses', 'saysNoCode', ['SK-4.1', 'SK-4.3']],
  ['drops what it refuses', 'dropsPoison', ['SK-4.1', 'SK-4.2', 'SK-4.3']],
  ['takes nothing once it has refused', 'neverForgives', ['SK-4.2', 'SK-4.3']],
  ['stores what it refuses', 'writesBesidePoison', ['SK-4.2', 'SK-4.3']],
  ['keeps the first version', 'keepsFirst', ['SK-5.1', 'SK-5.3', 'SK-5.5']],
  ['keeps the last to arrive', 'keepsLast', ['SK-5.2', 'SK-5.3', 'SK-5.6']],
  ['keeps the last of a batch', 'keepsLastOfBatch', ['SK-5.3']],
  ['names a key for each version', 'versionInKey', ['SK-5.4']],
  ['names no key', 'noKey', ['SK-5.4']],
  ['decides by what was stored before its turn', 'readsBeforeItsTurn', ['SK-5.5', 'SK-5.6']],
  ['loses one of two writes at the same time', 'losesSecondWriter', ['SK-6.1', 'SK-6.4']],
  ['keeps the lock of a write that was given up', 'keepsItsLock', ['SK-6.2', 'SK-6.3', 'SK-6.4']],
  ['leaks the connection of a write that was given up', 'leaksConnections', ['SK-6.3']],
  ['stops others when a write is given up', 'stopsOthers', ['SK-6.4']],
];

describe('sinkConformance', () => {
  it('passes a sink that keeps every rule', async () => {
    expect(await broken(subjectOf())).toEqual([]);
  });

  for (const [what, fault, rules] of MUTANTS) {
    it(`catches a sink that ${what}`, async () => expect(await broken(subjectOf(fault), rules)).toEqual([...rules]));
  }

  it('has a sink that breaks it for every rule', () => {
    const caught = new Set(MUTANTS.flatMap(([, , rules]) => rules));
    expect(SINK_RULES.filter(({ id }) => !caught.has(id))).toEqual([]);
  });

  it('says which rule is broken, and keeps the cause', async () => {
    const test = sinkConformance(subjectOf('dropsPoison')).find(({ id }) => id === 'SK-4.1');
    await expect(test?.run()).rejects.toThrow(
      /^mutant breaks SK-4\.1 \(a batch with a rejected item.*must fail, but it completed/,
    );
  });

  it('fails where there is neither an outage nor a word of it, and the same for poison', async () => {
    const { poison, open, ...rest } = subjectOf();
    const subject = {
      ...rest,
      async open() {
        const { outage, ...store } = await open();
        return store;
      },
    };
    expect(await broken(subject)).toEqual(SINK_RULES.map(({ id }) => id).filter((id) => /^SK-[34]/.test(id)));
  });

  it('fails where a rule is exempted and holds, and passes where it does not hold', async () => {
    const held = { ...subjectOf(), notApplicable: { 'SK-1.1': 'no reason at all' } };
    expect(await broken(held, ['SK-1.1'])).toEqual(['SK-1.1']);
    const test = sinkConformance(held).find(({ id }) => id === 'SK-1.1');
    expect(test?.title).toContain('does not apply: no reason at all');
    await expect(test?.run()).rejects.toThrow('remove it from notApplicable');
    const appends = { ...subjectOf('appends'), notApplicable: { 'SK-2.1': 'it appends' } };
    expect(await broken(appends, ['SK-2.1'])).toEqual([]);
  });

  it('closes the store of each rule, held or broken', async () => {
    let open = 0;
    const { open: openStore, ...rest } = subjectOf('completesEarly');
    const subject: SinkSubject<Thing, SinkRuleId> = {
      ...rest,
      async open() {
        open += 1;
        return {
          ...(await openStore()),
          close() {
            open -= 1;
          },
        };
      },
    };
    expect(await broken(subject, ['SK-1.1', 'SK-1.6'])).toEqual(['SK-1.1', 'SK-1.6']);
    expect(await broken(subject, ['SK-1.3'])).toEqual([]);
    expect(open).toBe(0);
  });

  it('refuses exemptions from unknown rules, and without a reason', () => {
    expect(() => sinkConformance({ ...subjectOf(), notApplicable: { 'SK-9.9': 'x' } as never })).toThrow(/SK-9\.9/);
    expect(() => sinkConformance({ ...subjectOf(), notApplicable: { 'SK-1.1': '' } })).toThrow(/say why SK-1\.1/);
    expect(() => sinkConformance({ ...subjectOf(), timeoutMs: 0 })).toThrow(RangeError);
  });

  it('numbers its rules in order, each once', () => {
    const ids = SINK_RULES.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect([...ids].sort()).toEqual(ids);
  });
});
