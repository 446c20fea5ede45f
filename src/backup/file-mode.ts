/**
 * The mode of a node is Go's os.FileMode: permission bits as in Unix, the type and the three special bits elsewhere
 * (https://pkg.go.dev/io/fs#FileMode).
 */
const goBit = {
  dir: 2 ** 31,
  symlink: 2 ** 27,
  device: 2 ** 26,
  fifo: 2 ** 25,
  socket: 2 ** 24,
  setuid: 2 ** 23,
  setgid: 2 ** 22,
  chardev: 2 ** 21,
  sticky: 2 ** 20,
} as const

const typeMask = 0o170_000
const typeBits: Readonly<Record<number, number>> = {
  0o040_000: goBit.dir,
  0o120_000: goBit.symlink,
  0o060_000: goBit.device,
  0o020_000: goBit.device + goBit.chardev,
  0o010_000: goBit.fifo,
  0o140_000: goBit.socket,
}

/** From `st_mode`, or a mode of tar with its type bits added. */
export function goMode(unixMode: number): number {
  let mode = (unixMode & 0o777) + (typeBits[unixMode & typeMask] ?? 0)
  if (unixMode & 0o4000) mode += goBit.setuid
  if (unixMode & 0o2000) mode += goBit.setgid
  if (unixMode & 0o1000) mode += goBit.sticky
  return mode
}

/** The permission and special bits for chmod, from a node's mode. */
export function unixPermissions(goMode: number): number {
  const has = (bit: number) => Math.floor(goMode / bit) % 2 === 1
  return (
    (goMode % 0o1000) + (has(goBit.setuid) ? 0o4000 : 0) + (has(goBit.setgid) ? 0o2000 : 0) + (has(goBit.sticky) ? 0o1000 : 0)
  )
}
