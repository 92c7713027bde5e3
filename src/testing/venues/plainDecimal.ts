/** A number as vendors write prices: in plain decimals, without an exponent, with no digit more than the double has. */
export function plainDecimal(value: number): string {
  const text = String(value);
  return text.includes('e') ? value.toFixed(20).replace(/\.?0+$/, '') : text;
}
