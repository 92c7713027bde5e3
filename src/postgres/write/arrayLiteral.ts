/** An array of texts as Postgres writes it (PostgreSQL manual, "Array Value Input"): each quoted, whatever is in it. */
export function arrayLiteral(texts: readonly string[]): string {
  return `{${texts.map((text) => `"${text.replace(/["\\]/g, '\\$&')}"`).join(',')}}`;
}
