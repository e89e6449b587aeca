// oauth4webapi as its documentation shows it, for each of the clients in the task: one that has a
// `client_id` is there already, one without registers itself.
import * as oauth from 'oauth4webapi';
import { ask, expect, failure, listener, run, task } from './talk.mjs';

// The server of a test speaks http.
const plain = { [oauth.allowInsecureRequests]: true };

async function discover() {
  const issuer = new URL(task.issuer);
  const found = [];
  for (const algorithm of ['oidc', 'oauth2']) {
    const response = await oauth.discoveryRequest(issuer, { algorithm, ...plain });
    found.push(await oauth.processDiscoveryResponse(issuer, response));
  }
  const [oidc, oauth2] = found;
  for (const [name, value] of Object.entries(oauth2)) {
    if (name in oidc) expect(`both documents' ${name}`, oidc[name], value);
  }
  // It checks that the answer is about the resource that was asked for (RFC 9728 §3.3).
  for (const url of [issuer, new URL('/api/resource', issuer)]) {
    const response = await oauth.resourceDiscoveryRequest(url, plain);
    const resource = await oauth.processResourceDiscoveryResponse(url, response);
    expect('servers of the resource', resource.authorization_servers, [oidc.issuer]);
  }
  return oidc;
}

async function register(as, metadata) {
  const response = await oauth.dynamicClientRegistrationRequest(as, metadata, plain);
  const client = await oauth.processDynamicClientRegistrationResponse(response);
  const method = metadata.token_endpoint_auth_method ?? 'client_secret_basic';
  expect('registered method', client.token_endpoint_auth_method, method);
  expect('registered redirect URIs', client.redirect_uris, metadata.redirect_uris);
  expect('a secret', typeof client.client_secret, method === 'none' ? 'undefined' : 'string');
  return client;
}

function proof(client) {
  switch (client.token_endpoint_auth_method) {
    case 'none':
      return oauth.None();
    case 'client_secret_post':
      return oauth.ClientSecretPost(client.client_secret);
    default:
      return oauth.ClientSecretBasic(client.client_secret);
  }
}

/** An authorization request, as far as the answer to the redirect URI. */
async function request(as, client, { scope, redirectUri, next }, answer) {
  const verifier = oauth.generateRandomCodeVerifier();
  const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()];
  const url = new URL(as.authorization_endpoint);
  const sent = {
    client_id: client.client_id,
    redirect_uri: redirectUri,
    response_type: 'code',
    scope,
    state,
    nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  };
  Object.entries(sent).forEach(([name, value]) => url.searchParams.set(name, value));
  await ask(answer, url.href);
  // Checks `state` and `iss`.
  return { params: oauth.validateAuthResponse(as, client, await next(), state), verifier, nonce };
}

/** From the authorization request to the tokens. */
async function authorize(as, client, way) {
  const { params, verifier, nonce } = await request(as, client, way, 'allow');
  const redeem = async () => {
    const response = await oauth.authorizationCodeGrantRequest(
      as, client, proof(client), params, way.redirectUri, verifier, plain,
    );
    const options = { expectedNonce: nonce, requireIdToken: true };
    const tokens = await oauth.processAuthorizationCodeResponse(as, client, response, options);
    await oauth.validateApplicationLevelSignature(as, response, plain);
    return tokens;
  };
  return { tokens: await redeem(), redeem };
}

async function refresh(as, client, token) {
  const response = await oauth.refreshTokenGrantRequest(as, client, proof(client), token, plain);
  const tokens = await oauth.processRefreshTokenResponse(as, client, response);
  await oauth.validateApplicationLevelSignature(as, response, plain);
  return tokens;
}

async function introspect(as, client, token) {
  const response = await oauth.introspectionRequest(as, client, proof(client), token, plain);
  return oauth.processIntrospectionResponse(as, client, response);
}

async function walk(as, client, way) {
  const denied = await failure('a denied request', request(as, client, way, 'deny'));
  expect('denied', [denied.code, denied.error], [oauth.AUTHORIZATION_RESPONSE_ERROR, 'access_denied']);

  const { tokens, redeem } = await authorize(as, client, way);
  const claims = oauth.getValidatedIdTokenClaims(tokens);
  expect('type', tokens.token_type, 'bearer');
  expect('whose', [claims.iss, claims.aud], [as.issuer, client.client_id]);

  const userinfo = async (token) => {
    const response = await oauth.userInfoRequest(as, client, token, plain);
    return oauth.processUserInfoResponse(as, client, claims.sub, response);
  };
  expect('userinfo', (await userinfo(tokens.access_token)).email, task.user);
  const active = await introspect(as, client, tokens.access_token);
  expect('introspection', [active.active, active.client_id, active.sub], [true, client.client_id, claims.sub]);

  const fresh = await refresh(as, client, tokens.refresh_token);
  expect('rotated', fresh.refresh_token === tokens.refresh_token, false);
  expect('the old one', await introspect(as, client, tokens.access_token), { active: false });
  expect('the new one', (await userinfo(fresh.access_token)).sub, claims.sub);

  const response = await oauth.revocationRequest(as, client, proof(client), fresh.refresh_token, plain);
  await oauth.processRevocationResponse(response);
  expect('revoked', await introspect(as, client, fresh.access_token), { active: false });
  const refused = await failure('a revoked token', userinfo(fresh.access_token));
  expect('challenge', [refused.code, refused.status], [oauth.WWW_AUTHENTICATE_CHALLENGE, 401]);
  expect('parameters', [refused.cause[0].scheme, refused.cause[0].parameters.error], ['bearer', 'invalid_token']);
  for (const attempt of [() => refresh(as, client, fresh.refresh_token), redeem]) {
    const error = await failure('what is spent', attempt());
    expect('error', [error.code, error.error, error.status], [oauth.RESPONSE_BODY_ERROR, 'invalid_grant', 400]);
  }
}

run(async () => {
  const as = await discover();
  const { redirectUri, next } = await listener();
  for (const { scope, register: metadata, ...known } of task.clients) {
    const client = metadata ? await register(as, { redirect_uris: [redirectUri], ...metadata }) : known;
    await walk(as, client, { scope, redirectUri, next });
  }
});
