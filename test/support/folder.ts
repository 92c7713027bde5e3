import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

/** A folder for the files of one test. */
export class Folder {
  readonly #path = mkdtempSync(join(tmpdir(), 'sluice-files-'));

  /** Writes a file, compressed if its name says so; the result is its path. */
  write(name: string, content: string | Buffer): string {
    const path = this.path(name);
    writeFileSync(path, name.endsWith('.gz') && typeof content === 'string' ? gzipSync(content) : content);
    return path;
  }

  path(name: string): string {
    return join(this.#path, name);
  }

  remove(): void {
    rmSync(this.#path, { recursive: true, force: true });
  }
}

/**
 * How many bytes this process has read of each descriptor that it has open on `path`. Linux tells; elsewhere the tests
 * that ask are to be skipped.
 */
export function openPositions(path: string): number[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      if (readlinkSync(`/proc/self/fd/${fd}`) !== path) return [];
      return [Number(/^pos:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1])];
    } catch {
      return [];
    }
  });
}
