import type * as t from 'io-ts';
import type { Observable } from 'rxjs';
import { map } from 'rxjs/operators';
import { type Bar, decode, fromIterable, type MarketEvent, route } from 'sluice';
import {
  barKey,
  type Fundamentals,
  fundamentalsCodec,
  fundamentalsKey,
  type Gap,
  type GapState,
  gapKey,
  marketEventCodec,
  type NewsItem,
  newsCodec,
  newsKey,
  type OptionSnapshot,
  type optionCodec,
  optionKey,
  type Quote,
  quoteKey,
  type Trade,
  tradeKey,
} from 'sluice/market';
import { foldByKey } from '../../src/market/foldByKey.js';
import { expectType } from './equal.js';

declare const event: MarketEvent;
declare const events: MarketEvent[];
declare const option: OptionSnapshot;
declare const trade: Trade;
declare const quote: Quote;
declare const gap: Gap;
declare const divertTo: () => void;

expectType<'bar' | 'option' | 'news' | 'fundamental' | 'trade' | 'quote' | 'gap'>()(event.kind);
expectType<'C' | 'P'>()(option.optionType);
expectType<number | null>()(quote.bid);
expectType<'buy' | 'sell' | null | undefined>()(trade.side);
expectType<'open' | 'filled' | 'empty' | 'abandoned'>()({} as GapState);
expectType<number>()(gap.seq);
expectType<number | null | undefined>()(option.iv);
expectType<t.TypeOf<typeof optionCodec>>()(option);
expectType<t.TypeOf<typeof marketEventCodec>>()(event);
expectType<Map<string, NewsItem>>()(foldByKey([] as NewsItem[], newsKey));

/** The kind tells the members apart. */
export function keyOf(one: MarketEvent): string {
  switch (one.kind) {
    case 'bar':
      return barKey(one);
    case 'option':
      return optionKey(one);
    case 'news':
      return newsKey(one);
    case 'fundamental':
      return fundamentalsKey(one);
    case 'trade':
      return tradeKey(one);
    case 'quote':
      return quoteKey(one);
    case 'gap':
      return gapKey(one);
  }
}

expectType<Observable<MarketEvent>>()(fromIterable<unknown>([]).pipe(decode(marketEventCodec, { divertTo })));
expectType<Observable<NewsItem>>()(fromIterable<unknown>([]).pipe(decode(newsCodec, { divertTo })));
expectType<Observable<Fundamentals>>()(fromIterable<unknown>([]).pipe(decode(fundamentalsCodec, { divertTo })));

expectType<Observable<string | number | null | undefined>>()(
  fromIterable(events).pipe(
    route('kind', {
      bar: map((bar: Bar) => bar.close),
      option: map((snapshot: OptionSnapshot) => snapshot.iv),
      news: map((item: NewsItem) => item.title),
      fundamental: map((figure: Fundamentals) => figure.unit),
      trade: map((trade: Trade) => trade.price),
      quote: map((quote: Quote) => quote.bid),
      gap: map((gap: Gap) => gap.of),
    }),
  ),
);

// @ts-expect-error: a field of another kind
event.strike;
// @ts-expect-error: neither call nor put
const straddle: OptionSnapshot = { ...option, optionType: 'S' };
// @ts-expect-error: an absent side is said to be null
const oneSided: Quote = { kind: 'quote', vendor: '', symbol: '', ts: 0, bid: 1, bidSize: 1, id: '' };
// @ts-expect-error: a snapshot is not changed, a newer one is taken
option.iv = 0.2;
// @ts-expect-error: a figure without its unit says nothing
const figure: Fundamentals = {
  kind: 'fundamental',
  vendor: '',
  symbol: '',
  periodEnd: '',
  timeframe: '',
  metric: '',
  value: 1,
};

export { figure, oneSided, straddle };
