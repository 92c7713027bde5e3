// The programs of package.json, made executable, which tsc does not do. Windows knows no such mode, and ignores it.
import { chmodSync, readFileSync } from 'node:fs';

const ROOT = new URL('../', import.meta.url);
const { bin } = JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8'));

for (const path of Object.values(bin)) chmodSync(new URL(path, ROOT), 0o755);
