import type { NewsItem } from '../newsItem.js';
import type { MakerOf } from './walk.js';

/** With the characters that real headlines have: quotes, commas, accents, emoji and backslashes. */
const SUBJECTS = ['Quarterly results', 'The "guidance"', 'Chief executive’s exit', 'Dividend, 3% up,', 'Málaga plant'];
const VERBS = ['beat', 'miss', 'surprise', 'don’t move', 'lift 📈', 'unsettle'];
const OBJECTS = ['analysts', 'the street', 'investors in Zürich', `O'Neill & Sons`, '東京', 'holders of A\\B shares'];

const MAX_SYMBOLS = 3;

/** Between two items. */
const MAX_GAP_MS = 60_000;

/** Headlines in order of time, each about zero to three symbols. */
export const newsMaker: MakerOf<NewsItem> = ({ symbols, vendor, epoch }, random) => {
  let made = 0;
  /** The time of the next item: news come at any microsecond. */
  let micros = Math.round(epoch * 1_000);

  const someSymbols = (wanted: number) => {
    const first = random.below(symbols.length);
    const length = Math.min(wanted, symbols.length);
    return Array.from({ length }, (_, i) => symbols[(first + i) % symbols.length]!);
  };

  return {
    make(seq) {
      const id = `n${String(made++).padStart(8, '0')}`;
      const publishedAt = micros / 1_000;
      micros += 1 + random.below(MAX_GAP_MS * 1_000);
      const bits = random.uint32();
      return {
        kind: 'news',
        vendor,
        id,
        publishedAt,
        title: `${pick(SUBJECTS, bits)} ${pick(VERBS, bits >>> 4)} ${pick(OBJECTS, bits >>> 8)}`,
        url: `https://news.example.com/${id}?section=markets&from=%22wire%22`,
        symbols: someSymbols((bits >>> 12) % (MAX_SYMBOLS + 1)),
        sentiment: ((bits >>> 16) & 3) === 0 ? null : sentimentOf(bits >>> 18),
        seq,
      };
    },
    /** Corrects the headline and its sentiment. */
    revise: (item, seq) => ({
      ...item,
      title: `${item.title} (corrected)`,
      sentiment: sentimentOf(random.uint32()),
      seq,
    }),
  };
};

function pick(words: readonly string[], bits: number): string {
  return words[bits % words.length]!;
}

function sentimentOf(bits: number): number {
  return ((bits % 201) - 100) / 100;
}
