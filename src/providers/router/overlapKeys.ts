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

  /** Whether another provider has delivered the same values. What comes of the same key after that is a correction, and is not repeated. */
  isRepeated(record: MarketEvent, symbol: string, provider: number): boolean {
    const key = keyOf(record, symbol);
    const by = this.#keys.get(key);
    if (by === undefined || by === provider) return false;
    // A bar that is still forming may be followed by others and by its final state, all of which say what is known.
    if (record.kind !== 'bar' || record.isFinal !== false) this.#keys.set(key, provider);
    return true;
  }
}

/**
 * The vendor comes first in each key, and is left empty. What the vendors say about the key is compared too: the first word of one on a
 * bar may be a revision of what the other has said.
 */
function keyOf(record: MarketEvent, symbol: string): string {
  const anyone = record.kind === 'news' ? { ...record, vendor: '' } : { ...record, vendor: '', symbol };
  return `${record.kind}${RECORD_KINDS[record.kind].key(anyone as never)}\u0000${valuesOf(record)}`;
}

function valuesOf(record: MarketEvent): string {
  switch (record.kind) {
    case 'bar':
      return `${record.open} ${record.high} ${record.low} ${record.close} ${record.volume}`;
    case 'trade':
      return `${record.price} ${record.size}`;
    case 'quote':
      return `${record.bid} ${record.bidSize} ${record.ask} ${record.askSize}`;
    case 'option':
      return `${record.bid} ${record.ask} ${record.last}`;
    case 'fundamental':
      return `${record.value}`;
    default:
      return '';
  }
}
