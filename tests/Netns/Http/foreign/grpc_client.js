// gRPC client on npm's @grpc/grpc-js, found by NODE_PATH. Arguments: target, case. Prints what the case came to, in one line.
'use strict';
const grpc = require('@grpc/grpc-js');
const [target, name] = process.argv.slice(2);
const client = new grpc.Client(target, grpc.credentials.createInsecure());
const same = (bytes) => bytes;
const limit = () => ({ deadline: Date.now() + 15000 });
const tell = (text) => { console.log(text); client.close(); process.exit(0); };
const failed = (error) => tell(`${grpc.status[error.code]} ${error.details}`);

const cases = {
  unary() {
    const metadata = new grpc.Metadata();
    metadata.set('x-sent', 'a b');
    let initial = '';
    const call = client.makeUnaryRequest('/test.Door/Unary', same, same, Buffer.from('hello'), metadata, limit(), (error, answer) => {
      if (error) failed(error); else call.on('status', (s) => tell(`${answer} ${initial} ${s.metadata.get('x-trailing')[0]} ${grpc.status[s.code]}`));
    });
    call.on('metadata', (m) => { initial = m.get('x-initial')[0]; });
  },
  bidi() { // each message waits for the echo of the one before
    const call = client.makeBidiStreamRequest('/test.Door/Bidi', same, same, new grpc.Metadata(), limit());
    let count = 0;
    call.on('data', (answer) => { if (++count === 50) { call.end(); call.on('status', (s) => tell(`${count} ${answer} ${grpc.status[s.code]}`)); } else call.write(Buffer.from(String(count))); });
    call.on('error', failed);
    call.write(Buffer.from('0'));
  },
  denied() {
    client.makeUnaryRequest('/test.Vault/Js', same, same, Buffer.from(''), new grpc.Metadata(), limit(), (error) => failed(error || { code: 0 }));
  },
};
cases[name]();
