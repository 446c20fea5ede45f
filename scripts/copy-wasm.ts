/** Puts the compiled WASM modules beside the compiled JavaScript. */
import { copyFileSync } from 'node:fs'
import { glob } from 'node:fs/promises'
import { join } from 'node:path'

const root = new URL('..', import.meta.url).pathname

for await (const module of glob('src/*/*.wasm', { cwd: root }))
  copyFileSync(join(root, module), join(root, 'dist', module.slice('src/'.length)))
