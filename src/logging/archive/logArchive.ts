import { fileURLToPath } from 'node:url';
import { FolderArchive } from './folderArchive.ts';

/** Where archived records are kept: files under names with slashes. */
export interface LogArchive {
  /** Resolves when the bytes are kept. A file of this name is replaced. */
  put(name: string, bytes: Buffer): Promise<void>;
  /** Null when there is none. */
  get(name: string): Promise<Buffer | null>;
  /** The names that begin so, in order. */
  list(prefix: string): Promise<string[]>;
  close(): void;
}

export interface ArchivePlace {
  /** A folder, as a path or `file:` address, or `s3://bucket/prefix`. */
  readonly place: string;
  /** Of a store that speaks S3 and is not Amazon's. */
  readonly endpoint?: string | null;
}

/** Opens the archive at a place. Of S3, the client is loaded only now; it finds its credentials as AWS's tools do. */
export async function openArchive({ place, endpoint = null }: ArchivePlace): Promise<LogArchive> {
  if (!place.startsWith('s3://')) return new FolderArchive(place.startsWith('file:') ? fileURLToPath(place) : place);
  const { hostname: bucket, pathname } = new URL(place);
  const { S3Archive } = await import('./s3Archive.ts');
  return new S3Archive({ bucket, prefix: decodeURIComponent(pathname).replace(/^\/+|\/+$/g, ''), endpoint });
}
