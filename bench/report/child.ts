import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Runs a compiled bench program in its own process, and returns its last line, which is JSON. */
export async function runInChild<R>(program: URL, args: readonly string[], flags: readonly string[] = []): Promise<R> {
  const child = spawn(process.execPath, [...flags, fileURLToPath(program), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  });
  if (code !== 0) throw new Error(`${fileURLToPath(program)} ${args.join(' ')} ended with ${code}`);
  return JSON.parse(output.trim().split('\n').at(-1) ?? '') as R;
}
