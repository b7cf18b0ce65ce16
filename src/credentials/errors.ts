import { AppError } from '../core/errors.ts';

/**
 * Encrypted credentials could not be opened. Deliberately the same for every cause (wrong secret, wrong user key,
 * another context, changed or unsupported data), so that nobody learns which check failed.
 */
export class CredentialsUnreadableError extends AppError {
  readonly code = 'CREDENTIALS_UNREADABLE';

  constructor() {
    super(
      'The credentials cannot be opened: the key or the context is not the one they were encrypted with, or the data was changed. Enter the credentials again.',
    );
  }
}

/** There is no secret to encrypt with, or no Web Crypto. */
export class EncryptionNotConfiguredError extends AppError {
  readonly code = 'ENCRYPTION_NOT_CONFIGURED';
}

/** ENCRYPTION_SECRET is not the one the installation's keys are sealed with. Nothing was changed. */
export class EncryptionSecretMismatchError extends AppError {
  readonly code = 'ENCRYPTION_SECRET_MISMATCH';
}
