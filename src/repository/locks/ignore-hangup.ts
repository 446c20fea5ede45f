/**
 * Until it is disposed, SIGHUP does nothing to this process. restic asks with that signal whether the process of a lock is alive (`restic
 * unlock` does, of every lock of this machine) and ignores it in its own; without this, asking would kill us.
 */
export function ignoreHangup(): Disposable {
  const nothing = () => {}
  process.on('SIGHUP', nothing)
  return { [Symbol.dispose]: () => void process.off('SIGHUP', nothing) }
}
