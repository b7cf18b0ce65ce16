/** A valid file; line numbers of the cases count in it. */
export const VALID = `platform: acme
title: Acme
category: other
docsUrl: https://docs.acme.example
apiVersion: '2'
connection:
  - name: account
    title: Account
    pattern: ^[a-z]+$
    example: main
  - name: region
    title: Region
    default: eu
auth:
  - name: key
    title: API key
    type: api_key
    in: header
    key: x-api-key
    value: '{{ credentials.apiKey }}'
    fields:
      - name: apiKey
        title: API key
        pattern: ^k_[a-z]+$
        example: k_abc
baseUrl: https://{{ config.account }}.acme.example
headers:
  x-region: '{{ config.region }}'
check:
  path: /me
errors:
  codePath: error.code
  messagePath: error.message
  rules:
    - when:
        status: 400
        code: [expired]
      outcome: wrong_credentials
rateLimit:
  headers:
    - remaining: x-left
      reset:
        header: x-reset
        unit: epoch_seconds
pagination:
  type: token
  param: cursor
  tokenPath: next
streams:
  - name: orders
    title: Orders
    path: /orders
    params:
      since: '{{ state.cursor }}'
    recordsPath: data
    primaryKey: id
    incremental:
      cursorField: updated_at
      order: ascending
  - name: lines
    title: Lines
    path: /orders/{{ parent.id }}/lines
    recordsPath: data
    primaryKey: [order, id]
    transformations:
      - add:
          field: order
          value: '{{ parent.id }}'
    parent:
      stream: orders
webhooks:
  signature:
    scheme: acme
    header: x-signature
  events:
    order.created: [orders]
`;

interface BrokenConnector {
  readonly name: string;
  /** What to replace in the valid file, and by what. */
  readonly change: readonly [string, string];
  /** The problems, as `line:column path: message`. */
  readonly problems: readonly string[];
}

