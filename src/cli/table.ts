/** How a column is set: text to the left, numbers to the right. */
export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
}

/**
 * Rows under their titles, as many as there are, part by part: what is shown needs not fit into memory. A column is as wide
 * as its widest cell so far.
 */
export class Table {
  readonly #columns: readonly Column[];
  readonly #widths: number[];
  /** Where lines are cut. */
  readonly #width: number;
  #hasHead = false;

  constructor(columns: readonly Column[], width = Number.POSITIVE_INFINITY) {
    this.#columns = columns;
    this.#widths = columns.map(({ title }) => title.length);
    this.#width = width;
  }

  /** The next rows, under the titles if they are the first. */
  lines(rows: readonly (readonly string[])[]): string {
    const cells = rows.map((row) => row.map(oneLine));
    for (const row of cells) {
      row.forEach((cell, index) => {
        this.#widths[index] = Math.max(this.#widths[index] ?? 0, lengthOf(cell));
      });
    }
    if (!this.#hasHead) cells.unshift(this.#columns.map(({ title }) => title));
    this.#hasHead = true;
    return cells.map((row) => cut(this.#line(row), this.#width)).join('\n');
  }

  #line(row: readonly string[]): string {
    const padded = this.#columns.map(({ align = 'left' }, index) => {
      const cell = row[index] ?? '';
      const space = ' '.repeat((this.#widths[index] ?? 0) - lengthOf(cell));
      return align === 'right' ? `${space}${cell}` : `${cell}${space}`;
    });
    return padded.join('  ').trimEnd();
  }
}

/** Letters and not code units, so that none is cut in two. */
function lengthOf(text: string): number {
  return [...text].length;
}

function cut(text: string, width: number): string {
  const letters = [...text];
  return letters.length <= width ? text : `${letters.slice(0, Math.max(0, width - 1)).join('')}…`;
}

/** Nothing that moves the cursor or colours the screen: what is shown may come from a provider. */
export function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/[\p{Cc}\p{Cf}]/gu, '\uFFFD');
}
