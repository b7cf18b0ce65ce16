import { expect, it } from 'vitest';
import { errorMessage } from '../../src/core/errors.ts';

it('tells what was thrown in words, whatever it is', () => {
  expect(errorMessage(new Error('it broke'))).toBe('it broke');
  expect(errorMessage('text')).toBe('text');
  // As pg-boss hands on errors.
  expect(errorMessage({ ...new Error('hidden'), message: 'connect ECONNREFUSED', stack: '' })).toBe(
    'connect ECONNREFUSED',
  );
  // As Node.js tells that none of a host's addresses answers.
  const attempts = [new Error('connect ECONNREFUSED ::1:1'), new Error('connect ECONNREFUSED 127.0.0.1:1')];
  expect(errorMessage(new AggregateError(attempts))).toBe(
    'connect ECONNREFUSED ::1:1; connect ECONNREFUSED 127.0.0.1:1',
  );
});
