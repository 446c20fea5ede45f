/** Runs a step of kind ssh in a process of its own, to be killed: `node ssh-process.ts FOLDER PARAMS`. */
import { actions } from '../../src/actions/index.ts'
import { contextIn } from '../support/plans.ts'

const [folder = '', params = '{}'] = process.argv.slice(2)
const action = actions.find(({ kind }) => kind === 'ssh')?.bind(JSON.parse(params))
const signal = new AbortController().signal
await action?.run(contextIn(folder), { signal, idempotencyKey: 'killed', attempt: 1, fencingToken: 1 })
