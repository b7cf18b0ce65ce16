import { AppError } from '../core/errors.ts';

/** A migration cannot be applied, or those applied are not those of this version of the program. */
export class MigrationError extends AppError {
  readonly code = 'MIGRATION_FAILED';
}

/** The server is one this program cannot use. */
export class UnsupportedDatabaseError extends AppError {
  readonly code = 'UNSUPPORTED_DATABASE';
}

/** Another process of ours already serves this data folder. */
export class DataFolderInUseError extends AppError {
  readonly code = 'DATA_FOLDER_IN_USE';
}
