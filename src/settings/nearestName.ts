/** The known name that `name` was probably meant to be: a letter or two off, or most of the same words. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const asked = name.toUpperCase();
  const byLetters = best(known, (one) => -editDistance(asked, one));
  if (byLetters && editDistance(asked, byLetters) <= Math.max(2, asked.length / 5)) return byLetters;
  const words = new Set(asked.split('_').filter((word) => word !== 'MDS'));
  const inCommon = (one: string) => one.split('_').filter((word) => words.has(word)).length;
  const byWords = best(known, (one) => inCommon(one) - one.split('_').length / 100);
  return byWords && inCommon(byWords) >= Math.max(1, words.size / 2) ? byWords : undefined;
}

function best(names: readonly string[], score: (name: string) => number): string | undefined {
  let found: string | undefined;
  let highest = Number.NEGATIVE_INFINITY;
  for (const name of names) {
    const value = score(name);
    if (value > highest) {
      highest = value;
      found = name;
    }
  }
  return found;
}

/** Letters to insert, to remove, to replace or to swap with their neighbour (optimal string alignment). */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let least = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, replaced);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, (beforeLast[j - 2] ?? 0) + 1);
      }
      row.push(least);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
