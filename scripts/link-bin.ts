/**
 * Puts `holdfast` of this checkout where npx looks first. npm links the programs of dependencies but not the package's own, and npx would
 * otherwise install the checkout into a cache of its own before it runs it.
 */
import { mkdirSync, rmSync, symlinkSync } from 'node:fs'

const folder = new URL('../node_modules/.bin/', import.meta.url)
mkdirSync(folder, { recursive: true })
const link = new URL('holdfast', folder)
rmSync(link, { force: true })
symlinkSync('../../bin/holdfast.js', link)
