import { type Command, Option } from 'commander';
import { EXPORT_FORMATS } from '../../audit/exportFormat.ts';
import { recordExport } from '../../audit/recordExport.ts';
import { command } from '../command.ts';
import { UsageError } from '../errors.ts';
import { withApp } from '../openApp.ts';
import { type AuditFilterOptions, filterOf, withFilter } from './auditList.ts';

interface Options extends AuditFilterOptions {
  readonly format: (typeof EXPORT_FORMATS)[number];
}

export function auditExport(): Command {
  const made = command<Options>('export', 'Write the audit log to stdout, oldest first', (invocation) => {
    const { out, options, signal } = invocation;
    if (out.json) throw new UsageError('An export has formats of its own; use --format without --json.');
    return withApp(invocation, async (app) => {
      const filter = filterOf(options);
      await recordExport(app, options.format, filter);
      for await (const text of app.audit.export(options.format, filter)) {
        signal.throwIfAborted();
        await out.write(text);
      }
    });
  });
  return withFilter(made).addOption(
    new Option('--format <format>', 'jsonl verifies offline; csv for spreadsheets; ocsf for security tools')
      .choices(EXPORT_FORMATS)
      .default('jsonl'),
  );
}
