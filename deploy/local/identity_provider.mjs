// The identity provider for development: a real OpenID Connect provider whose sign-in page asks for an address only.
// Settings come as one JSON argument: {port, issuer, client, secret, redirect, people: [{email, role}]}.
import { createServer } from 'node:http';
import { generateKeyPairSync } from 'node:crypto';
import { pathToFileURL } from 'node:url';
import { createRequire } from 'node:module';

const settings = JSON.parse(process.argv[2]);
const entry = createRequire(settings.modules + '/').resolve('oidc-provider');
const { default: Provider } = await import(pathToFileURL(entry).href);

const mount = new URL(settings.issuer).pathname;
const key = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' });

const provider = new Provider(settings.issuer, {
  clients: [{ client_id: settings.client, client_secret: settings.secret, redirect_uris: [settings.redirect] }],
  claims: { openid: ['sub'], email: ['email', 'email_verified'] },
  conformIdTokenClaims: false,
  cookies: {
    long: { path: mount, httpOnly: true, sameSite: 'lax' },
    keys: [generateKeyPairSync('ed25519').privateKey.export({ format: 'der', type: 'pkcs8' }).toString('hex')],
  },
  jwks: { keys: [{ ...key, use: 'sig', alg: 'RS256', kid: 'development' }] },
  pkce: { required: () => true },
  features: { devInteractions: { enabled: false } },
  interactions: { url: (_context, interaction) => `${mount}/interaction/${interaction.uid}` },
  findAccount: (_context, id) => ({
    accountId: id,
    claims: () => ({ sub: id, email: id, email_verified: true }),
  }),
  async loadExistingGrant(context) {
    const grant = new context.oidc.provider.Grant({
      clientId: context.oidc.client.clientId,
      accountId: context.oidc.session.accountId,
    });
    grant.addOIDCScope('openid email');
    await grant.save();
    return grant;
  },
});
provider.proxy = true;

const escaped = (text) => text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);

// A key, inside the page: the provider serves no files.
const icon =
  'data:image/svg+xml,' +
  encodeURIComponent(
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#1f4f7a"/>' +
      '<circle cx="12" cy="16" r="5" fill="none" stroke="#fff" stroke-width="3"/>' +
      '<path d="M17 16h10v4m-4-4v3" fill="none" stroke="#fff" stroke-width="3"/></svg>',
  );

const page = () => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Sign in (development)</title><link rel="icon" href="${icon}"><style>
body{font:1rem/1.5 system-ui,sans-serif;max-width:26rem;margin:10vh auto;padding:0 1rem;color:#1d2733}
button,input{font:inherit;padding:.6rem .8rem;border-radius:.5rem;border:1px solid #8795a5;width:100%;box-sizing:border-box}
button{background:#fff;text-align:left;margin:.25rem 0;cursor:pointer}
button.main{background:#1f4f7a;color:#fff;text-align:center;border-color:#1f4f7a}
small{color:#52606d}label{display:block;margin:1.2rem 0 .3rem}
</style></head><body><h1>Who are you today?</h1>
<p>This provider is for trying Turnabout on one machine. It asks for no password; your organisation's own sign-in takes its place.</p>
<form method="post">${settings.people
    .map((one) => `<button name="email" value="${escaped(one.email)}">${escaped(one.email)}<br><small>${escaped(one.role)}</small></button>`)
    .join('')}</form>
<form method="post"><label for="email">Somebody else's work e-mail</label><input id="email" name="email" type="email" required>
<p><button class="main">Sign in</button></p></form></body></html>`;

const body = async (request) => {
  let text = '';
  for await (const chunk of request) {
    text += chunk;
    if (text.length > 10_000) break;
  }
  return new URLSearchParams(text);
};

const interaction = async (request, response) => {
  await provider.interactionDetails(request, response);
  if (request.method !== 'POST') {
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(page());
    return;
  }
  const email = ((await body(request)).get('email') ?? '').trim().toLowerCase();
  if (!email) {
    response.writeHead(400, { 'content-type': 'text/plain' }).end('Please go back and give an e-mail address.');
    return;
  }
  await provider.interactionFinished(request, response, { login: { accountId: email, remember: false } });
};

// Every sign-in asks anew, so that one browser can become another demo person.
const forgetSession = (request) => {
  const cookies = (request.headers.cookie ?? '').split(/;\s*/).filter((each) => !each.startsWith('_session'));
  request.headers.cookie = cookies.join('; ');
};

const handle = provider.callback();
createServer(async (request, response) => {
  request.originalUrl = request.url;
  request.url = request.url.startsWith(mount) ? request.url.slice(mount.length) || '/' : request.url;
  const path = request.url.split('?')[0];
  try {
    if (path === '/ready') response.end('ready');
    else if (path.startsWith('/interaction/')) await interaction(request, response);
    else {
      if (path === '/auth' || path.startsWith('/auth/')) forgetSession(request);
      await handle(request, response);
    }
  } catch (error) {
    console.error(error.name);
    response.writeHead(400, { 'content-type': 'text/plain' });
    response.end('This sign-in has expired. Go back to Turnabout and sign in again.');
  }
}).listen(settings.port, '127.0.0.1');
