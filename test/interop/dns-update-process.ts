/** Runs dns.update in a process of its own, to be killed: `node dns-update-process.ts FOLDER PARAMS`, with the key's secret in the environment. */
import { actions } from '../../src/actions/index.ts'
import { resolveSecret } from '../../src/catalog/index.ts'
import { contextIn } from '../support/plans.ts'

const [folder = '', params = '{}'] = process.argv.slice(2)
const action = actions.find(({ kind }) => kind === 'dns.update')?.bind(JSON.parse(params))
const signal = new AbortController().signal
await action?.run(contextIn(folder, { resolveSecret }), { signal, idempotencyKey: 'killed', attempt: 1, fencingToken: 1 })
