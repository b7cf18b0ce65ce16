import { z } from 'zod';
import { answers } from '../../schemas/problem.ts';
import { requireUser } from '../../sessionAuthentication.ts';
import { type AddRoute, API } from '../route.ts';

const answer = z
  .object({
    secret: z.string().describe('Base32, to type in where no QR code can be read.'),
    uri: z.string().describe('otpauth:// with the secret.'),
    qrCode: z.string().describe('The URI as a QR code: an SVG document.'),
  })
  .meta({ id: 'SecondFactorEnrolment' });

export const enrolSecondFactor: AddRoute = (server, app) => {
  server.post(
    `${API}/auth/totp`,
    {
      config: { permission: 'self', repeatable: true },
      schema: {
        operationId: 'enrolSecondFactor',
        summary: 'Set up a second factor',
        description:
          'Answers what an authenticator app needs, this once. It counts after POST …/totp/confirm with a first code.',
        tags: ['auth'],
        response: answers({ 201: answer }, 409),
      },
    },
    async (request, reply) => {
      reply.code(201);
      return await app.access.accounts.secondFactors.enrol(requireUser(request));
    },
  );
};
