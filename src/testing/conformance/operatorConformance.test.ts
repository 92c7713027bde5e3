import { asyncScheduler, defer, Observable, type OperatorFunction, ReplaySubject, Subject } from 'rxjs';
import { map } from 'rxjs/operators';
import { describe, expect, it } from 'vitest';
import { Gate } from '../../flow/gate.js';
import { operate } from '../../flow/operate.js';
import { OPERATOR_RULES, type OperatorRuleId, type OperatorSubject, operatorConformance } from '../index.js';

type Relay = OperatorFunction<number, number>;

const NO_CALLBACKS = { 'OP-4.1': 'none', 'OP-4.2': 'none' } as const;

function subjectOf(make: () => Relay, throwing?: OperatorSubject<number, number>['throwing']) {
  return { name: 'mutant', make, item: (n: number) => n, ...(throwing && { throwing }) };
}

/** The rules that an operator breaks. */
function broken(subject: OperatorSubject<number, number, OperatorRuleId>): OperatorRuleId[] {
  return operatorConformance(subject)
    .filter(({ run }) => {
      try {
        run();
        return false;
      } catch {
        return true;
      }
    })
    .map(({ id }) => id);
}

type Fault =
  | 'emitsWhileClosed'
  | 'dropsWhenClosed'
  | 'readsGateOnce'
  | 'neverWakes'
  | 'wakesOnlyOnce'
  | 'neverPauses'
  | 'completesEarly'
  | 'errorOvertakes'
  | 'errorLate'
  | 'leaksWait'
  | 'leaksTimer'
  | 'losesReentrant'
  | 'losesReentrantCompletion'
  | 'discardsOnStop'
  | 'heldUncounted'
  | 'swallowsThrown'
  | 'throwsAtOpener'
  | 'countsAfterEnd'
  | 'losesThrownItem';

/** A small operator that keeps every rule, with a place for each fault. */
function relay(fault?: Fault, callback: (item: number) => void = () => {}): Relay {
  return operate({ kind: 'relay' }, ({ destination, downstream, emit: handOn, settle, detach }) => {
    const gate = new Gate();
    const queue: number[] = [];
    let emitting = false;
    let cancelWait: (() => void) | undefined;
    let finish: (() => void) | undefined;
    let woken = 0;

    const emit = () => {
      let isOpen = downstream.gate.isOpen;
      while (queue.length > 0 && (isOpen || fault === 'emitsWhileClosed')) {
        if (destination.closed && fault !== 'countsAfterEnd') return;
        const item = queue.shift() as number;
        // In hand until the callback has had it: an item that it throws at is still held.
        if (fault !== 'losesThrownItem') queue.unshift(item);
        callback(item);
        if (fault !== 'losesThrownItem') queue.shift();
        handOn(item);
        if (queue.length === 0 && fault !== 'neverWakes') gate.open();
        if (fault !== 'readsGateOnce') isOpen = downstream.gate.isOpen;
      }
    };

    const drain = () => {
      if (emitting) return;
      emitting = true;
      try {
        emit();
      } catch (error) {
        if (fault === 'throwsAtOpener' && woken > 0) throw error;
        if (fault === 'swallowsThrown') destination.complete();
        else destination.error(error);
      } finally {
        emitting = false;
      }
      if (destination.closed) return;
      if (queue.length > 0) wait();
      else finish?.();
    };

    const wait = () => {
      if (fault !== 'neverPauses') gate.close();
      if (cancelWait || (fault === 'wakesOnlyOnce' && woken > 1)) return;
      cancelWait = downstream.gate.whenOpen(() => {
        cancelWait = undefined;
        woken += 1;
        drain();
      });
    };

    const endWith = (end: () => void) => {
      finish = end;
      if (queue.length === 0 && !emitting) end();
    };

    if (fault === 'discardsOnStop') {
      destination.add(downstream.stopping.subscribe(() => destination.complete()));
    }
    if (fault === 'leaksTimer') asyncScheduler.schedule(() => {}, 10);

    return {
      gate,
      held: () => (fault === 'heldUncounted' ? 0 : queue.length),
      next(item) {
        if (fault === 'dropsWhenClosed' && !downstream.gate.isOpen) return;
        if (fault === 'losesReentrant' && emitting) return;
        if (queue.length >= 1_000 && fault !== 'neverPauses') {
          settle('dropped', item, 'overflow');
          detach();
          endWith(() => destination.error(new Error('overflow')));
          return;
        }
        queue.push(item);
        drain();
      },
      error(error) {
        if (fault === 'errorOvertakes') destination.error(error);
        else if (fault === 'errorLate') destination.add(asyncScheduler.schedule(() => destination.error(error), 5));
        else endWith(() => destination.error(error));
      },
      complete() {
        if (fault === 'completesEarly') destination.complete();
        else if (fault === 'losesReentrantCompletion' && emitting) detach();
        else endWith(() => destination.complete());
      },
      finalize() {
        if (fault !== 'leaksWait') cancelWait?.();
      },
    };
  });
}

