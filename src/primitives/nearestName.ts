import { distance } from 'fastest-levenshtein';

/** The known name that `name` was probably meant to be: a letter or two off. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const asked = name.toUpperCase();
  let nearest: string | undefined;
  let fewest = Math.max(2, asked.length / 5) + 1;
  for (const one of known) {
    const edits = distance(asked, one.toUpperCase());
    if (edits >= fewest) continue;
    nearest = one;
    fewest = edits;
  }
  return nearest;
}
