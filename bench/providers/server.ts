/**
 * A server that speaks the stream of Massive, in a process of its own, so that it takes no time from the one that is measured:
 * server.js <messages per second> <messages per frame> <share of quotes> <seconds> <symbols>
 *
 * It prints its address. A line on standard input starts it. The load is open: message n is due n / rate seconds after the start, and its time is
 * when it was due. Then it prints how many it has sent, and ends with its input.
 */
import { createInterface } from 'node:readline';
import { type WebSocket, WebSocketServer } from 'ws';
import { quoteOf, tradeOf } from '../../test/support/massiveFrames.js';

const [rate = 0, perFrame = 1, quotes = 0, seconds = 0, symbols = 1] = process.argv.slice(2).map(Number);
const total = rate * seconds;

const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
let client: WebSocket | undefined;
let worstBacklog = 0;

server.on('listening', () => {
  const address = server.address();
  console.log(JSON.stringify({ url: `ws://127.0.0.1:${typeof address === 'object' ? address?.port : ''}` }));
});
server.on('connection', (socket) => {
  client = socket;
  const say = (...statuses: object[]) =>
    socket.send(JSON.stringify(statuses.map((status) => ({ ev: 'status', ...status }))));
  say({ status: 'connected', message: 'Connected Successfully' });
  socket.on('message', (data) => {
    const { action, params } = JSON.parse(String(data)) as { action: string; params: string };
    if (action === 'auth') say({ status: 'auth_success', message: 'authenticated' });
    else say(...params.split(',').map((slot) => ({ status: 'success', message: `${action}d to: ${slot}` })));
  });
});

createInterface({ input: process.stdin })
  .on('line', (line) => {
    if (line === 'start') start();
  })
  .on('close', () => process.exit());

function start(): void {
  const startedAt = Math.ceil(performance.timeOrigin + performance.now()) + 200;
  console.log(JSON.stringify({ startedAt, total }));
  let sent = 0;
  const tick = (): void => {
    const due = Math.min(total, Math.floor((performance.timeOrigin + performance.now() - startedAt) * (rate / 1_000)));
    while (sent < due) {
      const elements: string[] = [];
      for (let i = 0; i < perFrame && sent < due; i++) elements.push(messageOf(sent++, startedAt));
      client?.send(`[${elements.join(',')}]`);
    }
    worstBacklog = Math.max(worstBacklog, client?.bufferedAmount ?? 0);
    if (sent < total) setTimeout(tick, 1);
    else console.log(JSON.stringify({ sent, worstBacklog }));
  };
  tick();
}

/** Message n is about the symbol n % symbols, and is a quote if that many of a hundred are. */
function messageOf(n: number, startedAt: number): string {
  const at = startedAt + Math.floor((n * 1_000) / rate);
  const symbol = `S${n % symbols}`;
  const round = Math.floor(n / symbols);
  const price = (100 + (n % 9_973) / 100).toFixed(2);
  return (round * quotes) % 100 < quotes ? quoteOf(symbol, at, price, n) : tradeOf(symbol, at, price, n);
}
