import type { Email } from './mailer.ts';

/** The e-mail that brings somebody back who has forgotten the password. */
export function passwordResetEmail(to: string, link: string, validHours: number): Email {
  return {
    to,
    subject: 'Choose a new password for Integration Services',
    text: `Somebody, probably you, asked for a new password for ${to}.

To choose one, open this link within ${validHours === 1 ? 'an hour' : `${validHours} hours`}:

${link}

It works once; of several e-mails, the newest counts. If you did not ask for it, do nothing: your password stays as it is.
`,
  };
}

/** The e-mail that invites somebody. */
export function invitationEmail(to: string, link: string, role: string, validDays: number): Email {
  return {
    to,
    subject: 'You are invited to Integration Services',
    text: `You are invited to Integration Services with the role "${role}".

To accept and choose a password, open this link within ${validDays} days:

${link}

It works once. If you do not know what this is about, do nothing.
`,
  };
}
