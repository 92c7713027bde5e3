/** A number as humans read it: `12,345`. */
export function count(n: number): string {
  return n.toLocaleString('en-US');
}
