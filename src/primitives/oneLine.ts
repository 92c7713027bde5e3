/** The text as one line. Control characters, which could move the cursor of a terminal, are replaced: it may come from anywhere. */
export function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/[\p{Cc}\p{Cf}]/gu, '\uFFFD');
}
