/**
 * How a secret may be written: as it is, within JSON (with or without escaped slashes), in a URL, and in base64. Longest first, because
 * one may contain another. Empty secrets have none.
 */
export function secretSpellings(secrets: readonly string[]): readonly string[] {
  return [...new Set(secrets.filter((secret) => secret !== '').flatMap(spellings))].sort((a, b) => b.length - a.length);
}

function spellings(secret: string): readonly string[] {
  const inJson = JSON.stringify(secret).slice(1, -1);
  // A lone surrogate has no spelling in a URL.
  const inUrl = encodeURIComponent(Buffer.from(secret).toString());
  const inUrlLower = inUrl.replace(/%[\dA-F]{2}/g, (code) => code.toLowerCase());
  const base64 = Buffer.from(secret).toString('base64').replace(/=+$/, '');
  return [secret, inJson, inJson.replaceAll('/', '\\/'), inUrl, inUrlLower, base64];
}
