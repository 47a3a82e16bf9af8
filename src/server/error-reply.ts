import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { httpStatusOf, isSwarmError, SwarmError } from '../contract/errors.ts';

/** The one shape of everything that goes wrong. */
export function errorBody(error: SwarmError): object {
  return {
    error: {
      code: error.code,
      message: error.message,
      ...(error.fix === undefined ? {} : { fix: error.fix }),
      ...(error.details === undefined ? {} : { details: error.details }),
    },
  };
}

/** Answers an error. What nobody foresaw is logged whole and told as nothing but its request id. */
export function replyWithError(thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const error = asSwarmError(thrown, request);
  const status = httpStatusOf(error.code);
  if (status >= 500 && status !== 503) request.log.error({ err: thrown }, 'failed');
  if (status === 401) reply.header('www-authenticate', 'Bearer realm="gitswarm"');
  if (status === 429) reply.header('retry-after', String(error.details?.retryAfterSeconds ?? 60));
  if (status === 503) reply.header('retry-after', '2');
  return reply.code(status).type('application/json; charset=utf-8').send(errorBody(error));
}

function asSwarmError(thrown: unknown, request: FastifyRequest): SwarmError {
  if (isSwarmError(thrown)) {
    // Faults of this machine carry paths and words of git that are nobody else's business.
    return httpStatusOf(thrown.code) === 500 ? unforeseen(request) : thrown;
  }
  const { code, statusCode } = (thrown instanceof Error ? thrown : {}) as Partial<FastifyError>;
  if (statusCode === 413) return new SwarmError('too_large', 'The body of the request is too large.');
  if (statusCode === 415)
    return new SwarmError('invalid', 'The body is of a type this route does not take.', {
      fix: 'Send JSON with "Content-Type: application/json".',
    });
  if (statusCode === 400 || thrown instanceof SyntaxError)
    return new SwarmError('invalid', 'The body of the request is not valid JSON.');
  if (code === 'FST_ERR_REP_ALREADY_SENT') return unforeseen(request);
  return unforeseen(request);
}

/** What is told of a failure that nobody foresaw: nothing but where it is in the log. */
export function unforeseen(request: FastifyRequest): SwarmError {
  return new SwarmError(
    'internal',
    `Something unexpected went wrong. It is in the log of the server as ${request.id}.`,
  );
}
