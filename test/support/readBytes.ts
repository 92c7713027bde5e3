import { type BytesOptions, openBytes } from '../../src/files/read/openBytes.js';

/** What could be read of a file, and the message of the failure that ended it. */
export async function readBytes(
  path: string,
  options: BytesOptions = {},
): Promise<{ readonly text: string; readonly failure: string | undefined }> {
  const stream = openBytes(path, options);
  const chunks: Buffer[] = [];
  stream.on('data', (chunk) => chunks.push(chunk));
  const failure = await new Promise<string | undefined>((resolve) => {
    stream.on('error', (error) => resolve(error.message));
    stream.on('end', () => resolve(undefined));
  });
  return { text: Buffer.concat(chunks).toString(), failure };
}
