export type FileFormat = 'csv' | 'ndjson';

/** The format that a file name tells, with or without that of a container: `bars.csv`, `bars.ndjson.zst`, `bars.csv.zip`. */
export function formatOfName(name: string): FileFormat | undefined {
  const bare = name.replace(/(?:\.(?:gz|gzip|bgz|zst|zstd|zip))+$/i, '');
  if (/\.[ct]sv$/i.test(bare)) return 'csv';
  return /\.(?:ndjson|jsonl)$/i.test(bare) ? 'ndjson' : undefined;
}

/** Whether the name of a file within may tell the format. */
export function isArchiveName(name: string): boolean {
  return /\.zip$/i.test(name);
}
