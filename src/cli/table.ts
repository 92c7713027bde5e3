import { oneLine } from '../primitives/oneLine.js';

interface TableConfig {
  /** The titles of columns that are aligned right, as numbers are. Others are aligned left. */
  readonly right?: readonly string[];
  /** Longer lines are truncated. */
  readonly width?: number | undefined;
}

/** Formats rows in chunks, so that a long table need not fit into memory. A column is as wide as its widest cell so far. */
export class Table {
  readonly #titles: readonly string[];
  readonly #right: readonly string[];
  readonly #widths: number[];
  readonly #width: number;
  #hasHead = false;

  constructor(titles: readonly string[], { right = [], width = Number.POSITIVE_INFINITY }: TableConfig = {}) {
    this.#titles = titles;
    this.#right = right;
    this.#widths = titles.map(({ length }) => length);
    this.#width = width;
  }

  /** Formats the next rows. The titles precede the first. */
  lines(rows: readonly (readonly string[])[]): string {
    const cells = rows.map((row) => row.map(oneLine));
    for (const row of cells) {
      row.forEach((cell, index) => {
        this.#widths[index] = Math.max(this.#widths[index] ?? 0, lengthOf(cell));
      });
    }
    if (!this.#hasHead) cells.unshift([...this.#titles]);
    this.#hasHead = true;
    return cells.map((row) => truncate(this.#line(row), this.#width)).join('\n');
  }

  #line(row: readonly string[]): string {
    const padded = this.#titles.map((title, index) => {
      const cell = row[index] ?? '';
      const space = ' '.repeat((this.#widths[index] ?? 0) - lengthOf(cell));
      return this.#right.includes(title) ? `${space}${cell}` : `${cell}${space}`;
    });
    return padded.join('  ').trimEnd();
  }
}

/** Counts code points rather than code units, so that none is split. */
function lengthOf(text: string): number {
  return [...text].length;
}

function truncate(text: string, width: number): string {
  const points = [...text];
  return points.length <= width ? text : `${points.slice(0, Math.max(0, width - 1)).join('')}…`;
}
