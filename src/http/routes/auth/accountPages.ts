import { type AddRoute, API } from '../route.ts';
import { hashSource, PAGE_STYLE_HASH, page } from '../system/page.ts';
import { PAGE_SCRIPT } from './pageScript.ts';

const STYLE = `
  form { display: grid; gap: 0.75rem; max-width: 24rem }
  label { display: grid; gap: 0.25rem }
  input, button { font: inherit; padding: 0.5rem; border: 1px solid #8888; border-radius: 0.4rem }
  button { cursor: pointer; justify-self: start; padding: 0.5rem 1rem }
  output { min-height: 1.6em; color: #c33 }
  output[data-good] { color: inherit }
  section { margin-top: 2rem }
  #qr { width: 12rem; background: #fff }
  [hidden] { display: none !important }
`;

/** `form-action 'none'`: the script sends what a form holds; without it, no password gets into an address. */
const POLICY = [
  `default-src 'none'`,
  `style-src ${PAGE_STYLE_HASH} ${hashSource(STYLE)}`,
  `script-src ${hashSource(PAGE_SCRIPT)}`,
  `connect-src 'self'`,
  'img-src data:',
  `form-action 'none'`,
  `base-uri 'none'`,
  `frame-ancestors 'none'`,
].join('; ');

const email = (label = 'E-mail'): string =>
  `<label>${label}<input name="email" type="email" autocomplete="username" required maxlength="254"></label>`;
const person = `<label>Your name<input name="name" autocomplete="name" required maxlength="200"></label>`;
const present = (name = 'password'): string =>
  `<label>Password<input name="${name}" type="password" autocomplete="current-password" required></label>`;
const chosen = `<label>New password (at least 10 characters)<input name="password" type="password" autocomplete="new-password" required minlength="10" maxlength="256"></label>`;

function form(name: string, attributes: string, fields: string, button: string): string {
  return `<form name="${name}" id="${name}" ${attributes}>${fields}<button>${button}</button><output role="alert"></output></form>`;
}

const PAGES: Readonly<Record<string, { readonly title: string; readonly body: string }>> = {
  '/setup': {
    title: 'Set up',
    body: `<p>Make the first account, an owner of this installation.</p>
${form('setup', `data-post="${API}/auth/setup" data-token data-next="/account"`, email() + person + chosen, 'Set up')}`,
  },
  '/login': {
    title: 'Sign in',
    body: `${form('password', `data-post="${API}/auth/login" data-next="login"`, email() + present(), 'Sign in')}
${form(
  'code',
  `hidden data-post="${API}/auth/login/second-factor" data-next="/account"`,
  `<input type="hidden" name="ticket"><label>Code of your app, or a recovery code<input name="code" autocomplete="one-time-code" required maxlength="40"></label>`,
  'Go on',
)}
<p><a href="/reset-password">Forgot the password?</a></p>`,
  },
  '/invitation': {
    title: 'Accept the invitation',
    body: form(
      'accept',
      `data-post="${API}/auth/invitations/accept" data-token data-next="/account"`,
      person + chosen,
      'Accept',
    ),
  },
  '/reset-password': {
    title: 'Choose a new password',
    body: `<div id="withToken" hidden>${form('choose', `data-post="${API}/auth/password-reset/confirm" data-token data-next="/login"`, chosen, 'Save')}</div>
<div id="withoutToken" hidden><p>If a user has the address, a link is sent to it.</p>${form('request', `data-post="${API}/auth/password-reset" data-next="done" data-done="Look into your e-mail."`, email(), 'Send the link')}</div>`,
  },
  '/account': {
    title: 'Your account',
    body: `<p id="who" role="status"></p>
<div id="account" hidden>
<section><h2>Sessions</h2><table><thead><tr><th>Program<th>Address<th>Last seen<th></thead><tbody id="sessions"></tbody></table></section>
<section><h2>Password</h2>
${form('change', `data-post="${API}/auth/password" data-next="done" data-done="Changed. Your other sessions have ended."`, present('presentPassword') + chosen, 'Change')}</section>
<section><h2>Second factor</h2>
${form('enrol', `hidden data-post="${API}/auth/totp" data-next="enrol"`, '', 'Set up an authenticator app')}
<div id="confirm" hidden><p>Scan it, or type in <code id="secret"></code>, then enter the code that the app shows.</p><p><img id="qr" alt="QR code for the authenticator app"></p>
${form('first', `data-post="${API}/auth/totp/confirm" data-next="codes"`, '<label>Code<input name="code" autocomplete="one-time-code" inputmode="numeric" required maxlength="8"></label>', 'Switch on')}</div>
<div id="recovery" hidden><p>It is on. Keep these recovery codes somewhere safe; each works once, and they are shown only now.</p><pre id="codes"></pre></div>
${form('disable', `hidden data-post="${API}/auth/totp/disable" data-next="done" data-done="Switched off."`, present(), 'Switch it off')}</section>
</div>`,
  },
};

/** The pages that a person needs to get in and to look after their account, until the dashboard has them. */
export const accountPages: AddRoute = (server) => {
  for (const [path, { title, body }] of Object.entries(PAGES)) {
    const html = page(
      `${title} · Integration Services`,
      `<style>${STYLE}</style>
<h1>${title}</h1>
<noscript><p>This page needs JavaScript.</p></noscript>
${body}
<script>${PAGE_SCRIPT}</script>`,
    );
    server.get(path, { config: { open: true }, schema: { hide: true } }, async (_request, reply) => {
      reply
        .type('text/html; charset=utf-8')
        .header('content-security-policy', POLICY)
        // The address of a page holds a token.
        .header('referrer-policy', 'no-referrer')
        .header('cache-control', 'no-store');
      return html;
    });
  }
};
