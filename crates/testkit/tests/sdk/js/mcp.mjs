// @modelcontextprotocol/sdk from nothing but the address of the tools: it is refused, finds the
// server, says who it is (registers, or names its metadata document), logs somebody in, calls a
// tool, refreshes, and asks for more when a tool needs more.
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ask, expect, failure, listener, run, task } from './talk.mjs';

/** An app's keeper of what the SDK wants to be kept. */
class Keeper {
  /** How far this program's clock is ahead. */
  passed = 0;
  refreshed = 0;
  asked = [];

  constructor(redirectUrl) {
    this.redirectUrl = redirectUrl;
    if (task.document) this.clientMetadataUrl = task.document;
  }

  get clientMetadata() {
    return {
      client_name: 'Node Assistant',
      redirect_uris: [this.redirectUrl],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      application_type: 'native',
    };
  }

  state() {
    return (this.sent = crypto.randomUUID());
  }

  clientInformation() {
    return this.client;
  }

  saveClientInformation(client) {
    this.client = client;
  }

  // Asked for more, the SDK would sooner use the refresh token, which brings the same again. So it
  // sees that token only when the access token has ended; unless this app does not know that.
  tokens() {
    if (!this.saved || this.now() >= this.end || task.simple) return this.saved;
    const { refresh_token, ...others } = this.saved;
    return others;
  }

  saveTokens(tokens) {
    if (this.saved && this.now() >= this.end) this.refreshed += 1;
    this.saved = tokens;
    this.end = this.now() + tokens.expires_in * 1000;
  }

  now() {
    return Date.now() + this.passed;
  }

  redirectToAuthorization(url) {
    this.asked.push(url);
  }

  saveCodeVerifier(verifier) {
    this.verifier = verifier;
  }

  codeVerifier() {
    return this.verifier;
  }
}

/** The user's part of it, and the code for tokens. */
async function logIn(transport, keeper, next) {
  const url = keeper.asked.at(-1);
  const page = await ask('allow', url.href);
  const answer = (await next()).searchParams;
  expect('state', answer.get('state'), keeper.sent);
  expect('iss', answer.get('iss'), task.issuer);
  await transport.finishAuth(answer.get('code'));
  return { page, scope: url.searchParams.get('scope'), resource: url.searchParams.get('resource') };
}

async function connect(keeper) {
  const client = new Client({ name: 'walk', version: '1' });
  const transport = new StreamableHTTPClientTransport(new URL(task.url), { authProvider: keeper });
  await client.connect(transport);
  return { client, transport };
}

async function call(client, name, args) {
  const result = await client.callTool({ name, arguments: args });
  if (result.isError) throw new Error(`${name}: ${JSON.stringify(result.content)}`);
  return JSON.stringify(result.structuredContent ?? result.content);
}

run(async () => {
  const { redirectUri, next } = await listener();
  const keeper = new Keeper(redirectUri);

  // Whoever comes with nothing is told where to begin.
  const first = new StreamableHTTPClientTransport(new URL(task.url), { authProvider: keeper });
  const stopped = await failure('a stranger', new Client({ name: 'walk', version: '1' }).connect(first));
  expect('a stranger', stopped instanceof UnauthorizedError, true);
  const began = await logIn(first, keeper, next);
  expect('resource', began.resource, `${task.issuer}/mcp`);
  expect('scope', began.scope, task.first_scope);
  expect('client', task.document ? keeper.client.client_id === task.document : !!keeper.client.client_id, true);

  const { client, transport } = await connect(keeper);
  const { tools } = await client.listTools();
  expect('tools', ['list_documents', 'create_document'].every((name) => tools.some((tool) => tool.name === name)), true);
  const [lists, makes] = [
    () => call(client, 'list_documents', task.list),
    () => call(client, 'create_document', task.create),
  ];
  await lists();

  // An hour later.
  const old = keeper.saved.access_token;
  keeper.passed += (await ask('pass', 3601)) * 1000;
  await lists();
  expect('refreshed', [keeper.refreshed, keeper.saved.access_token === old], [1, false]);
  expect('nobody was asked', keeper.asked.length, 1);

  // A simple app cannot ask for more: what it asked for at first has to do.
  if (task.simple && task.more) {
    const stuck = await failure('more than it was allowed', makes());
    expect('stuck', [stuck.code, stuck.message.includes('403 after trying upscoping')], [403, true]);
    return;
  }
  if (task.simple) {
    expect('created', (await makes()).includes('Water the plants'), true);
    return;
  }

  // What it was not allowed.
  const refused = await failure('more than it was allowed', makes());
  expect('asks for more', [refused instanceof UnauthorizedError, keeper.asked.length], [true, 2]);
  const more = await logIn(transport, keeper, next);
  expect('more', [...task.first_scope.split(' '), task.more].every((one) => more.scope.split(' ').includes(one)), true);
  expect('created', (await makes()).includes('Water the plants'), true);
  expect('listed', (await lists()).includes('Water the plants'), true);
  expect('still refreshable', typeof keeper.saved.refresh_token, 'string');
  expect('asked', keeper.asked.length, 2);
  await client.close();
});
