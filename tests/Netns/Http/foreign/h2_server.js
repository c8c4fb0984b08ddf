// HTTP/2 server (h2c) on Node's own http2: echo, trailers, early hints, RFC 8441. Argument: port. Prints what it saw, a line each.
'use strict';
const http2 = require('http2');
const server = http2.createServer({ settings: { enableConnectProtocol: true } });
server.on('stream', (stream, headers) => {
  const path = headers[':path'];
  console.log(`${headers[':method']} ${path} ${headers[':protocol'] || ''}`.trim());
  stream.on('error', (e) => console.log('error ' + e.code));
  if (headers[':method'] === 'CONNECT') {
    stream.respond({ ':status': 200 });
    stream.pipe(stream);
  } else if (path === '/open/early') {
    stream.respond({ ':status': 413 });
    stream.end('too much'); // before the upload ended
  } else if (path === '/open/hints') {
    stream.additionalHeaders({ ':status': 103, link: '</style.css>; rel=preload' });
    stream.respond({ ':status': 200 });
    stream.end('hinted');
  } else {
    stream.respond({ ':status': 200, 'x-client': stream.session.socket.remoteAddress }, { waitForTrailers: true });
    let trailer = 'none';
    stream.on('trailers', (t) => { trailer = t['x-sent'] || 'none'; });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-got': trailer }));
    stream.pipe(stream);
  }
});
server.listen(Number(process.argv[2]), () => console.log('ready'));
