import { AppError } from '../../core/errors.ts';

/** E-mail address or password is wrong, or the account is not active: which of them is not said. */
export class WrongCredentialsError extends AppError {
  readonly code = 'WRONG_CREDENTIALS';

  constructor() {
    super(
      'The e-mail address or the password is not right, or the account is not active. Try again, reset the password, or ask an administrator.',
    );
  }
}

/** The present password, asked for again before a change, is not the right one. */
export class WrongPasswordError extends AppError {
  readonly code = 'WRONG_PASSWORD';

  constructor() {
    super('The present password is not right. Nothing was changed.');
  }
}

/** The code of the second factor is wrong, or was used before. */
export class WrongCodeError extends AppError {
  readonly code = 'WRONG_CODE';

  constructor() {
    super(
      'The code is not right or was used before. Wait for the next one in the authenticator app and check that its clock is right, or use a recovery code.',
    );
  }
}

/** Too many failures; until the wait is over the password is not even looked at. */
export class LoginThrottledError extends AppError {
  readonly code = 'LOGIN_THROTTLED';

  constructor(retryAfterMs: number) {
    super(`Too many failed attempts. Try again in ${Math.ceil(retryAfterMs / 1000)} seconds; nothing is locked.`, {
      details: { retryAfterMs },
    });
  }
}

/** More passwords wait to be checked than can be in a reasonable time; nothing was looked at. */
export class AuthenticationBusyError extends AppError {
  readonly code = 'AUTHENTICATION_BUSY';

  constructor() {
    super('Too many passwords are being checked at the moment. Nothing was done; try again in a few seconds.', {
      details: { retryAfterMs: 2_000 },
    });
  }
}

/** A one-time link or ticket that is wrong, used, replaced by a newer one, or past its time. */
export class InvalidTokenError extends AppError {
  readonly code = 'INVALID_TOKEN';

  constructor(what: string) {
    super(
      `${what} is not valid any more: it was used, replaced by a newer one, or its time is over. Ask for a new one.`,
    );
  }
}

/** The installation has users, so nobody can set it up again. */
export class SetupDoneError extends AppError {
  readonly code = 'SETUP_DONE';

  constructor() {
    super('This installation is set up. Sign in, or ask an administrator for an invitation.');
  }
}

/** Another user has this e-mail address. */
export class EmailTakenError extends AppError {
  readonly code = 'EMAIL_TAKEN';

  constructor() {
    super('A user with this e-mail address exists. Take another address, or change that user.');
  }
}

/** Something is to be sent by e-mail, and no server for it is configured. */
export class EmailNotConfiguredError extends AppError {
  readonly code = 'EMAIL_NOT_CONFIGURED';

  constructor() {
    super(
      'This installation sends no e-mail. Ask an administrator to run "users reset-password <e-mail>" on the command line, which prints a link, or to set SMTP_URL and SMTP_FROM.',
    );
  }
}

export class SessionNotFoundError extends AppError {
  readonly code = 'SESSION_NOT_FOUND';

  constructor(sessionId: string) {
    super(`There is no session ${JSON.stringify(sessionId)} of yours. It may have ended already.`, {
      details: { sessionId },
    });
  }
}

export class InvitationNotFoundError extends AppError {
  readonly code = 'INVITATION_NOT_FOUND';

  constructor(invitationId: string) {
    super(
      `There is no open invitation ${JSON.stringify(invitationId)}. It may have been accepted, or be past its time.`,
      {
        details: { invitationId },
      },
    );
  }
}

/** The second factor is on already, or not there. */
export class SecondFactorStateError extends AppError {
  readonly code = 'SECOND_FACTOR_STATE';
}

/** Nobody gives, takes or changes accounts of more power than their own. */
export class RoleAboveOwnError extends AppError {
  readonly code = 'ROLE_ABOVE_OWN';

  constructor(role: string, reason: string) {
    super(`This concerns an account with the role ${JSON.stringify(role)}, which is not yours to decide: ${reason}`, {
      details: { role },
    });
  }
}

/** Only a person who is signed in can do this, with a session of their own. */
export class SessionRequiredError extends AppError {
  readonly code = 'SESSION_REQUIRED';

  constructor() {
    super('This belongs to a person, not to a key. Sign in with POST /api/v1/auth/login and send the session cookie.');
  }
}

/** A change came with a session cookie but without the token that only our own pages know. */
export class CsrfTokenRejectedError extends AppError {
  readonly code = 'CSRF_TOKEN_REJECTED';

  constructor() {
    super(
      'A change made with a session needs the header X-CSRF-Token with the value of `csrfToken` from GET /api/v1/auth/session.',
    );
  }
}

/** An e-mail could not be handed to the mail server. */
export class EmailNotSentError extends AppError {
  readonly code = 'EMAIL_NOT_SENT';
}
