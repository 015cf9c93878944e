// A shop that runs in two versions at once, with its own traffic control:
//
//   node service.js [QUARTERDECK] [PORT] [EVERY_MS]
//
// It makes up 200 requests a second, sends each to a version by weight, and tells Quarterdeck twice a second how they went. Versions whose name ends in `-bad`
// fail one request in eight and are slow. Traffic is read and shifted by POST / (docs/releases/traffic.md, `webhook`).
import { createServer } from 'node:http';

const [quarterdeck = 'http://127.0.0.1:4318', port = '4400', everyMs = '500'] = process.argv.slice(2);
const REQUESTS_A_SECOND = 200;
const BUCKETS_S = [0.05, 0.1, 0.2, 0.4, 0.8];

/** What holds: all traffic to `stable`, but for `weight` percent to `canary`. */
let traffic = { stable: '1.0.0', weight: 0 };
const counters = new Map();

createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  if (request.method !== 'POST') return response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(traffic));
  const { action, to, captured } = JSON.parse(Buffer.concat(chunks).toString());
  if (action === 'shift') shift(to);
  if (action === 'restore') shift(captured);
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(traffic));
}).listen(Number(port), '127.0.0.1', () => console.log(`shop ${traffic.stable} listens on http://127.0.0.1:${port}`));

setInterval(serve, Number(everyMs));

function shift(to) {
  traffic = to;
  const { stable, canary, weight } = traffic;
  const isShared = canary && weight > 0 && weight < 100;
  const all = weight === 100 ? canary : stable;
  console.log(`traffic: ${isShared ? `${weight} % to ${canary}, ${100 - weight} % to ${stable}` : `all to ${all}`}`);
}

/** The customers since the last time. */
async function serve() {
  for (const version of [traffic.stable, traffic.canary ?? traffic.stable]) {
    for (const code of [200, 500]) count(`shop_requests_total{version="${version}",code="${code}"}`, 0); // known from the first second
  }
  for (let i = 0; i < (REQUESTS_A_SECOND * Number(everyMs)) / 1_000; i++) {
    const version = traffic.canary && Math.random() * 100 < traffic.weight ? traffic.canary : traffic.stable;
    const isBad = version.endsWith('-bad');
    const failed = Math.random() < (isBad ? 0.125 : 0.005);
    const seconds = -Math.log(1 - Math.random()) * (isBad ? 0.25 : 0.08);
    count(`shop_requests_total{version="${version}",code="${failed ? 500 : 200}"}`, 1);
    count(`shop_request_seconds_sum{version="${version}"}`, seconds);
    count(`shop_request_seconds_count{version="${version}"}`, 1);
    for (const bound of BUCKETS_S) count(`shop_request_seconds_bucket{version="${version}",le="${bound}"}`, seconds <= bound ? 1 : 0);
    count(`shop_request_seconds_bucket{version="${version}",le="+Inf"}`, 1);
  }
  const body = [...counters].map(([series, value]) => `${series} ${value} ${Date.now()}`).join('\n');
  await fetch(`${quarterdeck}/api/v1/import/prometheus`, { method: 'POST', body }).catch((error) =>
    console.error(`not told: ${error.message}`),
  );
}

function count(series, more) {
  counters.set(series, (counters.get(series) ?? 0) + more);
}
