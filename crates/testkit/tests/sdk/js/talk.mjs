// A walk's side of the talk with the test that started it. The test is who sits at the browser and
// who runs the server: the walk writes what it wants as a line of JSON and reads the answer as one.
import { webcrypto } from 'node:crypto';
import http from 'node:http';
import readline from 'node:readline';

// What libraries find as globals from Node 20 on; Debian 12 has Node 18.
globalThis.crypto ??= webcrypto;
globalThis.CryptoKey ??= webcrypto.CryptoKey;

const answers = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** What this walk is to do. */
export const task = JSON.parse(process.argv[2]);

/** Asks the test for something and waits until it is done. */
export async function ask(what, argument = null) {
  console.log(JSON.stringify({ ask: what, argument }));
  return JSON.parse((await answers.next()).value);
}

export function expect(what, found, wanted) {
  const [left, right] = [JSON.stringify(found), JSON.stringify(wanted)];
  if (left !== right) throw new Error(`${what}: ${left}, not ${right}`);
}

/** The error that a promise has to end with. */
export async function failure(what, promise) {
  return promise.then(
    (value) => {
      throw new Error(`${what}: not refused, but ${JSON.stringify(value)}`);
    },
    (error) => error,
  );
}

/** A native app's loopback listener (RFC 8252 §7.3): `redirectUri`, and `next()` for who comes. */
export async function listener() {
  const [arrived, awaited] = [[], []];
  const server = http.createServer((request, response) => {
    response.end('You may close this window.');
    const url = new URL(request.url, 'http://127.0.0.1');
    if (url.pathname !== '/callback') return;
    const next = awaited.shift();
    if (next) next(url);
    else arrived.push(url);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  server.unref();
  return {
    redirectUri: `http://127.0.0.1:${server.address().port}/callback`,
    next: () => (arrived.length ? Promise.resolve(arrived.shift()) : new Promise((resolve) => awaited.push(resolve))),
  };
}

/** Runs the walk; the last line says that it came to its end. */
export function run(walk) {
  walk().then(
    () => {
      console.log('done');
      process.exit(0);
    },
    (error) => {
      console.error(error instanceof Error ? error.stack : JSON.stringify(error));
      if (error?.cause) console.error('cause:', error.cause);
      process.exit(1);
    },
  );
}
