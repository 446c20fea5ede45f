import { readFileSync } from 'node:fs'

/** Changes with every boot of the machine; empty where it is not known. */
export function bootIdentity(): string {
  if (process.platform !== 'linux') return ''
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return ''
  }
}
