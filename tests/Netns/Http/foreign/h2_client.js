// HTTP/2 client on Node's own http2. Arguments: URL, case, and for TLS the file with the CA. Prints what the case came to, in one line.
'use strict';
const http2 = require('http2');
const fs = require('fs');
const [url, name, ca] = process.argv.slice(2);
const session = http2.connect(url, ca ? { ca: fs.readFileSync(ca), servername: 'door.test' } : {});
const fail = (what) => (e) => { console.log(`${what} ${e.code || e}`); process.exit(1); };
session.on('error', fail('session'));
setTimeout(() => fail('timeout')(name), 15000).unref();

function ask(headers, options) {
  const stream = session.request(headers, options);
  const seen = { status: 0, body: '', trailers: {}, hints: [], stream };
  stream.setEncoding('utf8');
  stream.on('headers', (h) => seen.hints.push(h[':status'] + ' ' + h.link));
  stream.on('response', (h) => { seen.status = h[':status']; seen.client = h['x-client']; });
  stream.on('trailers', (h) => { seen.trailers = h; });
  stream.on('data', (d) => { seen.body += d; });
  seen.done = new Promise((resolve) => { stream.on('close', () => resolve(seen)); stream.on('error', (e) => { seen.error = e.code; }); });
  return seen;
}

const cases = {
  async trailers() {
    const call = ask({ ':method': 'POST', ':path': '/open/echo' }, { waitForTrailers: true });
    call.stream.on('wantTrailers', () => call.stream.sendTrailers({ 'x-sent': 'last words' }));
    call.stream.end('body');
    const s = await call.done;
    return `${s.status} ${s.body} ${s.trailers['x-got']}`;
  },
  async hints() {
    const s = await ask({ ':path': '/open/hints' }).done;
    return `${s.hints.join()} ${s.status} ${s.body}`;
  },
  async early() {
    const call = ask({ ':method': 'POST', ':path': '/open/early' }, { endStream: false });
    call.stream.write('x'.repeat(1000));
    await new Promise((resolve) => call.stream.on('end', resolve));
    return `${call.status} ${call.body}`;
  },
  async websocket() {
    await new Promise((resolve) => session.once('remoteSettings', resolve));
    const offered = session.remoteSettings.enableConnectProtocol;
    const call = ask({ ':method': 'CONNECT', ':protocol': 'websocket', ':scheme': 'http', ':path': '/open/chat', 'sec-websocket-version': '13' }, { endStream: false });
    call.stream.write('one ');
    await new Promise((resolve) => call.stream.once('data', resolve));
    call.stream.end('two');
    const s = await call.done;
    return `${offered} ${s.status} ${s.body}`;
  },
  async deniedWebsocket() {
    await new Promise((resolve) => session.once('remoteSettings', resolve));
    const s = await ask({ ':method': 'CONNECT', ':protocol': 'websocket', ':scheme': 'http', ':path': '/secret/chat', 'sec-websocket-version': '13' }, { endStream: false }).done;
    return `${s.status} ${s.body}`.trim();
  },
  async mixed() { // denied streams between allowed ones, all at once on one connection
    const all = await Promise.all([...Array(40).keys()].map((i) => ask({ ':path': i % 2 ? '/secret' : '/open/' + i }).done));
    const count = {};
    all.forEach((s) => { count[s.status] = (count[s.status] || 0) + 1; });
    return JSON.stringify(count);
  },
};

cases[name]().then((text) => { console.log(text); session.destroy(); process.exit(0); }, fail('failed'));
