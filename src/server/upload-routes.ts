import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { randomHex } from '../base/ids.ts';
import { SwarmError } from '../contract/errors.ts';
import { getRepo } from '../contract/repos.ts';
import { leastLevelToPush } from '../domain/repos/branch-rules.ts';
import { cleanUploads, uploadsOf } from '../workflows/hosted/clean-uploads.ts';
import { type TakenBundle, takeBundle } from '../workflows/hosted/take-bundle.ts';
import { type Face, PREFIX } from './face.ts';
import { cloneOf, requireLevel } from './hosted-call.ts';
import { pushSoon } from './push-soon.ts';
import { rawCall } from './sender.ts';

const LARGEST_BUNDLE = 512 * 1024 ** 2;

type UploadRequest = FastifyRequest<{ Params: { repoId: string } }>;

/** A bundle of git's as the body: `curl --data-binary @repo.bundle`. It goes to disk as it comes. */
export async function addUploadRoutes(app: FastifyInstance, face: Face): Promise<void> {
  await app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, body, done) => done(null, body));
    const options = { bodyLimit: LARGEST_BUNDLE };
    scope.post(`${PREFIX}/repos/:repoId/bundle`, options, (request: UploadRequest) => upload(face, request));
  });
}

async function upload(face: Face, request: UploadRequest): Promise<TakenBundle> {
  const { repoId } = request.params;
  const call = await rawCall(face, request);
  const workflow = await cloneOf(call, repoId);
  const { config } = await call.authority.call(getRepo, { repoId });
  // Nobody fills the disk who could not move anything.
  await requireLevel(call, repoId, leastLevelToPush(config));
  const place = uploadsOf(workflow);
  await mkdir(place, { recursive: true, mode: 0o700 });
  await cleanUploads(workflow);
  const path = join(place, `${randomHex(16)}.bundle`);
  try {
    await pipeline(bodyOf(request), atMost(LARGEST_BUNDLE), createWriteStream(path, { mode: 0o600 }));
    const taken = await takeBundle(workflow, path);
    if (taken.moved.length > 0) pushSoon(face, workflow, { tags: true });
    face.wake();
    return taken;
  } finally {
    await rm(path, { force: true });
  }
}

function bodyOf({ body }: UploadRequest): Readable {
  if (body instanceof Readable) return body;
  throw new SwarmError('invalid', 'The request has no body.', {
    fix: 'curl --data-binary @repo.bundle -H "Content-Type: application/octet-stream"',
  });
}

function atMost(bytes: number): Transform {
  let seen = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      seen += chunk.length;
      if (seen <= bytes) done(null, chunk);
      else done(new SwarmError('too_large', `An upload holds at most ${bytes} bytes.`));
    },
  });
}
