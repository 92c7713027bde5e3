/** The place of an entry: its segment, and its number there from 1 on. Entries are ordered by both. */
export interface Position {
  /** A number of digits, greater than that of every segment before it. */
  readonly segment: string;
  readonly ordinal: number;
}

/** An entry that has a place, and what it counts for: a dead letter, for example, for its items. */
export interface Placed extends Position {
  readonly weight: number;
}

/** An entry as it was read. */
export interface Entry<E> extends Placed {
  readonly value: E;
  /** The length of its line. */
  readonly bytes: number;
}

/** How many entries there are, and what they count for together. */
export interface EntryCount {
  readonly entries: number;
  readonly weight: number;
}

/** An entry that is ready to be written wherever there is room for it. */
export interface EncodedEntry {
  /** Its line after the head, with the line end. Holds no other line end. */
  readonly rest: string;
  /** The length of the line, at least. */
  readonly bytes: number;
  readonly weight: number;
}

/** What a line of a segment turned out to be. */
export type ParsedEntry<E> =
  | { readonly is: 'entry'; readonly ordinal: number; readonly weight: number; readonly value: E }
  | { readonly is: 'unknownVersion'; readonly version: number }
  | { readonly is: 'corrupt'; readonly reason: string };

/** How the entries of a log stand in their lines. A log knows nothing else of them. */
export interface EntryFormat<E, D = E> {
  encode(draft: D): EncodedEntry;
  /** The beginning of a line; `head` + `rest` is the line. */
  head(segment: string, ordinal: number): string;
  /**
   * What the beginning of a line says, without reading the rest: opening a log costs no more than this per entry. Undefined if
   * the line has to be parsed.
   */
  headOf(line: Buffer): { readonly ordinal: number; readonly weight: number } | undefined;
  /** Reads a line to its end. Never throws; what is damaged is `corrupt`. */
  parse(line: Uint8Array): ParsedEntry<E>;
}

/** Sums what several things count for; what does not say otherwise is one entry. */
export function sumOf(parts: Iterable<{ readonly entries?: number; readonly weight: number }>): EntryCount {
  let entries = 0;
  let weight = 0;
  for (const part of parts) {
    entries += part.entries ?? 1;
    weight += part.weight;
  }
  return { entries, weight };
}

/** The order of positions. */
export function comparePositions(a: Position, b: Position): number {
  return Number(a.segment) - Number(b.segment) || a.ordinal - b.ordinal;
}
