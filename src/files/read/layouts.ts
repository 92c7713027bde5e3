import type { FileRecord } from './fileRecord.js';

/** How many layouts are kept, and of how many characters each: names come from the file. */
const MAX_LAYOUTS = 64;
const MAX_NAMES_LENGTH = 4_096;

interface Known<L> {
  readonly names: readonly string[];
  readonly layout: L;
}

/**
 * What was made of the property names of records. NDJSON may have other properties in each record, but most have those of the
 * record before, so that comparing their names is all that is left to do.
 */
export class Layouts<L> {
  readonly #layoutOf: (names: readonly string[]) => L;
  readonly #known = new Map<string, Known<L>>();
  #last: Known<L> | undefined;

  constructor(layoutOf: (names: readonly string[]) => L) {
    this.#layoutOf = layoutOf;
  }

  of(record: FileRecord): L {
    const last = this.#last;
    if (last === undefined) return this.#find(record);
    const { names } = last;
    let i = 0;
    // Parsed JSON inherits nothing that is enumerable.
    for (const name in record) if (names[i++] !== name) return this.#find(record);
    return i === names.length ? last.layout : this.#find(record);
  }

  #find(record: FileRecord): L {
    const names = Object.keys(record);
    const key = names.join('\u0000');
    const known = this.#known.get(key) ?? { names, layout: this.#layoutOf(names) };
    if (key.length <= MAX_NAMES_LENGTH) {
      if (this.#known.size >= MAX_LAYOUTS) this.#known.clear();
      this.#known.set(key, known);
      this.#last = known;
    }
    return known.layout;
  }
}
