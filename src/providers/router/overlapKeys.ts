import { type MarketEvent, RECORD_KINDS } from '../../market/recordKinds.js';

/** Beyond it the oldest are forgotten. */
const MAX_KEYS = 16_384;

/** What was delivered around a switch, by the key of each kind, the vendor left out. */
export class OverlapKeys {
  /** Who has delivered it. */
  readonly #keys = new Map<string, number>();

  get size(): number {
    return this.#keys.size;
  }

  /** A provider has delivered a record. A bar that is still forming is none that a later state of it would repeat. */
  add(record: MarketEvent, symbol: string, provider: number): void {
    if (record.kind === 'bar' && record.isFinal === false) return;
    const key = keyOf(record, symbol);
    this.#keys.delete(key);
    this.#keys.set(key, provider);
    if (this.#keys.size > MAX_KEYS) this.#keys.delete(this.#keys.keys().next().value!);
  }

  /** Whether another provider has delivered it. What comes of the same key after that is a correction, and is not repeated. */
  isRepeated(record: MarketEvent, symbol: string, provider: number): boolean {
    const key = keyOf(record, symbol);
    const by = this.#keys.get(key);
    if (by === undefined || by === provider) return false;
    // A bar that is still forming may be followed by others and by its final state, all of which say what is known.
    if (record.kind !== 'bar' || record.isFinal !== false) this.#keys.set(key, provider);
    return true;
  }
}

/** The vendor comes first in each key, and is left empty. */
function keyOf(record: MarketEvent, symbol: string): string {
  const anyone = record.kind === 'news' ? { ...record, vendor: '' } : { ...record, vendor: '', symbol };
  return `${record.kind}${RECORD_KINDS[record.kind].key(anyone as never)}`;
}
