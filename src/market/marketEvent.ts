import type { Bar } from './bar.js';
import type { Fundamentals } from './fundamentals.js';
import type { NewsItem } from './newsItem.js';
import type { OptionSnapshot } from './optionSnapshot.js';

/** Whatever a provider sends; `kind` tells which. */
export type MarketEvent = Bar | OptionSnapshot | NewsItem | Fundamentals;
