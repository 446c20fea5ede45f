import { actions } from '../../actions/index.ts'
import { faults } from '../../faults/index.ts'

/** The schemas of all actions' parameters, by the action's name: what the catalog's plans are checked with. */
export const actionParams = Object.fromEntries(actions.map(({ kind, params }) => [kind, params]))

/** The same of all faults: what the catalog's experiments are checked with. */
export const faultParams = Object.fromEntries(faults.map(({ kind, params }) => [kind, params]))
