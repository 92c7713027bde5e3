import { NEVER, of, throwError } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { letterBox } from '../../../test/support/diversions.js';
import { coded, refused } from '../../../test/support/errors.js';
import { record } from '../../../test/support/record.js';
import { bench, steady } from '../../../test/support/writeBench.js';
import type { Sink } from '../../contracts/sink.js';
import { PipelineMonitor } from '../../flow/monitor.js';
import { withContext } from '../../flow/withContext.js';
import { CircuitBreaker } from '../../policies/circuitBreaker.js';
import { messageOf } from '../../primitives/messageOf.js';
import { writeTo } from '../writeTo.js';
import type { WritePolicies } from './writePolicies.js';

describe('who watches', () => {
  it('hears of failures with their class, type and error, of waits, of outcomes, and of the breaker', () => {
    const heard: unknown[] = [];
    const breaker = new CircuitBreaker();
    const { deadLetters } = letterBox();
    const { source, advance } = bench(
      (items, call) =>
        call === 1 ? throwError(refused) : items.includes(2) ? throwError(() => coded('23502')) : of({ rows: 1 }),
      { retry: steady, breaker, deadLetters },
      {
        writeFailed: (_, { type, class: failureClass, error }) => heard.push([type, failureClass, messageOf(error)]),
        retrying: (stage, delayMs) => heard.push([stage.name, delayMs]),
        settled: (_, outcome) => heard.push([outcome.status, outcome.items]),
        guarded: (_, watched) => heard.push(watched === breaker),
      },
    );
    source.next([1, 2]);
    advance(100);
    expect(heard).toEqual([
      true,
      ['ECONNREFUSED', 'transient', messageOf(refused())],
      ['writeTo', 10],
      ['23502', 'poison', '23502'],
      ['23502', 'poison', '23502'],
      ['written', [1]],
      ['diverted', [2]],
    ]);
  });

  it.each(['settled', 'writeFailed', 'retrying', 'random'])(
    'whose %s throws ends the pipeline, also where the sink answers later, and no permit is lost',
    async (part) => {
      const fail = () => {
        throw new Error('no room for a metric');
      };
      const breaker = new CircuitBreaker({ window: { kind: 'count', size: 1 }, openMs: 0 });
      breaker.failed(breaker.tryAcquire(0)!, 0, 0);
      const { source, result, account } = bench(
        () => (part === 'settled' ? Promise.resolve({ rows: 1 }) : Promise.reject(refused())),
        { retry: steady, breaker, ...(part === 'random' ? { retry: {}, random: fail } : {}) },
        { [part]: fail },
      );
      source.next([1]);
      source.next([2]);
      await new Promise((resolve) => setImmediate(resolve));
      expect((result.error as Error | undefined)?.message).toBe('no room for a metric');
      expect(account()).toMatchObject({ received: 2, conservation: 0 });
      expect(breaker.tryAcquire(100)).toBeDefined();
    },
  );

  it('whose settled throws at the end of a drain ends the pipeline', () => {
    const { deadLetters } = letterBox();
    const fail = () => {
      throw new Error('no room for a metric');
    };
    const { source, expired, result, account } = bench(() => NEVER, { deadLetters }, { settled: fail });
    source.next([1]);
    expired.next(undefined);
    expect((result.error as Error | undefined)?.message).toBe('no room for a metric');
    expect(account()).toMatchObject({ diverted: 1, held: 0, conservation: 0 });
  });

  it('a classify that throws ends the pipeline with its error', () => {
    const { source, result, account } = bench(() => throwError(refused), {
      classify: () => {
        throw new Error('no idea');
      },
    });
    source.next([1]);
    expect((result.error as Error).message).toBe('no idea');
    expect(account()).toMatchObject({ held: 1, conservation: 0 });
  });
});

describe('classify', () => {
  const classed = (policies: WritePolicies<number>, classify?: Sink<number>['classify']) => {
    const { letters, deadLetters } = letterBox();
    const sink: Sink<number> = {
      name: 'numbers',
      ...(classify ? { classify } : {}),
      write: () => throwError(() => coded('42P01')),
    };
    record(of([1]).pipe(writeTo(sink, { ...policies, deadLetters })));
    return letters[0]?.reason;
  };

  it('asks the policies first, then the sink, then the default', () => {
    expect(classed({})).toBe('fatal');
    expect(classed({}, () => 'poison')).toBe('poison');
    expect(classed({ classify: () => 'transient' }, () => 'poison')).toBe('exhausted');
    expect(classed({ classify: () => undefined }, () => 'poison')).toBe('poison');
    expect(classed({ classify: () => undefined }, () => undefined)).toBe('fatal');
  });
});

describe('the breaker of the policies', () => {
  const guards = (breaker: WritePolicies<number>['breaker']) => {
    const watched: unknown[] = [];
    const monitor = new PipelineMonitor({ observer: { guarded: (_, guard) => watched.push(guard) } });
    const sink: Sink<number> = { name: 'numbers', write: () => of({ rows: 1 }) };
    const written = of([1]).pipe(writeTo(sink, breaker === undefined ? {} : { breaker }), withContext({ monitor }));
    record(written);
    record(written);
    return watched;
  };

  it('is shared where an instance is given, one per subscription where settings are, and none by default', () => {
    const shared = new CircuitBreaker();
    expect(guards(shared)).toEqual([shared, shared]);
    const own = guards({ openMs: 5 });
    expect(own).toHaveLength(2);
    expect(own.every((guard) => guard instanceof CircuitBreaker)).toBe(true);
    expect(own[0]).not.toBe(own[1]);
    expect(guards(false)).toEqual([]);
    expect(guards(undefined)).toEqual([]);
  });

  it('refuses wrong settings when the writer is made', () => {
    const sink: Sink<number> = { name: 'numbers', write: () => of({ rows: 1 }) };
    expect(() => writeTo(sink, { breaker: { openMs: -1 } })).toThrow('writeTo: breaker: openMs must be');
    expect(() => writeTo(sink, { breaker: true as never })).toThrow('writeTo: breaker must be a CircuitBreaker');
  });
});
