import { from, Subscription } from 'rxjs';
import type { DeadLetters } from '../../contracts/diversion.js';
import type { Outlet } from '../../flow/gatedSource.js';
import type { BadRow } from './fileRecord.js';

/** How many letters may be under way: dead letters on disk write those that wait together. */
const MAX_LETTERS = 32;

/** How much is kept of a row that is too large for a letter, in characters; file and line say where the rest is. */
const MAX_CUT_LENGTH = 1_000;

const REASON = 'badRow';

/** What a letter says of the row in it. */
class BadRowError extends Error implements Omit<BadRow, 'raw'> {
  override readonly name = 'BadRowError';
  readonly code = 'SLUICE_BAD_ROW';
  readonly file: string;
  readonly line: number;
  readonly column: string | undefined;
  readonly reason: string;

  constructor({ file, line, column, reason, message }: BadRow) {
    super(message);
    this.file = file;
    this.line = line;
    this.column = column;
    this.reason = reason;
  }
}

/** Keeps the rows of a file that could not be read as dead letters. */
export class RowLetters {
  readonly #deadLetters: DeadLetters<unknown>;
  readonly #outlet: Outlet<never>;
  readonly #letters = new Subscription();
  #underWay = 0;

  constructor(deadLetters: DeadLetters<unknown>, outlet: Outlet<never>) {
    this.#deadLetters = deadLetters;
    this.#outlet = outlet;
    outlet.holds(() => this.#underWay);
  }

  /** Whether the source must wait before it keeps another row. */
  get isFull(): boolean {
    return this.#underWay >= MAX_LETTERS;
  }

  get isIdle(): boolean {
    return this.#underWay === 0;
  }

  keep(row: BadRow): void {
    this.#underWay += 1;
    this.#append(row, row.raw, this.#outlet.begin());
  }

  /** Leaves what is under way, whose rows count as held. */
  cancel(): void {
    this.#letters.unsubscribe();
  }

  #append(row: BadRow, raw: string, end: () => void): void {
    const { file, line } = row;
    const item = { file, line, raw };
    const { stage } = this.#outlet;
    const letter = { items: [item], stage: stage.name, reason: REASON, error: new BadRowError(row), attempts: 0 };
    stage.observer?.diverting?.(stage, letter, this.#deadLetters);
    const writing = from(this.#deadLetters.append(letter)).subscribe({
      error: (error: unknown) => {
        if (isTooLarge(error) && raw.length > MAX_CUT_LENGTH) this.#append(row, raw.slice(0, MAX_CUT_LENGTH), end);
        // The row counts as held: it is neither kept nor dropped.
        else this.#outlet.error(error);
      },
      complete: () => {
        this.#underWay -= 1;
        this.#outlet.settle('diverted', item, REASON);
        end();
        this.#outlet.wake();
      },
    });
    this.#letters.add(writing);
  }
}

/** By code, which every copy of the package shares. */
function isTooLarge(error: unknown): boolean {
  return (error as { readonly code?: unknown } | null | undefined)?.code === 'SLUICE_DEAD_LETTERS_TOO_LARGE';
}
