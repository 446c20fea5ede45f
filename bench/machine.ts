import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, release, tmpdir, totalmem, type } from 'node:os'

/** What the figures were measured with, a line each. */
export function machineLines(): string[] {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
  const processors = cpus()
  return [
    `holdfast ${version}, node ${process.version}, ${type()} ${release()} ${process.arch}`,
    `${processors.length} × ${processors[0]?.model.trim() ?? 'unknown processor'}, ${(totalmem() / 2 ** 30).toFixed(1)} GiB`,
    `${tmpdir()} on ${fileSystem(tmpdir())}`,
  ]
}

function fileSystem(path: string): string {
  try {
    return execFileSync('df', ['--output=fstype,source', path], { encoding: 'utf8' }).trim().split('\n').at(-1) ?? 'unknown'
  } catch {
    return 'unknown'
  }
}