export const BROKEN: readonly BrokenConnector[] = [
  {
    name: 'an unknown key',
    change: ['category: other', 'categroy: other'],
    problems: [
      '1:1 category: is required (a text).',
      '3:1 categroy: is not known here. Did you mean "category"? Known: platform, title, category, description, docsUrl, apiVersion, connection, auth, baseUrl, origins, headers, check, rateLimit, retry, errors, cacheValidators, pagination, streams, webhooks, scopes.',
    ],
  },
  {
    name: 'an unknown key inside',
    change: ['        pattern: ^k_', '        patern: ^k_'],
    problems: [
      '24:9 auth.0.fields.0.patern: is not known here. Did you mean "pattern"? Known: name, title, description, pattern, hint, example, secret, required, help.',
    ],
  },
  {
    name: 'a missing key',
    change: ['baseUrl: https://{{ config.account }}.acme.example\n', ''],
    problems: ['1:1 baseUrl: is required (a text).'],
  },
  {
    name: 'a missing key inside a list',
    change: ['    path: /orders\n', ''],
    problems: ['50:5 streams.0.path: is required (a text).'],
  },
  {
    name: 'a wrong type',
    change: ['title: Acme', 'title: 5'],
    problems: ['2:1 title: takes a text. Got 5.'],
  },
  {
    name: 'a list instead of a map',
    change: ['check:\n  path: /me', 'check: [/me]'],
    problems: ['29:1 check: takes a map of keys and values. Got a list of 1.'],
  },
  {
    name: 'an empty text',
    change: ["apiVersion: '2'", "apiVersion: ''"],
    problems: ['5:1 apiVersion: may not be empty.'],
  },
  {
    name: 'a value that is near a known one',
    change: ['type: api_key', 'type: apikey'],
    problems: [
      '17:5 auth.0.type: takes one of "none", "api_key", "basic", "bearer", "headers", "oauth2_client_credentials", "session". Got "apikey". Did you mean "api_key"?',
    ],
  },
  {
    name: 'an auth mode of later',
    change: ['type: api_key', 'type: oauth1'],
    problems: [
      '17:5 auth.0.type: takes one of "none", "api_key", "basic", "bearer", "headers", "oauth2_client_credentials", "session". Got "oauth1".',
    ],
  },
  {
    name: 'an unknown kind of pagination',
    change: ['type: token', 'type: tokens'],
    problems: [
      '46:3 pagination.type: takes one of "none", "cursor", "token", "page", "offset", "link_header", "next_url". Got "tokens". Did you mean "token"?',
    ],
  },
  {
    name: 'an unknown outcome',
    change: ['outcome: wrong_credentials', 'outcome: wrong_credential'],
    problems: [
      '38:7 errors.rules.0.outcome: takes one of "success", "wrong_credentials", "missing_scope", "rate_limited", "not_found", "invalid_request", "provider_error", "bad_response". Got "wrong_credential". Did you mean "wrong_credentials"?',
    ],
  },
  {
    name: 'a platform name in capitals',
    change: ['platform: acme', 'platform: Acme'],
    problems: ['1:1 platform: takes lower-case letters, digits, "_" and "-", and starts with a letter. Got "Acme".'],
  },
  {
    name: 'an address that is none',
    change: ['docsUrl: https://docs.acme.example', 'docsUrl: docs.acme.example'],
    problems: ['4:1 docsUrl: takes a web address such as "https://…". Got "docs.acme.example".'],
  },
  {
    name: 'a length of time without unit',
    change: ['order: ascending', 'lookback: 60'],
    problems: ['59:7 streams.0.incremental.lookback: takes a text. Got 60.'],
  },
  {
    name: 'a key twice',
    change: ['title: Acme', 'title: Acme\ntitle: Acme2'],
    problems: ['3:1 : repeats a key of the same map; keep one of them.'],
  },
  {
    name: 'a tab',
    change: ['    title: Account', '\ttitle: Account'],
    problems: ['8:1 : is indented with a tab; YAML takes spaces only.'],
  },
  {
    name: 'an alias',
    change: ['    title: Region', '    title: &t Region\n    description: *t'],
    problems: ['13:18 : uses the alias "*t"; a connector is plain data, so repeat the value.'],
  },
  {
    name: 'two documents',
    change: ['title: Acme', 'title: Acme\n---\nx: 1'],
    problems: ['3:1 : starts a second document ("---"); a connector is one document.'],
  },
  {
    name: 'broken YAML',
    change: ['title: Acme', 'title: "Acme'],
    problems: ['77:1 : is not YAML: Missing closing "quote'],
  },
  {
    name: 'a template without end',
    change: ["'{{ config.region }}'", "'{{ config.region }'"],
    problems: ['28:3 headers.x-region: has a "{{" without its "}}" in "{{ config.region }".'],
  },
  {
    name: 'an empty template',
    change: ["'{{ config.region }}'", "'{{ }}'"],
    problems: [
      '11:5 connection.1.name: is asked for but never used; refer to it as {{ config.region }} or remove it.',
      '28:3 headers.x-region: has an empty "{{ }}".',
    ],
  },
  {
    name: 'a template with an operator',
    change: ["'{{ config.region }}'", "'{{ config.region + 1 }}'"],
    problems: [
      '28:3 headers.x-region: cannot be read: {{ config.region + 1 }} at "+ 1". An expression is a name such as config.shop, then filters such as | default(\'x\').',
    ],
  },
  {
    name: 'an unknown name',
    change: ["'{{ config.region }}'", "'{{ confg.region }}'"],
    problems: [
      '11:5 connection.1.name: is asked for but never used; refer to it as {{ config.region }} or remove it.',
      '28:3 headers.x-region: refers to "confg", which is not known here. Did you mean "config"? Known here: config, apiVersion, now.',
    ],
  },
  {
    name: 'an unknown field',
    change: ["'{{ config.region }}'", "'{{ config.regoin }}'"],
    problems: [
      '11:5 connection.1.name: is asked for but never used; refer to it as {{ config.region }} or remove it.',
      '28:3 headers.x-region: refers to config.regoin, which does not exist. Did you mean "region"? Known: account, region.',
    ],
  },
  {
    name: 'an unknown filter',
    change: ["'{{ config.region }}'", "'{{ config.region | uper }}'"],
    problems: [
      '28:3 headers.x-region: uses the filter "uper", which does not exist. Did you mean "upper"? Filters: default, urlencode, path, base64, trim, lower, upper, replace, string, number, json, join, to_epoch, to_epoch_ms, date, plus, minus.',
    ],
  },
  {
    name: 'too few arguments',
    change: ["'{{ config.region }}'", '\'{{ config.region | replace("a") }}\''],
    problems: ['28:3 headers.x-region: gives the filter "replace" 1 arguments; it takes 2.'],
  },
  {
    name: 'a date format that is none',
    change: ["'{{ config.region }}'", '\'{{ now | date("iso") }}{{ config.region }}\''],
    problems: [
      "28:3 headers.x-region: gives the filter \"date\" \"iso\"; it takes one of 'rfc3339', 'rfc3339_ms', 'date', 'epoch_seconds', 'epoch_ms'.",
    ],
  },
  {
    name: 'credentials outside of auth',
    change: ["'{{ config.region }}'", "'{{ credentials.apiKey }}{{ config.region }}'"],
    problems: [
      '28:3 headers.x-region: refers to "credentials", which is not known here. Credentials can be used under "auth" only. Known here: config, apiVersion, now.',
    ],
  },
  {
    name: 'a credential nobody is asked for',
    change: ['{{ credentials.apiKey }}', '{{ credentials.apikey }}'],
    problems: [
      '20:5 auth.0.value: refers to credentials.apikey, which does not exist. Did you mean "apiKey"? Known: apiKey.',
      '22:9 auth.0.fields.0.name: is asked for but never used; refer to it as {{ credentials.apiKey }} or remove it.',
    ],
  },
  {
    name: 'a state without incremental',
    change: ['    incremental:\n      cursorField: updated_at\n      order: ascending\n', ''],
    problems: [
      '54:7 streams.0.params.since: refers to "state", which is not known here. A state is known in streams that have "incremental". Known here: config, apiVersion, now.',
    ],
  },
  {
    name: 'a cursor that is never used',
    change: ["      since: '{{ state.cursor }}'", '      since: x'],
    problems: [
      '57:5 streams.0.incremental: is never used: put {{ state.cursor }} into a parameter, header or the body, or set "order: descending" when the newest records come first.',
    ],
  },
  {
    name: 'a parent that does not exist',
    change: ['      stream: orders', '      stream: order'],
    problems: [
      '70:7 streams.1.parent.stream: names the stream "order", which does not exist. Did you mean "orders"? Known: orders.',
    ],
  },
  {
    name: 'a stream that is its own parent',
    change: ['      stream: orders', '      stream: lines'],
    problems: ['70:7 streams.1.parent.stream: names the stream "lines", which is the stream itself. Known: orders.'],
  },
  {
    name: 'parents in a circle',
    change: ['    path: /orders\n', '    path: /orders/{{ parent.id }}\n    parent:\n      stream: lines\n'],
    problems: [
      '54:7 streams.0.parent.stream: goes round in a circle, or more than 3 streams deep.',
      '72:7 streams.1.parent.stream: goes round in a circle, or more than 3 streams deep.',
    ],
  },
  {
    name: 'a parent that is not used',
    change: ['path: /orders/{{ parent.id }}/lines', 'path: /lines'],
    problems: ['69:5 streams.1.parent: is read for nothing: no path, parameter, header or body uses {{ parent.… }}.'],
  },
  {
    name: 'a parent reference without parent',
    change: ['    path: /orders\n', '    path: /orders/{{ parent.id }}\n'],
    problems: [
      '52:5 streams.0.path: refers to "parent", which is not known here. A parent is known in streams that have "parent". Known here: config, apiVersion, now, state.',
    ],
  },
  {
    name: 'two streams of one name',
    change: ['- name: lines', '- name: orders'],
    problems: [
      '60:5 streams.1.name: repeats the stream "orders"; it is also number 1 of the list.',
      '70:7 streams.1.parent.stream: names the stream "orders", which is the stream itself. There is no other stream.',
    ],
  },
  {
    name: 'a path that is an address',
    change: ['path: /me', 'path: https://login.acme.example/me'],
    problems: [
      '30:3 check.path: takes a path under baseUrl such as "/users", not a whole address: credentials are sent to baseUrl only. Got "https://login.acme.example/me".',
    ],
  },
  {
    name: 'a path with a query',
    change: ['path: /me', 'path: /me?full=1'],
    problems: ['30:3 check.path: takes a path without "?" and "#"; put query parameters under "params".'],
  },
  {
    name: 'a path without slash',
    change: ['path: /me', 'path: me'],
    problems: ['30:3 check.path: takes a path that starts with "/". Got "me".'],
  },
  {
    name: 'a path that goes up',
    change: ['path: /me', 'path: /a/../me'],
    problems: ['30:3 check.path: takes a path without "." and ".." in it.'],
  },
  {
    name: 'a host built of any text',
    change: ['    pattern: ^[a-z]+$\n', ''],
    problems: [
      '25:1 baseUrl: is built from the connection field "account", which takes any text: it could lead to another host. Give the field a "pattern", or "type: url".',
    ],
  },
  {
    name: 'a base address that is none',
    change: ['https://{{ config.account }}.acme.example', 'acme.example{{ config.account }}'],
    problems: [
      '26:1 baseUrl: takes an address that starts with https:// (or http://). Got "acme.example{{ config.account }}".',
    ],
  },
  {
    name: 'a base address with credentials',
    change: ['https://{{ config.account }}.acme.example', 'https://u:p@acme.example'],
    problems: [
      '7:5 connection.0.name: is asked for but never used; refer to it as {{ config.account }} or remove it.',
      '26:1 baseUrl: takes an address without user name and password. Got "https://u:p@acme.example".',
    ],
  },
  {
    name: 'a pattern without ends',
    change: ['pattern: ^[a-z]+$', 'pattern: "[a-z]+"'],
    problems: ['9:5 connection.0.pattern: takes a pattern for the whole value: from "^" to "$". Got "[a-z]+".'],
  },
  {
    name: 'a pattern that is none',
    change: ['pattern: ^[a-z]+$', 'pattern: "^[a-z+$"'],
    problems: ['9:5 connection.0.pattern: is not a regular expression: missing closing ]: `[a-z+$`.'],
  },
  {
    name: 'a pattern that looks back',
    change: ['pattern: ^[a-z]+$', 'pattern: ^([a-z]+)\\1$'],
    problems: [
      '9:5 connection.0.pattern: takes a regular expression without look-around and back-references, which could take exponential time: invalid escape sequence: `\\1`.',
    ],
  },
  {
    name: 'an example that does not fit',
    change: ['example: main', 'example: MAIN'],
    problems: ['10:5 connection.0.example: does not fit the field: it takes a text that matches ^[a-z]+$.'],
  },
  {
    name: 'a connection field that nothing uses',
    change: ["x-region: '{{ config.region }}'", 'x-region: eu'],
    problems: ['11:5 connection.1.name: is asked for but never used; refer to it as {{ config.region }} or remove it.'],
  },
  {
    name: 'a token from nowhere',
    change: ['  tokenPath: next\n', ''],
    problems: [
      '45:1 pagination: needs "tokenPath" or "tokenHeader" (one of them): where an answer carries the token of the next page.',
    ],
  },
  {
    name: 'a parameter set twice',
    change: ["      since: '{{ state.cursor }}'", "      since: '{{ state.cursor }}'\n      cursor: x"],
    problems: ['55:7 streams.0.params.cursor: is also set by the pagination; remove it in one place.'],
  },
  {
    name: 'a body with GET',
    change: ['    path: /orders\n', '    path: /orders\n    body: { a: 1 }\n'],
    problems: ['53:5 streams.0.body: cannot be sent with GET; set "method: POST".'],
  },
  {
    name: 'a path into JSON that is none',
    change: ['recordsPath: data', 'recordsPath: data..x'],
    problems: [
      '55:5 streams.0.recordsPath: is not a path: cannot read "..x". A path looks like "data.items", "items[0].id", "groups[*].users" or "[\'odd key\']".',
    ],
  },
  {
    name: 'a wildcard where one value is meant',
    change: ['cursorField: updated_at', 'cursorField: items[*].at'],
    problems: ['58:7 streams.0.incremental.cursorField: takes a path to one value, without "*". Got "items[*].at".'],
  },
  {
    name: 'a deletion marker without a word on it',
    change: ['    primaryKey: id', '    primaryKey: id\n    deletions: marker'],
    problems: ['57:5 streams.0.deletions: is "marker", so "deletionMarker" must say how a deleted record looks.'],
  },
  {
    name: 'a rule that always holds',
    change: ['        status: 400\n        code: [expired]', '        {}'],
    problems: [
      '35:7 errors.rules.0.when: is empty, so the rule would hold for every answer; name a status, code, header, body or message.',
    ],
  },
  {
    name: 'a code from nowhere',
    change: ['  codePath: error.code\n', ''],
    problems: ['36:9 errors.rules.0.when.code: needs "errors.codePath", which says where an answer carries the code.'],
  },
  {
    name: 'headers without reset',
    change: ['      reset:\n        header: x-reset\n        unit: epoch_seconds\n', ''],
    problems: [
      '41:7 rateLimit.headers.0: needs "remaining" and "reset" (or "usedOfLimit"): without them nothing can be told from the headers.',
    ],
  },
  {
    name: 'an unknown unit',
    change: ['unit: epoch_seconds', 'unit: seconds'],
    problems: [
      '44:9 rateLimit.headers.0.reset.unit: takes one of "epoch_seconds", "epoch_ms", "delta_seconds", "delta_milliseconds", "http_date", "rfc3339". Got "seconds".',
    ],
  },
  {
    name: 'an event of an unknown stream',
    change: ['order.created: [orders]', 'order.created: [order]'],
    problems: [
      '76:21 webhooks.events.order.created.0: names the stream "order", which does not exist. Did you mean "orders"?',
    ],
  },
  {
    name: 'a scope that is not listed',
    change: ['    primaryKey: id', '    primaryKey: id\n    scopes: [read]'],
    problems: ['57:14 streams.0.scopes.0: names the scope "read", which is not under "scopes".'],
  },
  {
    name: 'fields of a mode that sends none',
    change: [
      "    type: api_key\n    in: header\n    key: x-api-key\n    value: '{{ credentials.apiKey }}'",
      '    type: none',
    ],
    problems: [
      '18:5 auth.0.fields: are asked for but "none" sends no credentials; take another type or no fields.',
      '19:9 auth.0.fields.0.name: is asked for but never used; refer to it as {{ credentials.apiKey }} or remove it.',
    ],
  },
  {
    name: 'a condition without a test',
    change: ['    primaryKey: id', '    primaryKey: id\n    filter: [{ path: kind }]'],
    problems: ['57:14 streams.0.filter.0: has a path but no test; add exists, equals, notEquals, in or matches.'],
  },
];
