/** Frames as Massive sends them, made for the benches: the fields of its documentation, with values of our own. */

export const SYMBOLS = 500;
const BEGINNING = Date.UTC(2026, 0, 5, 14, 30);

/** Of ten elements, one is a minute bar, four are trades and five are quotes. */
export function elementOf(index: number): string {
  const symbol = `S${index % SYMBOLS}`;
  const at = BEGINNING + index;
  const price = (100 + (index % 9_973) / 100).toFixed(2);
  const kind = index % 10;
  if (kind === 0) return barOf(symbol, at, price, index);
  return kind < 5 ? tradeOf(symbol, at, price, index) : quoteOf(symbol, at, price, index);
}

export function tradeOf(symbol: string, at: number, price: string, index: number): string {
  return `{"ev":"T","sym":"${symbol}","x":${1 + (index % 19)},"i":"${index}","z":3,"p":${price},"s":${1 + (index % 300)},"c":[14,41],"t":${at},"q":${index},"trfi":201,"trft":${at + 1}}`;
}

export function quoteOf(symbol: string, at: number, price: string, index: number): string {
  return `{"ev":"Q","sym":"${symbol}","bx":${1 + (index % 19)},"bp":${price},"bs":${1 + (index % 40)},"ax":${1 + (index % 17)},"ap":${price},"as":${1 + (index % 30)},"c":1,"i":[604],"t":${at},"q":${index},"z":3}`;
}

function barOf(symbol: string, at: number, price: string, index: number): string {
  const start = Math.floor(at / 60_000) * 60_000;
  return `{"ev":"AM","sym":"${symbol}","v":${1_000 + index},"av":${5_000_000 + index},"op":${price},"vw":${price},"o":${price},"c":${price},"h":${price},"l":${price},"a":${price},"z":74,"s":${start},"e":${start + 60_000}}`;
}

/** `count` frames of so many elements each. */
export function framesOf(count: number, elements: number): string[] {
  return Array.from({ length: count }, (_, frame) => {
    const all = Array.from({ length: elements }, (_, i) => elementOf(frame * elements + i));
    return `[${all.join(',')}]`;
  });
}
