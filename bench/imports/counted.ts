/** Imports the module named as the argument, and prints how many modules that loaded, and of which packages. */
import { createRequire, register } from 'node:module';
import { MessageChannel } from 'node:worker_threads';

const { port1, port2 } = new MessageChannel();
const loaded = new Set<string>();
port1.on('message', (url: string) => loaded.add(url));
port1.unref();
register(new URL('./reportLoads.js', import.meta.url), { data: port2, transferList: [port2] });

await import(process.argv[2] ?? '');
await new Promise((resolve) => setTimeout(resolve, 50));
// What a CommonJS module requires does not pass through the hooks.
for (const path of Object.keys(createRequire(import.meta.url).cache)) loaded.add(`file://${path}`);

const files = [...loaded].filter((url) => !url.startsWith('node:'));
const packages = new Set(files.flatMap((url) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.slice(1, 2) ?? []));
console.log(JSON.stringify({ modules: files.length, packages: [...packages].sort() }));
