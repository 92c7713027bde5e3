const MINUTE = 60;
const HOUR = 3_600;
const DAY = 86_400;

/** The seconds of each unit that has less than a day, by the names that files and vendors give it. Longer ones are not here. */
const SECONDS: ReadonlyMap<string, number> = new Map<string, number>([
  ...['t', 'tick', 'ticks', 'ns', 'us', 'ms'].map((name) => [name, 0] as const),
  ...['s', 'sec', 'secs', 'second', 'seconds'].map((name) => [name, 1] as const),
  ...['m', 'min', 'mins', 'minute', 'minutes', 'minutely'].map((name) => [name, MINUTE] as const),
  ...['h', 'hr', 'hrs', 'hour', 'hours', 'hourly'].map((name) => [name, HOUR] as const),
]);

/** `5m`, `30 secs`, `hour`, and as MetaTrader has it, `M5` or `H1`. A number alone counts minutes. */
const TIMEFRAME = /^(?:(\d{1,9})[ _-]?([a-z]{0,8})|([a-z]{1,8})[ _-]?(\d{0,9}))$/i;

/** Whether bars of a timeframe are shorter than a day, so that a date alone does not say when one begins. */
export function isIntraday(timeframe: string): boolean {
  const match = TIMEFRAME.exec(timeframe);
  if (!match) return false;
  const [, count, unit, name, following] = match;
  const number = count ?? following ?? '';
  const word = unit ?? name ?? '';
  // `M` is a month where it follows a number or stands alone, and a minute where a number follows.
  if (word === 'M' && (count !== undefined || number === '')) return false;
  const seconds = word === '' ? MINUTE : SECONDS.get(word.toLowerCase());
  return seconds !== undefined && seconds * Number(number || 1) < DAY;
}
