import { expect, test } from 'vitest'
import { goMode, unixPermissions } from './file-mode.ts'

// What restic 0.14 writes for these.
test.each([
  ['directory 0755', 0o040_755, 2147484141],
  ['directory 1777', 0o041_777, 2148532735],
  ['file 6755', 0o106_755, 12583405],
  ['file 0644', 0o100_644, 420],
  ['symbolic link 0777', 0o120_777, 134218239],
  ['fifo 0644', 0o010_644, 33554852],
  ['block device 0644', 0o060_644, 67109284],
  ['character device 0644', 0o020_644, 69206436],
])('%s', (_, unix, go) => {
  expect(goMode(unix)).toBe(go)
  expect(unixPermissions(go)).toBe(unix & 0o7777)
})
