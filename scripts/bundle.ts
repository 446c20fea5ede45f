/**
 * Makes `dist/` of `src/`: what is published, and what a checkout starts with, as long as it was made of the sources as they are
 * (bin/holdfast.js). `--clean` removes what was there before.
 * What a command needs is in few pieces there: a thousand small modules take several times as long to start.
 */
import { glob, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build, type OutputChunk, type Plugin } from 'rolldown'
import { isBundleFresh, sourceState, stateFile } from './source-state.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const source = join(root, 'src')
const dist = join(root, 'dist')
const keptMs = 7 * 86_400_000

/** Modules that are run for themselves: their places in `dist/` are those in `src/`. */
async function entries(): Promise<Record<string, string>> {
  const found = ['main.ts', 'library/index.ts', 'library/catalog.ts']
  for await (const worker of glob('**/*-worker.ts', { cwd: source })) found.push(worker)
  return Object.fromEntries(found.map((path) => [path.replace(/\.ts$/, ''), join(source, path)]))
}

/** A module in a chunk still finds what lies beside it: its address is the one it would have if it had been compiled alone; of what is no source, its own. */
const ownAddress: Plugin = {
  name: 'own-address',
  transform(code, id) {
    if (!code.includes('import.meta.url') || id.includes('node_modules')) return undefined
    if (!id.startsWith(source)) return code.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(id).href))
    const own = relative(source, id).replace(/\.ts$/, '.js')
    const address = `(import.meta.url.slice(0, import.meta.url.lastIndexOf('/dist/') + 6) + ${JSON.stringify(own)})`
    return code.replaceAll('import.meta.url', address)
  },
}

export async function bundle(): Promise<void> {
  // Read first: a source that is changed meanwhile makes the outcome old.
  const state = sourceState()
  const made = await chunksOf(await entries(), 'chunks')
  await rm(stateFile, { force: true })
  await putAll(made)
  await removeOld(new Set(made.map(({ fileName }) => fileName)))
  for await (const module of glob('*/*.wasm', { cwd: source })) await put(module, await readFile(join(source, module)))
  await put('THIRD-PARTY-LICENSES.txt', await licenses(made))
  await put(relative(dist, stateFile), state)
}

/** Makes programs that use the sources, in a folder of the checkout, into bundles in a folder of `dist/`: they start with what was made of the sources. */
export async function bundlePrograms(folder: string, pattern: string, into: string): Promise<void> {
  const input: Record<string, string> = {}
  for await (const path of glob(pattern, { cwd: join(root, folder) }))
    input[`${into}/${path.replace(/\.ts$/, '')}`] = join(root, folder, path)
  await putAll(await chunksOf(input, `${into}/chunks`))
}

async function chunksOf(input: Record<string, string>, chunks: string): Promise<OutputChunk[]> {
  const { output } = await build({
    input,
    cwd: root,
    platform: 'node',
    // Large, and seldom needed: loaded when they are.
    external: [/^@aws-sdk\//, /^@kubernetes\//, /^mysql2/, 'pdfkit', 'fontkit'],
    plugins: [ownAddress],
    // Nothing but what is started does anything by being imported: of an area, a command gets only what it uses.
    treeshake: { moduleSideEffects: [{ test: /[\\/]src[\\/](?!main\.ts$|.*-worker\.ts$)/, sideEffects: false }] },
    output: { dir: dist, format: 'esm', entryFileNames: '[name].js', chunkFileNames: `${chunks}/[name]-[hash].js` },
    write: false,
  })
  return output.filter((each) => each.type === 'chunk')
}

/** Programs may start from it meanwhile: what they begin with comes once all that it needs is there. */
async function putAll(made: readonly OutputChunk[]): Promise<void> {
  for (const { fileName, code } of made.toSorted((a, b) => Number(a.isEntry) - Number(b.isEntry))) await put(fileName, code)
}

/** All of it at once, for who reads it meanwhile. */
async function put(name: string, content: string | Uint8Array): Promise<void> {
  const path = join(dist, name)
  await mkdir(dirname(path), { recursive: true })
  const written = `${path}.${process.pid}`
  await writeFile(written, content)
  await rename(written, path)
}

/** Programs that run load pieces late: those of another state of the sources are kept for as long as one may run. */
async function removeOld(made: ReadonlySet<string>): Promise<void> {
  const oldestMs = Date.now() - keptMs
  for await (const name of glob('**/*.js*', { cwd: dist })) {
    // What another one is putting in place just now may be gone again.
    const found = made.has(name) ? undefined : await stat(join(dist, name)).catch(() => undefined)
    if (found !== undefined && found.mtimeMs < oldestMs) await rm(join(dist, name), { force: true })
  }
}

/** The licences of the packages whose code is in these chunks, as they ask for. */
async function licenses(chunks: readonly OutputChunk[]): Promise<string> {
  const modules = chunks.flatMap(({ moduleIds }) => moduleIds)
  const packages = new Set(modules.flatMap((id) => /^.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+/.exec(id) ?? []))
  const texts: string[] = []
  for (const folder of [...packages].toSorted()) {
    const { name, version, license } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Record<string, string>
    const file = (await readdir(folder)).find((name) => /^licen[cs]e/i.test(name))
    const text = file === undefined ? '' : await readFile(join(folder, file), 'utf8')
    texts.push(`${name} ${version} (${license})\n\n${text.trim()}\n`)
  }
  return texts.join(`\n${'-'.repeat(80)}\n\n`)
}

if (import.meta.main) {
  const isClean = process.argv.includes('--clean')
  if (isClean) await rm(dist, { recursive: true, force: true })
  if (isClean || !isBundleFresh()) await bundle()
}
