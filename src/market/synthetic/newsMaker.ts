import type { Xoshiro128 } from '../../primitives/xoshiro128.js';
import type { NewsItem } from '../newsItem.js';
import type { SyntheticBarsSettings } from './settings.js';
import type { Maker } from './walk.js';

/** With the characters that real headlines have: quotes, commas, accents, emoji and backslashes. */
const SUBJECTS = ['Quarterly results', 'The "guidance"', 'Chief executive’s exit', 'Dividend, 3% up,', 'Málaga plant'];
const VERBS = ['beat', 'miss', 'surprise', 'don’t move', 'lift 📈', 'unsettle'];
const OBJECTS = ['analysts', 'the street', 'investors in Zürich', `O'Neill & Sons`, '東京', 'holders of A\\B shares'];

const MAX_SYMBOLS = 3;

/** Between two items. */
const MAX_GAP_MS = 60_000;

/** Headlines in order of time, each about zero to three symbols. */
export class NewsMaker implements Maker<NewsItem> {
  readonly #settings: SyntheticBarsSettings;
  readonly #random: Xoshiro128;
  #made = 0;
  /** The time of the next item: news come at any microsecond. */
  #micros: number;

  constructor(settings: SyntheticBarsSettings, random: Xoshiro128) {
    this.#settings = settings;
    this.#random = random;
    this.#micros = Math.round(settings.epoch * 1_000);
  }

  make(seq: number): NewsItem {
    const random = this.#random;
    const id = `n${String(this.#made++).padStart(8, '0')}`;
    const publishedAt = this.#micros / 1_000;
    this.#micros += 1 + random.below(MAX_GAP_MS * 1_000);
    const bits = random.uint32();
    return {
      kind: 'news',
      vendor: this.#settings.vendor,
      id,
      publishedAt,
      title: `${pick(SUBJECTS, bits)} ${pick(VERBS, bits >>> 4)} ${pick(OBJECTS, bits >>> 8)}`,
      url: `https://news.example.com/${id}?section=markets&from=%22wire%22`,
      symbols: this.#symbols((bits >>> 12) % (MAX_SYMBOLS + 1)),
      sentiment: ((bits >>> 16) & 3) === 0 ? null : sentimentOf(bits >>> 18),
      seq,
    };
  }

  /** Corrects the headline and its sentiment. */
  revise(item: NewsItem, seq: number): NewsItem {
    return { ...item, title: `${item.title} (corrected)`, sentiment: sentimentOf(this.#random.uint32()), seq };
  }

  #symbols(wanted: number): string[] {
    const { symbols } = this.#settings;
    const first = this.#random.below(symbols.length);
    const count = Math.min(wanted, symbols.length);
    return Array.from({ length: count }, (_, i) => symbols[(first + i) % symbols.length]!);
  }
}

function pick(words: readonly string[], bits: number): string {
  return words[bits % words.length]!;
}

function sentimentOf(bits: number): number {
  return ((bits % 201) - 100) / 100;
}
