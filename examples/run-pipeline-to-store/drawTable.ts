/** A column: its title, its cells, and how it is aligned. */
export interface Column {
  readonly title: string;
  readonly cells: readonly string[];
  readonly isNumber?: boolean;
  /** Left out first where a line is too narrow for all; the greatest goes first. 0 stays. */
  readonly spare: number;
}

const SPACE = 2;

/** Draws columns that are as wide as what is in them, and leaves out those for which a line has no room. */
export function drawTable(columns: readonly Column[], width: number): string {
  const shown = columns.filter(({ cells }) => cells.some((cell) => cell !== ''));
  const widthOf = ({ title, cells }: Column) => Math.max(title.length, ...cells.map(lengthOf));
  const total = () => shown.reduce((sum, column) => sum + widthOf(column) + SPACE, -SPACE);
  while (total() > width) {
    const spare = Math.max(...shown.map((column) => column.spare));
    if (spare === 0) break;
    shown.splice(
      shown.findIndex((column) => column.spare === spare),
      1,
    );
  }
  const rows = Math.max(0, ...shown.map(({ cells }) => cells.length));
  const line = (cellOf: (column: Column) => string) => {
    const cells = shown.map((column) => {
      const cell = cellOf(column);
      const space = ' '.repeat(widthOf(column) - lengthOf(cell));
      return column.isNumber ? `${space}${cell}` : `${cell}${space}`;
    });
    return cut(cells.join(' '.repeat(SPACE)).trimEnd(), width);
  };
  return [
    line(({ title }) => title),
    ...Array.from({ length: rows }, (_, row) => line(({ cells }) => cells[row] ?? '')),
  ].join('\n');
}

/** A text of a provider, which could hold what moves the cursor. */
export function plain(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, '\uFFFD');
}

export function count(n: number): string {
  return Math.round(n).toLocaleString('en-US');
}

/** With as many digits as tell two prices apart: 2,874.56, 1.0842, 0.00001234. */
export function price(value: number | undefined): string {
  if (value === undefined) return '';
  const size = Math.abs(value);
  const digits = size >= 100 ? 2 : size >= 1 ? 4 : 8;
  return value.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: digits });
}

/** Times in UTC, all of them as days if they are, and with a fraction only if one has any. */
export function times(all: readonly number[]): (ts: number) => string {
  const DAY_MS = 86_400_000;
  const length = all.every((ts) => ts % DAY_MS === 0) ? 10 : all.every((ts) => ts % 1_000 === 0) ? 19 : 23;
  return (ts) => `${new Date(ts).toISOString().slice(0, length)}${length === 10 ? '' : 'Z'}`;
}

function lengthOf(text: string): number {
  return [...text].length;
}

function cut(text: string, width: number): string {
  const points = [...text];
  return points.length <= width ? text : `${points.slice(0, Math.max(0, width - 1)).join('')}…`;
}
