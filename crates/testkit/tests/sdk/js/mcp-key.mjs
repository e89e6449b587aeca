// @modelcontextprotocol/sdk with an API key as a fixed header.
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { expect, failure, run, task } from './talk.mjs';

async function connect(authorization) {
  const client = new Client({ name: 'walk', version: '1' });
  const requestInit = { headers: { Authorization: authorization } };
  await client.connect(new StreamableHTTPClientTransport(new URL(task.url), { requestInit }));
  return client;
}

run(async () => {
  const client = await connect(task.authorization);
  const call = (name, args) => client.callTool({ name, arguments: args });
  const values = { description: 'Water the plants' };
  const { document } = (await call('create_document', { doctype: 'ToDo', values })).structuredContent;
  const [doctype, name] = ['ToDo', document.name];
  const read = await call('get_document', { doctype, name });
  expect('read', read.structuredContent.document.description, 'Water the plants');
  const gone = await call('delete_document', { doctype, name });
  expect('deleted', gone.structuredContent, { deleted: name });
  // For the assistant to read, and not the end of the connection.
  for (const args of [{ doctype, name }, { doctype: 'OAuth Client', name }]) {
    expect(`refused ${JSON.stringify(args)}`, (await call('get_document', args)).isError, true);
  }
  const me = await call('call_method', { method: 'frappe.auth.get_logged_user' });
  expect('who', me.structuredContent.result.includes('@'), true);
  await client.close();
  const refused = await failure('a wrong key', connect(`${task.authorization}x`));
  expect('a wrong key', refused.code, 401);
});
