import type { FailureTraits } from '../failures/classifyFailure.js';
import { NO_PARTITION } from '../failures/failureHints.js';
import { messageOf } from '../primitives/messageOf.js';

/** How many rows must be refused alone, one after the other and by one rule, until the table is suspected rather than they. */
const MAX_REFUSED_IN_A_ROW = 5;

/**
 * Tells a table that refuses every row, because of a missing partition or a new constraint, from rows that are bad. It is
 * shared by all writers of a sink: rows that one of them commits are evidence for all.
 */
export class TableRefusals {
  #refusal: string | undefined;
  #inARow = 0;
  #isBlamed = false;

  /** A row was refused alone, by this rule. Says whether the table is to be suspected. */
  refused(refusal: string): boolean {
    this.#inARow = refusal === this.#refusal ? this.#inARow + 1 : 1;
    this.#refusal = refusal;
    return this.blames(refusal) || this.#inARow >= MAX_REFUSED_IN_A_ROW;
  }

  /** Whether the table refuses everything, as far as is known. */
  get isBlamed(): boolean {
    return this.#isBlamed;
  }

  /** There is nothing to say for the table. */
  blame(): void {
    this.#isBlamed = true;
  }

  /** Whether a refusal, of however many rows, is the table's. Which of several rules a row meets first is chance. */
  blames(refusal: string | undefined): boolean {
    return this.#isBlamed && refusal !== undefined;
  }

  /** The table has taken a row. */
  accepted(): void {
    this.#inARow = 0;
    this.#isBlamed = false;
  }
}

/** An item that a writer has committed last. Writing it again is harmless, and shows whether the table still takes rows. */
export class Witness {
  #item: { readonly value: unknown } | undefined;

  get items(): readonly unknown[] {
    return this.#item ? [this.#item.value] : [];
  }

  saw(items: readonly unknown[]): void {
    this.#item = { value: items[items.length - 1] };
  }

  /** A row without a partition says nothing about rows of other partitions, nor do they about it. */
  canSpeakOf(refusal: string | undefined): boolean {
    return this.#item !== undefined && refusal !== undefined && refusal !== NO_PARTITION;
  }
}

/** A table refuses every row: nothing is given up, and the writer waits as in an outage. The cause is the error of the sink. */
export class TableRefusedError extends Error implements FailureTraits {
  override readonly name = 'TableRefusedError';
  readonly code = 'SLUICE_TABLE_REFUSED';
  readonly failureClass = 'transient';
  /** The rule that refuses: an SQLSTATE and the name of a constraint or column, or what the sink calls it. */
  readonly refusal: string;

  constructor(refusal: string, options: { cause: unknown }) {
    super(
      `one row after the other is refused by ${refusal}: it is the table, not the rows (${messageOf(options.cause)}). ` +
        'Nothing is given up: writing goes on when the table takes rows again, so mend the table',
      options,
    );
    this.refusal = refusal;
  }
}

export function isTableRefusedError(error: unknown): error is TableRefusedError {
  return error instanceof Error && (error as { code?: unknown }).code === 'SLUICE_TABLE_REFUSED';
}
