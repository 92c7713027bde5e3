/** The samples of an exposition in text: `name{a="b"}` to its value. */
export function samplesOf(text: string): Map<string, number> {
  const samples = new Map<string, number>();
  for (const line of text.split('\n')) {
    const match = /^([a-zA-Z_:][\w:]*(?:\{.*\})?) (\S+)$/.exec(line);
    if (!match) continue;
    const [, series = '', value = ''] = match;
    if (samples.has(series)) throw new Error(`${series} is there twice`);
    samples.set(series, value === '+Inf' ? Number.POSITIVE_INFINITY : Number(value));
  }
  return samples;
}

/** What a text of metrics says of one metric, by its labels: `coord_id="bars"` to its value. */
export function samplesBy(text: string, name: string): Record<string, number> {
  const found: Record<string, number> = {};
  for (const [series, value] of samplesOf(text)) {
    const [own = '', labels = ''] = series.split(/[{}]/);
    if (own === name) found[labels] = value;
  }
  return found;
}
