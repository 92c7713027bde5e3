import type { Sink } from '../../src/contracts/sink.js';

/** Refuses what `refuses` says, and keeps the rest. */
export class RefusingSink implements Sink<unknown> {
  readonly name = 'test';
  readonly taken: unknown[] = [];
  readonly batches: (readonly unknown[])[] = [];
  refuses: (item: unknown) => { code: string } | undefined = () => undefined;

  async *write(batch: readonly unknown[]) {
    this.batches.push(batch);
    for (const item of batch) {
      const refusal = this.refuses(item);
      if (refusal) throw Object.assign(new Error(`refused ${JSON.stringify(item)}`), refusal);
    }
    this.taken.push(...batch);
    yield { rows: batch.length };
  }
}

export const poison = { code: '22003' };
export const fatal = { code: '42P01' };
export const transient = { code: '57P01' };
