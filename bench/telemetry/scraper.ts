/**
 * Requests an address repeatedly, with a pause after each answer, until its input ends; then prints how long each answer took in
 * milliseconds. Uses one connection, as Prometheus does.
 */
import { Agent, get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const [url = '', pause = ''] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
const over = new AbortController();
process.stdin.on('end', () => over.abort()).resume();

function scrape(): Promise<number> {
  return new Promise((resolve, reject) => {
    const startedAt = performance.now();
    get(url, { agent, headers: { accept: 'application/openmetrics-text;version=1.0.0' } }, (response) => {
      response.on('end', () => {
        if (response.statusCode === 200) resolve(performance.now() - startedAt);
        else reject(new Error(`${url} answers ${response.statusCode}`));
      });
      response.resume();
    }).on('error', reject);
  });
}

// Not counted, because nothing runs yet.
await scrape();
console.log('ready');
const took: number[] = [];
while (!over.signal.aborted) {
  await sleep(Number(pause), undefined, { signal: over.signal }).catch(() => {});
  if (!over.signal.aborted) took.push(await scrape());
}
agent.destroy();
console.log(JSON.stringify(took));
