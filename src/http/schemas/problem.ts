import { z } from 'zod';
import { PROBLEM_MEDIA_TYPE } from '../problem.ts';

const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string(),
    requestId: z.string(),
    errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).optional(),
    details: z.record(z.string(), z.unknown()).optional(),
  })
  .meta({
    id: 'Problem',
    description: 'RFC 9457. `code` is stable: branch on it, never on a text.',
    examples: [
      {
        type: '/docs/errors#INVALID_INPUT',
        title: 'The input is not valid',
        status: 400,
        detail: 'The integration is not valid. platform: There is no platform "gihub". Did you mean "github"?',
        code: 'INVALID_INPUT',
        requestId: 'req_01k9y3v6h8e7a9m2qf5t0xw4zr',
        errors: [{ pointer: '/platform', detail: 'There is no platform "gihub". Did you mean "github"?' }],
      },
    ],
  });

const MEANINGS = {
  400: 'The request cannot be read or its input is not valid.',
  403: 'The caller may not do this.',
  404: 'Not found.',
  409: 'The state does not allow it, or an Idempotency-Key is in flight.',
  412: 'If-Match names an old version.',
  413: 'The request is too large.',
  415: 'The body has a type that is not taken.',
  422: 'Refused by the provider, or an Idempotency-Key belongs to another request.',
  502: 'The provider did not answer as it should.',
} as const;

/** The answers of a route: those that succeed, typed, and the problems it is known for besides the general ones. */
export function answers<S extends Partial<Record<number, z.ZodType>>>(
  success: S,
  ...problems: (keyof typeof MEANINGS)[]
): S {
  const entries = problems.map((status) => [status, problem(MEANINGS[status])]);
  // Problems are sent as finished text by the error handler, so handlers are typed by what they may return.
  return { ...success, ...Object.fromEntries(entries), default: problem('Any other problem.') };
}

function problem(description: string) {
  return { description, content: { [PROBLEM_MEDIA_TYPE]: { schema: problemSchema } } };
}