const withCallback = (fault?: Fault) =>
  subjectOf(() => relay(fault), [{ callback: 'callback', make: (thrower) => relay(fault, thrower) }]);

const faulty = (fault: Fault) => ({ ...subjectOf(() => relay(fault)), notApplicable: NO_CALLBACKS });

const plain = (make: () => Relay) => ({ ...subjectOf(make), notApplicable: NO_CALLBACKS });

/** The recipe of many tutorials: no chain of subscribers. */
const handMade = (): Relay => (source) =>
  new Observable((destination) =>
    source.subscribe({
      next: (item) => destination.next(item),
      error: (error) => destination.error(error),
      complete: () => destination.complete(),
    }),
  );

/** Its source finds nothing of what is downstream. */
const hidesDownstream = (): Relay => (source) =>
  defer(() => {
    const subject = new ReplaySubject<number>();
    source.subscribe(subject);
    return subject;
  });

const forgetsSource = (): Relay => (source) =>
  new Observable((destination) => {
    source.subscribe({ next: (item) => destination.next(item), complete: () => destination.complete() });
  });

const subscribesEarly = (): Relay => (source) => {
  const items$ = new Subject<number>();
  source.subscribe(items$);
  return items$;
};

const subscribesTwice = (): Relay => (source) =>
  new Observable((destination) => {
    destination.add(source.subscribe());
    return source.subscribe(destination);
  });

const sharesState = (): Relay => {
  let sum = 0;
  return (source) =>
    source.pipe(
      map((item) => {
        sum += 1;
        return sum > 6 ? -1 : item;
      }),
    );
};

const heartbeat = (): Relay =>
  operate({ kind: 'heartbeat' }, ({ destination }) => {
    const beat = asyncScheduler.schedule(() => destination.next(-1), 1_000);
    return { next: (item) => destination.next(item), finalize: () => beat.unsubscribe() };
  });

const neverEnds = (): Relay =>
  operate({ kind: 'neverEnds' }, ({ destination }) => ({
    next: (item) => destination.next(item),
    complete() {},
  }));

const startsWithNothing = (): Relay => (source) =>
  new Observable((destination) => {
    destination.next(Number.NaN);
    return source.subscribe(destination);
  });

const forgetsTheOdd = (): Relay =>
  operate({ kind: 'pairs' }, ({ emit }) => {
    let first: number | undefined;
    return {
      held: () => (first === undefined ? 0 : 1),
      next(item) {
        if (first === undefined) {
          first = item;
          return;
        }
        emit(first);
        emit(item);
        first = undefined;
      },
    };
  });

/** One of many: what is equal to the item before it is merged into that, and nobody counts it. */
const mergesEqual = (): Relay =>
  operate({ kind: 'mergesEqual' }, ({ emit }) => {
    let last: number | undefined;
    return {
      next(item) {
        if (item === last) return;
        last = item;
        emit(item);
      },
    };
  });

/** Many of one, for items of a certain kind only. */
const splits = (role?: 'transform'): Relay =>
  operate({ kind: 'splits', ...(role && { role }) }, ({ emit }) => ({
    next(item) {
      emit(item);
      if (item < 0) emit(-item);
    },
  }));

const splitting = (role?: 'transform') => ({ ...plain(() => splits(role)), merging: (index: number) => -index });

type Mutant = readonly [string, OperatorSubject<number, number, OperatorRuleId>, readonly OperatorRuleId[]];

