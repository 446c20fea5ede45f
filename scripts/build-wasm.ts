/** Compiles every AssemblyScript module (src/<area>/assembly/<name>.ts) to src/<area>/<name>.wasm, which is not committed. */
import { execFileSync } from 'node:child_process'
import { glob } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

const root = new URL('..', import.meta.url).pathname
// As a program, not as a module: its types redeclare the globals of every file that imports it.
const compiler = join(root, 'node_modules/assemblyscript/bin/asc.js')

for await (const source of glob('src/*/assembly/*.ts', { cwd: root })) {
  const target = join(dirname(dirname(source)), `${basename(source, '.ts')}.wasm`)
  const options = ['--outFile', target, '-O3', '--noAssert', '--runtime', 'stub', '--importMemory', '--enable', 'simd']
  execFileSync(process.execPath, [compiler, source, ...options], { cwd: root, stdio: 'inherit' })
  console.log(`${source} → ${target}`)
}
