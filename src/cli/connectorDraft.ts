/** What `connectors new` asks for. */
export interface ConnectorDraft {
  readonly platform: string;
  readonly title: string;
  readonly baseUrl: string;
  readonly auth: AuthKind;
}

export const AUTH_KINDS = ['bearer', 'api_key', 'basic', 'oauth2_client_credentials'] as const;
export type AuthKind = (typeof AUTH_KINDS)[number];

/** A valid connector to start from, with what to look up in the platform's documentation as comments. */
export function draftConnector({ platform, title, baseUrl, auth }: ConnectorDraft): string {
  const origin = new URL(baseUrl).origin;
  return `# ${platform}.yaml: what the platform is, as data. docs/connectors.md describes every key.
platform: ${platform}
title: ${JSON.stringify(title)}
category: other
docsUrl: ${JSON.stringify(`${origin}/`)} # where the API is documented
apiVersion: "1"
baseUrl: ${JSON.stringify(baseUrl.replace(/\/+$/, ''))}

auth:
${AUTH[auth]}
# The request that proves the credentials. It must be one that fails without them.
check:
  path: /me
  # accountPath: email     # where the answer names the account

# Sent with every request.
headers:
  accept: application/json

# Which budgets the platform documents.
# rateLimit:
#   budgets:
#     - maxRequests: 100
#       window: 1m

# How lists go on: none, cursor, token, page, offset, link_header, next_url.
pagination:
  type: page
  param: page
  pageSize:
    param: per_page
    value: 100
  shortPageEnds: true

streams:
  - name: items
    title: Items
    path: /items
    # recordsPath: data      # where the list is in the answer; the whole answer by default
    primaryKey: id
    # params:
    #   updated_since: "{{ state.cursor }}"
    # incremental:           # reads only what changed since the last run
    #   cursorField: updated_at
`;
}

const AUTH: Readonly<Record<AuthKind, string>> = {
  bearer: `  - name: token
    title: Access token
    type: bearer
    token: "{{ credentials.token }}"
    fields:
      - name: token
        title: Access token
        help: Where a person gets it.
`,
  api_key: `  - name: api_key
    title: API key
    type: api_key
    in: header
    key: x-api-key
    value: "{{ credentials.apiKey }}"
    fields:
      - name: apiKey
        title: API key
        help: Where a person gets it.
`,
  basic: `  - name: basic
    title: User and password
    type: basic
    username: "{{ credentials.username }}"
    password: "{{ credentials.password }}"
    fields:
      - name: username
        title: User name
        secret: false
      - name: password
        title: Password
`,
  oauth2_client_credentials: `  - name: client_credentials
    title: Client credentials
    type: oauth2_client_credentials
    tokenUrl: https://api.example.com/oauth/token # where tokens are given out
    clientId: "{{ credentials.clientId }}"
    clientSecret: "{{ credentials.clientSecret }}"
    fields:
      - name: clientId
        title: Client id
        secret: false
      - name: clientSecret
        title: Client secret
`,
};