const MUTANTS: readonly Mutant[] = [
  ['emits while downstream is closed', faulty('emitsWhileClosed'), ['OP-5.1', 'OP-5.4', 'OP-7.2']],
  ['drops what arrives while downstream is closed', faulty('dropsWhenClosed'), ['OP-5.2', 'OP-5.7']],
  ['reads the gate once for many outputs', faulty('readsGateOnce'), ['OP-5.5']],
  ['never wakes its source', faulty('neverWakes'), ['OP-5.2', 'OP-5.6', 'OP-6.3']],
  ['waits for downstream only twice', faulty('wakesOnlyOnce'), ['OP-5.5', 'OP-5.6']],
  ['never pauses its source', faulty('neverPauses'), ['OP-2.5', 'OP-5.4']],
  ['completes before what it holds', faulty('completesEarly'), ['OP-5.3', 'OP-6.2', 'OP-7.2']],
  ['lets an error overtake', faulty('errorOvertakes'), ['OP-5.3']],
  ['lets an error wait', faulty('errorLate'), ['OP-1.6']],
  ['leaves a wait at the gate', faulty('leaksWait'), ['OP-3.3']],
  ['leaves a timer', faulty('leaksTimer'), ['OP-1.5', 'OP-3.1', 'OP-3.2', 'OP-3.4']],
  ['loses what comes in the middle of an output', faulty('losesReentrant'), ['OP-6.1']],
  ['loses a completion in the middle of an output', faulty('losesReentrantCompletion'), ['OP-6.2']],
  ['discards what it holds when it is to drain', faulty('discardsOnStop'), ['OP-7.2']],
  ['does not count what it holds', faulty('heldUncounted'), ['OP-8.1', 'OP-8.2']],
  ['counts as delivered what nobody receives any more', faulty('countsAfterEnd'), ['OP-8.3']],
  ['has no account of the item that a callback threw at', withCallback('losesThrownItem'), ['OP-8.4']],
  ['makes one of many and does not count them', plain(mergesEqual), ['OP-8.5']],
  ['makes many of one and does not count them', splitting(), ['OP-8.5']],
  ['takes a throwing callback for the end', withCallback('swallowsThrown'), ['OP-4.1']],
  ['lets a callback throw at whoever opens the gate', withCallback('throwsAtOpener'), ['OP-4.2']],
  ['breaks the chain of subscribers', plain(handMade), ['OP-3.7']],
  ['hides what is downstream', plain(hidesDownstream), ['OP-2.5', 'OP-7.1']],
  ['forgets its source', plain(forgetsSource), ['OP-1.5', 'OP-3.5', 'OP-3.6']],
  ['subscribes its source at once', plain(subscribesEarly), ['OP-2.1', 'OP-3.1']],
  ['subscribes its source twice', plain(subscribesTwice), ['OP-2.2']],
  ['shares its state', plain(sharesState), ['OP-2.3', 'OP-2.4']],
  ['emits of its own accord', plain(heartbeat), ['OP-1.1']],
  ['never completes', plain(neverEnds), ['OP-1.2', 'OP-1.4', 'OP-3.4']],
  ['emits before its first item', plain(startsWithNothing), ['OP-1.2', 'OP-1.3']],
  ['keeps the last item for itself', plain(forgetsTheOdd), ['OP-1.3', 'OP-7.1', 'OP-8.1']],
];

describe('operatorConformance', () => {
  it('passes an operator that keeps every rule', () => {
    expect(broken(withCallback())).toEqual([]);
  });

  for (const [fault, subject, rules] of MUTANTS) {
    it(`catches an operator that ${fault}`, () => expect(broken(subject)).toEqual(expect.arrayContaining([...rules])));
  }

  it('has an operator that breaks it for every rule', () => {
    const caught = new Set(MUTANTS.flatMap(([, , rules]) => rules));
    expect(OPERATOR_RULES.filter(({ id }) => !caught.has(id))).toEqual([]);
  });

  it('names the remedy where items are merged or split, and passes an operator that has taken it', () => {
    const test = operatorConformance(plain(mergesEqual)).find(({ id }) => id === 'OP-8.5');
    expect(test?.run).toThrow(/missing in the account of mergesEqual: settle\('dropped', item, reason\)/);
    const other = operatorConformance(splitting()).find(({ id }) => id === 'OP-8.5');
    expect(other?.run).toThrow(/too many in the account of splits: .* role: 'transform'/);
    expect(broken(splitting('transform'))).toEqual([]);
  });

  it('says which rule is broken, and keeps the cause', () => {
    const test = operatorConformance(faulty('readsGateOnce')).find(({ id }) => id === 'OP-5.5');
    expect(test?.run).toThrow(/^mutant breaks OP-5\.5 \(it checks the gate.*\): it emitted \d+ outputs while/);
  });

  it('fails where callbacks are neither listed nor declined', () => {
    expect(broken(subjectOf(() => relay()))).toEqual(['OP-4.1', 'OP-4.2']);
  });

  it('fails where a listed callback is never called', () => {
    expect(broken(subjectOf(() => relay(), [{ callback: 'unused', make: () => relay() }]))).toEqual(['OP-4.1']);
  });

  it('fails where a rule is exempted and holds', () => {
    const subject = { ...withCallback(), notApplicable: { 'OP-1.1': 'no reason at all' } };
    expect(broken(subject)).toEqual(['OP-1.1']);
    const test = operatorConformance(subject).find(({ id }) => id === 'OP-1.1');
    expect(test?.title).toContain('does not apply: no reason at all');
    expect(test?.run).toThrow('remove it from notApplicable');
  });

  it('refuses exemptions from unknown rules, and without a reason', () => {
    expect(() => operatorConformance({ ...withCallback(), notApplicable: { 'OP-9.9': 'x' } as never })).toThrow(
      /OP-9\.9/,
    );
    expect(() => operatorConformance({ ...withCallback(), notApplicable: { 'OP-1.1': '' } })).toThrow(
      /say why OP-1\.1/,
    );
  });

  it('numbers its rules in order, each once', () => {
    const ids = OPERATOR_RULES.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect([...ids].sort()).toEqual(ids);
  });
});
