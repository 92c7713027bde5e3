/** How a column is set: text to the left, numbers to the right. */
export type Align = 'left' | 'right';

export interface Column {
  readonly title: string;
  readonly align?: Align;
}

/**
 * Rows under their titles, each column as wide as its widest cell. Where `width` is given, lines are cut at it; the last
 * column is the one to hold what may be long.
 */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width = Number.POSITIVE_INFINITY,
): string {
  const lines = [columns.map(({ title }) => title), ...rows.map((row) => row.map(oneLine))];
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => widthOf(line[index] ?? ''))));
  return lines
    .map((line) =>
      cut(
        columns
          .map(({ align = 'left' }, index) => {
            const cell = line[index] ?? '';
            const space = ' '.repeat((widths[index] ?? 0) - widthOf(cell));
            return align === 'right' ? `${space}${cell}` : `${cell}${space}`;
          })
          .join('  ')
          .trimEnd(),
        width,
      ),
    )
    .join('\n');
}

/** Letters and not code units, so that none is cut in two. */
function widthOf(text: string): number {
  return [...text].length;
}

function cut(text: string, width: number): string {
  const letters = [...text];
  return letters.length <= width ? text : `${letters.slice(0, Math.max(0, width - 1)).join('')}…`;
}

/** Nothing that moves the cursor or colours the screen: what is shown may come from a provider. */
export function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/[\p{Cc}\p{Cf}]/gu, '�');
}
