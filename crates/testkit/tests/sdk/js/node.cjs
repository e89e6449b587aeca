// node node.cjs '{"url", "type", "token", "user"}': the walk with a token of that type.
const { FrappeApp } = require('frappe-js-sdk');
const { walk } = require('./walk.cjs');

async function main() {
  const { url, type, token, user } = JSON.parse(process.argv[2]);
  const app = new FrappeApp(url, { useToken: true, token: () => token, type });
  await walk(app, user);
  const wrong = new FrappeApp(url, { useToken: true, token: () => `${token}x`, type });
  const error = await wrong.db().getDocList('ToDo').catch((error) => error);
  if (error.httpStatus !== 401) throw new Error(`a wrong token: ${JSON.stringify(error)}`);
}

main().then(
  () => console.log('done'),
  (error) => {
    console.error(error instanceof Error ? error.stack : JSON.stringify(error));
    process.exitCode = 1;
  },
);
