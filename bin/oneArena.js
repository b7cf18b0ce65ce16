// glibc gives every thread an arena of its own, and what a long sync frees stays in them: a server is 30 MB larger.
// It reads the limit when a process begins, so the server begins once more, as the same process. A parent that talks
// to it over a channel (node --watch) would lose it.
const { env, execArgv, execPath, argv, platform, channel } = process;

if (argv[2]?.startsWith('start') && platform === 'linux' && !env.MALLOC_ARENA_MAX && !channel && process.execve) {
  process.execve(execPath, [execPath, ...execArgv, ...argv.slice(1)], { ...env, MALLOC_ARENA_MAX: '1' });
}
