import { clean } from './prettyLog.ts';

const REPAINT_MS = 100;
const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/**
 * Shows a line that changes while `run` is under way, and takes it away at the end. Where stderr is not a terminal
 * nothing is shown.
 */
export async function withLiveLine<T>(run: (show: (text: string) => void) => Promise<T>): Promise<T> {
  const { stderr } = process;
  if (stderr.isTTY !== true) return run(() => {});
  let text = '';
  let frame = 0;
  const paint = (): void => {
    const room = Math.max(20, stderr.columns) - 3;
    const shown = text.length > room ? `${text.slice(0, room - 1)}…` : text;
    stderr.write(`\r\u001b[2K${FRAMES[frame++ % FRAMES.length]} ${shown}`);
  };
  const timer = setInterval(paint, REPAINT_MS);
  try {
    return await run((next) => {
      text = clean(next);
    });
  } finally {
    clearInterval(timer);
    stderr.write('\r\u001b[2K');
  }
}
