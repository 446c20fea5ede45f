#!/usr/bin/env node
// Plain JavaScript that any Node can parse: it finds a Node that can run Holdfast, and the program.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const source = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const built = fileURLToPath(new URL('../dist/main.js', import.meta.url))
const pinned = fileURLToPath(new URL('../node_modules/node/bin/node', import.meta.url))

stopWithNpx()

if (Number.parseInt(process.versions.node, 10) >= 26) {
  const { enableCompileCache } = await import('node:module')
  enableCompileCache?.()
  const { main } = await import(await program())
  await main(process.argv.slice(2))
} else if (existsSync(pinned)) {
  const child = spawn(pinned, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' })
  // Whoever stops this process means the program: it must neither be left behind nor miss its clean-up.
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
  const passOn = (signal) => child.kill(signal)
  for (const signal of signals) process.on(signal, passOn)
  child.once('exit', (status, endedBy) => {
    for (const signal of signals) process.off(signal, passOn)
    if (endedBy) process.kill(process.pid, endedBy)
    else process.exitCode = status
  })
} else {
  console.error(`holdfast: Node ${process.versions.node} is too old`)
  console.error('HINT: install Node 26 or newer, or run `npm ci` in the checkout, which brings its own')
  process.exitCode = 1
}

/** In a checkout the sources themselves, unless what was made of them is as new: it starts several times as fast. */
async function program() {
  if (!existsSync(source)) return built
  const { isBundleFresh } = await import('../scripts/source-state.ts')
  return isBundleFresh() ? built : source
}

/**
 * npx runs the program through a shell, and at SIGTERM both end without passing it on. Whoever stopped them meant the program: it would go
 * on unseen, and a supervisor would start a second one beside it.
 */
function stopWithNpx() {
  if (process.env.npm_command !== 'exec') return
  // What the program starts has another parent, and may be meant to outlive it.
  delete process.env.npm_command
  const parent = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(timer)
    process.kill(process.pid, 'SIGTERM')
  }, 250)
  timer.unref()
}
