import { readFileSync } from 'node:fs'
import { sha256Hex, systemCode } from '../../kernel/index.ts'

// Once, as this program was loaded: what lies there later may be another one.
const identity = read()

/**
 * Changes with any code of the program and with Node: the hash of what it begins with, which names its pieces by their hashes (scripts/bundle.ts). Undefined where
 * it runs from its sources, any of which may have changed.
 */
export function programIdentity(): string | undefined {
  return identity
}

function read(): string | undefined {
  try {
    return `${process.version} ${sha256Hex(readFileSync(new URL('../../main.js', import.meta.url)))}`
  } catch (error) {
    if (systemCode(error) === undefined) throw error
    return undefined
  }
}
