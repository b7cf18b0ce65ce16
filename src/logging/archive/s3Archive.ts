import { GetObjectCommand, ListObjectsV2Command, NoSuchKey, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { LogArchive } from './logArchive.ts';

const DEADLINE_MS = 60_000;

/** Keeps files as objects of a bucket, in Amazon S3 or whatever speaks its protocol. */
export class S3Archive implements LogArchive {
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #prefix: string;

  constructor({ bucket, prefix, endpoint }: { bucket: string; prefix: string; endpoint: string | null }) {
    this.#bucket = bucket;
    this.#prefix = prefix === '' ? '' : `${prefix}/`;
    this.#client = new S3Client({
      maxAttempts: 4,
      // Other stores have no host for each bucket, many do not know the newer checksums, and none asks for a region.
      ...(endpoint === null
        ? {}
        : {
            endpoint,
            forcePathStyle: true,
            region: 'us-east-1',
            requestChecksumCalculation: 'WHEN_REQUIRED' as const,
          }),
    });
  }

  async put(name: string, bytes: Buffer): Promise<void> {
    const ContentType = name.endsWith('.json') ? 'application/json' : 'application/gzip';
    const command = new PutObjectCommand({ ...this.#object(name), Body: bytes, ContentType });
    await this.#client.send(command, { abortSignal: AbortSignal.timeout(DEADLINE_MS) });
  }

  async get(name: string): Promise<Buffer | null> {
    try {
      const command = new GetObjectCommand(this.#object(name));
      const { Body } = await this.#client.send(command, { abortSignal: AbortSignal.timeout(DEADLINE_MS) });
      return Body === undefined ? null : Buffer.from(await Body.transformToByteArray());
    } catch (error) {
      if (error instanceof NoSuchKey) return null;
      throw error;
    }
  }

  async list(prefix: string): Promise<string[]> {
    const names: string[] = [];
    let ContinuationToken: string | undefined;
    do {
      const command = new ListObjectsV2Command({
        Bucket: this.#bucket,
        Prefix: this.#prefix + prefix,
        ContinuationToken,
      });
      const page = await this.#client.send(command, { abortSignal: AbortSignal.timeout(DEADLINE_MS) });
      for (const { Key } of page.Contents ?? []) if (Key !== undefined) names.push(Key.slice(this.#prefix.length));
      ContinuationToken = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    } while (ContinuationToken !== undefined);
    return names.sort();
  }

  close(): void {
    this.#client.destroy();
  }

  #object(name: string) {
    return { Bucket: this.#bucket, Key: this.#prefix + name };
  }
}
