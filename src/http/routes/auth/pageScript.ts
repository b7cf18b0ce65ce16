/**
 * What the account pages do in the browser. A form says by attributes what it is: `data-post` where its fields go as
 * JSON, `data-token` that the token of the link goes along, `data-next` which page or part follows. A problem's
 * `detail` is shown below the form.
 */
export const PAGE_SCRIPT = `
'use strict';
const token = location.hash.slice(1);
let csrfToken = null;
const part = (id) => document.getElementById(id);
const show = (id, on = true) => { const found = part(id); if (found) found.hidden = !on; };

async function call(method, path, body) {
  const headers = {};
  if (body !== undefined) headers['content-type'] = 'application/json';
  if (csrfToken !== null) headers['x-csrf-token'] = csrfToken;
  const answer = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  const text = await answer.text();
  const json = text === '' ? {} : JSON.parse(text);
  if (answer.ok) return json;
  const problem = new Error(json.detail || 'The server answered ' + answer.status + '.');
  problem.status = answer.status;
  throw problem;
}

const after = {
  login(answer) {
    if (!answer.secondFactor) return location.replace('/account');
    document.forms.code.elements.ticket.value = answer.ticket;
    show('password', false);
    show('code');
    document.forms.code.elements.code.focus();
  },
  enrol(answer) {
    part('qr').src = 'data:image/svg+xml,' + encodeURIComponent(answer.qrCode);
    part('secret').textContent = answer.secret;
    show('enrol', false);
    show('confirm');
  },
  codes(answer) {
    part('codes').textContent = answer.recoveryCodes.join('\\n');
    show('confirm', false);
    show('recovery');
  },
  done(answer, form) {
    form.reset();
    const output = form.querySelector('output');
    output.dataset.good = '';
    output.textContent = form.dataset.done;
    return load();
  },
};

for (const form of document.forms) form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const output = form.querySelector('output');
  const button = form.querySelector('button');
  output.textContent = '';
  delete output.dataset.good;
  button.disabled = true;
  try {
    const body = Object.fromEntries(new FormData(form));
    if ('token' in form.dataset) body.token = token;
    const answer = await call('POST', form.dataset.post, Object.keys(body).length > 0 ? body : undefined);
    const next = form.dataset.next;
    if (next.startsWith('/')) location.replace(next);
    else await after[next](answer, form);
  } catch (error) {
    output.textContent = error.message;
  }
  button.disabled = false;
});

async function load() {
  if (!part('sessions')) return;
  try {
    const session = await call('GET', '/api/v1/auth/session');
    csrfToken = session.csrfToken;
    part('who').textContent = session.user.name + ' <' + session.user.email + '>, ' + session.user.role;
    show('enrol', !session.secondFactor);
    show('disable', session.secondFactor);
    const { data } = await call('GET', '/api/v1/auth/sessions');
    part('sessions').replaceChildren(...data.map(row));
    show('account');
  } catch (error) {
    if (error.status === 401) location.replace('/login');
    else part('who').textContent = error.message;
  }
}

function row(session) {
  const cells = [session.userAgent || 'unknown', session.lastAddress || '', new Date(session.lastSeenAt).toLocaleString()];
  const line = document.createElement('tr');
  for (const text of cells) line.append(Object.assign(document.createElement('td'), { textContent: text }));
  const button = Object.assign(document.createElement('button'), { textContent: session.current ? 'Sign out' : 'End' });
  button.addEventListener('click', async () => {
    await call('DELETE', '/api/v1/auth/sessions/' + session.id).catch(() => {});
    await load();
  });
  const cell = document.createElement('td');
  cell.append(button);
  line.append(cell);
  return line;
}

for (const [id, on] of [['withToken', token !== ''], ['withoutToken', token === '']]) show(id, on);
addEventListener('hashchange', () => location.reload());
load();
`;
