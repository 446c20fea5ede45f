import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { cache, goProgram } from './kubernetes-install.ts'

/** Chaos Mesh of September 2026 (after 2.8), as Go's modules name it: its releases have no names there. */
const version = 'v0.9.1-0.20260902003049-47411975a8cb'
const folder = join(cache, `chaos-mesh-${version}`)

/** The folder of its custom resource definitions. */
export const findChaosMesh = (): string | undefined => (existsSync(folder) ? folder : undefined)

/** Takes them out of its Go module, which Go checks against the checksum database; or leaves nothing. */
export function installChaosMesh(): void {
  const go = goProgram()
  if (go === undefined) return
  const work = mkdtempSync(join(tmpdir(), 'holdfast-chaos-mesh-'))
  try {
    writeFileSync(join(work, 'go.mod'), 'module holdfast.test/chaosmesh\n')
    const args = ['mod', 'download', '-json', `github.com/chaos-mesh/chaos-mesh@${version}`]
    const env = { ...process.env, GOTOOLCHAIN: 'local', GOWORK: 'off', GOFLAGS: '' }
    const { status, stdout } = spawnSync(go, args, { cwd: work, encoding: 'utf8', env })
    const { Dir, Error: problem } = JSON.parse(stdout) as { readonly Dir?: string; readonly Error?: string }
    if (status !== 0 || Dir === undefined) return console.warn(`Chaos Mesh cannot be downloaded: ${problem}`)
    mkdirSync(dirname(folder), { recursive: true })
    const draft = `${folder}.${process.pid}`
    cpSync(join(Dir, 'config/crd/bases'), draft, { recursive: true })
    renameSync(draft, folder)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}
