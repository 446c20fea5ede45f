import { existsSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { canonicalJson, keepChecked, readChecked, sha256Hex, stateDirectory } from '../kernel/index.ts'
import { isCode } from './include.ts'
import type { CatalogParts } from './parts.ts'

/** So many are kept, the newest: a catalog that is edited leaves one for each state of it. */
const mostKept = 64

type Parts = CatalogParts['parts']

/** Whether this program found these very texts sound before, in these very places. Never of code, which may say something else each time. */
export function isKnownSound(parts: Parts, program: string | undefined): boolean {
  return program !== undefined && !isCode(parts[0].file) && keptSound(parts[0].file).includes(identityOf(parts, program))
}

/** Keeps that a catalog was found sound. Only where Holdfast keeps something already, and nothing is wrong where it cannot. */
export async function keepSound(parts: Parts, program: string | undefined): Promise<void> {
  const { file } = parts[0]
  if (program === undefined || isCode(file) || !existsSync(stateDirectory(file))) return
  const kept = [identityOf(parts, program), ...keptSound(file)].slice(0, mostKept)
  await keepChecked(keptFile(file), kept.join('\n'))
}

function keptSound(file: string): string[] {
  return readChecked(keptFile(file))?.split('\n') ?? []
}

/** What the verdict hangs on: the program, and of each file where it is and what it says. */
function identityOf(parts: Parts, program: string): string {
  const folder = dirname(parts[0].file)
  return sha256Hex(canonicalJson([program, ...parts.map(({ file, text }) => [relative(folder, file), sha256Hex(text)])]))
}

function keptFile(file: string): string {
  return join(stateDirectory(file), 'cache', 'catalog', 'sound')
}
