import { ok as assert, fail } from 'node:assert/strict';
import { inspect } from 'node:util';
import { from, lastValueFrom, Subscription } from 'rxjs';
import { toArray } from 'rxjs/operators';
import type { DeadLetters, Diversion } from '../../contracts/diversion.js';
import type { Sink, WriteOutcome, WriteReceipt } from '../../contracts/sink.js';
import { writeTo } from '../../operators/writeTo.js';
import type { WritePolicies } from '../../operators/writing/writePolicies.js';
import { within } from '../../primitives/within.js';
import { brief as inspectBriefly } from '../marbleAssertion.js';
import type { SinkStore, SinkSubject } from './sinkSubject.js';

const TIMEOUT_MS = 15_000;

/** The outcome of one write. */
export interface Attempt {
  readonly receipts: readonly WriteReceipt[];
  /** `abandoned`: unsubscribed before its end. */
  readonly end: 'completed' | 'failed' | 'abandoned';
  readonly error?: unknown;
}

/** Collects diverted items. */
class Letters<T> implements DeadLetters<T> {
  readonly diversions: Diversion<T>[] = [];

  append(diversion: Diversion<T>): readonly [] {
    this.diversions.push(diversion);
    return [];
  }
}

/** What every sink must do, checked against the real store. */
export type SinkRules = Readonly<Record<string, <T>(bench: SinkBench<T>) => Promise<void>>>;

/** The store of one rule, with ways to write to it and to inspect it. */
export class SinkBench<T> {
  readonly subject: SinkSubject<T>;
  readonly store: SinkStore<T>;
  readonly #timeoutMs: number;

  constructor(subject: SinkSubject<T>, store: SinkStore<T>) {
    this.subject = subject;
    this.store = store;
    this.#timeoutMs = subject.timeoutMs ?? TIMEOUT_MS;
  }

  items(count: number, first = 0, version = 1): T[] {
    return Array.from({ length: count }, (_, i) => this.subject.item(first + i, version));
  }

  letters(): Letters<T> {
    return new Letters<T>();
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
  attempt(sink: Sink<T>, batch: readonly T[]): Promise<Attempt> {
    return this.follow(() => sink.write(batch)).end;
  }

  /** Subscribes to a result until it ends or is abandoned. */
  follow(write: () => ReturnType<Sink<T>['write']>): { readonly end: Promise<Attempt>; readonly abandon: () => void } {
    const receipts: WriteReceipt[] = [];
    const subscription = new Subscription();
    let isOver = false;
    const end = new Promise<Attempt>((resolve) => {
      const settle = (how: Attempt['end'], error?: unknown) => {
        isOver = true;
        resolve({ receipts, end: how, ...(how === 'failed' ? { error } : {}) });
      };
      subscription.add(() => {
        if (!isOver) settle('abandoned');
      });
      try {
        subscription.add(
          from(write()).subscribe({
            next: (receipt) => receipts.push(receipt),
            error: (error) => settle('failed', error),
            complete: () => settle('completed'),
          }),
        );
      } catch (error) {
        settle('failed', error);
      }
    });
    return { end: this.#inTime(end, 'a write'), abandon: () => subscription.unsubscribe() };
  }

  /** Writes a batch and asserts that it is committed. */
  async write(sink: Sink<T>, batch: readonly T[]): Promise<readonly WriteReceipt[]> {
    return this.committed(await this.attempt(sink, batch));
  }

  committed({ end, error, receipts }: Attempt): readonly WriteReceipt[] {
    assert(end === 'completed', `a write must be committed, but it ${end}: ${brief(error)}`);
    return receipts;
  }

  /** Writes batches as a pipeline does. */
  through(
    sink: Sink<T>,
    batches: readonly (readonly T[])[],
    policies: WritePolicies<T> = {},
  ): Promise<WriteOutcome<T>[]> {
    return this.#inTime(lastValueFrom(from(batches).pipe(writeTo(sink, policies), toArray())), 'a pipeline');
  }

  /** Waits for the end of a pipeline. */
  finished<R>(work: Promise<R>): Promise<R> {
    return this.#inTime(work, 'a pipeline');
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
    return within(this.#timeoutMs, work, () => {
      throw new Error(`${what} has not ended within ${this.#timeoutMs} ms`);
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
      breakLength: Number.POSITIVE_INFINITY,
      compact: true,
      maxArrayLength: null,
      maxStringLength: null,
    });
    texts.set(text, (texts.get(text) ?? 0) + 1);
  }
  return texts;
}
