/**
 * The columns that are meant by one of these names: the one that is spelled exactly so, or else all that differ only in case or
 * outer blanks. One is an answer, none is a missing column, and several are a question.
 */
export function findColumns(names: readonly string[], present: readonly string[]): readonly string[] {
  for (const name of names) if (present.includes(name)) return [name];
  const folded = names.map(fold);
  return present.filter((column) => folded.includes(fold(column)));
}

function fold(name: string): string {
  return name.trim().toLowerCase();
}
