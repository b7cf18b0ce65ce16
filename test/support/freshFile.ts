import { liveSecrets } from '../../src/redaction/knownSecrets.ts';

// Files share processes: what one has made a secret would be hidden from the next, such as the word "revoked".
liveSecrets.clear();
