import { ok as assert, fail } from 'node:assert/strict';
import { inspect } from 'node:util';
import {
  catchError,
  defer,
  firstValueFrom,
  from,
  lastValueFrom,
  map,
  merge,
  type Observable,
  of,
  Subject,
  toArray,
} from 'rxjs';
import type { Sink, WriteOutcome, WriteReceipt } from '../../contracts/sink.js';
import { classifyFailure, type FailureClass } from '../../failures/classifyFailure.js';
import { writeTo } from '../../operators/writeTo.js';
import type { WritePolicies } from '../../operators/writing/writePolicies.js';
import { within } from '../../primitives/within.js';
import { brief as inspectBriefly } from '../marbleAssertion.js';
import type { SinkStore, SinkSubject } from './sinkSubject.js';

/** The outcome of one write. */
export interface Attempt {
  /** Empty unless it is completed. */
  readonly receipts: readonly WriteReceipt[];
  /** `abandoned`: unsubscribed before its end. */
  readonly end: 'completed' | 'failed' | 'abandoned';
  readonly error?: unknown;
}

/** What every sink must do, checked against the real store. */
export type SinkRules = Readonly<Record<string, <T>(bench: SinkBench<T>) => Promise<void>>>;

/** The store of one rule, with ways to write to it and to inspect it. */
export class SinkBench<T> {
  readonly subject: SinkSubject<T>;
  readonly store: SinkStore<T>;
  /** The sink that a rule writes to, unless it makes another one. */
  readonly sink: Sink<T>;

  constructor(subject: SinkSubject<T>, store: SinkStore<T>) {
    this.subject = subject;
    this.store = store;
    this.sink = store.sink();
  }

  items(count: number, first = 0, version = 1): T[] {
    return Array.from({ length: count }, (_, i) => this.subject.item(first + i, version));
  }

  poison(index: number): T {
    return (
      this.subject.poison?.(index) ?? fail('the subject has no poison: if the sink accepts anything, exempt this rule')
    );
  }

  /** Begins an outage, and resolves with a function that ends it. */
  async outage(): Promise<() => Promise<void>> {
    if (!this.store.outage) fail('the subject has no outage: if the sink cannot fail, exempt this rule');
    const end = await this.store.outage();
    return async () => end();
  }

  /** Writes a batch, and resolves with the outcome. */
  attempt(batch: readonly T[], sink = this.sink): Promise<Attempt> {
    return this.follow(() => sink.write(batch)).end;
  }

  /** Subscribes to a result until it ends or is abandoned. */
  follow(write: () => ReturnType<Sink<T>['write']>): { readonly end: Promise<Attempt>; readonly abandon: () => void } {
    const abandoned = new Subject<Attempt>();
    const attempt = defer(write).pipe(
      toArray(),
      map((receipts): Attempt => ({ end: 'completed', receipts })),
      catchError((error: unknown) => of<Attempt>({ end: 'failed', receipts: [], error })),
    );
    return {
      end: this.#inTime(firstValueFrom(merge(attempt, abandoned)), 'a write'),
      abandon: () => abandoned.next({ end: 'abandoned', receipts: [] }),
    };
  }

  /** Writes a batch and asserts that it is committed. */
  async write(batch: readonly T[], sink = this.sink): Promise<readonly WriteReceipt[]> {
    return this.committed(await this.attempt(batch, sink));
  }

  committed({ end, error, receipts }: Attempt): readonly WriteReceipt[] {
    assert(end === 'completed', `a write must be committed, but it ${end}: ${brief(error)}`);
    return receipts;
  }

  /** Writes batches as a pipeline does. */
  through(
    batches: readonly (readonly T[])[],
    policies: WritePolicies<T> = {},
    sink = this.sink,
  ): Promise<WriteOutcome<T>[]> {
    return this.finished(from(batches).pipe(writeTo(sink, policies)));
  }

  /** Waits for the end of a pipeline. */
  finished<R>(pipeline: Observable<R>): Promise<R[]> {
    return this.#inTime(lastValueFrom(pipeline.pipe(toArray())), 'a pipeline');
  }

  classOf(error: unknown): FailureClass {
    return this.sink.classify?.(error) ?? classifyFailure(error);
  }

  /** Asserts that exactly these items are stored, each at least once. */
  async holds(items: readonly T[], when: string): Promise<void> {
    const [expected, found] = [textsOf(items), textsOf(await this.store.stored())];
    const missing = [...expected.keys()].filter((text) => !found.has(text));
    const foreign = [...found.keys()].filter((text) => !expected.has(text));
    assert(missing.length === 0, `${when}, ${missing.length} of ${expected.size} items are missing: ${some(missing)}`);
    assert(foreign.length === 0, `${when}, ${foreign.length} unexpected items are stored: ${some(foreign)}`);
  }

  /** Asserts that exactly these items are stored, each once. */
  async holdsOnce(items: readonly T[], when: string): Promise<void> {
    await this.holds(items, when);
    const found = textsOf(await this.store.stored());
    const repeated = [...found].filter(([, count]) => count > 1).map(([text]) => text);
    assert(repeated.length === 0, `${when}, ${repeated.length} items are stored more than once: ${some(repeated)}`);
  }

  #inTime<R>(work: Promise<R>, what: string): Promise<R> {
    const { timeoutMs = 15_000 } = this.subject;
    return within(timeoutMs, work, () => {
      throw new Error(`${what} has not ended within ${timeoutMs} ms`);
    });
  }
}

/** Waits for `count` turns of the event loop. */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

export function brief(value: unknown): string {
  return value instanceof Error ? value.message : inspectBriefly(value);
}

function some(texts: readonly string[]): string {
  return texts.length > 3 ? `${texts.slice(0, 3).join(', ')}, …` : texts.join(', ');
}

/** Counts equal items by their text, in which the order of fields does not matter. */
function textsOf(items: readonly unknown[]): Map<string, number> {
  const texts = new Map<string, number>();
  for (const item of items) {
    const text = inspect(item, {
      depth: null,
      sorted: true,
      breakLength: Infinity,
      compact: true,
      maxArrayLength: null,
      maxStringLength: null,
    });
    texts.set(text, (texts.get(text) ?? 0) + 1);
  }
  return texts;
}
