import { stdin, stdout } from 'node:process';
import { lockFolder } from '../../src/disk/folderLock.js';

// Tries the lock of a folder for each line that it reads: `lock`, `unlock`. Says what came of it, a line each.
const folder = process.argv[2] ?? '';
let unlock: (() => Promise<void>) | undefined;
let rest = '';
stdout.write('ready\n');
for await (const chunk of stdin.setEncoding('utf8')) {
  const lines = `${rest}${chunk as string}`.split('\n');
  rest = lines.pop() ?? '';
  for (const line of lines) {
    if (line === 'unlock') {
      await unlock?.();
      unlock = undefined;
      stdout.write('free\n');
    } else {
      try {
        unlock = await lockFolder(folder);
        stdout.write('held\n');
      } catch (error) {
        stdout.write(`${(error as Error).message}\n`);
      }
    }
  }
}
